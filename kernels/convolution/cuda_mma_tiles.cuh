// What a call of cuda_mma.cu is, what a block of it computes, and what of that its warps do.
#pragma once
#include "cuda_ptx.cuh"
#include "cuda_activation.cuh"
#include "cuda_stored.cuh"

#if BF16
typedef unsigned short Weight;  // the bits of a bfloat16
#else
typedef float Weight;
#endif
#if X_STORED
typedef Stored Pixel;  // of x
#else
typedef float Pixel;
#endif
#if Z_STORED
typedef Stored Kept;  // of z: what a block keeps for its gradient
#else
typedef float Kept;
#endif
#if SUMS || !Z_STORED
typedef float Result;
#else
typedef Stored Result;
#endif
static_assert(!(BF16 && SPLIT), "factors are one or the other");
static_assert(!X_STORED || (BF16 && NORMALIZED), "what is normalised may be bfloat16, for products of it");
static_assert(!Z_STORED || MOMENTS || SUMS, "what is normalised may be bfloat16");

// As ARGUMENTS in cuda_mma.py, or SUMS_ARGUMENTS.
struct Arguments {
    const Pixel* x;         // (N, H, W, C)
    const Weight* w;        // (K, R, S, C); for the input gradient (C, R, S, K); bfloat16 rows are padded, see w_row
    const float* bias;      // (K,) or null
    const float* x_mean;    // (C,) for NORMALIZED, or null
    const float* x_affine;  // (2, C) for NORMALIZED, scale and offset, or null
#if SUMS
    const Kept* z;             // (N, P, Q, K)
    const float* mean;         // (K,)
    const float* inverse_std;  // (K,)
    const float* affine;       // (2, K): scale and offset; not read without an activation
#endif
    Result* y;  // (N, P, Q, K)
#if SUMS
    double* parts;  // (parts, 2, K): sum of g, sum of g * (z - mean) * inverse_std
#else
    float* moments;  // (parts, K, 4): a result, pixels, sum and sum of squares of the differences; or null
#endif
    int N, H, W, C, K, R, S, P, Q;
    int top, left;   // padding of the convolution
    int w_row;       // numbers from one row of w to the next
    int activation;  // of y: 0 none, 1 relu, 2 leaky_relu, 3 tanh, 4 sigmoid
    float negative_slope;
    float x_negative_slope;  // of x's own activation, for NORMALIZED
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_mma.py");

constexpr int CHUNK = 32;               // input channels of a step
constexpr int INNER = BF16 ? 16 : 8;    // of these, in one product
constexpr int PIECES = CHUNK / 4;       // of four channels, in a row of x
constexpr int PIECE_BYTES = 4 * sizeof(Pixel);
constexpr int W_PIECE = 16 / sizeof(Weight);       // numbers in 16 bytes of w
constexpr int ROW_BYTES = CHUNK * sizeof(Weight);  // of factors in shared memory
constexpr int READ_STEP = INPUT_GRADIENT ? 1 : STRIDE;    // from one pixel of a halo tile to the next
constexpr int STORE_STEP = INPUT_GRADIENT ? STRIDE : 1;   // from one pixel of an output tile to the next
constexpr int TAP_STEP = INPUT_GRADIENT ? -STRIDE : STRIDE;
constexpr int PIXELS = TILE_ROWS * TILE_COLUMNS;
constexpr int WARPS_ACROSS_PIXELS = PIXELS / WARP_PIXELS;
constexpr int WARPS_ACROSS_CHANNELS = TILE_CHANNELS / WARP_CHANNELS;
constexpr int THREADS = 32 * WARPS_ACROSS_PIXELS * WARPS_ACROSS_CHANNELS;
// On each multiprocessor. Without this number the assembler aims at more of them and spills accumulators; three blocks
// leave a thread 168 registers, and two the 255 that it needs with 64 accumulators and factors in two parts.
constexpr int BLOCKS = SPLIT && WARP_PIXELS == 64 ? 2 : 3;
constexpr int ROW_FRAGMENTS = WARP_PIXELS / 16;        // of 16 pixels
constexpr int COLUMN_FRAGMENTS = WARP_CHANNELS / 8;    // of 8 output channels
// Of one inner channel's weights, as the input gradient stores them.
constexpr int WEIGHT_ROW_BYTES = (TILE_CHANNELS + 8) * sizeof(Weight);
constexpr int WEIGHT_BYTES = INPUT_GRADIENT ? CHUNK * WEIGHT_ROW_BYTES : TILE_CHANNELS * ROW_BYTES;
static_assert(TILE_CHANNELS % 32 == 0, "rows of turned weights must begin 8 banks, or 4, behind each other");
static_assert(TILE_COLUMNS % 8 == 0, "eight rows read together must be neighbouring pixels");
static_assert(PIXELS % WARP_PIXELS == 0 && TILE_CHANNELS % WARP_CHANNELS == 0, "warps must cover the tile");
static_assert(THREADS % PIECES == 0, "a thread's pieces must be of the same channels in all rows");
static_assert(WARP_PIXELS % 16 == 0 && WARP_CHANNELS % 16 == 0, "fragments must cover a warp's piece");

// The output tile of a block: image n, first pixel (p0, q0) of those that the block's phase has, first channel k0.
struct Tile {
    int n, p0, q0, k0;
};

__device__ __forceinline__ Tile tile_of_block(const Arguments& a) {
    const int across = ((a.Q + STORE_STEP - 1) / STORE_STEP + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const int down = ((a.P + STORE_STEP - 1) / STORE_STEP + TILE_ROWS - 1) / TILE_ROWS;
    const int index = blockIdx.x;
    return {index / (across * down), index / across % down * TILE_ROWS, index % across * TILE_COLUMNS,
            static_cast<int>(blockIdx.y) * TILE_CHANNELS};
}

// Row and column of a pixel of the tile in the output.
struct Place {
    int p, q;
};

__device__ __forceinline__ Place place_of(const Tile& tile, int pixel) {
    return {(tile.p0 + pixel / TILE_COLUMNS) * STORE_STEP + static_cast<int>(blockIdx.z) / STORE_STEP,
            (tile.q0 + pixel % TILE_COLUMNS) * STORE_STEP + static_cast<int>(blockIdx.z) % STORE_STEP};
}

// The place of a warp's pixels among those of all warps.
__device__ __forceinline__ long long part_of(int first_pixel) {
    const long long block = static_cast<long long>(blockIdx.z) * gridDim.x + blockIdx.x;
    return block * WARPS_ACROSS_PIXELS + first_pixel / WARP_PIXELS;
}

// The sum over the lanes that have the same channels: those whose numbers differ in more than the last two bits.
__device__ __forceinline__ float add_lanes(float value) {
#pragma unroll
    for (int mask = 4; mask < 32; mask *= 2) value += shuffle_xor(value, mask);
    return value;
}
