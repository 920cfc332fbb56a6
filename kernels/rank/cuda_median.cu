// Medians of 3x3, 5x5 and 7x7 pixels on CUDA, by comparisons that do not depend on the data: networks.py in C++.
//
//     runs     the SIDE neighbours of each number in its row are sorted: line j of shared memory holds those of rank j
//     columns  of two results, one above the other, all rows but one are the same: those are sorted line by line, and
//              for each result one more is put in. Where rows are in order and then columns, rows still are.
//     median   of 9, 25, 49 numbers only 3, 13, 29 can then still be the median: it is found by forgetting the least
//              and the greatest in turn
//
// The idea: a block has 16 rows of 64 results and sorts each run once, for all windows that it is under. Everything
// else is in registers, and every thread does the same. A 7x7 median takes 44 minima or maxima for its runs, 84 for
// half of the columns, some 50 to put in one row, and 278 to forget.
//
// Index arithmetic: rows are lines of W * C numbers, f = q * C + c, and neighbours are C numbers apart. Line j of row i
// is at (i * SIDE + j) * 64, so that a warp stores and loads 32 neighbours. Rows are looked up at the border once for
// the block, columns only by threads whose run reaches it.
//
// Numbers are compared as *keys*, signed integers in the same order: of a float with the sign bit set all other bits
// are turned; every NaN is the greatest key, and stands last in a run. A window with a NaN gives NaN.
//
// Memory traffic: both images once, and each number SIDE times out of the cache. It bounds medians of 3x3; comparisons
// bound the others. Bytes are loaded in words (cuda_bytes.cuh), for four runs at a time: under 5x5 windows a block's 20
// rows of 64 runs are 6,400 bytes one by one; with one channel they are 320 fours of two words, and one more where they
// begin between two; with more, five words, or twice as many. Only fours at the ends of a line are loaded one by one.
//
// Compiled with -DKERNEL, -DTHREADS, -DROWS, -DLINE, -DTYPE, -DSIDE and -DARGUMENT_BYTES by cuda_median.py.
#include "cuda_ptx.cuh"
#include "cuda_border.cuh"
#include "cuda_bytes.cuh"

// As TYPES in cuda_median.py.
#if TYPE == 0
typedef unsigned char Number;
#define BYTES 1
#elif TYPE == 1
typedef signed char Number;
#define BYTES 1
#elif TYPE == 2
typedef unsigned short Number;
#elif TYPE == 3
typedef short Number;
#elif TYPE == 4
typedef int Number;
#else
typedef float Number;
#define FLOATING 1
#endif

// Pairs of places whose numbers are put in order, one after the other: SORTS and `steps` of networks.py.
#if SIDE == 3
#define SORT {{0, 2}, {0, 1}, {1, 2}}
#define SORT_SHARED {{0, 1}}
#define FORGET {{0, 1}, {0, 2}, {1, 2}}
#elif SIDE == 5
#define SORT {{0, 3}, {1, 4}, {0, 2}, {1, 3}, {0, 1}, {2, 4}, {1, 2}, {3, 4}, {2, 3}}
#define SORT_SHARED {{0, 1}, {2, 3}, {0, 2}, {1, 3}, {1, 2}}
#define FORGET {{0, 2}, {0, 5}, {4, 7}, {1, 2}, {1, 5}, {1, 8}, {2, 4}, {4, 5}, {5, 6}, {6, 8}, {2, 3}, {2, 4}, \
    {2, 5}, {2, 6}, {2, 9}, {3, 4}, {4, 5}, {5, 6}, {6, 9}, {3, 4}, {3, 5}, {3, 6}, {4, 5}, {5, 10}, {4, 5}, \
    {4, 6}, {4, 11}, {5, 6}, {6, 11}, {5, 6}, {5, 12}, {6, 12}}
