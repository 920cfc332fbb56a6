// Phases of cuda_mma.cu: pixels and taps that make a convolution of stride 1.
//
// Stride 2. A tap reads every other pixel, and which half is up to the tap's parity. So the taps fall into 2 x 2
// *phases*, r = a + 2 i and s = b + 2 j, and the taps of one phase are a convolution of stride 1 on one pixel in four:
//
//        x:  a b a b a b a b       R = S = 4, four phases of 2 x 2 taps. Phase (0, 0) reads the pixels a, taps (0, 0),
//            c d c d c d c d       (0, 2), (2, 0), (2, 2); as a picture of their own, tap (2, 0) is the shift (1, 0).
//            a b a b a b a b       Each phase has a halo tile; nothing is multiplied that does not count, and the
//            c d c d c d c d       rows that ldmatrix reads are neighbours again.
//
// The inner index is then walked as (chunk, phase, tap), and the sums of all phases go into the same accumulators.
//
// The input gradient gathers: gx[h] is what was read from pixel h,
//
//     gx[n, h, w, c] = sum over r, s, k, where p = (h + top - r) / STRIDE and q = (w + left - s) / STRIDE are whole,
//                      of gy[n, p, q, k] * w[k, r, s, c]
//
// gy takes the place of x and gx that of y; the host fills Arguments so (C counts the channels of gy, K those of gx).
// With the taps in reverse order this is a convolution of stride 1 whose weight has its channel axes exchanged. With
// stride 2 the parity of h + top decides which taps meet whole numbers: again phases, but now of *output* pixels, each
// with a few taps of its own. blockIdx.z says which, and its block writes one pixel in four.
#pragma once
#include "cuda_mma_tiles.cuh"

// One axis of a phase: shift i multiplies input pixel READ_STEP * (p + i) + first_pixel, for output pixel p of the
// phase, by tap first_tap + i * TAP_STEP.
struct Axis {
    int shifts, first_tap, first_pixel;
};

__device__ __forceinline__ Axis axis(int phase, int taps, int padding) {
    if constexpr (INPUT_GRADIENT) {
        // Tap `least` and every STRIDE-th after it meet the output pixels STRIDE * p + phase, and read gy at
        // p + (phase + padding - tap) / STRIDE: the last tap reads the first pixel.
        const int least = (phase + padding) % STRIDE, shifts = (taps - least + STRIDE - 1) / STRIDE;
        return {shifts, least + (shifts - 1) * STRIDE, (phase + padding - least) / STRIDE - (shifts - 1)};
    } else {
        return {(taps - phase + STRIDE - 1) / STRIDE, phase, phase - padding};
    }
}

struct Phase {
    Axis down, across;
};

// Phases of this convolution that have taps, along each axis.
__device__ __forceinline__ int phases(int taps) { return taps < STRIDE ? taps : STRIDE; }

__device__ __forceinline__ Phase phase_of(const Arguments& a, int index) {
    const int across = INPUT_GRADIENT ? STRIDE : phases(a.S);
    return {axis(index / across, a.R, a.top), axis(index % across, a.S, a.left)};
}

// The tap that shift number `shift` of a phase multiplies, of R * S.
__device__ __forceinline__ int tap_of(const Arguments& a, const Phase& phase, int shift) {
    const int r = phase.down.first_tap + shift / phase.across.shifts * TAP_STEP;
    return r * a.S + phase.across.first_tap + shift % phase.across.shifts * TAP_STEP;
}
