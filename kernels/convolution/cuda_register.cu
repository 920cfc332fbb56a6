// Convolutions in registers, and their gradients: float32 or float64, any stride, padding, dilation and groups.
//
// Each is a product of matrices that are never written out (cuda_product.cuh multiplies; here is where numbers lie):
//
//     FORWARD        rows (n, p, q)    columns k         sum over (r, s, c)   x patches  times  w
//     INPUT_GRAD     rows (n, h, w)    columns c         sum over (r, s, k)   gy patches times  w
//     WEIGHT_GRAD    rows k            columns (r, s, c) sum over (n, p, q)   gy         times  x patches
//
// A patch number is found from a pixel's corner and a tap's offset, which are each computed once for a thread's place,
// and zeros stand for pixels outside. blockIdx.z says which group of channels.
//
// The input gradient gathers: gx[h] is what was read from pixel h, by the taps r for which p = (h + top - dilation r) /
// stride is whole. With a stride pixels fall into stride x stride phases, (h + top) % stride, and a tap serves one
// phase: so blockIdx.z also says which phase, rows are the pixels of that phase only, and the sum runs over its taps
// alone. Nothing is multiplied that does not count. With a bias and an activation this is the transposed convolution.
//
// The weight gradient has few results and a long sum. blockIdx.z also says which part of the pixels a block takes; its
// results are partial sums, which cuda_sum_partials.cu adds in their order.
//
// Compiled with -DKERNEL, -DMODE, -DARGUMENT_BYTES and the tile's macros by cuda_register.py, which also launches it.
#include "cuda_ptx.cuh"
#include "cuda_activation.cuh"
#include "cuda_product.cuh"

#define FORWARD 0
#define INPUT_GRAD 1
#define WEIGHT_GRAD 2

// As ARGUMENTS in cuda_register.py.
struct Arguments {
    const Real* left;   // x, or gy for both gradients
    const Real* right;  // w, or x for the weight gradient
    const Real* bias;   // null but for FORWARD and INPUT_GRAD
    Real* result;       // y, gx, or (parts, K, R, S, C / groups)
    double negative_slope;
    int activation;
    int N, H, W, C, K, R, S, P, Q;
    int groups;
    int stride_h, stride_w, top, left_pad, dilation_h, dilation_w;
    int step_r, step_s;  // from one tap of a phase to the next: stride / gcd(stride, dilation)
    int part;            // pixels of a part of the weight gradient's sum
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_register.py");

// What of a patch belongs to a pixel and what to a tap and channel: their sum is where the number lies.
struct Corner {
    const Real* image;
    int h, w;
    bool inside;
};
struct Offset {
    int h, w, c;
    bool inside;
};

__device__ __forceinline__ Real patch_number(const Corner& o, const Offset& i, int H, int W, long long C) {
    const int h = o.h + i.h, w = o.w + i.w;
    const bool inside = o.inside && i.inside && h >= 0 && h < H && w >= 0 && w < W;
    return inside ? load_number(o.image + (static_cast<long long>(h) * W + w) * C + i.c) : 0;
}

// Corners of output pixels in x, and taps with channels of one group.
struct Patches {
    const Arguments& a;
    int channels, first_channel;

