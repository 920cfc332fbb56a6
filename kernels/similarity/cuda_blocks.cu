// Structural similarity on CUDA: a block has 16 rows of 64 pixels, from both images to its part of the sums.
//
//     down     five sums down each column of the block and its halo, of x, y, x x, y y and x y   registers
//     across   five sums along each row of those: the means under the window                     from shared memory
//     S        and the terms of its gradient where they are asked for; the sum of S inside the margin
//
// The idea: nothing of the size of an image is written but what the caller wants, and the window is separable, so that
// a pixel takes 10 * taps products instead of 5 * taps^2. Down a column a thread has 4 results: it loads a pair of
// pixels and multiplies it once for all windows that it lies in. Across it has 2 neighbours, and loads sums in pairs.
//
// Index arithmetic: place e of a line of sums is pixel tile * 64 + e - taps / 2, mirrored at the border; rows are
// looked up once for the block. Lines of one moment lie together: moment m of row i is at (m * 16 + i) * places. A
// pixel's squared error is added where its column is loaded, by the thread whose window has it in the middle.
//
// Numbers: everything is float64, because variances are differences of nearly equal numbers; the order of sums depends
// on shapes alone.
//
// Memory traffic: both images once and the maps. What bounds it with the usual 7 or 11 taps is shared memory, which
// moves 5 * (taps + 1) float64 for 2 pixels, and the arithmetic in float64 where a GPU has little of it.
//
// Takes images of two axes whose sums fit into shared memory. Compiled with -DKERNEL, -DTHREADS, -DROWS, -DLINE,
// -DTYPE and -DARGUMENT_BYTES by cuda_blocks.py.
#include "cuda_ptx.cuh"
#include "cuda_border.cuh"

// As TYPES in cuda_blocks.py.
#if TYPE == 0
typedef float Number;
#elif TYPE == 1
typedef double Number;
#elif TYPE == 2
typedef unsigned char Number;
#else
typedef unsigned short Number;
#endif

constexpr int TALL = 4, MOMENTS = 5;  // results that a thread has of a column, of each of so many images

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const Number *x, *y;    // (N, H, W)
    const double* weights;  // (taps,)
    double* maps;           // (maps, N, H, W)
    double* parts;          // (N, blocks, 2): sums of S and of squared errors
    double c1, c2, scale;
    Divisor places, tiles, down;  // of a line of sums; along a line and down an image
    long long pixels;             // of all images
    int height, width, taps, margin, maps_count, unused;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

