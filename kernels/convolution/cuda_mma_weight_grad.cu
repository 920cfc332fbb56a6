// conv2d_weight_grad on tensor cores: float32 arrays and sums, products of tf32, bfloat16 or float32 (mma.sync; sm_80
// and later).
//
//     gw[k, r, s, c] = sum over n, p, q of gy[n, p, q, k] * x[n, STRIDE p - top + r, STRIDE q - left + s, c]
//
// The idea. This is a matrix product too: rows are output channels, columns are (tap, input channel), and the inner
// index runs over all output pixels of all images. The result is small and the inner index long, the other way round
// than in cuda_mma.cu, so what a block keeps is its piece of the *result*, in registers, and pixels stream past:
//
//        strip of gy: STRIP_ROWS x STRIP_COLUMNS pixels      strip of x: the pixels that a row of taps reads for them
//        o o o o o o o o                                     . . . . . . . . . .
//        o o o o o o o o    TILE_OUT channels deep           . . . . . . . . . .    TILE_IN channels deep
//        o o o o o o o o                                     . . . . . . . . . .
//        o o o o o o o o                                     . . . . . . . . . .    8 + S - 1 columns for stride 1
//
// A block has one row of taps (r, 0 .. S - 1). They share the strip of gy, whose fragments are read from shared memory
// once for all of them, and a strip of x, where tap s is a shift by s columns. One line of 8 pixels is the inner index
// of one mma.sync, hence 8 columns.
//
// Splitting. There are K C R / (TILE_OUT TILE_IN) blocks' worth of results, too few to fill a GPU. So the pixels are
// cut as well, blockIdx.x says into which part, and each part's sums are written to a place of their own: partials are
// (parts, K, R, S, C). cuda_sum_partials.cu adds them, always in the same order. Atomic additions would save that pass
// and the memory, but add in the order in which blocks happen to end, and the result would change from run to run.
//
// Steps. While a strip is multiplied, the next one is on its way in the other of two buffers. cp.async fills zeros
// where a strip leaves the image or the channels end; a pixel of gy that is zero adds nothing.
//
// Shared memory. Channels are neighbours in both arrays, but the inner index runs over pixels: a lane needs channel
// lane / 4 of pixel lane % 4, for left and right factors alike. ldmatrix cannot turn 32-bit elements round, so lanes
// read one by one: a warp reads 8 channels of 4 pixels at once. A pixel is a row of TILE floats and a few of nothing,
// so that the rows of those 4 pixels begin 8 banks apart and use all 32 banks once. With stride 2 the pixels read
// together are every other one of x; rows that begin 4 banks apart do the same for them:
//
//        stride 1, pixels 0 1 2 3, rows of TILE + 8 floats:  banks 0-7, 8-15, 16-23, 24-31
//        stride 2, pixels 0 2 4 6, rows of TILE + 4 floats:  banks 0-7, 8-15, 16-23, 24-31
//
// All addresses of a strip are then one base for each lane plus constants, which the instructions hold.
//
// Through a normalisation (-DNORMALIZED=1: of x, 2: of gy, which is the input of a transposed convolution). The array
// in device memory is then z, and what is multiplied is activate((z - mean) * scale + offset). cp.async passes no
// registers, so a strip arrives as z. Behind the wait, where a thread sees its own copies and nobody else's, each
// thread rewrites the 16-byte pieces that it copied itself, and the barrier that publishes the strip publishes them
// rewritten. What lies outside the image must stay zero, which activate((0 - mean) * scale + offset) is not: load_strip
// returns, as bits, which of the thread's pieces lie inside. THREADS is a multiple of the pieces of a pixel, so that a
// thread has the same four channels in all pixels of all strips, and keeps their factors in registers.
//
// Traffic. For 3 x 3 taps of stride 1 and a tile of 64 by 64 channels a strip is 8 KB of gy and 10 KB of x for 393216
// multiply-adds, 21 for each byte; the R blocks for the rows of taps read the same strips, which the L2 cache holds.
// From shared memory a warp of 32 x 32 channels reads, for each line of pixels, 8 + 3 x 8 words a lane, 32 clocks, for
// 24 mma.sync, which take about as long on an H100.
// A normalised array costs no more of device memory; a pass of its own would read and write it, 8 bytes a number. To
// rewrite this strip of x takes shared memory 160 clocks, beside the 512 in which four warps read both for products.
//
// bfloat16 (-DBF16=1). mma.sync then takes 16 pixels at once, two lines of 8, and a register holds a pair of them.
// Which two is free, as long as left and right agree: pixels t and t + 4 of a line, as they are loaded for tf32. See
// cuda_mma.cu for what that gains.
//
// float32 (-DSPLIT=1). Factors are taken apart in registers, those of gy once for a whole row of taps
// (cuda_3xtf32.cuh in kernels/machine).
//
// Numbers. Factors are rounded to tf32 or bfloat16 (to nearest) in registers, products are exact, sums are float32 in a
// fixed order. Zeros stand for what lies outside x and outside gy, so that an infinite number at a border gives NaN in
// taps that do not read it.
//
// Compiled with -DKERNEL, -DBF16, -DSPLIT, -DTILE_OUT, -DTILE_IN, -DWARP_OUT, -DWARP_IN, -DTAPS (that is S), -DSTRIDE,
// -DNORMALIZED, -DSTORED (the normalised array is of bfloat16), -DACTIVATION and -DARGUMENT_BYTES by
// cuda_mma_weight_grad.py, which also launches it.
#include "cuda_ptx.cuh"
#include "cuda_activation.cuh"
#include "cuda_stored.cuh"
#include "cuda_3xtf32.cuh"

