// The last launch of a sum: y = scale * (partials[0] + partials[1] + ...) / divisor, by one block, in a fixed order.
//
// Blocks that cannot talk to each other have left partial sums, some thousand at most, which one block adds sooner than
// another launch starts. Each thread adds every THREADS-th, then threads add theirs as a tree.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE and -DARGUMENT_BYTES by cuda_total.py.
#include "cuda_ptx.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As ARGUMENTS in cuda_total.py.
struct Arguments {
    const double* partials;  // (count,)
    const double* divisor;   // (1,); null for 1
    Real* y;                 // (1,)
    long long count;
    double scale;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_total.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    double sum = 0;
    for (long long i = threadIdx.x; i < a.count; i += THREADS) sum += load_number(a.partials + i);
    sum = add_threads<THREADS>(sum, shared_memory()) * a.scale;
    if (threadIdx.x == 0) store_number(a.y, static_cast<Real>(a.divisor ? sum / load_number(a.divisor) : sum));
}
