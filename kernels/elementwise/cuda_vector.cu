// Elementwise operations and activations on CUDA: y = function(a, b, parameter), 16 bytes at a time.
//
// The idea: nothing is computed here that the memory would have to wait for, so all is about loads and stores. A thread
// takes groups of VECTOR neighbouring numbers, 16 bytes, with one instruction each: a warp moves 512 bytes of an array
// at once. PER_THREAD groups are loaded before the first is used, so that their latencies overlap.
//
// Index arithmetic: the result is C-contiguous, and groups are numbered in its order. An operand that is broadcast, or
// has gaps, lies otherwise: the group's number is taken apart into one index for each axis, innermost first, and each
// index moves by the operand's step along that axis, 0 where it is repeated. The host has joined axes that all operands
// walk evenly, so that arrays of one shape have one axis, and nothing is taken apart; a per-channel operand leaves two.
// Divisions are multiplications (see Divisor), one for each axis but the outermost and each group.
//
// VECTOR is 1 where an operand has gaps along the last axis, or rows do not begin at multiples of 16 bytes. Otherwise
// an operand is read as groups, or as one number for the group where REPEAT says that it is repeated there.
//
// Memory traffic: each operand is read once (a broadcast one comes from the caches) and the result written once: 12
// bytes of float32 for an addition. That bounds it: exp and tanh cost some twenty instructions for 8 bytes, which a GPU
// with 60 TFLOP/s and 4 TB/s just hides. Each thread has read its numbers before it writes, so that y may be a or b.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DAXES, -DLARGE, -DREPEAT_A, -DREPEAT_B, -DFUNCTION and
// -DARGUMENT_BYTES by cuda_vector.py.
#include "cuda_ptx.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

#if LARGE
typedef unsigned long long Index;  // of 2^31 groups or more
#else
typedef u32 Index;
#endif

// As FUNCTIONS in cuda_vector.py.
enum Function {
    ADD, SUBTRACT, MULTIPLY, DIVIDE, MAXIMUM, MINIMUM, RELU_GRAD, LEAKY_RELU_GRAD, TANH_GRAD, SIGMOID_GRAD,
    NEGATIVE, ABSOLUTE, SQUARE, SQRT, EXP, LOG, POWER, RELU, LEAKY_RELU, TANH, SIGMOID, SOFTPLUS
};
constexpr bool BINARY = FUNCTION < NEGATIVE;

