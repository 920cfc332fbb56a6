// Softmax, its logarithm and their gradients on CUDA: a team of threads for each row of C numbers.
//
//     SOFTMAX           y = exp(x - largest) / sum of exp(x - largest)
//     LOG_SOFTMAX       y = (x - largest) - log(sum of exp(x - largest))
//     SOFTMAX_GRAD      gx = y * (gy - sum of gy * y)
//     LOG_SOFTMAX_GRAD  gx = gy - exp(y) * sum of gy
//
// The idea: the threads of a team read a row side by side, each every TEAM-th group of VECTOR numbers, and fold what
// they have found: by shuffles where the team is a warp or a part of one, so that no warp waits for another, and by
// shared memory where a row is long and the team is the block. A row of 10 numbers would leave most of a warp idle; its
// team has 16 lanes, and two rows go to a warp.
//
// Numbers: sums are float64, and their order follows from the shape. NaN propagates: folds keep it.
//
// Memory traffic: the row is read up to three times, twice from the first cache: a team's row has 4 KB where 8 teams
// share a block, and the block's own where it is longer. So memory sees each number once and each result once, 8 bytes
// of float32 (12 of a gradient), which bounds it.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DTEAM, -DOPERATION and -DARGUMENT_BYTES by cuda_teams.py.
#include "cuda_ptx.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As OPERATIONS in cuda_teams.py.
enum Operation { SOFTMAX, LOG_SOFTMAX, SOFTMAX_GRAD, LOG_SOFTMAX_GRAD };
constexpr bool GRAD = OPERATION >= SOFTMAX_GRAD;

// As ARGUMENTS in cuda_teams.py. All arrays are (rows, C).
struct Arguments {
    const Real* values;  // x; of a gradient gy
    const Real* y;       // of a gradient; else null
    Real* results;
    long long rows;
    long long C;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_teams.py");

typedef Numbers<VECTOR, Real> Group;

__device__ __forceinline__ double larger(double a, double b) { return a > b || a != a ? a : b; }  // NaN is not itself

// One block of a multiprocessor is asked for: left alone, the compiler spills a few registers to have room for another.
extern "C" __global__ void __launch_bounds__(THREADS, 1) KERNEL(const Arguments a) {
    const long long row = static_cast<long long>(blockIdx.x) * (THREADS / TEAM) + threadIdx.x / TEAM;
    const long long first = row * a.C + threadIdx.x % TEAM * VECTOR;
    const long long end = row < a.rows ? (row + 1) * a.C : 0;  // threads without a row take part in folds
    Real largest = log(static_cast<Real>(0));
    if constexpr (!GRAD) {
        for (long long at = first; at < end; at += TEAM * VECTOR) {
            const Group x = load_numbers<VECTOR>(a.values + at);
#pragma unroll
            for (int v = 0; v < VECTOR; v++) largest = static_cast<Real>(larger(x.number[v], largest));
        }
        largest = static_cast<Real>(fold_threads<TEAM>(largest, shared_memory(), larger));
    }
    double sum = 0;
    for (long long at = first; at < end; at += TEAM * VECTOR) {
        const Group x = load_numbers<VECTOR>(a.values + at);
        const Group y = GRAD ? load_numbers<VECTOR>(a.y + at) : x;
#pragma unroll
        for (int v = 0; v < VECTOR; v++) {
            if constexpr (!GRAD) sum += exp(x.number[v] - largest);
            if constexpr (OPERATION == SOFTMAX_GRAD) sum += static_cast<double>(x.number[v]) * y.number[v];
            if constexpr (OPERATION == LOG_SOFTMAX_GRAD) sum += x.number[v];
        }
    }
    sum = add_threads<TEAM>(sum, shared_memory() + THREADS / 32 * 8);
    const Real total = static_cast<Real>(OPERATION == LOG_SOFTMAX ? log(sum) : OPERATION == SOFTMAX ? 1 / sum : sum);
    for (long long at = first; at < end; at += TEAM * VECTOR) {
        const Group x = load_numbers<VECTOR>(a.values + at);
        const Group y = GRAD ? load_numbers<VECTOR>(a.y + at) : x;
        Group result;
#pragma unroll
        for (int v = 0; v < VECTOR; v++) {
            if constexpr (OPERATION == SOFTMAX) result.number[v] = exp(x.number[v] - largest) * total;
            if constexpr (OPERATION == LOG_SOFTMAX) result.number[v] = (x.number[v] - largest) - total;
            if constexpr (OPERATION == SOFTMAX_GRAD) result.number[v] = y.number[v] * (x.number[v] - total);
            if constexpr (OPERATION == LOG_SOFTMAX_GRAD) result.number[v] = x.number[v] - exp(y.number[v]) * total;
        }
        store_numbers<VECTOR>(a.results + at, result);
    }
}
