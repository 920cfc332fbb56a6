// conv2d on tensor cores: float32 arrays and sums, products of tf32, bfloat16 or float32 (mma.sync; sm_80 and later).
//
//     y[n, p, q, k] = act(bias[k] + sum over r, s, c of
//                         x[n, STRIDE p - top + r, STRIDE q - left + s, c] * w[k, r, s, c])
//
// and its input gradient (-DINPUT_GRADIENT=1), which is the transposed convolution. First of all for stride 1:
//
// The idea. A convolution is a matrix product: rows are output pixels, columns are output channels, and the inner
// index runs over (tap, input channel). Writing that matrix out (im2col) would copy each input pixel R S times. Here
// the block keeps one *halo tile* of the input in shared memory, and a tap is a shift: the rows of the left matrix
// for tap (r, s) are the same pixels, r rows further down and s columns to the right. ldmatrix takes an address per
// row, so a shifted read costs what a straight one does.
//
//        halo tile, TILE_COLUMNS + S - 1 wide            output tile: TILE_ROWS x TILE_COLUMNS pixels
//        . . . . . . . . . .                             TILE_CHANNELS channels deep, cut among warps into
//        . o o o o o o o o .    o = the pixels that      WARP_PIXELS x WARP_CHANNELS pieces; a warp holds its
//        . o o o o o o o o .    tap (1, 1) multiplies    piece as 16 x 8 accumulator fragments in registers
//        . . . . . . . . . .
//
// Steps. The inner index is walked in steps of one tap and CHUNK = 32 input channels. While a step is multiplied,
// the next one's weights (and, with a new chunk, its halo) are on their way in the other of two buffers: cp.async
// needs no registers and fills zeros where the tile leaves the image or the channels end.
//
// Traffic. For each chunk a block reads its halo once and every tap's weights once: for 3 x 3 taps and a tile of 128
// pixels by 64 channels 23 KB and 74 KB for 2.4 million multiply-adds, 24 for each byte; the weights are the same for
// all blocks and come from the L2 cache. What bounds it is shared memory: for a step a warp of 64 pixels x 32 channels
// reads 96 rows of 128 bytes, 96 clocks, for 65536 multiply-adds, which mma.sync does in about as long on an H100.
// Rounding to tf32 on the way into shared memory would be done fewer times, but cp.async passes no registers.
//
// Numbers. Inputs are rounded to tf32 or bfloat16 (to nearest), or taken apart into two tf32 numbers each (-DSPLIT=1,
// see cuda_3xtf32.cuh in kernels/machine); products are exact, sums are float32. Zeros stand for pixels outside the
// image, so an infinite weight gives NaN there.
//
// What this is made of, each with its own ideas:
//
//     cuda_mma_tiles.cuh    the argument, and what blocks and warps compute
//     cuda_mma_phases.cuh   which taps meet which pixels, where the stride is 2 or the pixels are those of a gradient
//     cuda_mma_halo.cuh     x on its way into shared memory: normalised there, rounded, and without bank conflicts
//     cuda_mma_factors.cuh  the weights on theirs, and from there to the products
//     cuda_mma_results.cuh  the end: bias and activation, or what batch normalisation needs to know of the result
//     cuda_mma_sums.cuh     another end (-DSUMS=1): of a gradient that goes on through a normalisation
//
// Compiled with -DKERNEL, -DBF16, -DSPLIT, -DINPUT_GRADIENT, -DSTRIDE, -DMOMENTS, -DSUMS, -DNORMALIZED, -DX_STORED,
// -DZ_STORED, -DACTIVATION (code of act), -DTILE_ROWS, -DTILE_COLUMNS, -DTILE_CHANNELS, -DWARP_PIXELS, -DWARP_CHANNELS
// and -DARGUMENT_BYTES by cuda_mma.py, which also launches it.
#if SUMS
#include "cuda_mma_sums.cuh"
#else
#include "cuda_mma_results.cuh"
#endif
#include "cuda_mma_factors.cuh"

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) KERNEL(const Arguments a) {
    const Tile tile = tile_of_block(a);
    const int columns = halo_columns(a);
    const int halo_pixels = halo_rows(a) * columns;
    const u32 halo_bytes = halo_pixels * ROW_BYTES;
    const u32 halo = shared_memory(), weights = halo + 2 * halo_bytes;  // two buffers each
    const u32 arriving = weights + 2 * WEIGHT_BYTES;                    // and of bfloat16 one for x as it comes

    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int first_pixel = warp % WARPS_ACROSS_PIXELS * WARP_PIXELS;
    const int channel = warp / WARPS_ACROSS_PIXELS * WARP_CHANNELS;
    int pixel[ROW_FRAGMENTS];
#pragma unroll
    for (int m = 0; m < ROW_FRAGMENTS; m++) {
        const int o = first_pixel + m * 16 + lane % 16;
        pixel[m] = o / TILE_COLUMNS * columns + o % TILE_COLUMNS;
    }
    float sums[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4] = {};

    // Of the input gradient a block has one phase, of the convolution all of them, for each chunk of channels.
    const int count = INPUT_GRADIENT ? 1 : phases(a.R) * phases(a.S);
    Phase phase = phase_of(a, INPUT_GRADIENT ? blockIdx.z : 0);
    const bool empty = phase.down.shifts * phase.across.shifts == 0;  // no tap reaches these pixels
    const int halos = empty ? 0 : (a.C + CHUNK - 1) / CHUNK * count;
    if (!empty) {
        load_halo(a, tile, phase, 0, BF16 ? arriving : halo);
        load_weights(a, tile, tap_of(a, phase, 0), 0, weights);
    }
    commit_copies();
    for (int index = 0, step = 0; index < halos; index++) {
        const Phase next = INPUT_GRADIENT ? phase : phase_of(a, (index + 1) % count);
        const int shifts = phase.down.shifts * phase.across.shifts;
        for (int shift = 0; shift < shifts; shift++, step++) {
            // After the barrier this step's copies are there for all, and all are done with the buffers of the last.
            const u32 current = halo + index % 2 * halo_bytes;
            if ((NORMALIZED || BF16) && shift == 0) {
                // The phase is found again: together with what normalises, the one at hand would be spilled.
                const Phase same = phase_of(a, INPUT_GRADIENT ? blockIdx.z : index % count);
                settle_halo(a, tile, same, index / count * CHUNK, BF16 ? arriving : current, current);
            }
            wait_copies<0>();
            __syncthreads();
            const u32 other = weights + (step + 1) % 2 * WEIGHT_BYTES;
            if (shift + 1 < shifts) {
                load_weights(a, tile, tap_of(a, phase, shift + 1), index / count * CHUNK, other);
            } else if (index + 1 < halos) {
                const int c0 = (index + 1) / count * CHUNK;
                load_halo(a, tile, next, c0, BF16 ? arriving : halo + (index + 1) % 2 * halo_bytes);
                load_weights(a, tile, tap_of(a, next, 0), c0, other);
            }
            commit_copies();
            const int rows_on = shift / phase.across.shifts, columns_on = shift % phase.across.shifts;
            multiply_step(sums, pixel, rows_on * columns + columns_on, current, channel,
                          weights + step % 2 * WEIGHT_BYTES);
        }
        phase = next;
    }
    store_results(a, tile, first_pixel, channel, sums);
}