// As arguments_of in cuda_vector.py. Axes are those of the result, outermost first.
struct Arguments {
    const Real* a;
    const Real* b;            // null if there is one operand
    Real* y;                  // (size,)
    long long size;
    double parameter;
    long long steps_a[AXES];  // in numbers; along the last axis for a group
    long long steps_b[AXES];
    Divisor extents[AXES];    // the last in groups
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_vector.py");

constexpr int PER_THREAD = 4;
typedef Numbers<VECTOR, Real> Group;

__device__ __forceinline__ Real larger(Real a, Real b) { return a > b || a != a ? a : b; }  // NaN differs from itself

__device__ __forceinline__ Real smaller(Real a, Real b) { return a < b || a != a ? a : b; }

// Of float32 numbers in float32 if the exponent is a float32 number: rounding it would change the result.
__device__ __forceinline__ Real power(Real x, double exponent) {
    const Real rounded = static_cast<Real>(exponent);
    if (rounded == exponent) return pow(x, rounded);
    return static_cast<Real>(pow(static_cast<double>(x), exponent));
}

__device__ __forceinline__ Real function(Real a, Real b, double parameter) {
    if constexpr (FUNCTION == ADD) return a + b;
    if constexpr (FUNCTION == SUBTRACT) return a - b;
    if constexpr (FUNCTION == MULTIPLY) return a * b;
    if constexpr (FUNCTION == DIVIDE) return a / b;
    if constexpr (FUNCTION == MAXIMUM) return larger(a, b);
    if constexpr (FUNCTION == MINIMUM) return smaller(a, b);
    // Gradients: a is gy, b is y.
    if constexpr (FUNCTION == RELU_GRAD) return b <= 0 ? 0 : a;
    if constexpr (FUNCTION == LEAKY_RELU_GRAD) return b <= 0 ? static_cast<Real>(parameter) * a : a;
    if constexpr (FUNCTION == TANH_GRAD) return a * ((1 - b) * (1 + b));  // 1 - b * b would cancel near saturation
    if constexpr (FUNCTION == SIGMOID_GRAD) return a * (b * (1 - b));
    if constexpr (FUNCTION == NEGATIVE) return -a;
    if constexpr (FUNCTION == ABSOLUTE) return fabs(a);
    if constexpr (FUNCTION == SQUARE) return a * a;
    if constexpr (FUNCTION == SQRT) return sqrt(a);
    if constexpr (FUNCTION == EXP) return exp(a);
    if constexpr (FUNCTION == LOG) return log(a);
    if constexpr (FUNCTION == POWER) return power(a, parameter);
    if constexpr (FUNCTION == RELU) return a < 0 ? 0 : a;
    if constexpr (FUNCTION == LEAKY_RELU) return a < 0 ? static_cast<Real>(parameter) * a : a;
    if constexpr (FUNCTION == TANH) return tanh(a);
    if constexpr (FUNCTION == SIGMOID) {
        const Real tail = exp(a < 0 ? a : -a);  // exp of a large positive number would overflow
        return (a < 0 ? tail : 1) / (1 + tail);
    }
    if constexpr (FUNCTION == SOFTPLUS) return (a > 0 ? a : 0) + log1p(exp(-fabs(a)));
}

// Where both operands keep the group's numbers.
__device__ __forceinline__ void locate(const Arguments& a, long long number, long long& at_a, long long& at_b) {
    Index group = static_cast<Index>(number);
    at_a = at_b = 0;
#pragma unroll
    for (int axis = AXES - 1; axis > 0; axis--) {
        const Index outer = quotient(group, a.extents[axis]);
        const long long index = group - outer * static_cast<Index>(a.extents[axis].divisor);
        at_a += index * a.steps_a[axis];
        if constexpr (BINARY) at_b += index * a.steps_b[axis];
        group = outer;
    }
    const long long outermost = AXES == 1 ? number : group;  // one axis is not taken apart, and may exceed 32 bits
    at_a += outermost * a.steps_a[0];
    if constexpr (BINARY) at_b += outermost * a.steps_b[0];
}

template <bool REPEAT>
__device__ __forceinline__ Group load_group(const Real* from) {
    if constexpr (!REPEAT) return load_numbers<VECTOR>(from);
    const Real number = load_number(from);
    Group same;
#pragma unroll
    for (int v = 0; v < VECTOR; v++) same.number[v] = number;
    return same;
}

// Of one axis: the few numbers after the last whole group.
__device__ __forceinline__ void do_rest(const Arguments& a, long long at) {
#pragma unroll 1
    for (; at < a.size; at++) {
        const Real left = load_number(a.a + (REPEAT_A ? 0 : at));
        const Real right = BINARY ? load_number(a.b + (REPEAT_B ? 0 : at)) : 0;
        store_number(a.y + at, function(left, right, a.parameter));
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long groups = a.size / VECTOR;
    const long long first = static_cast<long long>(blockIdx.x) * (THREADS * PER_THREAD) + threadIdx.x;
    Group left[PER_THREAD], right[PER_THREAD];
#pragma unroll
    for (int k = 0; k < PER_THREAD; k++) {
        const long long group = first + k * THREADS;
        if (group >= groups) continue;
        long long at_a, at_b;
        locate(a, group, at_a, at_b);
        left[k] = load_group<REPEAT_A>(a.a + at_a);
        if constexpr (BINARY) right[k] = load_group<REPEAT_B>(a.b + at_b);
    }
#pragma unroll
    for (int k = 0; k < PER_THREAD; k++) {
        const long long group = first + k * THREADS;
        if (group >= groups) continue;
        Group result;
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            result.number[v] = function(left[k].number[v], BINARY ? right[k].number[v] : 0, a.parameter);
        store_numbers<VECTOR>(a.y + group * VECTOR, result);
    }
    if (AXES == 1 && VECTOR > 1 && first == 0) do_rest(a, groups * VECTOR);
}
