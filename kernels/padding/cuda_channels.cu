// Padding and its adjoint on CUDA: a thread has VECTOR neighbouring channels of one pixel of the result.
//
//     pad        y[p, q] = x at the sources of p - top and q - left, or a value where there are none
//     its GRAD   gx[h, w] = sum of gy at the places whose source is (h, w)
//
// The idea: each thread copies 16 bytes. The adjoint gathers: nothing is set to zero before, no two threads add to one
// number, and results do not depend on scheduling.
//
// Index arithmetic: as cuda_image.cuh. Along an axis a pixel is the source of at most its own place, a run before the
// image and a run behind it; a run is one place or, of the pixels at the border in the mode REPLICATE, all of that
// side. So the places of a pixel are computed, not sought, and are added in ascending order.
//
// Numbers: copies have the bits of what they copy; sums are float64.
//
// Memory traffic, which bounds it: both images once. The frame's sources were read, or will be, for places inside.
//
// Takes everything. Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DLARGE, -DGRAD and -DARGUMENT_BYTES by
// cuda_channels.py.
#include "cuda_ptx.cuh"
#include "cuda_image.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As in reference.py.
enum Mode { CONSTANT, REFLECT, REPLICATE, CIRCULAR, SYMMETRIC };

struct Axis {
    int size, before, behind, unused;  // pixels of the image, and places around it
};

// As ARGUMENTS in cuda_channels.py.
struct Arguments {
    const Real* x;  // (N, H, W, C); of the adjoint gy, (N, P, Q, C)
    Real* y;        // (N, P, Q, C); of the adjoint gx, (N, H, W, C)
    Image image;    // y
    Axis rows, columns;
    double value;
    int mode, unused;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_channels.py");

typedef Numbers<VECTOR, Real> Channels;

// The pixel that stands at a position, which may lie outside; -1 where nothing does.
__device__ __forceinline__ int source(int position, int size, int mode) {
    if (position >= 0 && position < size) return position;
    const bool before = position < 0;
    switch (mode) {
        case REFLECT: return before ? -position : 2 * (size - 1) - position;
        case REPLICATE: return before ? 0 : size - 1;
        case CIRCULAR: return before ? position + size : position - size;
        case SYMMETRIC: return before ? -1 - position : 2 * size - 1 - position;
    }
    return -1;
}

struct Range {
    int first, end;
};

// The positions before the image (side 0), in it (side 1) and behind it (side 2) whose source is pixel h.
__device__ __forceinline__ Range copies_of(const Axis& a, int h, int side, int mode) {
    if (side == 1) return {h, h + 1};
    const bool before = side == 0;
    const int first = before ? -a.before : a.size, end = before ? 0 : a.size + a.behind;
    int at = first - 1;
    switch (mode) {
        case REFLECT: at = before ? -h : 2 * (a.size - 1) - h; break;
        case REPLICATE: return h == (before ? 0 : a.size - 1) ? Range{first, end} : Range{0, 0};
        case CIRCULAR: at = before ? h - a.size : h + a.size; break;
        case SYMMETRIC: at = before ? -1 - h : 2 * a.size - 1 - h; break;
    }
    return at >= first && at < end ? Range{at, at + 1} : Range{0, 0};
}

constexpr int BLOCKS = DOUBLE ? 3 : 4;  // that share a multiprocessor's registers: gradients spill some where more do

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) KERNEL(const Arguments a) {
    const long long index = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= a.image.count) return;
    const Place place = place_of(a.image, index);
    const int C = static_cast<int>(a.image.groups.divisor) * VECTOR, c = place.group * VECTOR;
    Channels y;
#if GRAD
    const int height = a.rows.before + a.rows.size + a.rows.behind;
    const int width = a.columns.before + a.columns.size + a.columns.behind;
    double sums[VECTOR] = {};
    for (int i = 0; i < 3; i++) {
        const Range down = copies_of(a.rows, place.row, i, a.mode);
        for (int p = down.first + a.rows.before; p < down.end + a.rows.before; p++) {
            const long long line = static_cast<long long>(place.image) * height + p;
            for (int j = 0; j < 3; j++) {
                const Range across = copies_of(a.columns, place.column, j, a.mode);
                for (int q = across.first + a.columns.before; q < across.end + a.columns.before; q++) {
                    const Channels gy = load_numbers<VECTOR>(a.x + (line * width + q) * C + c);
#pragma unroll
                    for (int v = 0; v < VECTOR; v++) sums[v] += gy.number[v];
                }
            }
        }
    }
#pragma unroll
    for (int v = 0; v < VECTOR; v++) y.number[v] = static_cast<Real>(sums[v]);
#else
    const int h = source(place.row - a.rows.before, a.rows.size, a.mode);
    const int w = source(place.column - a.columns.before, a.columns.size, a.mode);
#pragma unroll
    for (int v = 0; v < VECTOR; v++) y.number[v] = static_cast<Real>(a.value);
    const long long line = static_cast<long long>(place.image) * a.rows.size + h;
    if (h >= 0 && w >= 0) y = load_numbers<VECTOR>(a.x + (line * a.columns.size + w) * C + c);
#endif
    store_numbers<VECTOR>(a.y + index * VECTOR, y);
}