#elif SIDE == 7
#define SORT {{0, 6}, {2, 3}, {4, 5}, {0, 2}, {1, 4}, {3, 6}, {0, 1}, {2, 5}, {3, 4}, {1, 2}, {4, 6}, {2, 3}, \
    {4, 5}, {1, 2}, {3, 4}, {5, 6}}
#define SORT_SHARED {{0, 5}, {1, 3}, {2, 4}, {1, 2}, {3, 4}, {0, 3}, {2, 5}, {0, 1}, {2, 3}, {4, 5}, {1, 2}, \
    {3, 4}}
#define FORGET {{0, 3}, {0, 7}, {0, 12}, {11, 15}, {1, 3}, {1, 7}, {1, 12}, {6, 16}, {2, 3}, {2, 4}, {2, 7}, \
    {2, 8}, {2, 12}, {2, 13}, {2, 17}, {3, 6}, {6, 10}, {10, 11}, {11, 14}, {14, 17}, {3, 4}, {3, 7}, {3, 8}, \
    {3, 11}, {3, 12}, {3, 13}, {3, 14}, {3, 18}, {4, 6}, {6, 7}, {7, 10}, {10, 11}, {11, 12}, {12, 13}, {13, 14}, \
    {14, 18}, {4, 5}, {4, 6}, {4, 7}, {4, 8}, {4, 10}, {4, 11}, {4, 12}, {4, 13}, {4, 14}, {5, 6}, {6, 7}, {7, 8}, \
    {8, 9}, {9, 10}, {10, 11}, {11, 12}, {12, 13}, {13, 14}, {14, 19}, {5, 6}, {5, 7}, {5, 8}, {5, 9}, {5, 10}, \
    {5, 11}, {5, 12}, {5, 13}, {5, 14}, {6, 7}, {7, 8}, {8, 9}, {9, 10}, {10, 11}, {11, 20}, {6, 7}, {6, 8}, \
    {6, 9}, {6, 10}, {6, 11}, {6, 12}, {6, 13}, {6, 14}, {7, 21}, {7, 8}, {7, 9}, {7, 10}, {7, 11}, {7, 12}, \
    {7, 13}, {7, 14}, {7, 22}, {8, 9}, {9, 10}, {10, 11}, {11, 12}, {12, 13}, {13, 14}, {14, 22}, {8, 9}, {8, 10}, \
    {8, 11}, {8, 12}, {8, 13}, {8, 14}, {8, 23}, {9, 10}, {10, 11}, {11, 12}, {12, 13}, {13, 14}, {14, 23}, \
    {9, 10}, {9, 11}, {9, 12}, {9, 13}, {9, 14}, {9, 24}, {10, 11}, {11, 12}, {12, 13}, {13, 14}, {14, 24}, \
    {10, 11}, {10, 12}, {10, 13}, {10, 14}, {11, 12}, {12, 25}, {11, 12}, {11, 13}, {11, 14}, {11, 26}, {12, 13}, \
    {13, 14}, {14, 26}, {12, 13}, {12, 14}, {12, 27}, {13, 14}, {14, 27}, {13, 14}, {13, 28}, {14, 28}}
#endif

