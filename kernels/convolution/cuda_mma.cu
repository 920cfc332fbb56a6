// conv2d on tensor cores: float32 arrays, tf32 or bfloat16 products, float32 sums (mma.sync; sm_80 and later).
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
// Shared memory. A pixel (or an output channel of the weights) is a row of 32 floats: eight pieces of 16 bytes, all
// 32 banks. ldmatrix reads the same piece of eight rows at once: stored straight they would lie in the same four
// banks. So piece j of row i is stored at place j ^ (i % 8), and eight rows running use eight different places:
//
//        row 0:  0 1 2 3 4 5 6 7        piece 2 of rows 0..7 lies at 2, 3, 0, 1, 6, 7, 4, 5:
//        row 1:  1 0 3 2 5 4 7 6        every bank once, whatever row the eight start at
//        row 2:  2 3 0 1 6 7 4 5
//        ...
//
// Traffic. For each chunk a block reads its halo once and every tap's weights once: for 3 x 3 taps and a tile of 128
// pixels by 64 channels 23 KB and 74 KB for 2.4 million multiply-adds, 24 for each byte; the weights are the same for
// all blocks and come from the L2 cache. What bounds it is shared memory: for a step a warp of 64 pixels x 32 channels
// reads 96 rows of 128 bytes, 96 clocks, for 65536 multiply-adds, which mma.sync does in about as long on an H100.
// Rounding to tf32 on the way into shared memory would be done fewer times, but cp.async passes no registers.
//
// Numbers. Inputs are rounded to tf32 or bfloat16 (to nearest); products are exact, sums are float32. Zeros stand for
// pixels outside the image, so an infinite weight gives NaN there.
//
// bfloat16 (-DBF16=1). Half the bits let mma.sync take 16 inner channels at once, in half the time; and rows of shared
// memory need half the bytes if they hold bfloat16. The weights come rounded (cuda_round_bf16.cu). Of the halo cp.async
// fetches float32, which a thread that has waited for its own copies rounds, and stores again:
//
//        cp.async -> float32, one buffer, each thread's pieces -> rounded -> bfloat16, two buffers, for all
//
// once for all R S taps, so that this costs little beside what they save: the step above reads 48 clocks' worth. A row
// of 32 channels now has 64 bytes, and two rows lie across all banks; piece j of row i is stored at j ^ (i / 2 % 4).
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
//
// What is left is to read w as it lies in memory, where now the *output* channels of a tap are neighbours. ldmatrix
// hands out rows along the inner index, and turns round 16-bit elements only, so a lane reads its factors one by one.
// A row of shared memory is then one inner channel with TILE_CHANNELS output channels, and 8 floats of nothing: a warp
// reads 4 rows x 8 floats at once, and rows that begin 8 banks apart use
//
//        row t:  banks 8 t .. 8 t + 7        all 32, each once
//
// bfloat16 elements ldmatrix does turn round: eight rows that begin 4 banks apart, by 16 bytes of nothing, are read
// together.
//
// Moments (-DMOMENTS=1, of a convolution that batch normalisation follows). A warp has its results in registers, so it
// adds them up here: of the channels of its pixels their number, one result, the sum of the differences from that one,
// and that of their squares. (Relative to one of them, as in cuda_fused.cu of kernels/normalization, which would have
// to read all results again; cuda_fused_finish.cu puts these together in the same way.) 64 differences of float32 are
// added in float32, eight of a lane and then those of eight lanes.
//
// Sums (-DSUMS=1, of a gradient that goes on through the activation and the normalisation of the block before). That
// block left z, the result of its own convolution, and this convolution read activate((z - mean) * scale + offset). So
// a warp reads z at the very place where it would store its gradient, two channels and 8 bytes there as here,
// multiplies by the activation's derivative, and stores g in place of the gradient. What batch normalisation's gradient
// needs besides are the sums of g and of g * (z - mean) * inverse_std over each channel: a warp adds up those of its
// pixels, 64 numbers in float32, and cuda_fused_finish.cu those of all warps. The loads of eight rows of pixels are
// under way together, and the activation is a macro (-DACTIVATION): asked for each number, it would cost a jump.
//
// Its traffic: apart, the gradient is written, read with z to be added up, and read with z once more for the result
// that is written, 24 bytes for each number. Here z is read and g written, then both are read and the result written:
// 20 bytes, and a launch less.
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
// Stored as bfloat16 (-DX_STORED=1, -DZ_STORED=1). Products round x to bfloat16 in any case, and z can be kept so: half
// the bytes to write here, and to read here and wherever z is read. Sums are rounded before their moments are taken, so
// that the statistics are those of the numbers that are there. Of x a piece is four channels still, in 8 bytes.
//
// Compiled with -DKERNEL, -DBF16, -DINPUT_GRADIENT, -DSTRIDE, -DMOMENTS, -DSUMS, -DNORMALIZED, -DX_STORED,
// -DZ_STORED, -DACTIVATION (code of act), -DTILE_ROWS, -DTILE_COLUMNS, -DTILE_CHANNELS, -DWARP_PIXELS, -DWARP_CHANNELS
// and -DARGUMENT_BYTES by cuda_mma.py, which also launches it.
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
// leave a thread 168 registers.
constexpr int BLOCKS = 3;
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

