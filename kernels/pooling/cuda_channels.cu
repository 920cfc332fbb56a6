// Max and average pooling and their gradients on CUDA: a thread has VECTOR neighbouring channels of one pixel.
//
//     MAX         y = the greatest number of the window, NaN if one is; with places, where it was
//     AVERAGE     y = sum of the window / divisor
//     MAX_GRAD    gx = sum of gy of the windows whose greatest number was here
//     AVERAGE_GRAD  gx = sum of gy / divisor of the windows that see the pixel
//
// The idea: channels lie side by side, and all channels of a pixel have the same windows. So what costs integers, where
// the pixel is (cuda_image.cuh) and which windows it has to do with, is computed once for 16 bytes, and the threads of
// a warp read runs of channels. Gradients gather, in ascending order of windows: nothing is set to zero before, no two
// threads add to one number, and results do not depend on scheduling.
//
// Index arithmetic: window i sees the pixels i * stride - padding + t * dilation with t below the kernel's size, so
// pixel h is seen by windows ceil((h + padding - (kernel - 1) * dilation) / stride) to floor((h + padding) / stride).
// Adaptive windows, of kernel 0, cover floor(i * size / count) .. ceil((i + 1) * size / count) - 1, and solved for i
// this is the same formula with size and count exchanged. Divisions are multiplications, but for the adaptive ones.
//
// Numbers: sums are float64.
//
// Memory traffic, which bounds it: both images once, as long as the rows of a window stay in the caches from one line
// of results to the next; places take 4 bytes each besides.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DLARGE, -DMODE, -DPLACES and -DARGUMENT_BYTES by
// cuda_channels.py.
#include "cuda_ptx.cuh"
#include "cuda_image.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As MODES in cuda_channels.py.
#define MAX 0
#define AVERAGE 1
#define MAX_GRAD 2
#define AVERAGE_GRAD 3
#define GRAD (MODE >= MAX_GRAD)

struct Axis {
    Divisor stride;
    int size, count;  // pixels of the image, and windows
    int kernel, padding, dilation, unused;
};

// As ARGUMENTS in cuda_channels.py.
struct Arguments {
    const Real* x;           // (N, H, W, C); of a gradient gy, (N, P, Q, C)
    const int* places;       // (N, P, Q, C), of MAX_GRAD: h * W + w
    Real* y;                 // (N, P, Q, C); of a gradient gx, (N, H, W, C)
    int* found;              // (N, P, Q, C), of MAX with places
    Image image;             // y
    Axis rows, columns;
    int include_pad, divisor;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_channels.py");

typedef Numbers<VECTOR, Real> Channels;
typedef Numbers<VECTOR, int> Places;

struct Range {
    int first, end;
};

// The pixels that window i sees, which may lie outside; each dilation-th of them.
__device__ __forceinline__ Range window(const Axis& a, int i) {
    if (a.kernel == 0) {
        const long long size = a.size;
        return {static_cast<int>(i * size / a.count), static_cast<int>(((i + 1) * size + a.count - 1) / a.count)};
    }
    const int first = i * static_cast<int>(a.stride.divisor) - a.padding;
    return {first, first + a.dilation * (a.kernel - 1) + 1};
}

// The windows that may see pixel h.
__device__ __forceinline__ Range windows_of(const Axis& a, int h) {
    if (a.kernel == 0) {
        const long long count = a.count;
        return {static_cast<int>(h * count / a.size), static_cast<int>(((h + 1) * count + a.size - 1) / a.size)};
    }
    const int reach = h + a.padding - (a.kernel - 1) * a.dilation, stride = static_cast<int>(a.stride.divisor);
    const int first = reach <= 0 ? 0 : quotient(static_cast<u32>(reach + stride - 1), a.stride);
    const int end = quotient(static_cast<u32>(h + a.padding), a.stride) + 1;
    return {first, end < a.count ? end : a.count};
}

__device__ __forceinline__ bool sees(const Axis& a, int i, int h) {
    return a.dilation == 1 || (h - window(a, i).first) % a.dilation == 0;
}

// By how many numbers the sum over window i is divided along one axis.
__device__ __forceinline__ int divided_by(const Arguments& a, const Axis& axis, int i) {
    const Range w = window(axis, i);
    const int bound = axis.size + (axis.kernel && a.include_pad ? axis.padding : 0);
    const int end = w.end < bound ? w.end : bound;
    return end - (w.first < 0 && !(axis.kernel && a.include_pad) ? 0 : w.first);
}

__device__ __forceinline__ double divisor_of(const Arguments& a, int p, int q) {
    if (a.divisor) return a.divisor;
    return static_cast<double>(divided_by(a, a.rows, p)) * divided_by(a, a.columns, q);
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long index = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= a.image.count) return;
    const Place place = place_of(a.image, index);
    const int row = place.row, column = place.column;
    const int C = static_cast<int>(a.image.groups.divisor) * VECTOR, c = place.group * VECTOR;
    const int height = GRAD ? a.rows.count : a.rows.size, width = GRAD ? a.columns.count : a.columns.size;
    const Range down = GRAD ? windows_of(a.rows, row) : window(a.rows, row);
    const Range across = GRAD ? windows_of(a.columns, column) : window(a.columns, column);
    const int step = GRAD ? 1 : a.rows.dilation, stride = GRAD ? 1 : a.columns.dilation;
    double sums[VECTOR] = {};
    Channels y;
    Places found;
#pragma unroll
    for (int v = 0; v < VECTOR; v++) found.number[v] = -1;
    for (int h = down.first; h < down.end; h += step) {
        if (h < 0 || h >= height || (MODE == MAX_GRAD && !sees(a.rows, h, row))) continue;
        for (int w = across.first; w < across.end; w += stride) {
            if (w < 0 || w >= width || (MODE == MAX_GRAD && !sees(a.columns, w, column))) continue;
            const long long at = ((static_cast<long long>(place.image) * height + h) * width + w) * C + c;
            const Channels x = load_numbers<VECTOR>(a.x + at);
            Places places;
            if constexpr (MODE == MAX_GRAD) places = load_numbers<VECTOR>(a.places + at);
            const double share = MODE == AVERAGE_GRAD ? divisor_of(a, h, w) : 1;
#pragma unroll
            for (int v = 0; v < VECTOR; v++) {
                const Real number = x.number[v];
                if constexpr (MODE == MAX) {
                    const bool greater = found.number[v] < 0 || number > y.number[v] || number != number;
                    if (greater) y.number[v] = number;
                    if (greater) found.number[v] = h * width + w;
                }
                if constexpr (MODE == AVERAGE) sums[v] += number;
                if constexpr (MODE == AVERAGE_GRAD) sums[v] += number / share;
                if constexpr (MODE == MAX_GRAD)
                    if (places.number[v] == row * a.columns.size + column) sums[v] += number;
            }
        }
    }
    if constexpr (MODE != MAX) {
        const double share = MODE == AVERAGE ? divisor_of(a, row, column) : 1;
#pragma unroll
        for (int v = 0; v < VECTOR; v++) y.number[v] = static_cast<Real>(MODE == AVERAGE ? sums[v] / share : sums[v]);
    }
    store_numbers<VECTOR>(a.y + index * VECTOR, y);
    if constexpr (PLACES) store_numbers<VECTOR>(a.found + index * VECTOR, found);
}
