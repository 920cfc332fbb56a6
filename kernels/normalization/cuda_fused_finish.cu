// The sums of each channel from those of all blocks, and what follows from them: the second launch of batch
// normalisation in training, and of its gradient (GRAD).
//
//     moments     mean, variance, and the affine map that cuda_fused.cu applies to every number
//     gradient    gbias, gweight
//
// The idea: 8 channels stand side by side in a block, and 32 rows of threads take the parts in turn, so that with the
// usual 264 parts a thread adds eight or nine, whose loads are all under way at once. Lanes with the same channel add
// by shuffles, warps through shared memory: an order that the number of parts decides.
//
// Of a convolution that leaves the sums itself there are some thousand parts, one for each of its warps; moments are
// then relative to a number of each part's own (CENTERED). Two channels in a block let 128 threads share them.
//
// Memory traffic: 16 bytes for each part and channel, 270 KB for 64 channels. It is bound by latency, of which it has
// three in a row: the first of a kernel, the loads, the stores.
//
// Compiled with -DKERNEL, -DTHREADS, -DCHANNELS, -DDOUBLE, -DSTORED (x is of bfloat16), -DGRAD, -DCENTERED, and
// -DARGUMENT_BYTES by cuda_fused.py, which also launches it.
#include "cuda_ptx.cuh"
#include "cuda_stored.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif
#if STORED
typedef Stored Given;  // of x
#else
typedef Real Given;
#endif

// As FINISH_ARGUMENTS in cuda_fused.py, or FINISH_GRAD_ARGUMENTS.
struct Arguments {
#if CENTERED
    const float* partials;  // (parts, C, 4): a number, how many there are, sum and sum of squares of the differences
#else
    const double* partials;  // (parts, 2, C)
#endif
#if GRAD
    Real* gweight;  // (C,)
    Real* gbias;    // (C,)
#else
    const Given* x;      // (rows, C): its first row is what the sums are relative to
    const Real* weight;  // (C,), or null for ones
    const Real* bias;    // (C,), or null for zeros
    Real* mean;          // (C,)
    Real* inverse_std;   // (C,)
    Real* affine;        // (2, C)
    Real* unbiased;      // (C,)
    long long rows;
    double eps;
#endif
    int parts;
    int C;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_fused.py");

constexpr int WARPS = THREADS / 32;

#if GRAD
__device__ __forceinline__ void finish(const Arguments& a, int c, double sum, double product) {
    store_number(a.gbias + c, static_cast<Real>(sum));
    store_number(a.gweight + c, static_cast<Real>(product));
}
#else
__device__ __forceinline__ void finish(const Arguments& a, int c, double sum, double squares) {
    const double moved = sum / a.rows, center = load_wide<1>(a.x + c).number[0] + moved;
    const double difference = squares - sum * moved;
    const double deviations = difference < 0 ? 0 : difference;  // rounding may leave less than nothing; NaN stays
    const double inverse = 1 / sqrt(deviations / a.rows + a.eps);
    const double scale = a.weight ? inverse * load_number(a.weight + c) : inverse;
    const double offset = a.bias ? load_number(a.bias + c) : 0;
    store_number(a.mean + c, static_cast<Real>(center));
    store_number(a.inverse_std + c, static_cast<Real>(inverse));
    store_number(a.unbiased + c, static_cast<Real>(deviations / (a.rows - 1)));
    store_number(a.affine + c, static_cast<Real>(scale));
    // What rounding the mean leaves is put into the offset. A channel with NaN or infinity has no such rest.
    const double rest = (center - static_cast<double>(static_cast<Real>(center))) * scale;
    store_number(a.affine + a.C + c, static_cast<Real>(rest == rest ? offset - rest : offset));
}
#endif

// Add one part's two sums of channel c.
__device__ __forceinline__ void add_part(const Arguments& a, long long part, int c, double& first, double& second) {
#if CENTERED
    const Numbers<4, float> own = load_numbers<4>(a.partials + (part * a.C + c) * 4);
    const double moved = static_cast<double>(own.number[0]) - load_wide<1>(a.x + c).number[0], sum = own.number[2];
    first += sum + own.number[1] * moved;
    second += own.number[3] + moved * (2 * sum + own.number[1] * moved);
#else
    first += load_number(a.partials + 2 * part * a.C + c);
    second += load_number(a.partials + (2 * part + 1) * a.C + c);
#endif
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int c = blockIdx.x * CHANNELS + threadIdx.x % CHANNELS;
    double first = 0, second = 0;
    if (c < a.C)
#pragma unroll 8
        for (int part = threadIdx.x / CHANNELS; part < a.parts; part += THREADS / CHANNELS)
            add_part(a, part, c, first, second);
#pragma unroll
    for (int mask = CHANNELS; mask < 32; mask *= 2) {
        first += shuffle_xor(first, mask);
        second += shuffle_xor(second, mask);
    }
    const u32 shared = shared_memory();
    if (lane < CHANNELS) {
        store_double(shared + (2 * warp * CHANNELS + lane) * 8, first);
        store_double(shared + ((2 * warp + 1) * CHANNELS + lane) * 8, second);
    }
    __syncthreads();
    if (threadIdx.x >= CHANNELS || c >= a.C) return;
    first = second = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
        first += load_double(shared + (2 * w * CHANNELS + lane) * 8);
        second += load_double(shared + ((2 * w + 1) * CHANNELS + lane) * 8);
    }
    finish(a, c, first, second);
}
