// threshold on CUDA: a thread has VECTOR neighbouring numbers of one image.
//
// The idea: numbers do not depend on each other, so that 16 bytes of them are loaded, replaced and stored at once.
//
// Index arithmetic: as cuda_image.cuh, the numbers of an image being channels of its only pixel. Which image a group
// belongs to costs one multiplication.
//
// Numbers: copies and choices, so results have the bits of the definition (reference.py).
//
// Memory traffic, which bounds it: every number once in and once out.
//
// Takes everything. Compiled with -DKERNEL, -DTHREADS, -DTYPE, -DVECTOR, -DLARGE and -DARGUMENT_BYTES by
// cuda_vector.py.
#include "cuda_ptx.cuh"
#include "cuda_image.cuh"

// As TYPES in cuda_vector.py.
#if TYPE == 0
typedef unsigned char Number;
#elif TYPE == 1
typedef short Number;
#elif TYPE == 2
typedef unsigned short Number;
#elif TYPE == 3
typedef float Number;
#else
typedef double Number;
#endif

// As RULES in reference.py.
enum Rule { BINARY, BINARY_INV, TRUNC, TOZERO, TOZERO_INV };

// As ARGUMENTS in cuda_vector.py.
struct Arguments {
    const Number* x;       // (N, size)
    const Number* levels;  // (N,)
    Number* y;             // as x
    Image image;
    double top;
    int rule, unused;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_vector.py");

// What a number becomes. NaN is neither above nor below.
__device__ __forceinline__ Number thresholded(Number value, Number level, Number top, int rule) {
    const bool above = value > level, below = value <= level;
    switch (rule) {
        case BINARY: return above ? top : Number(0);
        case BINARY_INV: return below ? top : Number(0);
        case TRUNC: return above ? level : value;
        case TOZERO: return below ? Number(0) : value;
    }
    return above ? Number(0) : value;
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long index = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= a.image.count) return;
    const Number level = load_number(a.levels + place_of(a.image, index).image), top = static_cast<Number>(a.top);
    Numbers<VECTOR, Number> numbers = load_numbers<VECTOR>(a.x + index * VECTOR);
#pragma unroll
    for (int v = 0; v < VECTOR; v++) numbers.number[v] = thresholded(numbers.number[v], level, top, a.rule);
    store_numbers<VECTOR>(a.y + index * VECTOR, numbers);
}
