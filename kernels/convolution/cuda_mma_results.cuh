// The end of cuda_mma.cu: bias and activation, or what batch normalisation needs to know of the result.
//
// Moments (-DMOMENTS=1, of a convolution that batch normalisation follows). A warp has its results in registers, so it
// adds them up here: of the channels of its pixels their number, one result, the sum of the differences from that one,
// and that of their squares. (Relative to one of them, as in cuda_fused.cu of kernels/normalization, which would have
// to read all results again; cuda_fused_finish.cu puts these together in the same way.) 64 differences of float32 are
// added in float32, eight of a lane and then those of eight lanes.
//
// Stored as bfloat16 (-DZ_STORED=1). What batch normalisation follows may be kept so: half the bytes to write here, and
// to read wherever it is read. Sums are rounded before their moments are taken, so that the statistics are those of the
// numbers that are there.
#pragma once
#include "cuda_mma_tiles.cuh"

// Bias, activation, and the store of what lies inside the output.
__device__ __forceinline__ void store_tile(const Arguments& a, const Tile& tile, int first_pixel, int channel,
                                           const float (&sums)[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4]) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int j = 0; j < COLUMN_FRAGMENTS; j++) {
        const int k = tile.k0 + channel + j * 8 + lane % 4 * 2;
        if (k >= a.K) continue;
        const float bias0 = a.bias ? load_constant(a.bias + k) : 0.0f;
        const float bias1 = a.bias ? load_constant(a.bias + k + 1) : 0.0f;
#pragma unroll
        for (int m = 0; m < ROW_FRAGMENTS; m++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const Place at = place_of(tile, first_pixel + m * 16 + half * 8 + lane / 4);
                if (at.p >= a.P || at.q >= a.Q) continue;
                Result* to = a.y + ((static_cast<long long>(tile.n) * a.P + at.p) * a.Q + at.q) * a.K + k;
                const float first = sums[m][j][half * 2] + bias0, second = sums[m][j][half * 2 + 1] + bias1;
                if constexpr (sizeof(Result) == 2) {  // the numbers are rounded already
                    store_number(reinterpret_cast<u32*>(to), pair_bf16(bits_of(first), bits_of(second)));
                } else {
                    store_pair(reinterpret_cast<float*>(to), activate(first, a.activation, a.negative_slope),
                               activate(second, a.activation, a.negative_slope));
                }
            }
    }
}

// Round all sums to bfloat16, so that moments are those of the numbers that are stored.
__device__ __forceinline__ void round_sums(float (&sums)[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4]) {
#pragma unroll
    for (int m = 0; m < ROW_FRAGMENTS; m++)
#pragma unroll
        for (int k = 0; k < COLUMN_FRAGMENTS; k++)
#pragma unroll
            for (int i = 0; i < 4; i += 2) {
                const u32 pair = pair_bf16(bits_of(sums[m][k][i]), bits_of(sums[m][k][i + 1]));
                sums[m][k][i] = value_of(static_cast<int>(pair << 16));
                sums[m][k][i + 1] = value_of(static_cast<int>(pair & 0xFFFF0000u));
            }
}

// The moments of the warp's pixels.
__device__ __forceinline__ void store_moments(const Arguments& a, const Tile& tile, int first_pixel, int channel,
                                              const float (&sums)[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4]) {
    const int lane = threadIdx.x % 32;
    bool inside[ROW_FRAGMENTS * 2];
    float own = 0;
#pragma unroll
    for (int i = 0; i < ROW_FRAGMENTS * 2; i++) {
        const Place at = place_of(tile, first_pixel + i * 8 + lane / 4);
        inside[i] = at.p < a.P && at.q < a.Q;
        own += inside[i];
    }
    const float count = add_lanes(own);
    float* to = a.moments + part_of(first_pixel) * a.K * 4;
#pragma unroll
    for (int j = 0; j < COLUMN_FRAGMENTS; j++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            // The first pixel is inside if any is, and lanes 0 to 3 have it.
            const float center = shuffle(count > 0 ? sums[0][j][i] : 0, lane % 4);
            float sum = 0, squares = 0;
#pragma unroll
            for (int m = 0; m < ROW_FRAGMENTS * 2; m++) {
                const float d = inside[m] ? sums[m / 2][j][m % 2 * 2 + i] - center : 0;
                sum += d;
                squares += d * d;
            }
            const int k = tile.k0 + channel + j * 8 + lane % 4 * 2 + i;
            const Numbers<4, float> moments = {center, count, add_lanes(sum), add_lanes(squares)};
            if (lane < 4 && k < a.K) store_numbers<4>(to + k * 4, moments);
        }
}

__device__ __forceinline__ void store_results(const Arguments& a, const Tile& tile, int first_pixel, int channel,
                                              float (&sums)[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4]) {
    if constexpr (Z_STORED) round_sums(sums);
    store_tile(a, tile, first_pixel, channel, sums);
    if constexpr (MOMENTS) store_moments(a, tile, first_pixel, channel, sums);
}
