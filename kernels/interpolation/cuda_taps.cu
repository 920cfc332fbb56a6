// Interpolation and its adjoint on CUDA: a thread has VECTOR neighbouring channels of one pixel of the result.
//
//     y[p, q] = sum over the taps s of row p and t of column q of  weight_s * weight_t * x[place_s, place_t]
//
// The idea: in every mode a row of the result is made of a few rows of the image, always the same ones, and a column of
// columns. The host lists them once, places and weights, one row's behind another's, so that no thread computes a
// weight. The adjoint has the same form: a row of the image went into a few rows of the result, and the lists turned
// round say into which. So it gathers as well: no two threads add to one number.
//
// Index arithmetic: as cuda_image.cuh. Threads of a warp have neighbouring channels and pixels: they read runs of
// memory, and the same entries of the lists.
//
// Numbers: products of weights, and sums in ascending order of places, are in the type of the images.
//
// Memory traffic, which bounds enlarging and a few taps: both images once, as long as the rows of taps stay in the
// caches. What is made smaller with many taps, as for antialiasing, is read that many times from there; filtering along
// one axis after the other, with an image in between, would read it twice.
//
// Takes float32 and float64. Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DLARGE and -DARGUMENT_BYTES by
// cuda_taps.py.
#include "cuda_ptx.cuh"
#include "cuda_image.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// The taps of row (or column) i are starts[i] to starts[i + 1] - 1.
struct Taps {
    const int* starts;
    const int* places;
    const Real* weights;
};

// As ARGUMENTS in cuda_taps.py.
struct Arguments {
    const Real* x;  // (N, height, width, C)
    Taps rows, columns;
    Real* y;
    Image image;  // y
    int height, width;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_taps.py");

typedef Numbers<VECTOR, Real> Channels;

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long index = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= a.image.count) return;
    const Place place = place_of(a.image, index);
    const int C = static_cast<int>(a.image.groups.divisor) * VECTOR, c = place.group * VECTOR;
    const int last_row = load_number(a.rows.starts + place.row + 1);
    const int first_column = load_number(a.columns.starts + place.column);
    const int last_column = load_number(a.columns.starts + place.column + 1);
    Channels y = {};
    for (int s = load_number(a.rows.starts + place.row); s < last_row; s++) {
        const Real down = load_number(a.rows.weights + s);
        const long long line = static_cast<long long>(place.image) * a.height + load_number(a.rows.places + s);
        for (int t = first_column; t < last_column; t++) {
            const Real weight = down * load_number(a.columns.weights + t);
            const Channels x = load_numbers<VECTOR>(a.x + (line * a.width + load_number(a.columns.places + t)) * C + c);
#pragma unroll
            for (int v = 0; v < VECTOR; v++) y.number[v] += weight * x.number[v];
        }
    }
    store_numbers<VECTOR>(a.y + index * VECTOR, y);
}
