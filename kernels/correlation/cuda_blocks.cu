// Separable correlation on CUDA: a block has 32 rows of 128 numbers of the result, and keeps the image in between.
//
//     down     d[p, f] = sum over r of  column[r] * x[p + r - R // 2, f]          registers, from device memory
//     across   y[p, f] = sum over s of  row[s] * d[p, f + (s - S // 2) * C]       registers, from shared memory
//
// The idea: the image between the passes never leaves the multiprocessor. Down a column a thread has 8 results at a
// time and a window of 12 numbers in registers, which slides by 4: a number is loaded once for 8 results, not once for
// each tap, and taps may be as many as there are. Across, of images of one channel, it has 4 neighbouring results and a
// window of 8 sums, loaded in words of 16 bytes; with channels, 4 results 32 numbers apart, so that a warp reads
// neighbours. Either pass can be left out, which makes correlation along one axis of it.
//
// Index arithmetic: rows are lines of W * C numbers, f = q * C + c. Place e of a line of sums is the number
// tile * 128 + e - (S // 2) * C, of pixel floor(f / C); the border names the pixel it stands for, once for each thread,
// and the rows of the block are looked up once for all, in a table in shared memory. Behind the last tap windows run
// over what no result uses: up to 4 places are summed too many.
//
// Borders: with CONSTANT the image between the passes is continued by the constant, in fixed point the image itself.
//
// Numbers: sums have the type of x, in ascending order of taps; in fixed point they are exact, below 2^24, and
// rounded once. Down a column the sums of bytes are below 2^16, since weights are 256 together at most: two of them
// share a register and a multiplication.
//
// Memory traffic, which bounds it: both images once, as long as the caches hold the rows that 8 results share with the
// next 8: (32 + R - 1) / 32 of the image comes from beyond a block. With 9 x 9 taps shared memory moves about 7 numbers
// for a result.
//
// Bytes are loaded in words (cuda_bytes.cuh), for four columns at a time: with 5 x 5 taps a block loads 4 groups of 12
// rows of 34 fours, 1,632 words, or twice as many where a four begins between two words; one by one they were 6,528
// loads. Only fours at the ends of a line still are.
//
// Takes everything whose sums fit into shared memory. Compiled with -DKERNEL, -DTHREADS, -DROWS, -DLINE, -DTYPE, -DONE
// and -DARGUMENT_BYTES by cuda_blocks.py.
#include "cuda_ptx.cuh"
#include "cuda_border.cuh"
#include "cuda_bytes.cuh"

// As TYPES in cuda_blocks.py.
#define FLOAT 0
#define DOUBLE 1
#define FIXED 2

#if TYPE == FLOAT
typedef float Number;
typedef float Sum;
typedef double Weight;
#elif TYPE == DOUBLE
typedef double Number;
typedef double Sum;
typedef double Weight;
#else
typedef unsigned char Number;
typedef int Sum;
typedef long long Weight;
#endif

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const Number* x;       // (outer, H, W, C)
    const Weight* column;  // (R,); R may be 0
    const Weight* row;     // (S,); S may be 0
    Number* y;             // as x
    double constant;       // outside
    Divisor units, tiles, down, channels;  // of a line of sums; along a line and down an image; of a pixel
    int height, width, mode, rows, columns, before_rows, before_columns, wide;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

constexpr int TALL = 8;  // results that a thread has of a column
static_assert(ROWS % TALL == 0 && LINE == 128, "a warp has a line of 32 times 4 results");

// The columns that a thread has side by side, a unit, and how many registers a row of them takes.
#if TYPE == FIXED
typedef u32 Part;  // the numbers or sums of two
constexpr int WIDE = 4, PARTS = 2;
#else
typedef Sum Part;
constexpr int WIDE = 1, PARTS = 1;
#endif

struct Four {
    Sum number[4];
};

