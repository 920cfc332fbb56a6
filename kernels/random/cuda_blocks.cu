// Random numbers, dropout and noise on CUDA, to the bit those of the CPU: a thread makes a whole block of the stream's
// words.
//
//     UNIFORM    y = low + (high - low) * u                    one word a float32, two a float64
//     NORMAL     y = mean + std * sqrt(-2 log u) * cosine or sine of an angle (normal.py)
//     DROPOUT    y = x * scale where 24 bits of the number's word are at least the threshold, else x * 0
//     ADDED      y = x + a normal number, at least the image's low and at most largest
//     SPREAD     y = x + spread * a normal number, so limited
//     REPLACED   y = x, or 1 or the image's low where the number's first word is below the threshold: two words each
//     CLIPPED    the same, x at least the image's low and at most largest
//
// Noise takes x of bytes and of 16-bit integers too, which are multiplied by unit as they are read.
//
// The idea: Philox4x32-10 turns a counter into four 32-bit words (reference.py), and counters do not depend on each
// other: thread i computes the block of counter + i, which is the i-th group of the result, and stores it at once. Ten
// rounds serve four numbers, or two of float64, and both deviates of a normal pair share their logarithm and root.
//
// The place in the stream is read from device memory: a captured CUDA graph is launched again with another one there.
//
// What makes the bits those of the CPU: words are integers; every product that is added to something is an explicit
// fma, so that there is nothing left which a compiler might fuse or not; conversions and roots are correctly rounded.
// The polynomials' coefficients come with the arguments, from where the CPU has them; a multiplication takes them as
// an operand from there.
//
// Memory traffic: 16 bytes a thread, 4 bytes a float32 number (8 for dropout and noise). A block takes 100
// integer instructions, about as long as a large GPU takes to write 16 bytes for each thread; a pair of normal deviates
// takes 40 more.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DWIDE, -DMODE, -DINPUT and -DARGUMENT_BYTES by cuda_blocks.py.
#include "cuda_ptx.cuh"
#include "cuda_philox.cuh"

#if DOUBLE
typedef double Real;
typedef long long Bits;
constexpr int LOG = 20, SINE = 7, COSINE = 8, MANTISSA = 52;  // coefficients, and bits
constexpr Bits ROOT_HALF = 0x3FE6A09E667F3BCD;                // sqrt(1/2)
#else
typedef float Real;
typedef int Bits;
constexpr int LOG = 10, SINE = 4, COSINE = 5, MANTISSA = 23;
constexpr Bits ROOT_HALF = 0x3F3504F3;
#endif

// As _INPUTS in cuda_blocks.py.
#if INPUT == 2
typedef unsigned char Input;
#elif INPUT == 3
typedef unsigned short Input;
#else
typedef Real Input;
#endif

// As MODES in cuda_blocks.py.
#define UNIFORM 0
#define NORMAL 1
#define DROPOUT 2
#define ADDED 3
#define SPREAD 4
#define REPLACED 5
#define CLIPPED 6