// Where 16-byte piece `piece` of row `row` is stored.
__device__ __forceinline__ u32 swizzled(int row, int piece) {
    return row * ROW_BYTES + ((piece ^ (BF16 ? row / 2 & 3 : row & 7)) << 4);
}

// Where a piece of x is copied: at once where it is a factor, or where its thread alone finds it again.
__device__ __forceinline__ u32 copied(int pixel, int piece) {
    return BF16 ? (pixel * PIECES + piece) * PIECE_BYTES : swizzled(pixel, piece);
}

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

// The tap that shift number `shift` of a phase multiplies, of R * S.
__device__ __forceinline__ int tap_of(const Arguments& a, const Phase& phase, int shift) {
    const int r = phase.down.first_tap + shift / phase.across.shifts * TAP_STEP;
    return r * a.S + phase.across.first_tap + shift % phase.across.shifts * TAP_STEP;
}

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

// The left factors of 16 pixels and INNER channels, of which c is the first; `row` is this lane's row of the halo tile.
__device__ __forceinline__ void load_left(u32 (&left)[4], u32 halo, int row, int c) {
    // Four matrices: pixels 0-7 and 8-15 of one piece of the channels, then of the next.
    load_matrices(left, halo + swizzled(row, c / W_PIECE + threadIdx.x % 32 / 16));
    if constexpr (!BF16)
#pragma unroll
        for (int i = 0; i < 4; i++) left[i] = round_tf32(left[i]);
}

// The right factors of 16 output channels and INNER inner ones, of which c is the first: output channels 0-7 of the
// first and of the second half of those, then output channels 8-15.
__device__ __forceinline__ void load_right(u32 (&right)[4], u32 weights, int channel, int c) {
    const int lane = threadIdx.x % 32;
    if constexpr (!INPUT_GRADIENT) {
        load_matrices(right, weights + swizzled(channel + lane % 8 + lane / 16 * 8, c / W_PIECE + lane / 8 % 2));
    } else if constexpr (BF16) {
        load_matrices_turned(right, weights + (c + lane % 16) * WEIGHT_ROW_BYTES + (channel + lane / 16 * 8) * 2);
    } else {
        const u32 from = weights + (c + lane % 4) * WEIGHT_ROW_BYTES + (channel + lane / 4) * 4;
#pragma unroll
        for (int i = 0; i < 4; i++) right[i] = load_word(from + i % 2 * 4 * WEIGHT_ROW_BYTES + i / 2 * 8 * 4);
    }
    if constexpr (!BF16)
#pragma unroll
        for (int i = 0; i < 4; i++) right[i] = round_tf32(right[i]);
}

// Multiply one step into the accumulators. `pixel` holds, for each row fragment, this lane's row of the halo tile.
__device__ __forceinline__ void multiply_step(float (&sums)[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4],
                                              const int (&pixel)[ROW_FRAGMENTS], int shift, u32 halo, int channel,
                                              u32 weights) {
#pragma unroll
    for (int c = 0; c < CHUNK; c += INNER) {
        u32 right[COLUMN_FRAGMENTS / 2][4];
#pragma unroll
        for (int k = 0; k < COLUMN_FRAGMENTS / 2; k++) load_right(right[k], weights, channel + k * 16, c);
#pragma unroll
        for (int m = 0; m < ROW_FRAGMENTS; m++) {
            u32 left[4];
            load_left(left, halo, pixel[m] + shift, c);
#pragma unroll
            for (int k = 0; k < COLUMN_FRAGMENTS; k++) {
                const u32 first = right[k / 2][k % 2 * 2], second = right[k / 2][k % 2 * 2 + 1];
                if constexpr (BF16) multiply_bf16(sums[m][k], left, first, second);
                else multiply_tf32(sums[m][k], left, first, second);
            }
        }
    }
}

// Row and column of a pixel of the tile in the output.
struct Place {
    int p, q;
};

__device__ __forceinline__ Place place_of(const Tile& tile, int pixel) {
    return {(tile.p0 + pixel / TILE_COLUMNS) * STORE_STEP + static_cast<int>(blockIdx.z) / STORE_STEP,
            (tile.q0 + pixel % TILE_COLUMNS) * STORE_STEP + static_cast<int>(blockIdx.z) % STORE_STEP};
}

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

// The sum over the lanes that have the same channels: those whose numbers differ in more than the last two bits.
__device__ __forceinline__ float add_lanes(float value) {
#pragma unroll
    for (int mask = 4; mask < 32; mask *= 2) value += shuffle_xor(value, mask);
    return value;
}

// The place of a warp's pixels among those of all warps.
__device__ __forceinline__ long long part_of(int first_pixel) {
    const long long block = static_cast<long long>(blockIdx.z) * gridDim.x + blockIdx.x;
    return block * WARPS_ACROSS_PIXELS + first_pixel / WARP_PIXELS;
}

#if !SUMS
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

#else

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
__device__ __forceinline__ void store_gradient(const Arguments& a, const Tile& tile, int first_pixel, int channel,
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
#endif

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
#if SUMS
    store_gradient(a, tile, first_pixel, channel, sums);
#else
    if constexpr (Z_STORED) round_sums(sums);
    store_tile(a, tile, first_pixel, channel, sums);
    if constexpr (MOMENTS) store_moments(a, tile, first_pixel, channel, sums);
#endif
}
