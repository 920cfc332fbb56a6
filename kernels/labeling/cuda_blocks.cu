// Connected components of images on CUDA: pixels are joined, roots counted and numbered, in six launches.
//
//     tiles    pixels are joined in tiles of 32 rows of 64, and every one gets its tile's root as a parent
//     seams    tiles are joined
//     count    the roots of a tile that are roots still are counted, 8192 pixels to a block, and the others' parents
//              become their roots
//     scan     a block adds up the counts of one image
//     number   every root's parent becomes its number
//     paint    every pixel gets its root's number
//
// The idea: a component's root is its first pixel (cuda_union.cuh says why), so that counting roots as they lie in
// memory numbers components in the order of the definition, whichever thread was first in joining them.
//
// Index arithmetic: roots are few. The first step writes a bit for each pixel, whether it is its tile's root, 32
// columns to a word and an even number of words to a row; only where a bit is set later steps look at parents:
//
//     word     row * words + column / 32                     a thread of `count` and of `number` has one
//     counts   word / THREADS                                a block has one: roots of its words, then of those before
//
// A parent is a pixel of the image, or BEHIND with a number: that of a root's component, or 0 for the background. From
// a pixel to its root are two steps at most, since `count` leaves every tile's root one from its own.
//
// Memory traffic: of each pixel its value, 4 bytes of a parent written and read again, and its label written; an eighth
// of a byte written, read and written, and read. At seams 5 % of the pixels are read again, with up to six neighbours.
// The number of launches depends on nothing, and the host waits for none of them.
//
// Takes images of one or two axes. Compiled with -DKERNEL, -DTHREADS, -DTALL, -DSTEP, -DBYTES (of a pixel, in the first
// two steps; of a label in the last) and -DARGUMENT_BYTES by cuda_blocks.py.
#include "cuda_ptx.cuh"
#include "cuda_union.cuh"

// As STEPS in cuda_blocks.py.
enum Step { TILES, SEAMS, COUNT, SCAN, NUMBER_ROOTS, PAINT };

template <int SIZE>
struct Unsigned {
    typedef u32 Stored, Value;
};
template <>
struct Unsigned<1> {
    typedef unsigned char Stored;
    typedef u32 Value;
};
template <>
struct Unsigned<2> {
    typedef unsigned short Stored;
    typedef u32 Value;
};
template <>
struct Unsigned<8> {
    typedef unsigned long long Stored, Value;
};
typedef Unsigned<BYTES>::Stored Number;  // as bits: only whether they are equal counts

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const Number* x;                // (N, H, W)
    u32* parents;                   // (N, H, W)
    u32* roots;                     // (N, H, words): bits
    u32* counts;                    // (N, parts)
    Number* labels;                 // (N, H, W)
    long long* number;              // (N,)
    unsigned long long background;  // the bits
    Union pixels;
    Divisor words, parts;           // of a row, of an image
    int has_background, equal;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

struct Values {
    typedef Unsigned<BYTES>::Value Value;
    const Arguments& a;

    __device__ __forceinline__ Pixel<Value> at(long long i) const {
        const Number value = load_number(a.x + i);
        const bool open = !(a.has_background && value == static_cast<Number>(a.background));
        return {a.equal ? static_cast<Value>(value) : 0, open, false};
    }
};

__device__ __forceinline__ void join_pixels_of_a_tile(const Arguments& a) {
    const Tile tile = join_tile<0>(Values{a}, a.pixels);
    const int lane = threadIdx.x % 32;
    const long long first_line = static_cast<long long>(tile.image) * a.pixels.height;
    const u32 word = static_cast<u32>(tile.q - lane) / 32;
#pragma unroll
    for (int i = 0; i < LINES; i++)
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const bool open = tile.open >> (2 * i + j) & 1;
            const u32 place = (tile.line + i) * WIDE + 32 * j + lane;
            const u32 roots = ballot(open && tile.root[i][j] == place);
            const int p = tile.p + i, q = tile.q + 32 * j;
            if (p >= a.pixels.height) continue;
            if (lane == 0)
                store_number(a.roots + (first_line + p) * static_cast<long long>(a.words.divisor) + word + j, roots);
            if (q >= a.pixels.width) continue;
            const u32 parent = open ? tile.number(a.pixels, tile.root[i][j]) : BEHIND;
            store_number(a.parents + (first_line + p) * a.pixels.width + q, parent);
        }
}

// A thread's word of roots.
struct Word {
    u32 image, part;
    long long first, at;  // pixel of the image and the word, among those of all images
    u32 pixel;            // its first one, in the image
    bool is_there;
};

