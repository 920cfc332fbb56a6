// The classes of Canny's pixels on CUDA in one launch: a thread has 4 rows of 4 pixels, a block 30 rows of 120.
//
//     down       smoothed and sloped down the column, from the image's rows    registers
//     along      the other halves of both derivatives, of the neighbouring     registers, by shuffles
//                lanes' columns; of several channels the longest gradient
//     compare    with the norms of two neighbours, where the norm is above     shared memory
//                the low threshold
//     classes    written; cuda_blocks.cu of hysteresis makes edges of them
//
// The idea: what a thread needs of a row beside its own 4 pixels its neighbours in the warp have, so that nothing but
// gradients goes through shared memory, two numbers of 16 bits in a word; norms are made of them again.
//
// Index arithmetic: a warp has 4 rows of 128 pixels, a block 32. The first and the last row, and the first and the last
// lane, have what surrounds the block:
//
//     lane     0       1 .. 30      31
//     pixel    q0 - 4  q0 .. q0 + 119         four pixels begin at a multiple of four: one load, and one store
//
// of which the last pixel of lane 0 and the first of lane 31 are right as far as taps reach, and nobody reads others.
// Pixels beyond the image's border are those at its edge; gradients beyond it are 0.
//
// Numbers: two pixels share a word from bytes to sums down the column. The smoothed ones are below 2^16; slopes, at
// most 2550 either way, have BIAS added. No half of a sum is negative in the end, and so none borrows of the other.
//
// Memory traffic: the image once, as long as caches hold the 2 or more rows that warps share, 1.14 times the pixels of
// the blocks; and the classes, a byte for each pixel.
//
// APERTURE 0 reads both derivatives. Compiled with -DKERNEL, -DTHREADS, -DAPERTURE, -DSQUARED and -DARGUMENT_BYTES by
// cuda_blocks.py.
#include "cuda_ptx.cuh"

#if APERTURE
typedef unsigned char Number;
#else
typedef short Number;
#endif

// As in apertures.py.
#if APERTURE == 3
#define SMOOTH {1, 2, 1}
#define SLOPE {-1, 0, 1}
#elif APERTURE == 5
#define SMOOTH {1, 4, 6, 4, 1}
#define SLOPE {-1, -2, 0, 2, 1}
#elif APERTURE == 7
#define SMOOTH {1, 6, 15, 20, 15, 6, 1}
#define SLOPE {-1, -4, -5, 0, 5, 4, 1}
#endif

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const Number* x;              // (N, H, W, C); or derivatives along rows, (N, H, W),
    const Number* y;              // and down columns
    const long long* thresholds;  // (2,)
    unsigned char* classes;       // (N, H, W)
    Divisor tiles, down;          // along a line, down an image
    int height, width, channels, wide;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

// As in hysteresis/reference.py.
enum Class { NOTHING, WEAK, STRONG };

constexpr int TALL = 4, ROWS = THREADS / 32 * TALL - 2, LINE = 30 * 4, RADIUS = APERTURE / 2;
constexpr int BLOCKS = APERTURE == 7 ? 2 : 3;  // that share a multiprocessor's registers
constexpr u32 TAN_22 = 13573;  // of 1 << 15

// A gradient in a word.
__device__ __forceinline__ u32 packed(int dx, int dy) { return (dx & 0xFFFF) | static_cast<u32>(dy) << 16; }
__device__ __forceinline__ int along_of(u32 gradient) { return static_cast<short>(gradient & 0xFFFF); }
__device__ __forceinline__ int down_of(u32 gradient) { return static_cast<int>(gradient) >> 16; }
__device__ __forceinline__ u32 magnitude(int value) { return static_cast<u32>(value < 0 ? -value : value); }

__device__ __forceinline__ u32 norm_of(u32 gradient) {
    const u32 x = magnitude(along_of(gradient)), y = magnitude(down_of(gradient));
    return SQUARED ? x * x + y * y : x + y;
}

