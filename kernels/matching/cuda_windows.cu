// Sums over windows on CUDA: a block has 16 rows of 64 numbers of the results, and keeps sums down columns in between.
//
//     down     of the R rows under a window, the sums of numbers and of their squares     registers, from device memory
//     across   of S such pairs the sums                                                   from shared memory
//
// The idea: the image between the passes never leaves the multiprocessor. Down a column a thread has 8 results, one
// above the other, and loads R + 7 numbers: those in the middle lie under all eight windows and are added once for all,
// and what is left at both ends for each; nothing is ever subtracted again.
//
// Index arithmetic: rows are lines of W * C numbers, f = q * C + c, and neighbours are C numbers apart. Place e of a
// line of sums is number tile * 64 + e of the image, and number s of a window is s * C places farther. A sum and its
// square lie side by side, and lanes read neighbouring pairs.
//
// Numbers: sums of bytes are exact, down a column in 32 bits and across in 64; others are float64. The order of sums
// depends on shapes alone.
//
// Memory traffic: a block reads (16 + R - 1) (64 + (S - 1) C) numbers, most of which it shares with its neighbours by
// way of the caches, and two results for each number are written. With more than some ten columns what bounds the
// kernel is shared memory, from which a result takes S pairs.
//
// Takes windows under whose columns the sums fit into shared memory. Compiled with -DKERNEL, -DTHREADS, -DROWS, -DLINE,
// -DTYPE and -DARGUMENT_BYTES by cuda_windows.py.
#include "cuda_ptx.cuh"

// As TYPES in cuda_windows.py.
#if TYPE == 0
typedef float Number;
typedef double Sum;
typedef double Result;
#elif TYPE == 1
typedef double Number;
typedef double Sum;
typedef double Result;
#else
typedef unsigned char Number;
typedef u32 Sum;
typedef unsigned long long Result;  // int64
#endif

// As ARGUMENTS in cuda_windows.py.
struct Arguments {
    const Number* x;  // (N, H, W, C)
    Result* sums;     // (N, P, Q, C)
    Result* squares;
    Divisor places, tiles, down;  // of a line of sums; along a line and down an image of results
    int height, line;             // of the image, a line in numbers
    int rows, columns, channels;  // R, S, C
    int unused;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_windows.py");

constexpr int TALL = 8;  // results that a thread has of a column
constexpr u32 PAIR = 2 * sizeof(Sum);
static_assert(ROWS % TALL == 0 && LINE % 32 == 0, "threads have whole groups, and warps whole lines");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const u32 shared = shared_memory(), places = static_cast<u32>(a.places.divisor);
    const u32 strip = quotient(static_cast<u32>(blockIdx.x), a.tiles), image = quotient(strip, a.down);
    const int f0 = static_cast<int>(blockIdx.x - strip * static_cast<u32>(a.tiles.divisor)) * LINE;
    const int p0 = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * ROWS;
    const int P = a.height - a.rows + 1, width = a.line - (a.columns - 1) * a.channels;  // of the results

    for (u32 item = threadIdx.x; item < ROWS / TALL * places; item += THREADS) {
        const u32 group = quotient(item, a.places), e = item - group * places;
        const int p = p0 + static_cast<int>(group) * TALL, f = f0 + static_cast<int>(e);
        if (p >= P || f >= a.line) continue;
        const Number* x = a.x + (static_cast<long long>(image) * a.height + p) * a.line + f;
        const int rows = a.height - p < a.rows + TALL - 1 ? a.height - p : a.rows + TALL - 1;
        Sum middle = 0, middle_square = 0, ends[TALL] = {}, squares[TALL] = {};
        for (int i = 0; i < rows; i++) {
            const Sum number = static_cast<Sum>(load_number(x + static_cast<long long>(i) * a.line));
            const Sum square = number * number;
            if (i >= TALL - 1 && i < a.rows) {  // under all windows
                middle += number;
                middle_square += square;
                continue;
            }
#pragma unroll
            for (int k = 0; k < TALL; k++)
                if (i >= k && i - k < a.rows) {
                    ends[k] += number;
                    squares[k] += square;
                }
        }
#pragma unroll
        for (int k = 0; k < TALL; k++)
            store_shared(shared + ((group * TALL + k) * places + e) * PAIR,
                         Numbers<2, Sum>{{middle + ends[k], middle_square + squares[k]}});
    }
    __syncthreads();

    for (int item = threadIdx.x; item < ROWS * LINE; item += THREADS) {
        const int p = p0 + item / LINE, f = f0 + item % LINE;
        if (p >= P) break;
        if (f >= width) continue;
        const u32 from = shared + (item / LINE * places + item % LINE) * PAIR;
        Result sum = 0, square = 0;
        for (int s = 0; s < a.columns; s++) {
            const Numbers<2, Sum> pair = load_shared<2, Sum>(from + s * a.channels * PAIR);
            sum += pair.number[0];
            square += pair.number[1];
        }
        const long long at = (static_cast<long long>(image) * P + p) * width + f;
        store_number(a.sums + at, sum);
        store_number(a.squares + at, square);
    }
}