__device__ __forceinline__ double weight_at(u32 weights, int t) { return load_double(weights + t * 8); }

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const int radius = a.taps / 2;
    const u32 places = static_cast<u32>(a.places.divisor), plane = ROWS * places * 8;
    const u32 sums = shared_memory(), weights = sums + MOMENTS * plane, meeting = weights + (a.taps + 1) / 2 * 16;
    const u32 table = meeting + THREADS / 32 * 16;
    const u32 strip = quotient(static_cast<u32>(blockIdx.x), a.tiles), image = quotient(strip, a.down);
    const int q0 = static_cast<int>(blockIdx.x - strip * static_cast<u32>(a.tiles.divisor)) * LINE;
    const int p0 = static_cast<int>(strip - image * static_cast<u32>(a.down.divisor)) * ROWS;
    const long long first_line = static_cast<long long>(image) * a.height;

    for (int t = threadIdx.x; t < a.taps; t += THREADS) store_double(weights + t * 8, load_number(a.weights + t));
    for (int i = threadIdx.x; i < ROWS + a.taps - 1; i += THREADS)
        store_shared(table + i * 4, border(p0 + i - radius, a.height, REFLECT));
    __syncthreads();

    double error = 0, value = 0;
    for (u32 item = threadIdx.x; item < ROWS / TALL * places; item += THREADS) {
        const u32 group = quotient(item, a.places), e = item - group * places;
        if (p0 + static_cast<int>(group) * TALL >= a.height) break;
        const int q = q0 + static_cast<int>(e) - radius, from = border(q, a.width, REFLECT);
        const bool own = q >= q0 && q < q0 + LINE && q < a.width;
        double total[MOMENTS][TALL] = {};
        for (int i = 0; i < a.taps + TALL - 1; i++) {
            const int row = load_shared<1, int>(table + (group * TALL + i) * 4).number[0];
            const long long at = (first_line + row) * a.width + from;
            const double x = load_number(a.x + at), y = load_number(a.y + at);
            const double products[MOMENTS] = {x, y, x * x, y * y, x * y};
            const int k = i - radius;
            if (own && k >= 0 && k < TALL && p0 + static_cast<int>(group) * TALL + k < a.height)
                error += (x - y) * (x - y);
#pragma unroll
            for (int k = 0; k < TALL; k++)
                if (i >= k && i - k < a.taps) {
                    const double weight = weight_at(weights, i - k);
#pragma unroll
                    for (int m = 0; m < MOMENTS; m++) total[m][k] += weight * products[m];
                }
        }
#pragma unroll
        for (int m = 0; m < MOMENTS; m++)
#pragma unroll
            for (int k = 0; k < TALL; k++)
                store_double(sums + m * plane + ((group * TALL + k) * places + e) * 8, total[m][k]);
    }
    __syncthreads();

    for (int item = threadIdx.x; item < ROWS * LINE / 2; item += THREADS) {
        const int p = p0 + item / (LINE / 2), e = item % (LINE / 2) * 2;
        if (p >= a.height) break;
        double means[2][MOMENTS] = {};
        for (int i = 0; i <= a.taps; i += 2) {
            const double before = i ? weight_at(weights, i - 1) : 0, here = i < a.taps ? weight_at(weights, i) : 0;
            const double next = i + 1 < a.taps ? weight_at(weights, i + 1) : 0;
#pragma unroll
            for (int m = 0; m < MOMENTS; m++) {
                const u32 line = sums + m * plane + (item / (LINE / 2) * places + e + i) * 8;
                const Numbers<2, double> pair = load_shared<2, double>(line);
                if (i < a.taps) means[0][m] += here * pair.number[0];
                if (i + 1 < a.taps) means[0][m] += next * pair.number[1];
                if (i) means[1][m] += before * pair.number[0];
                if (i < a.taps) means[1][m] += here * pair.number[1];
            }
        }
#pragma unroll
        for (int k = 0; k < 2; k++) {
            const int q = q0 + e + k;
            if (q >= a.width) continue;
            const double mx = means[k][0], my = means[k][1];
            const double vx = a.scale * (means[k][2] - mx * mx), vy = a.scale * (means[k][3] - my * my);
            const double vxy = a.scale * (means[k][4] - mx * my);
            const double a1 = 2 * mx * my + a.c1, a2 = 2 * vxy + a.c2;
            const double b1 = mx * mx + my * my + a.c1, b2 = vx + vy + a.c2, s = (a1 * a2) / (b1 * b2);
            const bool across = q >= a.margin && q < a.width - a.margin;
            if (across && p >= a.margin && p < a.height - a.margin) value += s;
            double* maps = a.maps + (first_line + p) * a.width + q;
            if (a.maps_count > 0) store_number(maps, s);
            if (a.maps_count > 1) {
                store_number(maps + a.pixels, a1 / (b1 * b2));
                store_number(maps + 2 * a.pixels, -s / b2);
                store_number(maps + 3 * a.pixels, (mx * (a2 - a1) - my * (b2 - b1) * s) / (b1 * b2));
            }
        }
    }
    value = add_threads<THREADS>(value, meeting);
    error = add_threads<THREADS>(error, meeting + THREADS / 32 * 8);
    if (threadIdx.x == 0) store_numbers<2>(a.parts + blockIdx.x * 2ll, Numbers<2, double>{{value, error}});
}