    __device__ __forceinline__ Corner corner(u32 pixel, bool inside) const {
        const u32 q = pixel % a.Q, row = pixel / a.Q, p = row % a.P, n = row / a.P;
        const Real* x = MODE == WEIGHT_GRAD ? a.right : a.left;
        return {x + static_cast<long long>(n) * a.H * a.W * a.C + first_channel,
                static_cast<int>(p) * a.stride_h - a.top, static_cast<int>(q) * a.stride_w - a.left_pad, inside};
    }
    __device__ __forceinline__ Offset offset(u32 k, bool inside) const {
        const u32 tap = k / channels;
        return {static_cast<int>(tap / a.S) * a.dilation_h, static_cast<int>(tap % a.S) * a.dilation_w,
                static_cast<int>(k - tap * channels), inside};
    }
    __device__ __forceinline__ Real number(const Corner& o, const Offset& i) const {
        return patch_number(o, i, a.H, a.W, a.C);
    }
};

#if MODE == FORWARD
struct Left : Patches {
    static constexpr bool INNER_FIRST = true;
    typedef Corner Outer;
    typedef Offset Inner;
    u32 outers, inners;
    __device__ __forceinline__ Corner outer(long long m) const { return corner(m, m < outers); }
    __device__ __forceinline__ Offset inner(long long k) const { return offset(k, k < inners); }
    __device__ __forceinline__ Real at(const Corner& o, const Offset& i) const { return number(o, i); }
};

struct Right {
    static constexpr bool INNER_FIRST = true;
    struct Outer {
        const Real* kernel;
        bool inside;
    };
    struct Inner {
        long long k;
        bool inside;
    };
    const Real* w;
    long long outers, inners;
    __device__ __forceinline__ Outer outer(long long n) const { return {w + n * inners, n < outers}; }
    __device__ __forceinline__ Inner inner(long long k) const { return {k, k < inners}; }
    __device__ __forceinline__ Real at(const Outer& o, const Inner& i) const {
        return o.inside && i.inside ? load_number(o.kernel + i.k) : 0;
    }
};
#elif MODE == WEIGHT_GRAD
struct Left {
    static constexpr bool INNER_FIRST = false;
    struct Outer {
        int k;
        bool inside;
    };
    struct Inner {
        const Real* pixel;
        bool inside;
    };
    const Real* gy;
    long long outers, inners, K;
    __device__ __forceinline__ Outer outer(long long k) const { return {static_cast<int>(k), k < outers}; }
    __device__ __forceinline__ Inner inner(long long pixel) const { return {gy + pixel * K, pixel < inners}; }
    __device__ __forceinline__ Real at(const Outer& o, const Inner& i) const {
        return o.inside && i.inside ? load_number(i.pixel + o.k) : 0;
    }
};

struct Right : Patches {
    static constexpr bool INNER_FIRST = false;
    typedef Offset Outer;
    typedef Corner Inner;
    u32 outers, inners;
    __device__ __forceinline__ Offset outer(long long k) const { return offset(k, k < outers); }
    __device__ __forceinline__ Corner inner(long long pixel) const { return corner(pixel, pixel < inners); }
    __device__ __forceinline__ Real at(const Offset& o, const Corner& i) const { return number(i, o); }
};
#else
// One axis of a phase: its pixels are first, first + stride, ..., and its taps r0, r0 + step, ....
struct Axis {
    int first, pixels, tap, taps;

    __device__ __forceinline__ Axis(int phase, int stride, int before, int dilation, int step, int size, int kernel) {
        first = (phase + stride - before % stride) % stride;
        pixels = first < size ? (size - first + stride - 1) / stride : 0;
        tap = 0;
        while (tap < step && tap * dilation % stride != phase) tap++;
        taps = tap < step && tap < kernel ? (kernel - tap + step - 1) / step : 0;
    }
};

struct Left {
    static constexpr bool INNER_FIRST = true;
    typedef Corner Outer;
    typedef Offset Inner;
    const Arguments& a;
    const Axis& vertical;
    const Axis& horizontal;
    int phase_h, phase_w, channels, first_channel;
    u32 outers, inners;

