// Batch normalisation and its gradient: the passes over the large arrays, (rows, C) with neighbouring channels side by
// side. Every number needs two sums over its channel, so one pass adds and another writes:
//
//     MOMENTS      sum of d, sum of d * d             d = x - shift, and shift one of the channel's numbers
//     TRAINING     y = activate((x - mean) * scale + offset)
//     INFERENCE    the same, with scale = weight / sqrt(variance + eps)
//     GRAD_SUMS    sum of g, sum of g * z             g: gy through the activation; z = (x - mean) * inverse_std
//     GRADIENT     gx = weight * inverse_std * (g - mean of g - z * mean of g * z)
//
// Blocks leave partial sums, which cuda_fused_finish.cu adds between the two passes. g is computed twice: to read gy
// and x again takes less than to write g and read it.
//
// The idea: threads stand side by side along the channels, `lanes` of them with VECTOR channels each, 16 bytes a load,
// and THREADS / lanes one above the other take rows in turn. A thread keeps in registers what it knows of its channels,
// for all rows of its block: no division by C finds a number's channel. In a pass that adds, a thread adds its rows,
// lanes of a warp that have the same channels add theirs by shuffles, and warps through shared memory. The order of
// all additions follows from the shape.
//
// Numbers: the variance is a difference, of the mean of d * d and the square of the mean of d. Were d = x, the two
// would agree in all digits where a channel's mean is large; relative to one of the channel's own numbers, they are of
// the size of the variance unless that number lies far from the others. So each thread takes the first of its own, of
// which one may lie far, and what it has added is made relative to the channel's first number at the end, in float64.
// Float32 numbers are added four at a time in float32, and those sums in float64: what rounds in float32 is a
// difference, its square and three sums, each by 2^-24, however many rows there are; and only every fourth number costs
// a conversion and a float64 addition, for which a small GPU has few units. Squares beyond 3e38 overflow. Float64
// numbers are added in float64.
//
// Memory traffic, which bounds all passes: 4 bytes a number for MOMENTS and 8 for TRAINING; 8 for GRAD_SUMS and 12 for
// GRADIENT. Four rows are loaded before the first is used, 64 bytes a thread on their way: 264 blocks of 256 threads
// have 4.3 MB, somewhat more than a large GPU needs to hide a latency of 0.7 microseconds at 4 TB/s.
//
// x may be of bfloat16 (-DSTORED=1), 2 bytes a number: what a convolution has left for its gradient.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DSTORED, -DVECTOR, -DMODE, -DACTIVATION and -DARGUMENT_BYTES by
// cuda_fused.py.
#include "cuda_ptx.cuh"
#include "cuda_activation.cuh"
#include "cuda_stored.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif
#if STORED
typedef Stored Given;  // of x, which is bfloat16
#else
typedef Real Given;
#endif

// As MODES in cuda_fused.py.
#define MOMENTS 0
#define TRAINING 1
#define INFERENCE 2
#define GRAD_SUMS 3
#define GRADIENT 4
#define ADDS (MODE == MOMENTS || MODE == GRAD_SUMS)
#define READS_GY (MODE == GRAD_SUMS || MODE == GRADIENT)

