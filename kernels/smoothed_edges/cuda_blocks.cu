// smoothed_edges on CUDA in one launch: a block has 16 rows of 64 pixels, from the image to their classes.
//
//     middle   smoothed down the column     (16 + 4) x (64 + 4 + 2 radius)
//     smooth   and along the row            (16 + 4) x (64 + 4)
//     norms    lengths of the gradient      (16 + 2) x (64 + 2)
//     y        classes                      16 x 64
//
// The idea: each stage reads the one before around its pixels, so a block computes as much more of each as the later
// ones read, in shared memory. Nothing of the size of an image is written but the result.
//
// Index arithmetic: place (i, j) of a stage is the pixel that lies as many rows and columns before the block's first as
// the stage has too many at one end. Places outside the image are left out, except of the middle's columns, which have
// what the border says; who reads a pixel outside reads the one that the image's mirror names, which lies in the tile.
//
// Numbers: the bits of the definition (reference.py), step by step. On symmetric images maxima are ties and the last
// bit decides which pixels are edges, so products are rounded before they are added to (`rounded_product`), sums are
// float64, and what the definition stores is rounded to the type of the image.
//
// Memory traffic: the image once, and the result. What bounds it is the arithmetic in float64, of which many GPUs have
// little, and 1.5 times the taps of the column as loads out of the cache.
//
// Takes everything whose tile fits into shared memory. Compiled with -DKERNEL, -DTHREADS, -DROWS, -DLINE, -DTYPE,
// -DSTAGE and -DARGUMENT_BYTES by cuda_blocks.py.
#include "cuda_ptx.cuh"
#include "cuda_border.cuh"

// As TYPES in cuda_blocks.py.
#if TYPE == 0
typedef float Number;
typedef float Real;
#elif TYPE == 1
typedef double Number;
typedef double Real;
#else
typedef unsigned char Number;
typedef double Real;
#endif

// As STAGES in reference.py.
#define SMOOTHED 0
#define NORMS 1
#define CLASSES 2
#if STAGE == CLASSES
typedef unsigned char Result;
#else
typedef Real Result;
#endif

// As in hysteresis/reference.py.
enum Class { NOTHING, WEAK, STRONG };

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const Number* x;              // (N, H, W)
    const double *column, *row;   // (2 radius + 1,)
    const Real* divisor;          // (N or 1, divisor_rows, W), of no rows where there is none
    const unsigned char* inside;  // (N or 1, H, W), where there is one
    const double* thresholds;     // (N, 2)
    Result* y;                    // (N, H, W)
    double cval, scale;
    Divisor places, tiles, down;  // of a line of the middle; along a line and down an image
    int height, width, mode, down_radius, along_radius, divisors, divisor_rows, insides;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

constexpr int SMOOTH_LINE = LINE + 4, NORM_LINE = LINE + 2;
constexpr u32 SIZE = sizeof(Real);

struct Tile {
    int height, width, p0, q0;
    u32 smooth, norms;

    __device__ __forceinline__ bool holds(int p, int q) const { return p >= 0 && p < height && q >= 0 && q < width; }

    // The smoothed pixel, mirrored at the border.
    __device__ __forceinline__ double smooth_at(int p, int q) const {
        const int i = border(p, height, REFLECT) - p0 + 2, j = border(q, width, REFLECT) - q0 + 2;
        return load_shared<1, Real>(smooth + (i * SMOOTH_LINE + j) * SIZE).number[0];
    }

    // The difference of the neighbours down the column or along the row; 0 times the pixel itself lets a NaN through.
    __device__ __forceinline__ double slope(int p, int q, int down, int along) const {
        const double here = smooth_at(p, q), before = smooth_at(p - down, q - along);
        const double behind = smooth_at(p + down, q + along);
        return static_cast<Real>(here * 0.0 + (before - behind) * -1.0);
    }

    // Sobel's: slopes, smoothed across. Neighbours across are those of the mirrored image.
    __device__ __forceinline__ Real derivative(int p, int q, int down, int along) const {
        const int a = border(p - along, height, REFLECT), b = border(p + along, height, REFLECT);
        const int c = border(q - down, width, REFLECT), d = border(q + down, width, REFLECT);
        const double ends = slope(a, c, down, along) + slope(b, d, down, along);
        return static_cast<Real>(slope(p, q, down, along) * 2.0 + ends);
    }

    __device__ __forceinline__ Real norm_at(int p, int q) const {
        const int i = p - p0 + 1, j = q - q0 + 1;
        return load_shared<1, Real>(norms + (i * NORM_LINE + j) * SIZE).number[0];
    }

    // The class of a pixel that has neighbours on all sides.
    __device__ __forceinline__ Class class_of(int p, int q, double low, double high) const {
        const Real norm = norm_at(p, q);
        if (!(norm >= low && norm > 0)) return NOTHING;
        const Real down = derivative(p, q, 1, 0), along = derivative(p, q, 0, 1);
        const Real y = down < 0 ? -down : down, x = along < 0 ? -along : along;
        const int step = (down > 0) == (along > 0) ? 1 : -1;  // the way along the row that goes with one row down
        const bool steep = y > x || (y == x && step < 0);
        const Real w = steep ? x / y : y / x;
        const double rest = 1.0 - static_cast<double>(w);
        const int near_down = steep ? 1 : 0, near_along = steep ? 0 : step;
        const double on_one_side = rounded_product(norm_at(p + 1, q + step), w) +
                                   rounded_product(static_cast<double>(norm_at(p + near_down, q + near_along)), rest);
        const double on_the_other = rounded_product(norm_at(p - 1, q - step), w) +
                                    rounded_product(static_cast<double>(norm_at(p - near_down, q - near_along)), rest);
        if (!(on_one_side <= norm && on_the_other <= norm)) return NOTHING;
        return norm >= high ? STRONG : WEAK;
    }
};

