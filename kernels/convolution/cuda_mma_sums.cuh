// The end of cuda_mma.cu where its result is a gradient that goes on (-DSUMS=1), through the activation and the
// normalisation of the block before.
//
// That block left z, what its own convolution gave, and this convolution read activate((z - mean) * scale + offset). So
// a warp reads z at the very place where it would store its gradient, two channels and 8 bytes there as here,
// multiplies by the activation's derivative, and stores g in place of the gradient. What batch normalisation's gradient
// needs besides are the sums of g and of g * (z - mean) * inverse_std over each channel: a warp adds up those of its
// pixels, 64 numbers in float32, and cuda_fused_finish.cu those of all warps. The loads of eight rows of pixels are
// under way together, and the activation is a macro (-DACTIVATION): asked for each number, it would cost a jump.
//
// Its traffic: apart, the gradient is written, read with z to be added up, and read with z once more for the result
// that is written, 24 bytes for each number. Here z is read and g written, then both are read and the result written:
// 20 bytes, and a launch less.
#pragma once
#include "cuda_mma_tiles.cuh"

typedef Numbers<2, float> Pair;  // of neighbouring channels
constexpr int LANE_PIXELS = ROW_FRAGMENTS * 2;

struct Sums {
    Pair sum, product;
};

// The gradient of channels k and k + 1 through the activation, for this lane's pixels: stored, and added up.
__device__ __forceinline__ Sums store_channels(const Arguments& a, const long long (&pixel)[LANE_PIXELS], int j, int k,
                                               const float (&sums)[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4]) {
    const Pair mean = load_numbers<2>(a.mean + k), inverse_std = load_numbers<2>(a.inverse_std + k);
    Pair scale = {}, offset = {};
    if constexpr (ACTIVATION) {
        scale = load_numbers<2>(a.affine + k);
        offset = load_numbers<2>(a.affine + a.K + k);
    }
    Pair z[LANE_PIXELS];
#pragma unroll
    for (int i = 0; i < LANE_PIXELS; i++)
        if (pixel[i] >= 0) z[i] = load_wide<2>(a.z + pixel[i] * a.K + k);
    Sums added = {};
#pragma unroll
    for (int i = 0; i < LANE_PIXELS; i++) {
        if (pixel[i] < 0) continue;
        Pair g;
#pragma unroll
        for (int v = 0; v < 2; v++) {
            const float d = z[i].number[v] - mean.number[v], value = d * scale.number[v] + offset.number[v];
            g.number[v] = activate_grad(value, sums[i / 2][j][i % 2 * 2 + v], ACTIVATION, a.negative_slope);
            added.sum.number[v] += g.number[v];
            added.product.number[v] += g.number[v] * (d * inverse_std.number[v]);
        }
        store_pair(a.y + pixel[i] * a.K + k, g.number[0], g.number[1]);
    }
    return added;
}

// The gradient through the activation, in the place of y, and the sums over the warp's pixels.
__device__ __forceinline__ void store_results(const Arguments& a, const Tile& tile, int first_pixel, int channel,
                                               const float (&sums)[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4]) {
    const int lane = threadIdx.x % 32;
    long long pixel[LANE_PIXELS];  // of all images, or -1 outside
#pragma unroll
    for (int i = 0; i < LANE_PIXELS; i++) {
        const Place at = place_of(tile, first_pixel + i * 8 + lane / 4);
        const bool inside = at.p < a.P && at.q < a.Q;
        pixel[i] = inside ? (static_cast<long long>(tile.n) * a.P + at.p) * a.Q + at.q : -1;
    }
    double* to = a.parts + part_of(first_pixel) * 2 * a.K;
#pragma unroll
    for (int j = 0; j < COLUMN_FRAGMENTS; j++) {
        const int k = tile.k0 + channel + j * 8 + lane % 4 * 2;
        Sums added = {};
        if (k < a.K) added = store_channels(a, pixel, j, k, sums);
        Numbers<2, double> sum, product;
#pragma unroll
        for (int v = 0; v < 2; v++) {
            sum.number[v] = add_lanes(added.sum.number[v]);
            product.number[v] = add_lanes(added.product.number[v]);
        }
        if (lane >= 4 || k >= a.K) continue;
        store_numbers<2>(to + k, sum);
        store_numbers<2>(to + a.K + k, product);
    }
}
