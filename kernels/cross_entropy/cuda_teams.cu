// Cross-entropy of logits against classes on CUDA, with its gradient in the same pass: a team of threads for each row.
//
//     loss[row] = sum over c of part[c] * (log(sum of exp(x - largest)) - (x[c] - largest))
//     gx[row, c] = (sum of parts * exp(x[c] - largest) / sum of exp(x - largest) - part[c]) / divisor
//     part[c] = smoothing / C * weight[c], and besides (1 - smoothing) * weight[target] where c is the target
//
// The idea: as in softmax/cuda_teams.cu, a team reads a row side by side and folds what it has found. What the loss
// needs, largest number and sum, is also all that the gradient needs, so one launch writes both, and reads the logits
// from memory once. Teams take the rows of a block's part in turn and add their losses; the block leaves one partial
// sum, and loss/cuda_total.cu adds those.
//
// The divisor of a mean is the sum of the targets' weights, which every row's gradient needs before it is written: the
// mode WEIGHTS is a launch before, which reads the targets alone and leaves partial sums of their weights likewise.
//
// Numbers: sums are float64 and in a fixed order. A row whose class does not exist is NaN: arrays on a GPU are not read
// before. With neighbours in one warp, all threads of a warp walk the same number of rows; some of them have none.
//
// Memory traffic, which bounds it where there are many classes: the logits once and the gradient once, 8 bytes each of
// float32; the second and third reading of a row come from the first cache. With few classes targets add 8 bytes a row.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DTEAM, -DWEIGHTS, -DSUMMED, -DGRAD and -DARGUMENT_BYTES by
// cuda_teams.py.
#include "cuda_ptx.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

#if SUMMED
typedef double Result;  // a partial sum of each block
#else
typedef Real Result;    // the loss of each row
#endif

// As ARGUMENTS in cuda_teams.py.
struct Arguments {
    const Real* x;            // (rows, C)
    const long long* target;  // (rows,)
    const Real* weight;       // (C,); null for 1
    const double* divisor;    // (1,); null for 1
    Result* losses;           // (blocks,) if they are summed, else (rows,); of WEIGHTS sums of weights
    Real* gx;                 // (rows, C)
    long long rows;
    long long part;           // rows of a block
    long long C;
    long long ignored;
    double smoothing;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_teams.py");

constexpr u32 AREA = THREADS / 32 * 8;  // shared memory of one fold; the next fold uses another

__device__ __forceinline__ double larger(double a, double b) { return a > b || a != a ? a : b; }  // NaN is not itself

__device__ __forceinline__ double weight_of(const Arguments& a, long long c) {
    return a.weight ? load_number(a.weight + c) : 1;
}

// The row's loss, and its gradient if that is asked for. `end` is 0 for threads without a row.
__device__ __forceinline__ double do_row(const Arguments& a, long long row, long long end) {
    const long long first = threadIdx.x % TEAM, at = row * a.C, label = end ? load_number(a.target + row) : a.ignored;
    const bool exists = label >= 0 && label < a.C, counts = exists && label != a.ignored;
    Real largest = log(static_cast<Real>(0));
    for (long long c = first; c < end; c += TEAM)
        largest = static_cast<Real>(larger(load_number(a.x + at + c), largest));
    largest = static_cast<Real>(fold_threads<TEAM>(largest, shared_memory(), larger));
    double sum = 0, weights = 0, tilted = 0;  // of the powers, the weights, and weights times x - largest
    for (long long c = first; c < end; c += TEAM) {
        const Real x = load_number(a.x + at + c) - largest;
        sum += exp(x);
        if (a.smoothing > 0) {
            const double weight = weight_of(a, c);
            weights += weight;
            tilted += weight * x;
        }
    }
    sum = add_threads<TEAM>(sum, shared_memory() + AREA);
    if (a.smoothing > 0) {  // for all threads alike
        weights = add_threads<TEAM>(weights, shared_memory() + 2 * AREA);
        tilted = add_threads<TEAM>(tilted, shared_memory() + 3 * AREA);
    }
    const double none = label == a.ignored ? 0 : log(-1.0);  // 0, or NaN
    const double own = counts ? (1 - a.smoothing) * weight_of(a, label) : 0, each = a.smoothing / a.C;
    if constexpr (GRAD) {
        const double divisor = a.divisor ? load_number(a.divisor) : 1;
        const double scale = (own + each * weights) / sum / divisor;
        for (long long c = first; c < end; c += TEAM) {
            const double part = (each > 0 ? each * weight_of(a, c) : 0) + (c == label ? own : 0);
            const double slope = scale * exp(load_number(a.x + at + c) - largest) - part / divisor;
            store_number(a.gx + at + c, static_cast<Real>(counts ? slope : none));
        }
    }
    if (!counts) return none;
    const double whole = log(sum);
    const double loss = own * (whole - (load_number(a.x + at + label) - largest));
    return each > 0 ? loss + each * (weights * whole - tilted) : loss;
}

// One block of a multiprocessor is asked for: left alone, the compiler spills a few registers to have room for another.
extern "C" __global__ void __launch_bounds__(THREADS, 1) KERNEL(const Arguments a) {
    const long long first = blockIdx.x * a.part, end = first + a.part < a.rows ? first + a.part : a.rows;
    double total = 0;
#if WEIGHTS
    for (long long row = first + threadIdx.x; row < end; row += THREADS) {
        const long long label = load_number(a.target + row);
        if (label >= 0 && label < a.C && label != a.ignored) total += weight_of(a, label);
    }
#else
    for (long long base = first; base < end; base += THREADS / TEAM) {
        const long long row = base + threadIdx.x / TEAM;
        const double loss = do_row(a, row, row < end ? a.C : 0);
        if (threadIdx.x % TEAM || row >= end) continue;
        total += loss;
        if constexpr (!SUMMED) store_number(a.losses + row, static_cast<Result>(loss));
    }
#endif
    if constexpr (SUMMED) {
        total = add_threads<THREADS>(total, shared_memory() + 4 * AREA);
        if (threadIdx.x == 0) store_number(a.losses + blockIdx.x, static_cast<Result>(total));
    }
}