#if APERTURE

constexpr u32 BIAS = 4096;

// Four pixels of a line, a byte each, C bytes apart; beyond its ends those at the ends.
__device__ __forceinline__ u32 four_pixels(const Arguments& a, const Number* line, int q) {
    if (a.wide && q >= 0 && q < a.width) return load_number(reinterpret_cast<const u32*>(line + q));
    u32 four = 0;
#pragma unroll
    for (int j = 0; j < 4; j++) {
        const int k = q + j < 0 ? 0 : q + j < a.width ? q + j : a.width - 1;
        four |= static_cast<u32>(load_number(line + static_cast<long long>(k) * a.channels)) << 8 * j;
    }
    return four;
}

// Two pixels, each in half a word, smoothed down the column, and sloped, with BIAS.
__device__ __forceinline__ void down_columns(const u32 (&rows)[APERTURE], int shift, u32& smooth, u32& slope) {
    constexpr u32 weights[APERTURE] = SMOOTH;
    constexpr int steps[APERTURE] = SLOPE;
    smooth = 0;
    slope = BIAS << 16 | BIAS;
#pragma unroll
    for (int t = 0; t < APERTURE; t++) {
        const u32 pair = rows[t] >> shift & 0x00FF00FF;
        smooth += weights[t] * pair;
        slope += static_cast<u32>(steps[t]) * pair;
    }
}

// A sixteenth, rounded, halves to even.
__device__ __forceinline__ int sixteenth(int value) { return (value + 7 + (value >> 4 & 1)) >> 4; }

// The gradients of four pixels, from their columns and those of the neighbouring lanes; a warp together.
__device__ __forceinline__ void along_rows(const u32 (&columns)[4], int lane, u32 (&gradients)[4]) {
    constexpr int weights[APERTURE] = SMOOTH, steps[APERTURE] = SLOPE;
    u32 line[4 + 2 * RADIUS];
#pragma unroll
    for (int j = 0; j < RADIUS; j++) {
        line[j] = shuffle(columns[4 - RADIUS + j], lane - 1);
        line[4 + RADIUS + j] = shuffle(columns[j], lane + 1);
    }
#pragma unroll
    for (int j = 0; j < 4; j++) line[RADIUS + j] = columns[j];
#pragma unroll
    for (int j = 0; j < 4; j++) {
        int dx = 0, dy = 0;
#pragma unroll
        for (int t = 0; t < APERTURE; t++) {
            dx += steps[t] * static_cast<int>(line[j + t] & 0xFFFF);
            dy += weights[t] * (static_cast<int>(line[j + t] >> 16) - static_cast<int>(BIAS));
        }
        gradients[j] = APERTURE == 7 ? packed(sixteenth(dx), sixteenth(dy)) : packed(dx, dy);
    }
}

// Of each pixel the gradient of the channel where it is longest, the first of equals.
__device__ __forceinline__ void gradients_of(const Arguments& a, long long first_line, int p, int q,
                                             u32 (&longest)[TALL][4]) {
    const int lane = threadIdx.x % 32;
    for (int channel = 0; channel < a.channels; channel++) {
        u32 rows[TALL + 2 * RADIUS];
#pragma unroll
        for (int i = 0; i < TALL + 2 * RADIUS; i++) {
            const int k = p + i - RADIUS, row = k < 0 ? 0 : k < a.height ? k : a.height - 1;
            rows[i] = four_pixels(a, a.x + (first_line + row) * a.width * a.channels + channel, q);
        }
#pragma unroll
        for (int i = 0; i < TALL; i++) {
            u32 taps[APERTURE], smooth[2], slope[2], columns[4], gradients[4];
#pragma unroll
            for (int t = 0; t < APERTURE; t++) taps[t] = rows[i + t];
#pragma unroll
            for (int odd = 0; odd < 2; odd++) {
                down_columns(taps, odd * 8, smooth[odd], slope[odd]);
                columns[odd] = (smooth[odd] & 0xFFFF) | slope[odd] << 16;
                columns[odd + 2] = smooth[odd] >> 16 | (slope[odd] & 0xFFFF0000);
            }
            along_rows(columns, lane, gradients);
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (channel == 0 || norm_of(gradients[j]) > norm_of(longest[i][j])) longest[i][j] = gradients[j];
        }
    }
}