// A sample correlated with symmetric weights: the two of a weight are added first, from the outermost inwards.
template <class Sample>
__device__ __forceinline__ double smoothed(u32 weights, int radius, Sample sample) {
    double total = rounded_product(sample(0), load_double(weights + radius * 8));
    for (int t = 0; t < radius; t++) {
        const double pair = sample(t - radius) + sample(radius - t);
        total += rounded_product(pair, load_double(weights + t * 8));
    }
    return total;
}

// Which of the divisor's rows belongs to row p: the middle one stands for all that have none.
__device__ __forceinline__ int divisor_row(int p, int height, int rows) {
    if (p < rows / 2) return p;
    return p >= height - rows / 2 ? rows - height + p : rows / 2;
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const int R = a.down_radius, S = a.along_radius, places = static_cast<int>(a.places.divisor);
    const u32 strip = quotient(static_cast<u32>(blockIdx.x), a.tiles), image = quotient(strip, a.down);
    const int q0 = static_cast<int>(blockIdx.x - strip * static_cast<u32>(a.tiles.divisor)) * LINE;
    const int p0 = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * ROWS;
    const u32 middle = shared_memory(), column = middle + (ROWS + 4) * places * 8, row = column + (R + 1) * 8;
    const u32 smooth = row + (S + 1) * 8, norms = smooth + (ROWS + 4) * SMOOTH_LINE * SIZE;
    const u32 table = norms + (ROWS + 2) * NORM_LINE * SIZE;
    const Tile tile = {a.height, a.width, p0, q0, smooth, norms};
    const long long first_line = static_cast<long long>(image) * a.height;

    for (int t = threadIdx.x; t <= R; t += THREADS) store_double(column + t * 8, load_number(a.column + t));
    for (int t = threadIdx.x; t <= S; t += THREADS) store_double(row + t * 8, load_number(a.row + t));
    for (int i = threadIdx.x; i < ROWS + 4 + 2 * R; i += THREADS)
        store_shared(table + i * 4, border(p0 - 2 - R + i, a.height, a.mode));
    __syncthreads();

    for (u32 item = threadIdx.x; item < static_cast<u32>((ROWS + 4) * places); item += THREADS) {
        const int i = static_cast<int>(quotient(item, a.places)), e = static_cast<int>(item) - i * places;
        const int p = p0 - 2 + i, q = border(q0 - 2 - S + e, a.width, a.mode);
        if (p < 0 || p >= a.height) continue;
        const Number* x = a.x + first_line * a.width + q;
        const auto sample = [&](int t) {
            const long long k = load_shared<1, int>(table + (i + R + t) * 4).number[0];
            return k < 0 ? a.cval : rounded_product(static_cast<double>(load_number(x + k * a.width)), a.scale);
        };
        const double found = q < 0 ? a.cval : static_cast<Real>(smoothed(column, R, sample));
        store_double(middle + item * 8, found);
    }
    __syncthreads();

    for (int item = threadIdx.x; item < (ROWS + 4) * SMOOTH_LINE; item += THREADS) {
        const int i = item / SMOOTH_LINE, j = item % SMOOTH_LINE, p = p0 - 2 + i, q = q0 - 2 + j;
        if (!tile.holds(p, q)) continue;
        const auto sample = [&](int t) { return load_double(middle + (i * places + j + S + t) * 8); };
        Real found = static_cast<Real>(smoothed(row, S, sample));
        if (a.divisor_rows) {
            const long long images = a.divisors > 1 ? image : 0;
            found /= load_number(
                a.divisor + (images * a.divisor_rows + divisor_row(p, a.height, a.divisor_rows)) * a.width + q);
        }
        if constexpr (STAGE == SMOOTHED) {
            const bool own = p >= p0 && p < p0 + ROWS && q >= q0 && q < q0 + LINE;
            if (own) store_number(a.y + (first_line + p) * a.width + q, static_cast<Result>(found));
        } else {
            store_shared(smooth + item * SIZE, found);
        }
    }
    if constexpr (STAGE == SMOOTHED) return;
    __syncthreads();

    for (int item = threadIdx.x; item < (ROWS + 2) * NORM_LINE; item += THREADS) {
        const int p = p0 - 1 + item / NORM_LINE, q = q0 - 1 + item % NORM_LINE;
        if (!tile.holds(p, q)) continue;
        const Real down = tile.derivative(p, q, 1, 0), along = tile.derivative(p, q, 0, 1);
        const Real squares = rounded_product(down, down) + rounded_product(along, along);
        store_shared(norms + item * SIZE, static_cast<Real>(sqrt(squares)));
    }
    __syncthreads();

    for (int item = threadIdx.x; item < ROWS * LINE; item += THREADS) {
        const int p = p0 + item / LINE, q = q0 + item % LINE;
        if (!tile.holds(p, q)) continue;
        const long long at = static_cast<long long>(p) * a.width + q, size = static_cast<long long>(a.height) * a.width;
        Result found;
        if constexpr (STAGE == NORMS) {
            found = static_cast<Result>(tile.norm_at(p, q));
        } else {
            bool inside = p > 0 && p < a.height - 1 && q > 0 && q < a.width - 1;
            if (inside && a.insides) inside = load_number(a.inside + (a.insides > 1 ? image * size : 0) + at);
            const double low = load_number(a.thresholds + 2 * image), high = load_number(a.thresholds + 2 * image + 1);
            found = static_cast<Result>(inside ? tile.class_of(p, q, low, high) : NOTHING);
        }
        store_number(a.y + image * size + at, found);
    }
}
