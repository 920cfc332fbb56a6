// The halo tiles of cuda_mma.cu: x on its way into shared memory, where it is normalised and rounded.
//
// Shared memory. A pixel (or an output channel of the weights) is a row of 32 floats: eight pieces of 16 bytes, all
// 32 banks. ldmatrix reads the same piece of eight rows at once: stored straight they would lie in the same four
// banks. So piece j of row i is stored at place j ^ (i % 8), and eight rows running use eight different places:
//
//        row 0:  0 1 2 3 4 5 6 7        piece 2 of rows 0..7 lies at 2, 3, 0, 1, 6, 7, 4, 5:
//        row 1:  1 0 3 2 5 4 7 6        every bank once, whatever row the eight start at
//        row 2:  2 3 0 1 6 7 4 5
//        ...
//
// bfloat16 (-DBF16=1). Half the bits let mma.sync take 16 inner channels at once, in half the time; and rows of shared
// memory need half the bytes if they hold bfloat16. The weights come rounded (cuda_round_bf16.cu). Of the halo cp.async
// fetches float32, which a thread that has waited for its own copies rounds, and stores again:
//
//        cp.async -> float32, one buffer, each thread's pieces -> rounded -> bfloat16, two buffers, for all
//
// once for all R S taps, so that this costs little beside what they save: a step then reads 48 clocks' worth where
// it read 96. A row of 32 channels now has 64 bytes, and two rows lie across all banks; piece j of row i is stored at
// j ^ (i / 2 % 4).
//
// Through a normalisation (-DNORMALIZED=1). What x holds may be the z of a block before this one, and what is convolved
//
//     act((x[n, h, w, c] - x_mean[c]) * x_affine[0, c] + x_affine[1, c])      of cuda_fused.cu, with zeros around it
//
// That image is written nowhere: z is written once and read once, 8 bytes for each of its numbers, where a pass between
// the two would read it and write another image of its size, 16 bytes. cp.async passes no registers, so a halo arrives
// as it is. A thread sees its own copies as soon as it has waited for them, and normalises those 16-byte pieces before
// the barrier that shows them to all. Pieces outside the image stay zero: act(offset) is not zero.
//
//        wait      normalise own pieces (bfloat16: and round them)      barrier      multiply R S taps
//
// The pieces of a row are the same channels for all of a thread's rows, since PIECES divides THREADS: it holds mean,
// scale and offset of four. That is one read and one write of the halo for the R S times that each warp reads most of
// it; blocks with the same pixels and other output channels do it again.
//
// Stored as bfloat16 (-DX_STORED=1). Products round x to bfloat16 in any case, and it can be kept so: half the bytes to
// read. A piece is four channels still, in 8 bytes.
#pragma once
#include "cuda_mma_phases.cuh"

// Where 16-byte piece `piece` of row `row` is stored.
__device__ __forceinline__ u32 swizzled(int row, int piece) {
    return row * ROW_BYTES + ((piece ^ (BF16 ? row / 2 & 3 : row & 7)) << 4);
}

// Where a piece of x is copied: at once where it is a factor, or where its thread alone finds it again.
__device__ __forceinline__ u32 copied(int pixel, int piece) {
    return BF16 ? (pixel * PIECES + piece) * PIECE_BYTES : swizzled(pixel, piece);
}

// Rows and columns of a halo tile, enough for any phase.
__device__ __forceinline__ int halo_rows(const Arguments& a) { return TILE_ROWS + (a.R + STRIDE - 1) / STRIDE - 1; }
__device__ __forceinline__ int halo_columns(const Arguments& a) {
    return TILE_COLUMNS + (a.S + STRIDE - 1) / STRIDE - 1;
}

// Start copying the input pixels of a phase under the tile, channels c0 .. c0 + 31.
__device__ __forceinline__ void load_halo(const Arguments& a, const Tile& tile, const Phase& phase, int c0, u32 to) {
    const int columns = halo_columns(a), rows = halo_rows(a);
    const Pixel* image = a.x + static_cast<long long>(tile.n) * a.H * a.W * a.C;
    for (int i = threadIdx.x; i < rows * columns * PIECES; i += THREADS) {
        const int pixel = i / PIECES, piece = i % PIECES;
        const int h = (tile.p0 + pixel / columns) * READ_STEP + phase.down.first_pixel;
        const int w = (tile.q0 + pixel % columns) * READ_STEP + phase.across.first_pixel;
        const int c = c0 + piece * 4;
        const bool inside = h >= 0 && h < a.H && w >= 0 && w < a.W && c < a.C;
        const long long offset = inside ? (static_cast<long long>(h) * a.W + w) * a.C + c : 0;
        if constexpr (X_STORED) copy_async_8(to + copied(pixel, piece), image + offset, inside);
        else copy_async_16(to + copied(pixel, piece), image + offset, inside);
    }
}

// Wait for this thread's copies of a halo, channels c0 .. c0 + 31, and make factors of them: normalised and activated
// (NORMALIZED), rounded (BF16). They are the pieces that load_halo gave it, here counted by rows and columns, since
// divisions would take longer than all the rest.
__device__ __forceinline__ void settle_halo(const Arguments& a, const Tile& tile, const Phase& phase, int c0,
                                            u32 arrived, u32 halo) {
    typedef Numbers<4, float> Piece;
    constexpr int PIXEL_STEP = THREADS / PIECES;
    static_assert(PIXEL_STEP % 8 == 0, "a thread's pieces must be stored at the same place of their rows");
    const int columns = halo_columns(a), rows = halo_rows(a);
    const int piece = threadIdx.x % PIECES, pixel = threadIdx.x / PIECES, c = c0 + piece * 4;
    Piece mean = {}, scale = {}, offset = {};
    if (NORMALIZED && c < a.C) {
        mean = load_numbers<4>(a.x_mean + c);
        scale = load_numbers<4>(a.x_affine + c);
        offset = load_numbers<4>(a.x_affine + a.C + c);
    }
    wait_copies<0>();
    u32 from = arrived + copied(pixel, piece), to = BF16 ? halo + swizzled(pixel, piece / 2) + piece % 2 * 8 : from;
    int row = pixel / columns, column = pixel % columns;
    for (; row < rows; from += THREADS * PIECE_BYTES, to += PIXEL_STEP * ROW_BYTES) {
        const int h = (tile.p0 + row) * READ_STEP + phase.down.first_pixel;
        const int w = (tile.q0 + column) * READ_STEP + phase.across.first_pixel;
        const bool inside = h >= 0 && h < a.H && w >= 0 && w < a.W && c < a.C;
        Piece numbers;
        if constexpr (X_STORED) numbers = widened(load_shared<4, Stored>(from));
        else numbers = load_shared<4, float>(from);
        if (NORMALIZED && inside)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float d = numbers.number[i] - mean.number[i];
                numbers.number[i] = activate(d * scale.number[i] + offset.number[i], ACTIVATION, a.x_negative_slope);
            }
        if constexpr (BF16) {
            Numbers<2, u32> pairs;
#pragma unroll
            for (int i = 0; i < 2; i++)
                pairs.number[i] = pair_bf16(bits_of(numbers.number[2 * i]), bits_of(numbers.number[2 * i + 1]));
            store_shared(to, pairs);
        } else {
            store_shared(to, numbers);
        }
        for (column += PIXEL_STEP; column >= columns; column -= columns) row++;
    }
}
