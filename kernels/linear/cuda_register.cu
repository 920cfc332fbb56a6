// Matrix products and linear layers in registers: y = activate(a b + bias), float32 or float64, factors transposed or
// not.
//
// How a block multiplies its tile is in kernels/machine/cuda_product.cuh; here is where the numbers lie. A factor is a
// matrix with one step in memory from place to place along m or n and one along k, of which one is 1. blockIdx.z says
// which part of the inner axis a block takes; of several parts the results are partial sums, without bias and
// activation.
//
// Compiled with -DKERNEL, -DLEFT_INNER_FIRST, -DRIGHT_INNER_FIRST, -DARGUMENT_BYTES and the tile's macros by
// cuda_register.py, which also launches it.
#include "cuda_ptx.cuh"
#include "cuda_activation.cuh"
#include "cuda_product.cuh"

// As ARGUMENTS in cuda_register.py.
struct Arguments {
    const Real* a;
    const Real* b;
    const Real* bias;     // (N,) or null
    Real* y;              // (M, N), or (parts, M, N)
    long long M, N, K;
    long long a_outer, a_inner;  // steps of a along m and k, in numbers
    long long b_outer, b_inner;  // of b along n and k
    long long part;              // of the inner axis, for one block
    double negative_slope;
    int activation;
    int unused;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_register.py");

template <bool FIRST>
struct Matrix {
    static constexpr bool INNER_FIRST = FIRST;
    struct Outer {
        const Real* row;
        bool inside;
    };
    struct Inner {
        long long offset;
        bool inside;
    };
    const Real* from;
    long long outers, inners;  // one beyond the last place of the block's part
    long long outer_step, inner_step;

    __device__ __forceinline__ Outer outer(long long i) const { return {from + i * outer_step, i < outers}; }
    __device__ __forceinline__ Inner inner(long long k) const { return {k * inner_step, k < inners}; }
    __device__ __forceinline__ Real at(const Outer& o, const Inner& i) const {
        return o.inside && i.inside ? load_number(o.row + i.offset) : 0;
    }
};

extern "C" __global__ void __launch_bounds__(THREADS, 1) KERNEL(const Arguments a) {
    const long long first = blockIdx.z * a.part, last = first + a.part < a.K ? first + a.part : a.K;
    const Matrix<LEFT_INNER_FIRST> left = {a.a, a.M, last, a.a_outer, a.a_inner};
    const Matrix<RIGHT_INNER_FIRST> right = {a.b, a.N, last, a.b_outer, a.b_inner};
    const long long m0 = static_cast<long long>(blockIdx.x) * TILE_M, n0 = static_cast<long long>(blockIdx.y) * TILE_N;
    Sums sums = {};
    multiply(left, right, m0, n0, first, last, sums);
    Real* y = a.y + blockIdx.z * a.M * a.N;
    const Real slope = static_cast<Real>(a.negative_slope);
    keep_results(sums, m0, n0, [&](long long m, long long n, Real sum) {
        if (m >= a.M || n >= a.N) return;
        if (a.bias) sum += load_number(a.bias + n);
        store_number(y + m * a.N + n, activate(sum, a.activation, slope));
    });
}