    // Both (h + top) - phase and dilation r - phase are multiples of the stride, and p the difference of the quotients.
    __device__ __forceinline__ Corner outer(long long m) const {
        const u32 pixel = m, j = pixel % horizontal.pixels, row = pixel / horizontal.pixels;
        const u32 i = row % vertical.pixels, n = row / vertical.pixels;
        const int h = vertical.first + static_cast<int>(i) * a.stride_h;
        const int w = horizontal.first + static_cast<int>(j) * a.stride_w;
        return {a.left + static_cast<long long>(n) * a.P * a.Q * a.K + first_channel,
                (h + a.top - phase_h) / a.stride_h, (w + a.left_pad - phase_w) / a.stride_w, m < outers};
    }
    __device__ __forceinline__ Offset inner(long long k) const {
        const u32 tap = static_cast<u32>(k) / channels;
        const int r = vertical.tap + static_cast<int>(tap / horizontal.taps) * a.step_r;
        const int s = horizontal.tap + static_cast<int>(tap % horizontal.taps) * a.step_s;
        return {-((r * a.dilation_h - phase_h) / a.stride_h), -((s * a.dilation_w - phase_w) / a.stride_w),
                static_cast<int>(k - static_cast<long long>(tap) * channels), k < inners};
    }
    __device__ __forceinline__ Real at(const Corner& o, const Offset& i) const {
        return patch_number(o, i, a.P, a.Q, a.K);
    }
};

struct Right {
    static constexpr bool INNER_FIRST = false;
    struct Outer {
        int c;
        bool inside;
    };
    struct Inner {
        const Real* from;
        bool inside;
    };
    const Arguments& a;
    const Axis& vertical;
    const Axis& horizontal;
    int channels, first_channel, outers;
    u32 inners;
    __device__ __forceinline__ Outer outer(long long c) const { return {static_cast<int>(c), c < outers}; }
    __device__ __forceinline__ Inner inner(long long at) const {
        const u32 tap = static_cast<u32>(at) / channels;
        const long long k = first_channel + at - static_cast<long long>(tap) * channels;
        const int r = vertical.tap + static_cast<int>(tap / horizontal.taps) * a.step_r;
        const int s = horizontal.tap + static_cast<int>(tap % horizontal.taps) * a.step_s;
        return {a.right + ((k * a.R + r) * a.S + s) * outers, at < inners};
    }
    __device__ __forceinline__ Real at(const Outer& o, const Inner& i) const {
        return o.inside && i.inside ? load_number(i.from + o.c) : 0;
    }
};
#endif

extern "C" __global__ void __launch_bounds__(THREADS, 1) KERNEL(const Arguments a) {
    const int group = blockIdx.z % a.groups, rest = blockIdx.z / a.groups;
    const int c = a.C / a.groups, k = a.K / a.groups;
    const long long m0 = static_cast<long long>(blockIdx.x) * TILE_M, n0 = static_cast<long long>(blockIdx.y) * TILE_N;
    const Real slope = static_cast<Real>(a.negative_slope);
    Sums sums = {};
#if MODE == FORWARD
    const u32 pixels = static_cast<u32>(a.N) * a.P * a.Q, inners = static_cast<u32>(a.R) * a.S * c;
    const Left left = {{a, c, group * c}, pixels, inners};
    const Right right = {a.right + static_cast<long long>(group) * k * inners, k, inners};
    multiply(left, right, m0, n0, 0, inners, sums);
    keep_results(sums, m0, n0, [&](long long m, long long n, Real sum) {
        if (m >= pixels || n >= k) return;
        const long long channel = static_cast<long long>(group) * k + n;
        if (a.bias) sum += load_number(a.bias + channel);
        store_number(a.result + m * a.K + channel, activate(sum, a.activation, slope));
    });
#elif MODE == WEIGHT_GRAD
    const u32 pixels = static_cast<u32>(a.N) * a.P * a.Q, columns = static_cast<u32>(a.R) * a.S * c;
    const long long first = static_cast<long long>(rest) * a.part;
    const long long last = first + a.part < pixels ? first + a.part : pixels;
    const Left left = {a.left + static_cast<long long>(group) * k, k, last, a.K};
    const Right right = {{a, c, group * c}, columns, static_cast<u32>(last)};
    multiply(left, right, m0, n0, first, last, sums);
    Real* part = a.result + (static_cast<long long>(rest) * a.K + static_cast<long long>(group) * k) * columns;
    keep_results(sums, m0, n0, [&](long long m, long long n, Real sum) {
        if (m < k && n < columns) store_number(part + m * columns + n, sum);
    });
#else
    const int phase_h = rest / a.stride_w, phase_w = rest % a.stride_w;
    const Axis vertical(phase_h, a.stride_h, a.top, a.dilation_h, a.step_r, a.H, a.R);
    const Axis horizontal(phase_w, a.stride_w, a.left_pad, a.dilation_w, a.step_s, a.W, a.S);
    const u32 pixels = static_cast<u32>(a.N) * vertical.pixels * horizontal.pixels;
    const u32 inners = static_cast<u32>(vertical.taps) * horizontal.taps * k;
    if (m0 >= pixels) return;  // the grid is that of the largest phase
    const Left left = {a, vertical, horizontal, phase_h, phase_w, k, group * k, pixels, inners};
    const Right right = {a, vertical, horizontal, k, group * k, c, inners};
    multiply(left, right, m0, n0, 0, inners, sums);
    keep_results(sums, m0, n0, [&](long long m, long long n, Real sum) {
        if (m >= pixels || n >= c) return;
        const u32 pixel = m, j = pixel % horizontal.pixels, row = pixel / horizontal.pixels;
        const u32 i = row % vertical.pixels, image = row / vertical.pixels;
        const long long h = vertical.first + static_cast<long long>(i) * a.stride_h;
        const long long w = horizontal.first + static_cast<long long>(j) * a.stride_w;
        const long long channel = static_cast<long long>(group) * c + n;
        if (a.bias) sum += load_number(a.bias + channel);
        store_number(a.result + ((image * static_cast<long long>(a.H) + h) * a.W + w) * a.C + channel,
                     activate(sum, a.activation, slope));
    });
#endif
}
