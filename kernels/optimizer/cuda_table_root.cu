// The root of the sum of partial sums: the second launch of the norm of all numbers, after SQUARES of cuda_table.cu.
//
// One block: thread t adds partial sums t, t + THREADS, ... in their order, and threads add theirs as a tree, an order
// that the number of partial sums decides. There is one for 4096 numbers, so that this launch
// is bound by its latency, some microseconds; the norm stays on the device.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE and -DARGUMENT_BYTES by cuda_table.py, which also launches it.
#include "cuda_ptx.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As ROOT_ARGUMENTS in cuda_table.py.
struct Arguments {
    const double* partials;  // (count,)
    Real* norm;              // one number
    long long count;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_table.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    double sum = 0;
#pragma unroll 8
    for (long long i = threadIdx.x; i < a.count; i += THREADS) sum += load_number(a.partials + i);
    sum = add_threads<THREADS>(sum, shared_memory());
    if (threadIdx.x == 0) store_number(a.norm, static_cast<Real>(sqrt(sum)));
}