#if STORED
typedef Stored Given;  // of the array that is normalised
#else
typedef float Given;
#endif
#if NORMALIZED == 1
typedef Given Pixel;
typedef float Gradient;
#elif NORMALIZED == 2
typedef float Pixel;
typedef Given Gradient;
#else
typedef float Pixel;
typedef float Gradient;
#endif
static_assert(!(BF16 && SPLIT), "factors are one or the other");
static_assert(!STORED || NORMALIZED, "what is normalised may be bfloat16");

// As ARGUMENTS in cuda_mma_weight_grad.py.
struct Arguments {
    const Gradient* gy;   // (N, P, Q, K)
    const Pixel* x;       // (N, H, W, C)
    const float* mean;    // of each channel of the array that is normalised; null where none is
    const float* affine;  // scale and offset of each of them; likewise
    float* partials;      // (parts, K, R, TAPS, C)
    int N, H, W, C, K, R, P, Q;
    int top, left;  // padding
    int strips;     // of one part
    float negative_slope;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_mma_weight_grad.py");

constexpr int STRIP_ROWS = 4, STRIP_COLUMNS = 8;  // pixels of gy
constexpr int LINES = BF16 ? 2 : 1;               // of these rows, in one product
constexpr int X_COLUMNS = (STRIP_COLUMNS - 1) * STRIDE + TAPS;
constexpr int GY_ROW_BYTES = (TILE_OUT + 8) * 4;          // of one pixel
constexpr int X_ROW_BYTES = (TILE_IN + 8 / STRIDE) * 4;
constexpr int GY_BYTES = STRIP_ROWS * STRIP_COLUMNS * GY_ROW_BYTES;
constexpr int BUFFER_BYTES = GY_BYTES + STRIP_ROWS * X_COLUMNS * X_ROW_BYTES;
constexpr int WARPS_OUT = TILE_OUT / WARP_OUT, WARPS_IN = TILE_IN / WARP_IN;
constexpr int THREADS = 32 * WARPS_OUT * WARPS_IN;
constexpr int OUT_PIECES = TILE_OUT / 4, IN_PIECES = TILE_IN / 4;  // of 16 bytes, in a pixel
constexpr int GY_PIECES = STRIP_ROWS * STRIP_COLUMNS * OUT_PIECES, X_PIECES = STRIP_ROWS * X_COLUMNS * IN_PIECES;
constexpr int ROW_FRAGMENTS = WARP_OUT / 16;    // of 16 output channels
constexpr int COLUMN_FRAGMENTS = WARP_IN / 8;   // of 8 input channels
static_assert(STRIDE == 1 || STRIDE == 2, "other strides have other bank conflicts");
static_assert(TILE_OUT % 32 == 0 && TILE_IN % 32 == 0, "rows must begin 8 banks apart");
static_assert(TILE_OUT % WARP_OUT == 0 && TILE_IN % WARP_IN == 0, "warps must cover the tile");
static_assert(THREADS % OUT_PIECES == 0 && THREADS % IN_PIECES == 0, "a thread must copy the same channels throughout");
static_assert(GY_PIECES <= 32 * THREADS && X_PIECES <= 32 * THREADS, "a thread's pieces must have bits in a word");
static_assert(WARP_OUT % 16 == 0 && WARP_IN % 8 == 0, "fragments must cover a warp's piece");

// What a block computes: output channels from k0, input channels from c0, tap row r, in part `part` of the pixels.
struct Tile {
    int part, k0, c0, r;
};

__device__ __forceinline__ Tile tile_of_block(const Arguments& a) {
    const int across = (a.C + TILE_IN - 1) / TILE_IN, index = blockIdx.y;
    return {static_cast<int>(blockIdx.x), index / across * TILE_OUT, index % across * TILE_IN,
            static_cast<int>(blockIdx.z)};
}

// Start copying four channels: 16 bytes, or the 8 of bfloat16, which are rewritten as 16.
__device__ __forceinline__ void copy_piece(u32 to, const float* from, bool wanted) { copy_async_16(to, from, wanted); }
__device__ __forceinline__ void copy_piece(u32 to, const Stored* from, bool wanted) { copy_async_8(to, from, wanted); }

// Start copying strip number `index` of gy, and the pixels of x that tap row r reads for it. The result says which of
// this thread's pieces of the normalised array lie inside it: bit t, whether the piece of its turn t does.
__device__ __forceinline__ u32 load_strip(const Arguments& a, const Tile& tile, int index, u32 to) {
    const int across = (a.Q + STRIP_COLUMNS - 1) / STRIP_COLUMNS, down = (a.P + STRIP_ROWS - 1) / STRIP_ROWS;
    const int n = index / (across * down);
    const int p0 = index / across % down * STRIP_ROWS, q0 = index % across * STRIP_COLUMNS;
    u32 to_normalize = 0;

    for (int i = threadIdx.x, turn = 0; i < GY_PIECES; i += THREADS, turn++) {
        const int pixel = i / OUT_PIECES, piece = i % OUT_PIECES;
        const int p = p0 + pixel / STRIP_COLUMNS, q = q0 + pixel % STRIP_COLUMNS, k = tile.k0 + piece * 4;
        const bool inside = p < a.P && q < a.Q && k < a.K;
        const long long offset = inside ? ((static_cast<long long>(n) * a.P + p) * a.Q + q) * a.K + k : 0;
        copy_piece(to + pixel * GY_ROW_BYTES + piece * 16, a.gy + offset, inside);
        if constexpr (NORMALIZED == 2) to_normalize |= static_cast<u32>(inside) << turn;
    }
    for (int i = threadIdx.x, turn = 0; i < X_PIECES; i += THREADS, turn++) {
        const int pixel = i / IN_PIECES, piece = i % IN_PIECES;
        const int h = (p0 + pixel / X_COLUMNS) * STRIDE - a.top + tile.r;
        const int w = q0 * STRIDE - a.left + pixel % X_COLUMNS, c = tile.c0 + piece * 4;
        const bool inside = h >= 0 && h < a.H && w >= 0 && w < a.W && c < a.C;
        const long long offset = inside ? ((static_cast<long long>(n) * a.H + h) * a.W + w) * a.C + c : 0;
        copy_piece(to + GY_BYTES + pixel * X_ROW_BYTES + piece * 16, a.x + offset, inside);
        if constexpr (NORMALIZED == 1) to_normalize |= static_cast<u32>(inside) << turn;
    }
    return to_normalize;
}

// What a thread knows of the four channels that it normalises.
struct Factors {
    Numbers<4, float> mean, scale, offset;
};

__device__ __forceinline__ Factors factors_of(const Arguments& a, const Tile& tile) {
    const int channels = NORMALIZED == 1 ? a.C : a.K;
    const int c = NORMALIZED == 1 ? tile.c0 + threadIdx.x % IN_PIECES * 4 : tile.k0 + threadIdx.x % OUT_PIECES * 4;
    if (!NORMALIZED || c >= channels) return {};  // no piece of theirs lies inside
    return {load_numbers<4>(a.mean + c), load_numbers<4>(a.affine + c), load_numbers<4>(a.affine + channels + c)};
}

// Normalise and activate the pieces that this thread copied, in the strip that begins at `strip`. They have arrived.
// All are loaded before the first is stored, and those outside as well: the latency is waited for once, and there is no
// branch but in a last turn in which some threads have no piece.
__device__ __forceinline__ void normalize_strip(const Arguments& a, const Factors& f, u32 to_normalize, u32 strip) {
    constexpr int PIECES = NORMALIZED == 1 ? X_PIECES : GY_PIECES, OF_PIXEL = NORMALIZED == 1 ? IN_PIECES : OUT_PIECES;
    constexpr int ROW_BYTES = NORMALIZED == 1 ? X_ROW_BYTES : GY_ROW_BYTES;
    constexpr int TURNS = (PIECES + THREADS - 1) / THREADS, WHOLE_TURNS = PIECES / THREADS;
    constexpr int STEP = THREADS / OF_PIXEL * ROW_BYTES;
    const u32 pixel = threadIdx.x / OF_PIXEL, piece = threadIdx.x % OF_PIXEL;
    const u32 first = strip + (NORMALIZED == 1 ? GY_BYTES : 0) + pixel * ROW_BYTES + piece * 16;
    // In the last turn some threads have no piece. A piece of zeros is one already, but for the half of it that a copy
    // of bfloat16 leaves.
    const auto rewrites = [=](int turn) {
        if (turn < WHOLE_TURNS) return true;
        return STORED ? static_cast<int>(threadIdx.x) + turn * THREADS < PIECES : (to_normalize >> turn & 1) != 0;
    };
    Numbers<4, float> z[TURNS];
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++)
        if (rewrites(turn)) {
            if constexpr (STORED) z[turn] = widened(load_shared<4, Stored>(first + turn * STEP));
            else z[turn] = load_shared<4, float>(first + turn * STEP);
        }
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++) {
        const bool inside = to_normalize >> turn & 1;
#pragma unroll
        for (int v = 0; v < 4; v++) {
            const float d = z[turn].number[v] - f.mean.number[v];
            const float y = activate(d * f.scale.number[v] + f.offset.number[v], ACTIVATION, a.negative_slope);
            z[turn].number[v] = inside ? y : 0;
        }
        if (rewrites(turn)) store_shared(first + turn * STEP, z[turn]);
    }
}

