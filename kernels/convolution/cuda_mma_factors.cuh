// The products of cuda_mma.cu: weights on their way into shared memory, and factors from there to mma.sync.
//
// One tap's weights are stored as pixels are, with output channels for rows (cuda_mma_halo.cuh). The input gradient has
// to read w as it lies in memory, where the *output* channels of a tap are neighbours. ldmatrix hands out rows along
// the inner index, and turns round 16-bit elements only, so a lane reads its factors one by one.
// A row of shared memory is then one inner channel with TILE_CHANNELS output channels, and 8 floats of nothing: a warp
// reads 4 rows x 8 floats at once, and rows that begin 8 banks apart use
//
//        row t:  banks 8 t .. 8 t + 7        all 32, each once
//
// bfloat16 elements ldmatrix does turn round: eight rows that begin 4 banks apart, by 16 bytes of nothing, are read
// together.
//
// float32 (-DSPLIT=1). Tiles lie in shared memory as for tf32, of whose kernels this is one. Factors are taken apart in
// registers (cuda_3xtf32.cuh), those of the weights once for all pixels of a warp.
#pragma once
#include "cuda_mma_halo.cuh"
#include "cuda_3xtf32.cuh"

// Start copying the weights of one tap for the input gradient, one row for each of the channels c0 .. c0 + 31.
__device__ __forceinline__ void load_exchanged_weights(const Arguments& a, const Tile& tile, int tap, int c0, u32 to) {
    constexpr int ROW_PIECES = TILE_CHANNELS / W_PIECE;
    for (int i = threadIdx.x; i < CHUNK * ROW_PIECES; i += THREADS) {
        const int row = i / ROW_PIECES, piece = i % ROW_PIECES;
        const int c = c0 + row, k = tile.k0 + piece * W_PIECE;
        const bool inside = c < a.C && k < a.K;
        const long long offset = inside ? (static_cast<long long>(c) * a.R * a.S + tap) * a.w_row + k : 0;
        copy_async_16(to + row * WEIGHT_ROW_BYTES + piece * 16, a.w + offset, inside);
    }
}

// Start copying the weights of one tap, channels c0 .. c0 + 31, one row for each output channel of the tile.
__device__ __forceinline__ void load_weights(const Arguments& a, const Tile& tile, int tap, int c0, u32 to) {
    if constexpr (INPUT_GRADIENT) return load_exchanged_weights(a, tile, tap, c0, to);
    constexpr int ROW_PIECES = CHUNK / W_PIECE;
    for (int i = threadIdx.x; i < TILE_CHANNELS * ROW_PIECES; i += THREADS) {
        const int row = i / ROW_PIECES, piece = i % ROW_PIECES;
        const int k = tile.k0 + row, c = c0 + piece * W_PIECE;
        const bool inside = k < a.K && c < a.C;
        const long long offset = inside ? (static_cast<long long>(k) * a.R * a.S + tap) * a.w_row + c : 0;
        copy_async_16(to + swizzled(row, piece), a.w + offset, inside);
    }
}

// Make of what lay in shared memory what mma.sync takes; pairs of bfloat16 are that already.
__device__ __forceinline__ void settle(Operands<4>& operands) {
    if constexpr (SPLIT) return take_apart(operands);
    if constexpr (!BF16)
#pragma unroll
        for (int i = 0; i < 4; i++) operands.big[i] = round_tf32(operands.big[i]);
}

// The left factors of 16 pixels and INNER channels, of which c is the first; `row` is this lane's row of the halo tile.
__device__ __forceinline__ void load_left(Operands<4>& left, u32 halo, int row, int c) {
    // Four matrices: pixels 0-7 and 8-15 of one piece of the channels, then of the next.
    load_matrices(left.big, halo + swizzled(row, c / W_PIECE + threadIdx.x % 32 / 16));
    settle(left);
}

// The right factors of 16 output channels and INNER inner ones, of which c is the first: output channels 0-7 of the
// first and of the second half of those, then output channels 8-15.
__device__ __forceinline__ void load_right(Operands<4>& right, u32 weights, int channel, int c) {
    const int lane = threadIdx.x % 32;
    if constexpr (!INPUT_GRADIENT) {
        load_matrices(right.big, weights + swizzled(channel + lane % 8 + lane / 16 * 8, c / W_PIECE + lane / 8 % 2));
    } else if constexpr (BF16) {
        load_matrices_turned(right.big, weights + (c + lane % 16) * WEIGHT_ROW_BYTES + (channel + lane / 16 * 8) * 2);
    } else {
        const u32 from = weights + (c + lane % 4) * WEIGHT_ROW_BYTES + (channel + lane / 4) * 4;
#pragma unroll
        for (int i = 0; i < 4; i++) right.big[i] = load_word(from + i % 2 * 4 * WEIGHT_ROW_BYTES + i / 2 * 8 * 4);
    }
    settle(right);
}

// Multiply one step into the accumulators. `pixel` holds, for each row fragment, this lane's row of the halo tile.
__device__ __forceinline__ void multiply_step(float (&sums)[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4],
                                              const int (&pixel)[ROW_FRAGMENTS], int shift, u32 halo, int channel,
                                              u32 weights) {
#if SPLIT  // see cuda_3xtf32.cuh
#pragma unroll 1
#else
#pragma unroll
#endif
    for (int c = 0; c < CHUNK; c += INNER) {
        Operands<4> right[COLUMN_FRAGMENTS / 2];
#pragma unroll
        for (int k = 0; k < COLUMN_FRAGMENTS / 2; k++) load_right(right[k], weights, channel + k * 16, c);
#pragma unroll
        for (int m = 0; m < ROW_FRAGMENTS; m++) {
            Operands<4> left;
            load_left(left, halo, pixel[m] + shift, c);
#pragma unroll
            for (int k = 0; k < COLUMN_FRAGMENTS; k++) {
                const Operands<4>& both = right[k / 2];
                const int i = k % 2 * 2;
                if constexpr (SPLIT) multiply_3xtf32(sums[m][k], left, both, i);
                else if constexpr (BF16) multiply_bf16(sums[m][k], left.big, both.big[i], both.big[i + 1]);
                else multiply_tf32(sums[m][k], left.big, both.big[i], both.big[i + 1]);
            }
        }
    }
}
