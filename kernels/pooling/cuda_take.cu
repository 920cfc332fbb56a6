// Numbers of images at given places, on CUDA: a thread has VECTOR neighbouring channels of one pixel of the result.
//
//     y[p, q, c] = x[place / W, place % W, c] with place = places[p, q, c]
//
// The idea: places and results move by 16 bytes; what they name lies anywhere, and is read number by number.
//
// Index arithmetic: as cuda_image.cuh. A place counts pixels row by row, as they lie in memory: it is not taken apart.
//
// Memory traffic, which bounds it: places and results once, and of x a transaction of 32 bytes for each number, where
// neighbouring channels have no neighbouring places. Places of max pooling are near one another, and meet in the
// caches.
//
// Takes everything. Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DLARGE and -DARGUMENT_BYTES by
// cuda_take.py.
#include "cuda_ptx.cuh"
#include "cuda_image.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As ARGUMENTS in cuda_take.py.
struct Arguments {
    const Real* x;      // (N, H, W, C)
    const int* places;  // (N, P, Q, C)
    Real* y;            // (N, P, Q, C)
    Image image;        // y
    long long pixels;   // H * W
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_take.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long index = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= a.image.count) return;
    const Place own = place_of(a.image, index);
    const int C = static_cast<int>(a.image.groups.divisor) * VECTOR, c = own.group * VECTOR;
    const Numbers<VECTOR, int> places = load_numbers<VECTOR>(a.places + index * VECTOR);
    Numbers<VECTOR, Real> y;
#pragma unroll
    for (int v = 0; v < VECTOR; v++) {
        const long long pixel = static_cast<long long>(own.image) * a.pixels + places.number[v];
        y.number[v] = load_number(a.x + pixel * C + c + v);
    }
    store_numbers<VECTOR>(a.y + index * VECTOR, y);
}