// As ARGUMENTS in cuda_fused.py. An array that the mode does not name is null; weight and bias may be.
struct Arguments {
    const Given* x;       // (rows, C)
    const Real* gy;       // (rows, C)
    const Real* mean;     // (C,)
    const Real* spread;   // (C,): inverse_std; for INFERENCE the variance
    const Real* weight;   // (C,)
    const Real* bias;     // (C,)
    const Real* affine;   // (2, C): scale and offset
    const Real* gweight;  // (C,): sums of g * z
    const Real* gbias;    // (C,): sums of g
    double* partials;     // (parts, 2, C)
    Real* y;              // (rows, C): the result, of GRADIENT gx
    long long rows;
    long long part_rows;  // of one block
    double eps;
    double negative_slope;
    int C;
    int lanes;            // a power of two up to 32
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_fused.py");

constexpr int ROWS = 4;  // loaded together
typedef Numbers<VECTOR, Real> Channels;

__device__ __forceinline__ Channels channels_of(const Real* vector, int c, Real otherwise) {
    if (vector) return load_numbers<VECTOR>(vector + c);
    Channels same;
#pragma unroll
    for (int v = 0; v < VECTOR; v++) same.number[v] = otherwise;
    return same;
}

// What a thread knows of its channels.
struct Factors {
    Channels center;              // subtracted from x
    Channels scale, offset;       // of the map before the activation
    Channels spread;              // inverse_std
    Channels outer, level, tilt;  // gx = outer * (g - level - tilt * (x - mean))
};

__device__ __forceinline__ Factors factors_of(const Arguments& a, int c, long long first_row) {
    Factors f;
    if constexpr (MODE == MOMENTS) f.center = load_wide<VECTOR>(a.x + first_row * a.C + c);
    else f.center = load_numbers<VECTOR>(a.mean + c);
    if constexpr (MODE == TRAINING || (READS_GY && ACTIVATION)) {
        f.scale = load_numbers<VECTOR>(a.affine + c);
        f.offset = load_numbers<VECTOR>(a.affine + a.C + c);
    }
    if constexpr (MODE >= INFERENCE) f.spread = load_numbers<VECTOR>(a.spread + c);
    if constexpr (MODE == INFERENCE) {
        const Channels weight = channels_of(a.weight, c, 1);
        f.offset = channels_of(a.bias, c, 0);
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            f.scale.number[v] = weight.number[v] / sqrt(f.spread.number[v] + static_cast<Real>(a.eps));
    }
    if constexpr (MODE == GRADIENT) {
        const Channels weight = channels_of(a.weight, c, 1);
        const Channels sum = load_numbers<VECTOR>(a.gbias + c), product = load_numbers<VECTOR>(a.gweight + c);
        const Real count = static_cast<Real>(a.rows);
#pragma unroll
        for (int v = 0; v < VECTOR; v++) {
            f.outer.number[v] = f.spread.number[v] * weight.number[v];
            f.level.number[v] = sum.number[v] / count;
            f.tilt.number[v] = f.spread.number[v] * (product.number[v] / count);
        }
    }
    return f;
}

struct Sums {
    double first[VECTOR], second[VECTOR];
};

// Add or write COUNT rows, `step` numbers from each other.
template <int COUNT>
__device__ __forceinline__ void do_rows(const Arguments& a, const Factors& f, long long at, long long step,
                                        Sums& sums) {
    Channels x[COUNT], gy[COUNT];
#pragma unroll
    for (int k = 0; k < COUNT; k++) {
        x[k] = load_wide<VECTOR>(a.x + at + k * step);
        if constexpr (READS_GY) gy[k] = load_numbers<VECTOR>(a.gy + at + k * step);
    }
#pragma unroll
    for (int v = 0; v < VECTOR; v++) {
        Real first = 0, second = 0;
#pragma unroll
        for (int k = 0; k < COUNT; k++) {
            Real& number = x[k].number[v];
            const Real d = number - f.center.number[v];
            const Real value = MODE == MOMENTS ? 0 : d * f.scale.number[v] + f.offset.number[v];
            const Real slope = static_cast<Real>(a.negative_slope);
            const Real g = READS_GY ? activate_grad(value, gy[k].number[v], ACTIVATION, slope) : 0;
            first += MODE == MOMENTS ? d : g;
            second += MODE == MOMENTS ? d * d : g * (d * f.spread.number[v]);
            if constexpr (MODE == GRADIENT)
                number = f.outer.number[v] * (g - f.level.number[v] - f.tilt.number[v] * d);
            else
                number = activate(value, ACTIVATION, slope);
        }
        sums.first[v] += first;
        sums.second[v] += second;
    }
    if constexpr (!ADDS)
#pragma unroll
        for (int k = 0; k < COUNT; k++) store_numbers<VECTOR>(a.y + at + k * step, x[k]);
}

// Make the sums of `count` rows relative to the channel's first number.
__device__ __forceinline__ void recenter(const Arguments& a, const Factors& f, int c, long long count, Sums& sums) {
    const Channels first = load_wide<VECTOR>(a.x + c);
#pragma unroll
    for (int v = 0; v < VECTOR; v++) {
        const double moved = static_cast<double>(f.center.number[v]) - first.number[v];
        sums.second[v] += moved * (2 * sums.first[v] + count * moved);
        sums.first[v] += count * moved;
    }
}

// The block's sums: (warp, sum, channel) in shared memory, then a thread for each sum of each channel.
__device__ __forceinline__ void store_sums(const Arguments& a, Sums& sums, int width) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int mask = a.lanes; mask < 32; mask *= 2)
#pragma unroll
        for (int v = 0; v < VECTOR; v++) {
            sums.first[v] += shuffle_xor(sums.first[v], mask);
            sums.second[v] += shuffle_xor(sums.second[v], mask);
        }
    const u32 shared = shared_memory();
    if (lane < a.lanes)
#pragma unroll
        for (int v = 0; v < VECTOR; v++) {
            store_double(shared + (2 * warp * width + lane * VECTOR + v) * 8, sums.first[v]);
            store_double(shared + ((2 * warp + 1) * width + lane * VECTOR + v) * 8, sums.second[v]);
        }
    __syncthreads();
    const int sum = threadIdx.x / width, channel = blockIdx.x * width + threadIdx.x % width;
    if (sum >= 2 || channel >= a.C) return;
    double total = 0;
#pragma unroll
    for (int w = 0; w < THREADS / 32; w++) total += load_double(shared + (2 * w * width + threadIdx.x) * 8);
    store_number(a.partials + (2ll * blockIdx.y + sum) * a.C + channel, total);
}

// Two blocks on a multiprocessor suffice; without that number the assembler aims at more of them and may spill.
extern "C" __global__ void __launch_bounds__(THREADS, 2) KERNEL(const Arguments a) {
    const int down = THREADS / a.lanes, width = a.lanes * VECTOR;
    const int c = blockIdx.x * width + threadIdx.x % a.lanes * VECTOR;
    const long long part = blockIdx.y * a.part_rows, step = static_cast<long long>(down) * a.C;
    const long long end = part + a.part_rows < a.rows ? part + a.part_rows : a.rows;
    const long long first = part + threadIdx.x / a.lanes;
    Sums sums = {};
    if (c < a.C && first < end) {
        const Factors f = factors_of(a, c, first);
        long long row = first;
        for (; row + (ROWS - 1) * down < end; row += ROWS * down) do_rows<ROWS>(a, f, row * a.C + c, step, sums);
        for (; row < end; row += down) do_rows<1>(a, f, row * a.C + c, step, sums);
        if constexpr (MODE == MOMENTS) recenter(a, f, c, (row - first) / down, sums);
    }
    if constexpr (ADDS) store_sums(a, sums, width);
}
