// The sum of partial results, in their order: sum[i] = ((partials[0, i] + partials[1, i]) + partials[2, i]) + ...
//
// The second half of weight gradients: blocks that cannot talk to each other have written their parts of a sum,
// and a second launch sees them all. One thread has one number, so that neighbouring lanes read neighbouring numbers
// of one part, 128 bytes a warp, and the order of additions is that of the parts whatever the GPU does in which order.
// Eight loads are under way at once: each takes some hundred clocks, an addition four.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE and -DARGUMENT_BYTES by cuda_sum_partials.py, which also launches it.
#include "cuda_ptx.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As ARGUMENTS in cuda_sum_partials.py.
struct Arguments {
    const Real* partials;  // (parts, count)
    Real* sum;             // (count,)
    long long count;
    long long parts;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_sum_partials.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long i = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (i >= a.count) return;
    Real sum = 0;
#pragma unroll 8
    for (long long part = 0; part < a.parts; part++) sum += load_number(a.partials + part * a.count + i);
    store_number(a.sum + i, sum);
}
