// Squared differences of two images on CUDA: a block adds a part of one pair of images; cuda_means.cu adds the parts.
//
// The idea: a thread loads VECTOR neighbouring numbers of both images at once, and four pairs of loads are under way.
// Which numbers a thread adds, and the order of threads and parts, follow from the shape alone.
//
// Numbers: integers are exact, squares in 32 bits and sums in 64 until threads meet in float64; others are subtracted
// and added in float64.
//
// Memory traffic: both images once, which bounds it. With VECTOR numbers of 16 bytes a warp's load is 512 bytes: 16
// pixels of bytes take a thread 2 loads, where single ones would take 32.
//
// Compiled with -DKERNEL, -DTHREADS, -DTYPE, -DVECTOR and -DARGUMENT_BYTES by cuda_errors.py.
#include "cuda_ptx.cuh"

// As TYPES in cuda_errors.py.
#if TYPE == 0
typedef float Number;
typedef double Sum;
#elif TYPE == 1
typedef double Number;
typedef double Sum;
#elif TYPE == 2
typedef unsigned char Number;
typedef unsigned long long Sum;
#else
typedef unsigned short Number;
typedef unsigned long long Sum;
#endif

// As ARGUMENTS in cuda_errors.py.
struct Arguments {
    const Number *x, *y;    // (N, size)
    double* parts;          // (N, blocks)
    long long size, share;  // of an image, of a block: a multiple of VECTOR
    Divisor blocks;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_errors.py");

__device__ __forceinline__ Sum squared(Number x, Number y) {
#if TYPE < 2
    const double difference = static_cast<double>(x) - static_cast<double>(y);
#else
    const u32 difference = static_cast<u32>(x) - static_cast<u32>(y);  // its square is right where it wraps
#endif
    return difference * difference;
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const u32 image = quotient(static_cast<u32>(blockIdx.x), a.blocks);
    const long long first = (blockIdx.x - image * static_cast<long long>(a.blocks.divisor)) * a.share;
    const long long count = first + a.share < a.size ? a.share : a.size - first;
    const Number *x = a.x + image * a.size + first, *y = a.y + image * a.size + first;
    Sum sum = 0;
    const long long whole = count - count % VECTOR;
#pragma unroll 4
    for (long long i = threadIdx.x * VECTOR; i < whole; i += THREADS * VECTOR) {
        const Numbers<VECTOR, Number> ours = load_numbers<VECTOR>(x + i), theirs = load_numbers<VECTOR>(y + i);
#pragma unroll
        for (int k = 0; k < VECTOR; k++) sum += squared(ours.number[k], theirs.number[k]);
    }
    if (whole + threadIdx.x < count)  // fewer than VECTOR
        sum += squared(load_number(x + whole + threadIdx.x), load_number(y + whole + threadIdx.x));
    const double total = add_threads<THREADS>(static_cast<double>(sum), shared_memory());
    if (threadIdx.x == 0) store_number(a.parts + blockIdx.x, total);
}