// As ARGUMENTS in cuda_median.py.
struct Arguments {
    const Number* x;  // (N, H, W, C)
    Number* y;        // as x
    double constant;  // outside
    Divisor tiles, down, channels;  // along a line, down an image, of a pixel
    int height, width, mode, unused;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_median.py");

#if BYTES
constexpr int WIDE = 4;  // runs that a thread sorts side by side
#else
constexpr int WIDE = 1;
#endif
constexpr int REACH = SIDE / 2, HALF = SIDE * SIDE / 2 + 1;
constexpr int NOT_A_NUMBER = 0x7FFFFFFF;

__device__ __forceinline__ int key_of(Number number) {
#if FLOATING
    const int bits = bits_of(number);
    return number != number ? NOT_A_NUMBER : bits < 0 ? bits ^ 0x7FFFFFFF : bits;
#else
    return number;
#endif
}

__device__ __forceinline__ Number number_of(int key) {
#if FLOATING
    return value_of(key < 0 ? key ^ 0x7FFFFFFF : key);
#else
    return static_cast<Number>(key);
#endif
}

__device__ __forceinline__ int lesser(int a, int b) { return a < b ? a : b; }
__device__ __forceinline__ int greater(int a, int b) { return a > b ? a : b; }

// Put pairs of places in order, one after the other.
template <int STEPS, int COUNT>
__device__ __forceinline__ void in_order(const unsigned char (&pairs)[STEPS][2], int (&keys)[COUNT]) {
#pragma unroll
    for (int i = 0; i < STEPS; i++) {
        const int a = keys[pairs[i][0]], b = keys[pairs[i][1]];
        keys[pairs[i][0]] = lesser(a, b);
        keys[pairs[i][1]] = greater(a, b);
    }
}

// Whether the number at (r, c) of a square in order may be its median, and how many come before it: `candidates`.
__device__ constexpr bool may_be_median(int r, int c) {
    return (r + 1) * (c + 1) <= HALF && (SIDE - r) * (SIDE - c) <= HALF;
}

__device__ constexpr int candidates_before(int row, int column) {
    int count = 0;
    for (int i = 0; i < row * SIDE + column; i++) count += may_be_median(i / SIDE, i % SIDE);
    return count;
}

constexpr int CANDIDATES = candidates_before(SIDE, 0);

// Candidate (R, C) and those behind it, of rows in order: `shared` of line C, and one more number of it.
template <int I>
__device__ __forceinline__ void put_in(const int (&shared)[SIDE][SIDE - 1], const int (&own)[SIDE],
                                       int (&candidates)[CANDIDATES]) {
    if constexpr (I < SIDE * SIDE) {
        constexpr int R = I / SIDE, C = I % SIDE;
        if constexpr (may_be_median(R, C)) {
            int key = own[C];
            if constexpr (R < SIDE - 1) key = lesser(key, shared[C][R]);
            if constexpr (R > 0) key = greater(shared[C][R - 1], key);
            candidates[candidates_before(R, C)] = key;
        }
        put_in<I + 1>(shared, own, candidates);
    }
}

// Three blocks of a multiprocessor have registers for what a thread of a 7x7 median keeps; left to choose, the
// assembler puts some of it into memory to have four.
extern "C" __global__ void __launch_bounds__(THREADS, SIDE == 7 ? 3 : 4) KERNEL(const Arguments a) {
    constexpr unsigned char sort[][2] = SORT, sort_shared[][2] = SORT_SHARED, forget[][2] = FORGET;
    const int C = static_cast<int>(a.channels.divisor), line = a.width * C;
    const u32 lines = shared_memory(), table = lines + (ROWS + SIDE - 1) * SIDE * LINE * 4;
    const u32 block = blockIdx.x, strip = quotient(block, a.tiles), image = quotient(strip, a.down);
    const int f0 = static_cast<int>(block - strip * static_cast<u32>(a.tiles.divisor)) * LINE;
    const int p0 = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * ROWS;
    const long long first_line = static_cast<long long>(image) * a.height;

    for (int i = threadIdx.x; i < ROWS + SIDE - 1; i += THREADS)
        store_shared(table + i * 4, border(p0 + i - REACH, a.height, a.mode));
    __syncthreads();

    // The number under tap s of the run of number f, of pixel q.
    const auto number_at = [&](int row, int f, int q, int s) {
        int place = f + (s - REACH) * C;
        if (!(q >= REACH && q + REACH < a.width)) {
            const int m = border(q + s - REACH, a.width, a.mode);
            place = m < 0 ? -1 : m * C + f - q * C;
        }
        const Number* x = a.x + (first_line + row) * line;
        return row < 0 || place < 0 ? static_cast<Number>(a.constant) : load_number(x + place);
    };

    // A warp has neighbours of one line, or of a few, and the runs of a line divide THREADS: each thread stays in its
    // columns.
    constexpr int ABREAST = LINE / WIDE;
    const int rows = a.height - p0 < ROWS ? a.height - p0 : ROWS;  // of results
    const int first = threadIdx.x % ABREAST * WIDE;
    const bool words = WIDE == 4 && in_words(f0 + first - REACH * C, WIDE + 2 * REACH * C, line);
    for (int i = threadIdx.x / ABREAST; i < rows + SIDE - 1; i += THREADS / ABREAST) {
        const int row = load_shared<1, int>(table + i * 4).number[0];
        int runs[WIDE][SIDE];
#if BYTES
        u32 fours[SIDE] = {};  // of tap s, for four runs
        if (words && row >= 0) {
            const Number* x = a.x + (first_line + row) * line + f0 + first - REACH * C;
            if (C == 1) {
                const auto bytes = load_bytes<WIDE + SIDE - 1>(x);
#pragma unroll
                for (int s = 0; s < SIDE; s++) fours[s] = four_of(bytes, s);
            } else {
#pragma unroll
                for (int s = 0; s < SIDE; s++) fours[s] = load_bytes<WIDE>(x + s * C).word[0];
            }
        } else {
#pragma unroll 1
            for (int w = 0; w < WIDE; w++) {
                const int f = f0 + first + w, q = static_cast<int>(quotient(static_cast<u32>(f), a.channels));
#pragma unroll
                for (int s = 0; s < SIDE; s++)
                    fours[s] |= static_cast<u32>(static_cast<unsigned char>(number_at(row, f, q, s))) << 8 * w;
            }
        }
#pragma unroll
        for (int w = 0; w < WIDE; w++)
#pragma unroll
            for (int s = 0; s < SIDE; s++) runs[w][s] = key_of(static_cast<Number>(fours[s] >> 8 * w));
#else
        const int f = f0 + first, q = static_cast<int>(quotient(static_cast<u32>(f), a.channels));
#pragma unroll
        for (int s = 0; s < SIDE; s++) runs[0][s] = key_of(number_at(row, f, q, s));
#endif
#pragma unroll
        for (int w = 0; w < WIDE; w++) in_order(sort, runs[w]);
#pragma unroll
        for (int j = 0; j < SIDE; j++) {
            Numbers<WIDE, int> keys;
#pragma unroll
            for (int w = 0; w < WIDE; w++) keys.number[w] = runs[w][j];
            store_shared(lines + ((i * SIDE + j) * LINE + first) * 4, keys);
        }
    }
    __syncthreads();
    const int f = f0 + threadIdx.x % LINE;
    if (f >= line) return;

    for (int o = threadIdx.x / LINE * 2; o < rows; o += THREADS / LINE * 2) {
        const auto key_at = [&](int i, int j) {
            return load_shared<1, int>(lines + (((o + i) * SIDE + j) * LINE + threadIdx.x % LINE) * 4).number[0];
        };
        int shared[SIDE][SIDE - 1];
#pragma unroll
        for (int j = 0; j < SIDE; j++) {
#pragma unroll
            for (int i = 0; i < SIDE - 1; i++) shared[j][i] = key_at(1 + i, j);
            in_order(sort_shared, shared[j]);
        }
#pragma unroll 1
        for (int half = 0; half < 2; half++) {
            if (o + half >= rows) return;
            int own[SIDE], candidates[CANDIDATES];
#pragma unroll
            for (int j = 0; j < SIDE; j++) own[j] = key_at(half * SIDE, j);
            put_in<0>(shared, own, candidates);
            in_order(forget, candidates);
            int median = candidates[CANDIDATES / 2];
#if FLOATING
            if (greater(own[SIDE - 1], shared[SIDE - 1][SIDE - 2]) == NOT_A_NUMBER) median = NOT_A_NUMBER;
#endif
            store_number(a.y + (first_line + p0 + o + half) * line + f, number_of(median));
        }
    }
}