// One register of factors for mma.sync, or to be taken apart. This lane's pixel of the product's first line lies `at`;
// `part` says which half of that line (a tf32 number) or which line (a pair of bfloat16) the register is for.
__device__ __forceinline__ u32 load_factor(u32 at, int part, int line_bytes, int half_line_bytes) {
    if constexpr (BF16) {
        const u32 from = at + part * line_bytes;
        return pair_bf16(load_word(from), load_word(from + half_line_bytes));
    } else {
        const u32 number = load_word(at + part * half_line_bytes);
        return SPLIT ? number : round_tf32(number);
    }
}

// Multiply one strip into the accumulators. `gy` and `x` are where this lane's first factors lie.
__device__ __forceinline__ void multiply_strip(float (&sums)[TAPS][ROW_FRAGMENTS][COLUMN_FRAGMENTS][4], u32 gy, u32 x) {
    constexpr int GY_LINE = STRIP_COLUMNS * GY_ROW_BYTES, X_LINE = X_COLUMNS * X_ROW_BYTES;
#if SPLIT  // see cuda_3xtf32.cuh
#pragma unroll 1
#else
#pragma unroll
#endif
    for (int row = 0; row < STRIP_ROWS; row += LINES) {
        Operands<4> left[ROW_FRAGMENTS];
#pragma unroll
        for (int m = 0; m < ROW_FRAGMENTS; m++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                // Output channels 0-7 and 8-15 of the first pixels, then of the others.
                const u32 at = gy + row * GY_LINE + (m * 16 + i % 2 * 8) * 4;
                left[m].big[i] = load_factor(at, i / 2, GY_LINE, 4 * GY_ROW_BYTES);
            }
            if constexpr (SPLIT) take_apart(left[m]);
        }
#pragma unroll
        for (int s = 0; s < TAPS; s++)
#pragma unroll
            for (int c = 0; c < COLUMN_FRAGMENTS; c++) {
                Operands<2> right;
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    const u32 at = x + row * X_LINE + s * X_ROW_BYTES + c * 8 * 4;
                    right.big[i] = load_factor(at, i, X_LINE, 4 * STRIDE * X_ROW_BYTES);
                }
                if constexpr (SPLIT) take_apart(right);
#pragma unroll
                for (int m = 0; m < ROW_FRAGMENTS; m++) {
                    if constexpr (SPLIT) multiply_3xtf32(sums[s][m][c], left[m], right, 0);
                    else if constexpr (BF16) multiply_bf16(sums[s][m][c], left[m].big, right.big[0], right.big[1]);
                    else multiply_tf32(sums[s][m][c], left[m].big, right.big[0], right.big[1]);
                }
            }
    }
}