__device__ __forceinline__ Word word_of(const Arguments& a) {
    Word word;
    word.image = quotient(static_cast<u32>(blockIdx.x), a.parts);
    word.part = blockIdx.x - word.image * static_cast<u32>(a.parts.divisor);
    const u32 place = word.part * THREADS + threadIdx.x, words = static_cast<u32>(a.words.divisor);
    const u32 row = quotient(place, a.words), height = static_cast<u32>(a.pixels.height);
    word.first = word.image * a.pixels.pixels;
    word.at = static_cast<long long>(word.image) * height * words + place;
    word.pixel = row * static_cast<u32>(a.pixels.width) + (place - row * words) * 32;
    word.is_there = row < height;
    return word;
}

// The sum of the numbers of all threads before this one, and that of all. Nothing else uses the block's shared memory
// since the last barrier nor before the next.
__device__ __forceinline__ u32 sum_before(u32 number, u32& total) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const u32 shared = shared_memory();
    u32 sum = number;
#pragma unroll
    for (int step = 1; step < 32; step *= 2) {
        const u32 other = shuffle(sum, lane - step);
        if (lane >= step) sum += other;
    }
    if (lane == 31) store_shared(shared + warp * 4, sum);
    __syncthreads();
    u32 before = sum - number;
    total = 0;
#pragma unroll
    for (int i = 0; i < THREADS / 32; i++) {
        const u32 part = load_word(shared + i * 4);
        if (i < warp) before += part;
        total += part;
    }
    return before;
}

__device__ __forceinline__ void count_roots(const Arguments& a) {
    const Word word = word_of(a);
    u32 roots = 0, total;
    if (word.is_there) {
        roots = load_number(a.roots + word.at);
        const Parents parents{a.parents + word.first};
        for (u32 rest = roots; rest; rest &= rest - 1) {
            const u32 pixel = word.pixel + lowest_bit(rest), root = find(parents, pixel);
            if (root == pixel) continue;
            parents.lower(pixel, root);
            roots &= ~(rest & -rest);
        }
        store_number(a.roots + word.at, roots);
    }
    sum_before(count_bits(roots), total);
    if (threadIdx.x == 0) store_number(a.counts + blockIdx.x, total);
}

// Each count becomes the sum of those before it.
__device__ __forceinline__ void scan_counts(const Arguments& a) {
    const u32 parts = static_cast<u32>(a.parts.divisor);
    u32* counts = a.counts + static_cast<long long>(blockIdx.x) * parts;
    u32 sum = 0;
    for (u32 first = 0; first < parts; first += THREADS) {
        const u32 i = first + threadIdx.x;
        u32 total;
        const u32 before = sum_before(i < parts ? load_number(counts + i) : 0, total);
        if (i < parts) store_number(counts + i, sum + before);
        sum += total;
        __syncthreads();
    }
    if (threadIdx.x == 0) store_number(a.number + blockIdx.x, static_cast<long long>(sum));
}

__device__ __forceinline__ void number_roots(const Arguments& a) {
    const Word word = word_of(a);
    u32 rest = word.is_there ? load_number(a.roots + word.at) : 0, total;
    u32 number = load_number(a.counts + blockIdx.x) + sum_before(count_bits(rest), total);
    for (; rest; rest &= rest - 1)
        store_number(a.parents + word.first + word.pixel + lowest_bit(rest), BEHIND | ++number);
}

__device__ __forceinline__ void paint_pixels(const Arguments& a) {
    const Chunk chunk = chunk_of(a.pixels);
    const u32* parents = a.parents + chunk.first;
    u32 found[EACH];
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const u32 at = chunk.begin + i * THREADS;
        found[i] = at < a.pixels.pixels ? load_number(parents + at) : BEHIND;
    }
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const u32 at = chunk.begin + i * THREADS;
        while (!(found[i] & BEHIND)) found[i] = load_number(parents + found[i]);
        if (at < a.pixels.pixels) store_number(a.labels + chunk.first + at, static_cast<Number>(found[i] & NUMBER));
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    if constexpr (STEP == TILES) join_pixels_of_a_tile(a);
    if constexpr (STEP == SEAMS) join_seams(Values{a}, a.pixels, a.parents);
    if constexpr (STEP == COUNT) count_roots(a);
    if constexpr (STEP == SCAN) scan_counts(a);
    if constexpr (STEP == NUMBER_ROOTS) number_roots(a);
    if constexpr (STEP == PAINT) paint_pixels(a);
}
