// Union-find over the pixels of images on CUDA: pixels that are joined find the same root, whatever ran first.
//
//     tiles    a block joins the pixels of 32 rows of 64, in shared memory
//     seams    a thread joins one pixel beside a seam of tiles with those beyond it, in device memory
//
// The idea: every pixel has a parent, and roots are their own. To join two pixels is to find both roots and to lower
// the parent of the later one to the earlier one, in one step that also says what it was before: if another thread has
// been faster, that is what remains to be joined. Parents only ever fall, so a number that lags behind still leads to
// the root, and the root in the end is the first pixel of all that are joined. Nobody waits for anybody: two launches,
// and the host reads nothing.
//
// A parent is a *key*: the pixel's number in its image, and the bit BEHIND, which puts it behind all keys without it.
//
// Index arithmetic: a warp has 4 rows of a tile, a lane the pixels in columns `lane` and `lane + 32`. That a pixel is
// joined with the one on its left is a bit of its row, so that a run of pixels needs no steps at all: its pixels begin
// with the run's first one as their parent. The row above takes a step for each pair of runs that touch:
//
//     b a c     a step from x to a is left to d, if d is joined with x and b with a
//     d x e     steps to b and c are left out if x is joined with a; to b also if it is with d, to c if it is with e
//
// Steps between tiles are left out in the same way, but never in a circle: a seam of columns relies on rows inside its
// tiles, and a seam of rows on all columns.
//
// Source: D. Playne, K. Hawick, "A new algorithm for parallel connected-component labelling on GPUs", 2018, and runs as
// in A. Hennequin et al., "A new direct connected component labeling and analysis algorithms for GPUs", 2018. Paths
// become shorter as in S. Jayanti, R. Tarjan, "Concurrent disjoint set union", 2021.
//
// Included behind cuda_ptx.cuh, by sources that are compiled with -DTHREADS and -DTALL.
#pragma once

typedef unsigned long long Row;  // bit i is the pixel in column i of the tile

constexpr int WIDE = 64, LINES = TALL / (THREADS / 32);  // rows of a warp
constexpr int EACH = TALL * WIDE / THREADS;              // pixels of a thread, of as many for a block as a tile has
constexpr u32 BEHIND = 1u << 31, NUMBER = BEHIND - 1;

// As UNION in cuda_union.py.
struct Union {
    Divisor across, down;           // tiles of a line, and of a column
    Divisor pieces;                 // blocks of an image that have the pixels beside its seams
    Divisor chunks;                 // blocks of an image that go over all its pixels
    Divisor columns, rows;          // pixels of a line, and of a column
    long long pixels;               // of an image
    int height, width, connectivity, unused;
};

struct SharedParents {
    u32 first;

    __device__ __forceinline__ u32 load(u32 key) const { return load_lowered_shared(first + (key & NUMBER) * 4); }
    __device__ __forceinline__ u32 lower(u32 key, u32 parent) const {
        return lower_shared(first + (key & NUMBER) * 4, parent);
    }
};

struct Parents {
    u32* first;  // of an image

    __device__ __forceinline__ u32 load(u32 key) const { return load_lowered(first + (key & NUMBER)); }
    __device__ __forceinline__ u32 lower(u32 key, u32 parent) const { return ::lower(first + (key & NUMBER), parent); }
};

// The root of a key. Whoever is passed on the way gets its parent's parent.
template <class Memory>
__device__ __forceinline__ u32 find(const Memory& parents, u32 key) {
    for (u32 parent = parents.load(key); parent != key;) {
        const u32 next = parents.load(parent);
        if (next != parent) parents.lower(key, next);
        key = parent;
        parent = next;
    }
    return key;
}

template <class Memory>
__device__ __forceinline__ void unite(const Memory& parents, u32 one, u32 other) {
    for (;;) {
        one = find(parents, one);
        other = find(parents, other);
        if (one == other) return;
        const u32 first = one < other ? one : other, last = one < other ? other : one;
        const u32 before = parents.lower(last, first);
        if (before == last) return;  // it was a root still
        one = first;
        other = before;
    }
}

// What a source makes of one of its pixels: an open one is joined with open ones beside it that have the same value.
template <class Value>
struct Pixel {
    Value value = 0;
    bool open = false, strong = false;
};

template <class Value>
__device__ __forceinline__ bool joined(const Pixel<Value>& a, const Pixel<Value>& b) {
    return a.open && b.open && a.value == b.value;
}

