// Losses of numbers on CUDA, their sum and their gradient in one pass over the arrays.
//
//     losses[i] = weight[i] * loss(x[i], target[i])        gx[i] = scale * weight[i] * slope(x[i], target[i])
//
// The idea: loss and slope share most of their arithmetic, and a number that is in registers costs nothing, so each
// number is read once for both. Where the losses are summed they are never written: each thread adds its own, a block
// adds its threads' and leaves one partial sum, and cuda_total.cu adds those. The order of all additions follows from
// the size alone: blocks have parts of one length, threads take groups of VECTOR numbers, 16 bytes, in turn.
//
// Numbers: the VECTOR losses of a group are added in the arrays' type, the groups in float64.
//
// Memory traffic, which bounds it: x, target and gx once, 12 bytes a number of float32; 8 without the gradient. A
// launch that first wrote the losses, to add them in another, would move 16 bytes more.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DLOSS, -DSUMMED, -DGRAD and -DARGUMENT_BYTES by
// cuda_fused.py.
#include "cuda_ptx.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

#if SUMMED
typedef double Result;  // a partial sum of each block
#else
typedef Real Result;    // each loss
#endif

// As LOSSES in cuda_fused.py.
enum Loss { MSE, L1, HUBER, SMOOTH_L1, CHARBONNIER, BCE_WITH_LOGITS };

// As ARGUMENTS in cuda_fused.py.
struct Arguments {
    const Real* x;         // (size,)
    const Real* target;    // (size,); null if it is `number` for all
    const Real* weight;    // (size,) or null, for 1
    const Real* positive;  // (size,) or null, for 1
    Result* losses;        // (blocks,) if they are summed, else (size,)
    Real* gx;              // (size,)
    long long size;
    long long part;        // numbers of a block, a multiple of VECTOR
    double number;
    double scale;
    double parameter;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_fused.py");

__device__ __forceinline__ Real sign(Real d) { return d > 0 ? 1 : d < 0 ? -1 : d; }  // NaN stays NaN

// The loss of x, and its slope.
__device__ __forceinline__ Real loss_of(Real x, Real t, Real p, Real parameter, Real& slope) {
    const Real d = x - t, size = fabs(d);
    if constexpr (LOSS == MSE) {
        slope = 2 * d;
        return d * d;
    }
    if constexpr (LOSS == L1) {
        slope = sign(d);
        return size;
    }
    if constexpr (LOSS == HUBER) {
        const bool far = size > parameter;
        slope = far ? parameter * sign(d) : d;
        return far ? parameter * (size - parameter / 2) : d * d / 2;
    }
    if constexpr (LOSS == SMOOTH_L1) {
        const bool far = size >= parameter;
        slope = far ? sign(d) : d / parameter;
        return far ? size - parameter / 2 : d * d / 2 / parameter;
    }
    if constexpr (LOSS == CHARBONNIER) {
        const Real root = sqrt(d * d + parameter * parameter);
        slope = d / root;
        return root;
    }
    if constexpr (LOSS == BCE_WITH_LOGITS) {
        // softplus(z) = log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)); its slope is the sigmoid.
        const Real e = exp(-fabs(x)), rest = log1p(e), large = 1 / (1 + e), small = e * large;
        const Real below = (x < 0 ? -x : 0) + rest, above = (x > 0 ? x : 0) + rest;  // softplus of -x and of x
        slope = (1 - t) * (x < 0 ? small : large) - t * p * (x < 0 ? large : small);
        return t * p * below + (1 - t) * above;
    }
}

template <int COUNT>
__device__ __forceinline__ Numbers<COUNT, Real> numbers_of(const Real* array, long long at, Real otherwise) {
    if (array) return load_numbers<COUNT>(array + at);
    Numbers<COUNT, Real> same;
#pragma unroll
    for (int i = 0; i < COUNT; i++) same.number[i] = otherwise;
    return same;
}

// COUNT neighbouring numbers; the sum of their losses.
template <int COUNT>
__device__ __forceinline__ double do_numbers(const Arguments& a, long long at) {
    const Numbers<COUNT, Real> x = load_numbers<COUNT>(a.x + at);
    const Numbers<COUNT, Real> target = numbers_of<COUNT>(a.target, at, static_cast<Real>(a.number));
    const Numbers<COUNT, Real> weight = numbers_of<COUNT>(a.weight, at, 1);
    const Numbers<COUNT, Real> positive = numbers_of<COUNT>(a.positive, at, 1);
    Numbers<COUNT, Real> losses, slopes;
    Real sum = 0;
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        Real slope;
        const Real loss =
            loss_of(x.number[i], target.number[i], positive.number[i], static_cast<Real>(a.parameter), slope);
        losses.number[i] = weight.number[i] * loss;
        slopes.number[i] = static_cast<Real>(a.scale) * (weight.number[i] * slope);
        sum += losses.number[i];
    }
    if constexpr (GRAD) store_numbers<COUNT>(a.gx + at, slopes);
    if constexpr (!SUMMED) store_numbers<COUNT>(a.losses + at, losses);
    return sum;
}

// One block of a multiprocessor is asked for: left alone, the compiler spills a few registers to have room for another.
extern "C" __global__ void __launch_bounds__(THREADS, 1) KERNEL(const Arguments a) {
    const long long first = blockIdx.x * a.part, end = first + a.part < a.size ? first + a.part : a.size;
    double sum = 0;
    for (long long at = first + threadIdx.x * VECTOR; at < end; at += THREADS * VECTOR) {
        if (at + VECTOR <= end) {
            sum += do_numbers<VECTOR>(a, at);
        } else {
#pragma unroll 1
            for (long long one = at; one < end; one++) sum += do_numbers<1>(a, one);
        }
    }
    if constexpr (SUMMED) {
        sum = add_threads<THREADS>(sum, shared_memory());
        if (threadIdx.x == 0) store_number(a.losses + blockIdx.x, static_cast<Result>(sum));
    }
}