// Four sums or weights of shared memory, at a multiple of their size.
__device__ __forceinline__ Four four_at(u32 from) {
    constexpr int COUNT = 16 / sizeof(Sum);
    Four four;
#pragma unroll
    for (int i = 0; i < 4; i += COUNT) {
        const Numbers<COUNT, Sum> numbers = load_shared<COUNT, Sum>(from + i * static_cast<u32>(sizeof(Sum)));
#pragma unroll
        for (int k = 0; k < COUNT; k++) four.number[i + k] = numbers.number[k];
    }
    return four;
}

// Weights, with zeros up to a multiple of 4.
__device__ __forceinline__ void store_weights(u32 to, const Weight* weights, int count) {
    for (int t = threadIdx.x; t < (count + 3) / 4 * 4; t += THREADS)
        store_shared(to + t * static_cast<u32>(sizeof(Sum)),
                     t < count ? static_cast<Sum>(load_number(weights + t)) : Sum(0));
}

__device__ __forceinline__ Number rounded(Sum sum) {
#if TYPE == FIXED
    sum = (sum + 32768) >> 16;
#endif
    return static_cast<Number>(sum);
}

extern "C" __global__ void __launch_bounds__(THREADS, TYPE == FIXED ? 4 : 1) KERNEL(const Arguments a) {
    constexpr u32 SIZE = sizeof(Sum);
    const int C = static_cast<int>(a.channels.divisor), line = a.width * C;
    const u32 units = static_cast<u32>(a.units.divisor), places = units * WIDE;
    const u32 sums = shared_memory(), across = sums + ROWS * places * SIZE;
    const u32 down = across + (a.columns + 3) / 4 * 4 * SIZE, table = down + (a.rows + 3) / 4 * 4 * SIZE;
    const u32 block = blockIdx.x, strip = quotient(block, a.tiles), image = quotient(strip, a.down);
    const int f0 = static_cast<int>(block - strip * static_cast<u32>(a.tiles.divisor)) * LINE;
    const int p0 = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * ROWS;
    const long long first_line = static_cast<long long>(image) * a.height;
    const Sum constant = static_cast<Sum>(a.constant);

    store_weights(across, a.row, a.columns);
    store_weights(down, a.column, a.rows);
    for (int i = threadIdx.x; i < ROWS + (a.rows + 3) / 4 * 4; i += THREADS)
        store_shared(table + i * 4, border(p0 + i - a.before_rows, a.height, a.mode));
    __syncthreads();

    for (u32 item = threadIdx.x; item < ROWS / TALL * units; item += THREADS) {
        const u32 group = quotient(item, a.units), e = (item - group * units) * WIDE;
        if (p0 + static_cast<int>(group) * TALL >= a.height) break;
        // Where the columns lie in a line; -1 is the constant.
        const int f = f0 + static_cast<int>(e) - a.before_columns * C;
        const bool words = WIDE == 4 && in_words(f, WIDE, line);
        int from[WIDE] = {};
        if (!words) {
#pragma unroll
            for (int w = 0; w < WIDE; w++) {
                const u32 pixel = quotient(f0 + e + w, a.channels);
                const int q = border(static_cast<int>(pixel) - a.before_columns, a.width, a.mode);
                from[w] = q < 0 ? -1 : q * C + static_cast<int>(f0 + e + w - pixel * C);
            }
        }
        const Number* x = a.x + first_line * line + (WIDE == 1 ? from[0] : 0);
        Part window[TALL + 4][PARTS], total[TALL][PARTS] = {};
        const u32 rows = table + group * TALL * 4;
        // Four numbers of each column, from row i of the group's on.
        const auto load_four = [&](int i, Part (*to)[PARTS], int wanted) {
            const Numbers<4, int> k = load_shared<4, int>(rows + i * 4);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const bool inside = j < wanted && k.number[j] >= 0;
                const Number* row = x + static_cast<long long>(k.number[j]) * line;
#if TYPE == FIXED
                u32 four = constant * 0x01010101u;
                if (inside && words) {
                    four = load_bytes<4>(row + f).word[0];
                } else if (inside) {
                    four = 0;
#pragma unroll
                    for (int w = 0; w < WIDE; w++)
                        four |= static_cast<u32>(from[w] < 0 ? constant : load_number(row + from[w])) << 8 * w;
                }
                to[j][0] = four & 0x00FF00FF;
                to[j][1] = four >> 8 & 0x00FF00FF;
#else
                to[j][0] = inside && from[0] >= 0 ? static_cast<Sum>(load_number(row)) : constant;
#endif
            }
        };
#pragma unroll
        for (int i = 0; i < TALL; i += 4) load_four(i, window + i, 4);
        for (int t = 0; t < a.rows; t += 4) {
            load_four(TALL + t, window + TALL, a.rows - 1 - t);
            const Four weights = four_at(down + t * SIZE);
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (t + j < a.rows) {
                    const Part weight = static_cast<Part>(weights.number[j]);
#pragma unroll
                    for (int k = 0; k < TALL; k++)
#pragma unroll
                        for (int h = 0; h < PARTS; h++) total[k][h] += weight * window[j + k][h];
                }
#pragma unroll
            for (int k = 0; k < TALL; k++)
#pragma unroll
                for (int h = 0; h < PARTS; h++) window[k][h] = window[k + 4][h];
        }
#pragma unroll
        for (int k = 0; k < TALL; k++) {
            const u32 to = sums + ((group * TALL + k) * places + e) * SIZE;
#if TYPE == FIXED
            const u32 even = total[k][0], odd = total[k][1];
            store_shared(to, Numbers<4, u32>{{even & 0xFFFF, odd & 0xFFFF, even >> 16, odd >> 16}});
#else
            store_shared(to, from[0] < 0 ? constant : a.rows ? total[k][0] : window[k][0]);
#endif
        }
    }
    __syncthreads();

    for (int item = threadIdx.x; item < ROWS * 32; item += THREADS) {
        const int p = p0 + item / 32, e = item % 32 * (ONE ? 4 : 1), step = ONE ? 1 : 32, f = f0 + e;
        if (p >= a.height) break;
        const u32 from = sums + (item / 32 * places + e) * SIZE;
        Sum total[4] = {};
#if ONE
        Sum window[8];
        const auto load_four = [&](int i, Sum* to) {
            const Four four = four_at(from + i * SIZE);
#pragma unroll
            for (int j = 0; j < 4; j++) to[j] = four.number[j];
        };
        load_four(0, window);
        for (int t = 0; t < a.columns; t += 4) {
            load_four(t + 4, window + 4);
            const Four weights = four_at(across + t * SIZE);
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (t + j < a.columns) {
#pragma unroll
                    for (int k = 0; k < 4; k++) total[k] += weights.number[j] * window[j + k];
                }
#pragma unroll
            for (int k = 0; k < 4; k++) window[k] = window[k + 4];
        }
#else
        const auto sum_at = [&](int k, int s) { return load_shared<1, Sum>(from + (k * 32 + s * C) * SIZE).number[0]; };
        for (int t = 0; t < a.columns; t += 4) {
            const Four weights = four_at(across + t * SIZE);
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (t + j < a.columns) {
#pragma unroll
                    for (int k = 0; k < 4; k++) total[k] += weights.number[j] * sum_at(k, t + j);
                }
        }
        Sum window[4];
#pragma unroll
        for (int k = 0; k < 4; k++) window[k] = sum_at(k, 0);
#endif
        Numbers<4, Number> found;
#pragma unroll
        for (int k = 0; k < 4; k++) found.number[k] = rounded(a.columns ? total[k] : window[k]);
        Number* y = a.y + (first_line + p) * line + f;
        if (ONE && a.wide) {
            if (f < line) store_numbers<4>(y, found);
        } else {
#pragma unroll
            for (int k = 0; k < 4; k++)
                if (f + k * step < line) store_number(y + k * step, found.number[k]);
        }
    }
}