// As arguments_of in cuda_blocks.py.
struct Arguments {
    const long long* place;  // (4,): seed and counter, the lower 32 bits of each first
    const Input* x;          // (n,), of DROPOUT and of noise
    const Input* spread;     // (n,), of SPREAD
    const Real* low;         // a number for each image, of noise; or null
    Real* y;                 // (n,)
    long long n;
    long long each;          // numbers of an image
    long long threshold;     // of DROPOUT, REPLACED and CLIPPED
    long long salt;          // of REPLACED and CLIPPED: the second word's threshold for 1
    Real offset;             // low, or mean
    Real scale;              // high - low, std, or of DROPOUT
    Real largest;            // of UNIFORM and of noise
    Real unit;               // of integers
    Real minus_2_log_2;
    Real log[LOG];           // polynomials, ascending
    Real sine[SINE];
    Real cosine[COSINE];
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

constexpr int VALUES = MODE >= REPLACED || (DOUBLE && MODE != DROPOUT) ? 2 : 4;  // of a block

__device__ __forceinline__ float multiply_add(float a, float b, float c) { return fmaf(a, b, c); }
__device__ __forceinline__ double multiply_add(double a, double b, double c) { return fma(a, b, c); }

// By Horner's rule, one fma a coefficient.
template <int COUNT>
__device__ __forceinline__ Real polynomial(const Real (&coefficients)[COUNT], Real x) {
    Real total = coefficients[COUNT - 1];
#pragma unroll
    for (int i = COUNT - 2; i >= 0; i--) total = multiply_add(total, x, coefficients[i]);
    return total;
}

// Two deviates from u in (0, 1] and an angle: so many quarter turns, and t of another, -1/2 < t < 1/2.
__device__ __forceinline__ void normal_pair(const Arguments& a, Real u, u32 quadrant, Real t, Real& first,
                                            Real& second) {
    const Bits bits = bits_of(u), exponent = (bits - ROOT_HALF) >> MANTISSA;  // of u / sqrt(1/2)
    const Real f = value_of(bits - exponent * (Bits(1) << MANTISSA)) - 1;
    const Real square = multiply_add(static_cast<Real>(exponent), a.minus_2_log_2, f * polynomial(a.log, f));
    const Real radius = sqrt(square), sine = t * polynomial(a.sine, t * t), cosine = polynomial(a.cosine, t * t);
    const Real x = quadrant & 1 ? sine : cosine, y = quadrant & 1 ? cosine : sine;
    first = multiply_add(a.scale, radius * ((quadrant + 1) & 2 ? -x : x), a.offset);
    second = multiply_add(a.scale, radius * (quadrant & 2 ? -y : y), a.offset);
}

__device__ __forceinline__ unsigned long long joined(u32 upper, u32 lower) {
    return static_cast<unsigned long long>(upper) << 32 | lower;
}

// The values of one block.
__device__ __forceinline__ Numbers<VALUES, Real> values_of(const Arguments& a, const Words& words) {
    const u32(&w)[4] = words.word;
    Numbers<VALUES, Real> y;
#if MODE == UNIFORM
#pragma unroll
    for (int i = 0; i < VALUES; i++) {
        const Real u = DOUBLE ? static_cast<Real>(joined(w[2 * i % 4], w[(2 * i + 1) % 4]) >> 11) * Real(0x1p-53)
                              : static_cast<Real>(w[i] >> 8) * Real(0x1p-24);
        const Real value = multiply_add(a.scale, u, a.offset);
        y.number[i] = value < a.largest ? value : a.largest;
    }
#elif MODE == DROPOUT
#pragma unroll
    for (int i = 0; i < VALUES; i++) y.number[i] = w[i] >> 8 >= a.threshold ? a.scale : 0;  // the factors of x
#elif MODE >= REPLACED
#pragma unroll
    for (int i = 0; i < VALUES; i++)  // 0 keeps x, 1 is 1, 2 is the least value
        y.number[i] = w[2 * i] >= a.threshold ? 0 : w[2 * i + 1] < a.salt ? 1 : 2;
#elif DOUBLE
    const Real u = multiply_add(static_cast<Real>(joined(w[0], w[1]) >> 11), 0x1p-53, 0x1p-54);
    const long long rest = static_cast<long long>(joined(w[2], w[3]) << 2 | 2);
    normal_pair(a, u, w[2] >> 30, static_cast<Real>(rest) * 0x1p-64, y.number[0], y.number[1]);
#else
#pragma unroll
    for (int i = 0; i < VALUES; i += 2) {
        const Real u = multiply_add(static_cast<Real>(w[i] >> 1), 0x1p-31f, 0x1p-32f);
        const int rest = static_cast<int>(w[i + 1] << 2 | 2);
        normal_pair(a, u, w[i + 1] >> 30, static_cast<Real>(rest) * 0x1p-32f, y.number[i], y.number[i + 1]);
    }
#endif
    return y;
}

constexpr bool READS = MODE >= DROPOUT;  // x

__device__ __forceinline__ Real least_of(const Arguments& a, long long i) { return load_number(a.low + i / a.each); }

// A number that was read. The product is rounded by itself, whatever it is added to.
__device__ __forceinline__ Real taken(const Arguments& a, Input x) {
    if constexpr (INPUT >= 2) return rounded_product(static_cast<Real>(x), a.unit);
    return x;
}

// Number i of the result.
__device__ __forceinline__ Real result_of(const Arguments& a, long long i, Real drawn, Input read, Input spread) {
    if constexpr (!READS) return drawn;
    const Real x = taken(a, read);
    if constexpr (MODE == DROPOUT) return x * drawn;
    if (MODE >= REPLACED && drawn == 1) return drawn;
    if (MODE >= REPLACED && drawn == 2) return least_of(a, i);
    if constexpr (MODE == REPLACED) return x;
    const Real value = MODE == CLIPPED ? x : MODE == SPREAD ? multiply_add(taken(a, spread), drawn, x) : x + drawn;
    const Real low = a.low ? least_of(a, i) : value;
    const Real raised = value < low ? low : value;
    return raised > a.largest ? a.largest : raised;
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long block = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x, first = block * VALUES;
    if (first >= a.n) return;
    Numbers<VALUES, Real> y = values_of(a, philox(a.place, block));
    if (WIDE && first + VALUES <= a.n) {
        Numbers<VALUES, Input> x = {}, spread = {};
        if constexpr (READS) x = load_numbers<VALUES>(a.x + first);
        if constexpr (MODE == SPREAD) spread = load_numbers<VALUES>(a.spread + first);
#pragma unroll
        for (int i = 0; i < VALUES; i++)
            y.number[i] = result_of(a, first + i, y.number[i], x.number[i], spread.number[i]);
        store_numbers<VALUES>(a.y + first, y);
        return;
    }
#pragma unroll
    for (int i = 0; i < VALUES; i++) {
        if (first + i >= a.n) break;
        const Input x = READS ? load_number(a.x + first + i) : 0;
        const Input spread = MODE == SPREAD ? load_number(a.spread + first + i) : 0;
        store_number(a.y + first + i, result_of(a, first + i, y.number[i], x, spread));
    }
}
