// The root of the sum of partial sums: the second launch of the norm of all numbers, after SQUARES of cuda_table.cu.
//
// One block: thread t adds partial sums t, t + THREADS, ... in their order, lanes add by shuffles and warps through
// shared memory, an order that the number of partial sums decides. There is one for 4096 numbers, so that this launch
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
#pragma unroll
    for (int mask = 1; mask < 32; mask *= 2) sum += shuffle_xor(sum, mask);
    const u32 shared = shared_memory();
    if (threadIdx.x % 32 == 0) store_double(shared + threadIdx.x / 32 * 8, sum);
    __syncthreads();
    if (threadIdx.x) return;
    sum = 0;
#pragma unroll
    for (int warp = 0; warp < THREADS / 32; warp++) sum += load_double(shared + warp * 8);
    store_number(a.norm, static_cast<Real>(sqrt(sum)));
}
