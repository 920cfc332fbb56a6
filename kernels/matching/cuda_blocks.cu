// Matching a template on CUDA by direct sums: a block has 16 rows of 64 places, a thread 2 rows of 4.
//
//     LEVELS 1   a first launch: parts of the sum of an image's finite numbers, and how many they are
//     LEVELS 0   sums of products (or of squared differences), of windows and of their squares, and the measure
//
// The idea: a pixel is loaded from shared memory once for the 8 places of a thread, and a number of the template, which
// all threads of a warp read at once, for 4. Sums of windows are made of rows of the image: most of a row lies under
// all four windows and is added once for all of them, and what is left at both ends for each; nothing is ever
// subtracted again.
//
// Index arithmetic: the template comes in bands of up to 16 rows of one channel. Row i of the pixels of a thread lies
// under row i of the band for its upper places, and under row i - 1 for the lower ones. Along the row, pixel e lies
// under number e - k of the template for place k:
//
//     e            0 1 2 3 4 . . . S-1 S S+1 S+2
//     place 0      # # # # # # # # #                 four pixels at once: where all are under all windows, 16 products
//     place 1        # # # # # # # # #               without a question; at the ends each is asked, since what lies
//     place 2          # # # # # # # # #             beside a window may be no number
//     place 3            # # # # # # # # #
//
// Pixels are stored in vectors of 16 bytes; of float64, which has two in one, the first and the second vectors of fours
// lie in planes of their own, so that lanes read neighbours.
//
// Numbers: floating-point ones are summed in float64, less the image's mean where means are subtracted, and the
// template less its first number. Bytes are summed in 32-bit integers of one channel, exactly, and integers stay exact
// in float64 until the last division. The order of sums depends on shapes alone.
//
// Memory traffic: a block reads its pixels for each band, (16 + 15) (64 + S) numbers; what bounds the kernel is
// arithmetic, R S C multiply-adds for a place. Bytes of one channel are loaded in words (cuda_bytes.cuh): with 16 x 16
// numbers 31 rows of 20 fours take 620 words, or twice as many in rows that begin between two, where one by one they
// were 2,480 loads. Only fours at the ends of a line still are, and images of more channels.
//
// Takes templates whose band fits into shared memory with the pixels under it. Compiled with -DKERNEL, -DTHREADS,
// -DLEVELS, -DTYPE, -DRESULT, -DDIFFER and -DARGUMENT_BYTES by cuda_blocks.py.
#include "cuda_ptx.cuh"
#include "cuda_bytes.cuh"

// As TYPES in cuda_blocks.py.
#if TYPE == 0
typedef float Number;
typedef double Sum;
#elif TYPE == 1
typedef double Number;
typedef double Sum;
#else
typedef unsigned char Number;
typedef int Sum;
#endif

// As RESULTS in cuda_blocks.py.
#if RESULT == 0
typedef float Result;
#elif RESULT == 1
typedef double Result;
#else
typedef long long Result;
#endif

constexpr double LARGEST = 1.7976931348623157e308;  // of float64

#if LEVELS

// As LEVELS_ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const Number* x;  // (N, H, W, C)
    double* parts;    // (N, C, count, 2)
    long long pixels, share;  // of an image, of a block
    Divisor count, channels;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const u32 shared = shared_memory(), plane = quotient(static_cast<u32>(blockIdx.x), a.count);
    const u32 image = quotient(plane, a.channels);
    const long long C = static_cast<long long>(a.channels.divisor), channel = plane - image * C;
    const long long first = (blockIdx.x - static_cast<long long>(plane) * a.count.divisor) * a.share;
    const long long end = first + a.share < a.pixels ? first + a.share : a.pixels;
    double total = 0, count = 0;
    for (long long i = first + threadIdx.x; i < end; i += THREADS) {
        const double value = load_number(a.x + (image * a.pixels + i) * C + channel);
        if (!(value <= LARGEST && value >= -LARGEST)) continue;
        total += value;
        count += 1;
    }
    total = add_threads<THREADS>(total, shared);
    count = add_threads<THREADS>(count, shared + THREADS / 32 * 8);
    if (threadIdx.x == 0) store_numbers<2>(a.parts + blockIdx.x * 2ll, Numbers<2, double>{{total, count}});
}