// Store what lies inside the result.
__device__ __forceinline__ void store_tile(const Arguments& a, const Tile& tile, int out, int in,
                                           const float (&sums)[TAPS][ROW_FRAGMENTS][COLUMN_FRAGMENTS][4]) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int m = 0; m < ROW_FRAGMENTS; m++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int k = tile.k0 + out + m * 16 + half * 8 + lane / 4;
            if (k >= a.K) continue;
            const long long row = (static_cast<long long>(tile.part) * a.K + k) * a.R + tile.r;
#pragma unroll
            for (int j = 0; j < COLUMN_FRAGMENTS; j++) {
                const int c = tile.c0 + in + j * 8 + lane % 4 * 2;
                if (c >= a.C) continue;
#pragma unroll
                for (int s = 0; s < TAPS; s++)
                    store_pair(a.partials + (row * TAPS + s) * a.C + c, sums[s][m][j][half * 2],
                               sums[s][m][j][half * 2 + 1]);
            }
        }
}

// The host counts on two blocks on each multiprocessor; without that number the assembler aims at more of them and
// spills accumulators of the smallest tiles.
extern "C" __global__ void __launch_bounds__(THREADS, 2) KERNEL(const Arguments a) {
    const Tile tile = tile_of_block(a);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int out = warp % WARPS_OUT * WARP_OUT, in = warp / WARPS_OUT * WARP_IN;
    const u32 buffers = shared_memory();
    const u32 gy = buffers + lane % 4 * GY_ROW_BYTES + (out + lane / 4) * 4;
    const u32 x = buffers + GY_BYTES + lane % 4 * STRIDE * X_ROW_BYTES + (in + lane / 4) * 4;
    float sums[TAPS][ROW_FRAGMENTS][COLUMN_FRAGMENTS][4] = {};

    const int across = (a.Q + STRIP_COLUMNS - 1) / STRIP_COLUMNS, down = (a.P + STRIP_ROWS - 1) / STRIP_ROWS;
    const int first = tile.part * a.strips, all = a.N * down * across;
    const int end = first + a.strips < all ? first + a.strips : all;
    const Factors factors = factors_of(a, tile);
    u32 to_normalize = first < end ? load_strip(a, tile, first, buffers) : 0;
    commit_copies();
    for (int strip = first, buffer = 0; strip < end; strip++, buffer = BUFFER_BYTES - buffer) {
        // After the barrier this strip's copies are there for all, and all are done with the buffer of the last one.
        wait_copies<0>();
        if constexpr (NORMALIZED != 0) normalize_strip(a, factors, to_normalize, buffers + buffer);
        __syncthreads();
        if (strip + 1 < end) to_normalize = load_strip(a, tile, strip + 1, buffers + BUFFER_BYTES - buffer);
        commit_copies();
        multiply_strip(sums, gy + buffer, x + buffer);
    }
    store_tile(a, tile, out, in, sums);
}