#else

__device__ __forceinline__ void gradients_of(const Arguments& a, long long first_line, int p, int q,
                                             u32 (&longest)[TALL][4]) {
#pragma unroll
    for (int i = 0; i < TALL; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (p + i < 0 || p + i >= a.height || q + j < 0 || q + j >= a.width) continue;
            const long long at = (first_line + p + i) * a.width + q + j;
            longest[i][j] = packed(load_number(a.x + at), load_number(a.y + at));
        }
}

#endif

// The class of the pixel whose gradient is at `place` of the block's gradients.
__device__ __forceinline__ Class class_of(u32 gradient, u32 place, u32 low, u32 high) {
    const u32 norm = norm_of(gradient);
    if (norm <= low) return NOTHING;
    const int dx = along_of(gradient), dy = down_of(gradient);
    const u32 x = magnitude(dx), y = magnitude(dy) << 15;
    int step = (dx ^ dy) < 0 ? 127 : 129;  // places to the second neighbour; the first lies opposite
    u32 equal = 0;                         // whether the second may be as long
    if (y < x * TAN_22) {
        step = 1, equal = 1;
    } else if (y > x * TAN_22 + (x << 16)) {
        step = 128, equal = 1;
    }
    const u32 first = norm_of(load_word(place - step * 4)), second = norm_of(load_word(place + step * 4));
    if (norm <= first || norm + equal <= second) return NOTHING;
    return norm > high ? STRONG : WEAK;
}

// A threshold that a norm must exceed; of negative ones 0, which no maximum has.
__device__ __forceinline__ u32 threshold(const long long* from) {
    const long long number = load_number(from);
    return number < 0 ? 0 : static_cast<u32>(number);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) KERNEL(const Arguments a) {
    const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * TALL;
    const u32 strip = quotient(static_cast<u32>(blockIdx.x), a.tiles), image = quotient(strip, a.down);
    const int q = static_cast<int>(blockIdx.x - strip * static_cast<u32>(a.tiles.divisor)) * LINE + (lane - 1) * 4;
    const int p = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * ROWS - 1 + row;
    const long long first_line = static_cast<long long>(image) * a.height;
    const u32 places = shared_memory() + (row * 128 + lane * 4) * 4;

    u32 gradients[TALL][4] = {};
    gradients_of(a, first_line, p, q, gradients);
#pragma unroll
    for (int i = 0; i < TALL; i++) {
        Numbers<4, u32> four;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const bool inside = p + i >= 0 && p + i < a.height && q + j >= 0 && q + j < a.width;
            four.number[j] = gradients[i][j] = inside ? gradients[i][j] : 0;
        }
        store_shared(places + i * 512, four);
    }
    __syncthreads();

    if (lane == 0 || lane == 31 || q >= a.width) return;
    const u32 low = threshold(a.thresholds), high = threshold(a.thresholds + 1);
#pragma unroll
    for (int i = 0; i < TALL; i++) {
        if (row + i == 0 || row + i == ROWS + 1 || p + i >= a.height) continue;
        u32 found = 0;
#pragma unroll
        for (int j = 0; j < 4; j++)
            found |= static_cast<u32>(class_of(gradients[i][j], places + i * 512 + j * 4, low, high)) << 8 * j;
        unsigned char* classes = a.classes + (first_line + p + i) * a.width + q;
        if (a.wide) {
            store_number(reinterpret_cast<u32*>(classes), found);
        } else {
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (q + j < a.width) store_number(classes + j, static_cast<unsigned char>(found >> 8 * j));
        }
    }
}