#else

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const Number* x;        // (N, H, W, C)
    const Number* pattern;  // (T, R, S, C): image n has template n % T
    const double* parts;    // (N, C, count, 2), or none where levels are 0
    Result* y;              // (N, P, Q)
    Divisor across, down, line, templates;  // tiles; fours of pixels in shared memory; T
    int height, width, channels, rows, columns, centre, measure, count;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

// As CENTRES and MEASURES in geometry.py.
enum Centre { NONE, CHANNEL, ALL };
enum Measure { SCORE, PRODUCTS, DIFFERENCES, NORMED_DIFFERENCES };

constexpr int ROWS = THREADS / 16 * 2, LINE = 64, BAND = 16, WARPS = THREADS / 32;
constexpr int BLOCKS = TYPE < 2 ? 2 : 4;  // that share a multiprocessor's registers
constexpr u32 SIZE = sizeof(Sum), COUNT = 16 / SIZE, PLANES = 4 / COUNT;

struct Four {
    Sum number[4];
};

// Four neighbouring numbers, whose vectors lie `plane` bytes apart.
__device__ __forceinline__ Four four_at(u32 from, u32 plane) {
    Four four;
#pragma unroll
    for (u32 i = 0; i < PLANES; i++) {
        const Numbers<COUNT, Sum> numbers = load_shared<COUNT, Sum>(from + i * plane);
#pragma unroll
        for (u32 k = 0; k < COUNT; k++) four.number[i * COUNT + k] = numbers.number[k];
    }
    return four;
}

// The sum of the numbers of all threads; sums that no barrier lies between have other places in shared memory.
__device__ __forceinline__ double added(double value, u32 shared, int number) {
    return add_threads<THREADS>(value, shared + number * WARPS * 8);
}

// Four pixels, from number e of the row on, times the template's numbers e - 4 to e + 3.
template <bool WHOLE>
__device__ __forceinline__ void add_products(const Four& pixels, const Sum (&weights)[8], int e, int columns,
                                             Sum (&totals)[4]) {
#pragma unroll
    for (int j = 0; j < 4; j++)
#pragma unroll
        for (int k = 0; k < 4; k++)
            if (WHOLE || (e + j - k >= 0 && e + j - k < columns)) {
                const Sum x = pixels.number[j], t = weights[4 + j - k];
                totals[k] += DIFFER ? (x - t) * (x - t) : x * t;
            }
}

// Sums of a row of pixels and of their squares, under the windows of four places.
struct RowSums {
    Sum middle = 0, square = 0;  // of pixels that all windows hold
    Sum ends[4] = {}, squares[4] = {};

    __device__ __forceinline__ void add(const Four& pixels, bool whole, int e, int columns) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const Sum x = pixels.number[j];
            if (whole) {
                middle += x;
                square += x * x;
                continue;
            }
#pragma unroll
            for (int k = 0; k < 4; k++)
                if (e + j - k >= 0 && e + j - k < columns) {
                    ends[k] += x;
                    squares[k] += x * x;
                }
        }
    }
};

