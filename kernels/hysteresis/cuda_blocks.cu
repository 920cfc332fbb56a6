// Hysteresis of images on CUDA: a block follows paths through a window of 128 rows of 64 pixels in one launch.
//
//     FIRST 1   strong pixels are kept; every pixel is written
//     FIRST 0   what other windows have kept is read, too, and what is new is written; launched until nothing is
//
// The idea: a row of a window is 64 bits, and a thread has one: the pixels a path may take, and those that are kept.
// A step of all paths at once is a few shifts, with the rows above and below from the neighbouring lanes. Warps go on
// until nothing changes in their 32 rows, then they pass on their outermost rows through shared memory.
//
// Index arithmetic: windows overlap by the outermost pixels on all sides, which belong to other windows and are read
// alone: window (i, j) begins at pixel (126 i - 1, 62 j - 1).
//
//     . . . . . . . . . .
//     . e e e e e e e e .    . other windows', or outside the image
//     . e o o o o o o e .    e new ones here are seen by other windows: the flag asks for another launch
//     . e e e e e e e e .
//     . . . . . . . . . .
//
// Which of two windows comes first does not matter: what is kept while others look may be seen or not, and then the
// next launch sees it. In the end nothing new was to be seen, and every path has been followed.
//
// Memory traffic: a byte read and one written in the first launch, two read in others; windows without open paths write
// nothing. A path takes as many launches as windows lie on its way.
//
// Takes images of one or two axes. Compiled with -DKERNEL, -DTHREADS, -DFIRST and -DARGUMENT_BYTES by cuda_blocks.py.
#include "cuda_ptx.cuh"

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const unsigned char* classes;  // (N, H, W)
    unsigned char* kept;           // (N, H, W)
    int* changed;                  // (1,)
    Divisor across, down;          // windows
    int height, width, connectivity, number;  // what kept pixels are written as
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

// As in reference.py.
enum Class { NOTHING, WEAK, STRONG };

typedef unsigned long long Row;  // bit i is the pixel in column i of the window

constexpr int ROWS = THREADS, COLUMNS = 64, WARPS = THREADS / 32;
constexpr Row INSIDE = ~(1ull | 1ull << (COLUMNS - 1)), EDGE = 1ull << 1 | 1ull << (COLUMNS - 2);

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const u32 strip = quotient(static_cast<u32>(blockIdx.x), a.across), image = quotient(strip, a.down);
    const int q0 = static_cast<int>(blockIdx.x - strip * static_cast<u32>(a.across.divisor)) * (COLUMNS - 2) - 1;
    const int p0 = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * (ROWS - 2) - 1;
    const long long first_line = static_cast<long long>(image) * a.height;
    const u32 ends = shared_memory(), flags = ends + WARPS * 2 * 8;

    // Lanes read neighbouring pixels of a row, eight rows at once, and the lane that has the row gets all of them.
    Row open = 0, kept = 0;
    for (int first = 0; first < 32; first += 8) {
        bool path[16], keep[16];
#pragma unroll
        for (int i = 0; i < 16; i++) {
            const int p = p0 + warp * 32 + first + i / 2, q = q0 + i % 2 * 32 + lane;
            path[i] = keep[i] = false;
            if (p < 0 || p >= a.height || q < 0 || q >= a.width) continue;
            const long long at = (first_line + p) * a.width + q;
            const int found = load_number(a.classes + at);
            path[i] = found != NOTHING;
            keep[i] = FIRST ? found == STRONG : load_number(a.kept + at) != 0;
        }
#pragma unroll
        for (int i = 0; i < 16; i++) {
            const Row paths = ballot(path[i]), keeps = ballot(keep[i]);
            if (lane != first + i / 2) continue;
            open |= paths << i % 2 * 32;
            kept |= keeps << i % 2 * 32;
        }
    }

    const Row before = kept;
    for (bool growing = true; growing;) {
        if (lane == 0) store_shared(ends + warp * 16, kept);
        if (lane == 31) store_shared(ends + warp * 16 + 8, kept);
        __syncthreads();
        Row beyond = 0;  // of the first and the last lane, the row of the next warp
        if (lane == 0 && warp > 0) beyond = load_shared<1, Row>(ends + warp * 16 - 8).number[0];
        if (lane == 31 && warp < WARPS - 1) beyond = load_shared<1, Row>(ends + warp * 16 + 16).number[0];
        const Row known = kept;
        u32 moved;
        do {
            const Row above = shuffle(kept, lane - 1), below = shuffle(kept, lane + 1);
            Row beside = (lane == 0 ? beyond : above) | (lane == 31 ? beyond : below);
            Row wide = a.connectivity > 1 ? kept | beside : kept;
            wide = beside | wide << 1 | wide >> 1;
            const Row grown = kept | (wide & open);
            moved = ballot(grown != kept);
            kept = grown;
        } while (moved);
        const u32 found = ballot(kept != known);
        if (lane == 0) store_shared(flags + warp * 4, found);
        __syncthreads();
        growing = false;
        for (int i = 0; i < WARPS; i++) growing |= load_word(flags + i * 4) != 0;
    }

    const int row = static_cast<int>(threadIdx.x);
    const bool own = row > 0 && row < ROWS - 1;
    const Row added = own ? (kept & ~before) & INSIDE : 0;
    if (added & (row == 1 || row == ROWS - 2 ? INSIDE : EDGE)) exchange(a.changed, 1);

    if (!FIRST && !ballot(added != 0)) return;
    for (int i = 0; i < 32; i++) {
        const int p = p0 + warp * 32 + i;
        const Row keeps = shuffle(kept, i), news = shuffle(added, i);
        if (p < 0 || p >= a.height || p == p0 || p == p0 + ROWS - 1) continue;
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int column = half * 32 + lane, q = q0 + column;
            if (column == 0 || column == COLUMNS - 1 || q >= a.width) continue;
            const bool keep = keeps >> column & 1;
            if (FIRST || news >> column & 1)
                store_number(a.kept + (first_line + p) * a.width + q, static_cast<unsigned char>(keep ? a.number : 0));
        }
    }
}
