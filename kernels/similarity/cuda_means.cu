// The last launch of means over images on CUDA: y[i] = (parts[i, 0] + parts[i, 1] + ...) / count, a block for an image.
//
// Blocks that cannot talk to each other have left parts of SUMS sums, some hundred for an image. Each thread adds every
// THREADS-th, then threads add theirs as a tree.
//
// Compiled with -DKERNEL, -DTHREADS, -DSUMS and -DARGUMENT_BYTES by cuda_means.py.
#include "cuda_ptx.cuh"

// As `_arguments` in cuda_means.py.
struct Arguments {
    const double* parts;  // (N, blocks, SUMS)
    double* y[SUMS];      // (N,) each
    double counts[SUMS];
    long long blocks;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_means.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    double sums[SUMS] = {};
    for (long long i = threadIdx.x; i < a.blocks; i += THREADS) {
        const Numbers<SUMS, double> part = load_numbers<SUMS>(a.parts + (blockIdx.x * a.blocks + i) * SUMS);
#pragma unroll
        for (int k = 0; k < SUMS; k++) sums[k] += part.number[k];
    }
#pragma unroll
    for (int k = 0; k < SUMS; k++) {
        const double sum = add_threads<THREADS>(sums[k], shared_memory() + k * THREADS / 32 * 8);
        if (threadIdx.x == 0) store_number(a.y[k] + blockIdx.x, sum / a.counts[k]);
    }
}
