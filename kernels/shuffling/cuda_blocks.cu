// Pixel shuffle and back on CUDA: a thread has one channel of one block of r x r pixels.
//
//     shuffle    y[h * r + i, w * r + j, c] = x[h, w, c * r * r + i * r + j]
//     its BACK   the same copy from right to left
//
// The idea: the r * r numbers of a thread lie side by side in the deep image, where it moves VECTOR of them at once;
// of r = 2, all of them. In the wide image they lie in r * r pixels, and there the threads of a warp have neighbouring
// channels: each of their instructions moves runs of words, where one thread for one number of the result reads words
// that are r * r apart.
//
// Index arithmetic: as cuda_image.cuh, of blocks for pixels, once for r * r numbers; i and j are counted.
//
// Memory traffic, which bounds it: both images once. With few channels, the words that a warp's instruction leaves out
// are those of the next instructions, and meet in the caches.
//
// Takes everything. Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DLARGE, -DBACK and -DARGUMENT_BYTES by
// cuda_blocks.py.
#include "cuda_ptx.cuh"
#include "cuda_image.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const Real* x;
    Real* y;
    Image blocks;  // (N, H, W, C): in the deep image r * r numbers each, in the wide one r x r pixels
    int factor, unused;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long index = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= a.blocks.count) return;
    const Place block = place_of(a.blocks, index);
    const int r = a.factor, H = static_cast<int>(a.blocks.rows.divisor), W = static_cast<int>(a.blocks.columns.divisor);
    const int C = static_cast<int>(a.blocks.groups.divisor);
    const long long deep = index * r * r, line = static_cast<long long>(W) * r * C;
    long long wide = (static_cast<long long>(block.image) * H + block.row) * r * line;
    wide += static_cast<long long>(block.column) * r * C + block.group;
    int j = 0;
    for (int k = 0; k < r * r; k += VECTOR) {
        Numbers<VECTOR, Real> numbers;
#if !BACK
        numbers = load_numbers<VECTOR>(a.x + deep + k);
#endif
#pragma unroll
        for (int v = 0; v < VECTOR; v++) {
#if BACK
            numbers.number[v] = load_number(a.x + wide);
#else
            store_number(a.y + wide, numbers.number[v]);
#endif
            wide += C;
            if (++j == r) wide += line - static_cast<long long>(r) * C, j = 0;
        }
#if BACK
        store_numbers<VECTOR>(a.y + deep + k, numbers);
#endif
    }
}