// What a thread knows of a tile: its pixels' places and roots.
struct Tile {
    u32 image;
    long long first;       // pixel of the image, among those of all images
    int p, q;              // of the thread's first pixel; its others are LINES rows down and 32 columns beside
    u32 line;              // the first row of the thread in the tile
    u32 open, strong;      // bit 2 i + j of the pixel in row i and column 32 j
    u32 root[LINES][2];    // a key: the number in the tile, 64 to a row, with the bits RANK

    // A number in the tile as one in the image.
    __device__ __forceinline__ u32 number(const Union& a, u32 key) const {
        const u32 place = key & NUMBER;
        const int lane = threadIdx.x % 32, line_p = p - static_cast<int>(line) + static_cast<int>(place / WIDE);
        return static_cast<u32>(line_p) * static_cast<u32>(a.width) + static_cast<u32>(q - lane) + place % WIDE;
    }
};

// Join the pixels of a tile; `source.at(i)` is pixel i of all. Parents are TALL * WIDE words of shared memory.
template <u32 RANK, class Source>
__device__ __forceinline__ Tile join_tile(const Source& source, const Union& a) {
    typedef typename Source::Value Value;
    const int lane = threadIdx.x % 32;
    const u32 strip = quotient(static_cast<u32>(blockIdx.x), a.across), image = quotient(strip, a.down);
    const SharedParents parents{shared_memory()};
    Tile tile;
    tile.image = image;
    tile.first = image * a.pixels;
    tile.line = threadIdx.x / 32 * LINES;
    tile.p = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * TALL + static_cast<int>(tile.line);
    tile.q = static_cast<int>(blockIdx.x - strip * static_cast<u32>(a.across.divisor)) * WIDE + lane;

    // The row above the thread's, if it is in the tile, and its own.
    Pixel<Value> pixels[LINES + 1][2];
#pragma unroll
    for (int i = 0; i <= LINES; i++)
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const int p = tile.p + i - 1, q = tile.q + 32 * j;
            if (tile.line + i > 0 && p < a.height && q < a.width)
                pixels[i][j] = source.at(tile.first + static_cast<long long>(p) * a.width + q);
        }

    u32 wanted = 0;  // bit 3 (2 i + j) of a step up, and the next ones of steps up and to the left, and to the right
    Row open_above = 0, left_above = 0;
    Value west_above[2] = {}, east_above[2] = {};
    tile.open = tile.strong = 0;
#pragma unroll
    for (int i = 0; i <= LINES; i++) {
        // Columns 31 and 32 are in different halves: what goes round at a half's end is the other half's neighbour.
        Value west[2], east[2];
#pragma unroll
        for (int j = 0; j < 2; j++) {
            west[j] = shuffle(pixels[i][j].value, lane - 1);
            east[j] = shuffle(pixels[i][j].value, lane + 1);
        }
        if (lane == 0) west[1] = west[0];
        if (lane == 31) east[0] = east[1];
        const Row open = ballot(pixels[i][0].open) | static_cast<Row>(ballot(pixels[i][1].open)) << 32;
        Row left = 0;
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const Row pair = lane + 32 * j > 0 ? 3ull << (lane + 32 * j - 1) : 0;
            const bool both = pair && (open & pair) == pair && pixels[i][j].value == west[j];
            left |= static_cast<Row>(ballot(both)) << 32 * j;
        }
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const int column = lane + 32 * j, bit = 2 * (i - 1) + j;
            if (i == 0 || !pixels[i][j].open) continue;
            const bool from_left = left >> column & 1, to_right = column < WIDE - 1 && left >> (column + 1) & 1;
            const bool up = joined(pixels[i][j], pixels[i - 1][j]);
            if (up && !(from_left && left_above >> column & 1)) wanted |= 1u << 3 * bit;
            if (a.connectivity > 1 && !up) {
                const bool west_open = column > 0 && open_above >> (column - 1) & 1;
                const bool east_open = column < WIDE - 1 && open_above >> (column + 1) & 1;
                if (west_open && !from_left && pixels[i][j].value == west_above[j]) wanted |= 2u << 3 * bit;
                if (east_open && !to_right && pixels[i][j].value == east_above[j]) wanted |= 4u << 3 * bit;
            }
            tile.open |= 1u << bit;
            if (pixels[i][j].strong) tile.strong |= 1u << bit;
            const u32 row = (tile.line + i - 1) * WIDE;
            const u32 start = row + highest_bit(~left & ((2ull << column) - 1));
            store_shared(parents.first + (row + column) * 4, RANK | start);
        }
        open_above = open, left_above = left;
