// halve on CUDA: a thread has VECTOR neighbouring numbers in every load.
//
//     PAIRS 1    of one channel: VECTOR numbers of two rows, which are VECTOR / 2 results side by side
//     PAIRS 0    of VECTOR channels: four pixels, which are one
//
// The idea: numbers are used once, so a thread loads 16 bytes of them at once and keeps all that comes of it.
//
// Index arithmetic: as cuda_image.cuh, of the results; with PAIRS, of groups of VECTOR / 2 results as if each were one
// pixel. Pixel (p, q) is made of pixels 2 p and 2 p + 1 of columns 2 q and 2 q + 1.
//
// Numbers: whole ones are exact, their sums divided with halves up; others are added in float64, in the definition's
// order (reference.py), and rounded once.
//
// Memory traffic, which bounds it: every number once.
//
// Takes everything. Compiled with -DKERNEL, -DTHREADS, -DTYPE, -DVECTOR, -DPAIRS, -DLARGE and -DARGUMENT_BYTES by
// cuda_vector.py.
#include "cuda_ptx.cuh"
#include "cuda_image.cuh"

// As TYPES in cuda_vector.py.
#if TYPE == 0
typedef unsigned char Number;
#elif TYPE == 1
typedef unsigned short Number;
#elif TYPE == 2
typedef short Number;
#elif TYPE == 3
typedef float Number;
#else
typedef double Number;
#endif

// As ARGUMENTS in cuda_vector.py.
struct Arguments {
    const Number* x;  // (N, 2 P, 2 Q, C)
    Number* y;        // (N, P, Q, C)
    Image image;      // y
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_vector.py");

#if TYPE < 3
__device__ __forceinline__ Number mean(int a, int b, int c, int d) {
    return static_cast<Number>((a + b + c + d + 2) >> 2);  // the quotient's floor
}
#else
__device__ __forceinline__ Number mean(double a, double b, double c, double d) {
    return static_cast<Number>((a + b + c + d) / 4);
}
#endif

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long index = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= a.image.count) return;
    const Place place = place_of(a.image, index);
    const int C = PAIRS ? 1 : static_cast<int>(a.image.groups.divisor) * VECTOR;
    const long long line = static_cast<long long>(a.image.columns.divisor) * (PAIRS ? VECTOR : 2 * C);
    const long long row = (static_cast<long long>(place.image) * a.image.rows.divisor + place.row) * 2;
    const long long column = static_cast<long long>(place.column) * (PAIRS ? VECTOR : 2 * C);
    const Number* x = a.x + row * line + column + place.group * VECTOR;
    const Numbers<VECTOR, Number> above = load_numbers<VECTOR>(x), below = load_numbers<VECTOR>(x + line);
#if PAIRS
    Numbers<VECTOR / 2, Number> y;
#pragma unroll
    for (int v = 0; v < VECTOR / 2; v++)
        y.number[v] =
            mean(above.number[2 * v], above.number[2 * v + 1], below.number[2 * v], below.number[2 * v + 1]);
    store_numbers<VECTOR / 2>(a.y + index * (VECTOR / 2), y);
#else
    const Numbers<VECTOR, Number> right = load_numbers<VECTOR>(x + C), last = load_numbers<VECTOR>(x + line + C);
    Numbers<VECTOR, Number> y;
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        y.number[v] = mean(above.number[v], right.number[v], below.number[v], last.number[v]);
    store_numbers<VECTOR>(a.y + index * VECTOR, y);
#endif
}
