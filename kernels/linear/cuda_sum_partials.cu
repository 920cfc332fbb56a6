// The sum of partial results, in their order: sum[i] = ((partials[0, i] + partials[1, i]) + partials[2, i]) + ..., and
// of matrix products a bias and an activation.
//
// The second half of weight gradients and of products with a long inner axis: blocks that cannot talk to each other
// have written their parts of a sum, and a second launch sees them all. One thread has one number, so that neighbouring
// lanes read neighbouring numbers of one part, 128 bytes a warp, and the order of additions is that of the parts
// whatever the GPU does in which order.
// Eight loads are under way at once: each takes some hundred clocks, an addition four.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE and -DARGUMENT_BYTES by cuda_sum_partials.py, which also launches it.
#include "cuda_ptx.cuh"
#include "cuda_activation.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As ARGUMENTS in cuda_sum_partials.py.
struct Arguments {
    const Real* partials;  // (parts, count)
    const Real* bias;      // (columns,) or null
    Real* sum;             // (count,), rows of so many columns
    long long count;
    long long parts;
    long long columns;
    double negative_slope;
    int activation;
    int unused;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_sum_partials.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long i = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (i >= a.count) return;
    Real sum = 0;
#pragma unroll 8
    for (long long part = 0; part < a.parts; part++) sum += load_number(a.partials + part * a.count + i);
    if (a.bias) sum += load_number(a.bias + i % a.columns);
    store_number(a.sum + i, activate(sum, a.activation, static_cast<Real>(a.negative_slope)));
}