#pragma unroll
        for (int j = 0; j < 2; j++) west_above[j] = west[j], east_above[j] = east[j];
    }
    __syncthreads();
    for (; wanted; wanted &= wanted - 1) {
        const u32 bit = lowest_bit(wanted), step = bit % 3, pixel = bit / 3;
        const u32 place = (tile.line + pixel / 2) * WIDE + pixel % 2 * 32 + lane;
        unite(parents, RANK | place, RANK | (place - WIDE - (step == 1) + (step == 2)));
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < LINES; i++)
#pragma unroll
        for (int j = 0; j < 2; j++)
            if (tile.open >> (2 * i + j) & 1)
                tile.root[i][j] = find(parents, RANK | ((tile.line + i) * WIDE + 32 * j + lane));
    return tile;
}

// Where a block's pixels begin that lie as in memory, THREADS apart for a thread.
struct Chunk {
    long long first;  // pixel of the image, among those of all images
    u32 begin;        // the thread's first pixel in the image
};

__device__ __forceinline__ Chunk chunk_of(const Union& a) {
    const u32 image = quotient(static_cast<u32>(blockIdx.x), a.chunks);
    const u32 chunk = blockIdx.x - image * static_cast<u32>(a.chunks.divisor);
    return {image * a.pixels, chunk * (EACH * THREADS) + threadIdx.x};
}

// Join the pixels beside seams with those beyond: first the rows', then the columns', a thread for each pixel below a
// seam or on its right.
template <class Source>
__device__ __forceinline__ void join_seams(const Source& source, const Union& a, u32* all_parents) {
    const u32 image = quotient(static_cast<u32>(blockIdx.x), a.pieces);
    u32 item = (blockIdx.x - image * static_cast<u32>(a.pieces.divisor)) * THREADS + threadIdx.x;
    const u32 of_rows = static_cast<u32>(a.down.divisor - 1) * static_cast<u32>(a.width);
    const bool is_row = item < of_rows;
    if (!is_row) item -= of_rows;
    const u32 seam = is_row ? quotient(item, a.columns) : quotient(item, a.rows);
    const int along = static_cast<int>(item - seam * static_cast<u32>(is_row ? a.width : a.height));
    const int across = static_cast<int>(seam + 1) * (is_row ? TALL : WIDE);
    const int p = is_row ? across : along, q = is_row ? along : across;
    if (q >= a.width) return;

    const long long first = image * a.pixels;
    const auto pixel = [&](int down, int right) {
        const bool inside = p + down >= 0 && q + right >= 0 && q + right < a.width;
        const long long at = first + static_cast<long long>(p + down) * a.width + q + right;
        return inside ? source.at(at) : Pixel<typename Source::Value>();
    };
    const auto here = pixel(0, 0), left = pixel(0, -1), up = pixel(-1, 0), up_left = pixel(-1, -1);
    const bool from_left = joined(here, left), from_up = joined(here, up), diagonals = a.connectivity > 1;
    u32 wanted = 0;  // bits: up, up to the left, up to the right; to the left, and from there up to the right
    if (is_row) {
        const auto right = pixel(0, 1), up_right = pixel(-1, 1);
        if (from_up && !(from_left && joined(up, up_left))) wanted |= 1;
        if (diagonals && !from_up && !from_left && joined(here, up_left)) wanted |= 2;
        if (diagonals && !from_up && !joined(here, right) && joined(here, up_right)) wanted |= 4;
    } else {
        const bool in_tile = p % TALL != 0;  // both rows are; otherwise the seam of rows has the diagonals
        if (from_left && !(in_tile && from_up && joined(up, up_left))) wanted |= 8;
        if (diagonals && in_tile && !from_left) {
            if (!from_up && joined(here, up_left)) wanted |= 2;
            if (!joined(left, up_left) && joined(left, up)) wanted |= 16;
        }
    }
    const Parents parents{all_parents + first};
    const u32 place = static_cast<u32>(p) * static_cast<u32>(a.width) + static_cast<u32>(q);
    for (; wanted; wanted &= wanted - 1) {
        const int step = lowest_bit(wanted);
        const u32 from = place - (step == 4);
        const u32 to = step == 3 ? place - 1 : place - a.width - (step == 1) + (step == 2);
        unite(parents, parents.load(from), parents.load(to));
    }
}