// What is said of a window: from sums that are centred, and squares of its distance from the image's level.
__device__ __forceinline__ double measured(int measure, double total, double length, double squares, double own,
                                           double raw) {
    if (!(own <= LARGEST) || !(squares <= LARGEST)) return value_of(0x7FF8000000000000ll);
    if (measure == PRODUCTS || measure == DIFFERENCES) return total;
    const double lengths = sqrt(length) * sqrt(own);
    if (measure == NORMED_DIFFERENCES) {
        if (!(length > 0 && own > 0)) return 1;
        return total < lengths ? total / lengths : 1;
    }
    if (own <= 1e-26 * raw || length <= 1e-14 * squares) return 0;  // FLAT_TEMPLATE and FLAT in reference.py
    const double score = total / lengths;
    return score > 1 ? 1 : score < -1 ? -1 : score;
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) KERNEL(const Arguments a) {
    const int C = a.channels, S = a.columns, padded = (S + 6) / 4 * 4, lane = threadIdx.x % 16;
    const u32 plane = static_cast<u32>(a.line.divisor) * 16, line = plane * PLANES;
    const u32 pixels = shared_memory(), weights = pixels + (ROWS + BAND - 1) * line;
    const u32 meeting = weights + BAND * padded * SIZE;
    const u32 strip = quotient(static_cast<u32>(blockIdx.x), a.across), image = quotient(strip, a.down);
    const u32 turn = image - quotient(image, a.templates) * static_cast<u32>(a.templates.divisor);
    const Number* pattern = a.pattern + static_cast<long long>(turn) * a.rows * a.columns * a.channels;
    const int q0 = static_cast<int>(blockIdx.x - strip * static_cast<u32>(a.across.divisor)) * LINE;
    const int p0 = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * ROWS;
    const int own_row = threadIdx.x / 16 * 2;
    const double places = static_cast<double>(a.rows) * S;

    double total[2][4] = {}, length[2][4] = {}, squared[2][4] = {}, first[2][4] = {};
    double own = 0, raw = 0, own_first = 0;
    for (int channel = 0; channel < C; channel++) {
        Sum level = 0, base = 0;
        if (TYPE < 2 && a.centre != NONE) {
            base = load_number(pattern + (a.centre == ALL ? 0 : channel));
            const int from = a.centre == ALL ? 0 : channel * a.count;
            const int end = a.centre == ALL ? C * a.count : from + a.count;
            double sum = 0, count = 0;
            for (int i = from + threadIdx.x; i < end; i += THREADS) {
                const double* part = a.parts + (static_cast<long long>(image) * C * a.count + i) * 2;
                const Numbers<2, double> numbers = load_numbers<2>(part);
                sum += numbers.number[0];
                count += numbers.number[1];
            }
            sum = added(sum, meeting, 3);
            count = added(count, meeting, 4);
            level = static_cast<Sum>(count > 0 ? sum / count : 0);
        }
        Sum products[2][4] = {}, ones[2][4] = {}, squares[2][4] = {};
        double number_sum = 0, number_squares = 0, number_raw = 0;
        for (int r0 = 0; r0 < a.rows; r0 += BAND) {
            const int band = a.rows - r0 < BAND ? a.rows - r0 : BAND;
            __syncthreads();
            for (int i = threadIdx.x; i < band * padded; i += THREADS) {
                const int r = i / padded, s = i - r * padded;
                Sum number = 0;
                if (s < S) {
                    const long long at = (static_cast<long long>(r0 + r) * S + s) * C + channel;
                    const double value = load_number(pattern + at);
                    number = static_cast<Sum>(value) - base;
                    number_sum += number;
                    number_squares += static_cast<double>(number) * number;
                    number_raw += value * value;
                }
                store_shared(weights + i * SIZE, number);
            }
            const u32 fours = static_cast<u32>(a.line.divisor);
            for (u32 item = threadIdx.x; item < (ROWS + band - 1) * fours; item += THREADS) {
                const u32 i = quotient(item, a.line), four = item - i * fours;
                const int p = p0 + r0 + static_cast<int>(i), q = q0 + static_cast<int>(four) * 4;
                const Number* x = a.x + ((static_cast<long long>(image) * a.height + p) * a.width + q) * C + channel;
                const bool words = TYPE == 2 && C == 1 && p < a.height && in_words(q, 4, a.width);
                const u32 bytes = words ? load_bytes<4>(x).word[0] : 0;
#pragma unroll
                for (u32 j = 0; j < 4; j += COUNT) {
                    Numbers<COUNT, Sum> numbers;
#pragma unroll
                    for (u32 k = 0; k < COUNT; k++) {
                        numbers.number[k] = 0;
                        const int along = static_cast<int>(j + k);
                        if (words)
                            numbers.number[k] = static_cast<Sum>(bytes >> 8 * along & 0xFF);
                        else if (p < a.height && q + along < a.width)
                            numbers.number[k] = static_cast<Sum>(load_number(x + along * C)) - level;
                    }
                    store_shared(pixels + i * line + j / COUNT * plane + four * 16, numbers);
                }
            }
            __syncthreads();

            for (int i = 0; i <= band; i++) {
                const bool upper = i < band, lower = i > 0;
                const u32 row = pixels + (own_row + i) * line + lane * 16, numbers = weights + i * padded * SIZE;
                Sum above[8] = {}, below[8] = {};
                RowSums sums;
                for (int e = 0; e < padded; e += 4) {
                    const Four four = four_at(row + e * 4, plane);
                    if (upper) {
                        const Four next = four_at(numbers + e * SIZE, 16);
#pragma unroll
                        for (int j = 0; j < 4; j++) above[j] = above[4 + j], above[4 + j] = next.number[j];
                    }
                    if (lower) {
                        const Four next = four_at(numbers - padded * SIZE + e * SIZE, 16);
#pragma unroll
                        for (int j = 0; j < 4; j++) below[j] = below[4 + j], below[4 + j] = next.number[j];
                    }
                    const bool whole = e >= 4 && e + 4 <= S;
                    sums.add(four, whole, e, S);
                    if (whole) {
                        if (upper) add_products<true>(four, above, e, S, products[0]);
                        if (lower) add_products<true>(four, below, e, S, products[1]);
                    } else {
                        if (upper) add_products<false>(four, above, e, S, products[0]);
                        if (lower) add_products<false>(four, below, e, S, products[1]);
                    }
                }
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    const Sum of_row = sums.middle + sums.ends[k], of_squares = sums.square + sums.squares[k];
                    if (upper) ones[0][k] += of_row, squares[0][k] += of_squares;
                    if (lower) ones[1][k] += of_row, squares[1][k] += of_squares;
                }
            }
        }

        number_sum = added(number_sum, meeting, 0);
        number_squares = added(number_squares, meeting, 1);
        raw += added(number_raw, meeting, 2);
        const bool centred = a.centre == CHANNEL;
        own += centred ? (places * number_squares - number_sum * number_sum) / places : number_squares;
        own_first += number_sum;
#pragma unroll
        for (int t = 0; t < 2; t++)
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const double product = products[t][k], one = ones[t][k], square = squares[t][k];
                total[t][k] += centred ? (places * product - one * number_sum) / places : product;
                length[t][k] += centred ? (places * square - one * one) / places : square;
                squared[t][k] += square;
                first[t][k] += one;
            }
    }

    const double count = places * C;
    if (a.centre == ALL) own = (count * own - own_first * own_first) / count;
#pragma unroll
    for (int t = 0; t < 2; t++)
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const int p = p0 + own_row + t, q = q0 + lane * 4 + k, P = a.height - a.rows + 1, Q = a.width - S + 1;
            if (p >= P || q >= Q) continue;
            if (a.centre == ALL) {
                total[t][k] = (count * total[t][k] - first[t][k] * own_first) / count;
                length[t][k] = (count * length[t][k] - first[t][k] * first[t][k]) / count;
            }
            double found = total[t][k];
            if (a.measure >= 0) found = measured(a.measure, found, length[t][k], squared[t][k], own, raw);
            store_number(a.y + (static_cast<long long>(image) * P + p) * Q + q, static_cast<Result>(found));
        }
}

#endif
