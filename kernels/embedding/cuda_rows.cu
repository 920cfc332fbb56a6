// Rows of a table by their numbers, and the gradient, on CUDA: a thread has VECTOR neighbouring numbers of a row.
//
//     embedding  y[i] = weight[indices[i]]
//     its GRAD   gw[r] = sum of gy[i] over all i with indices[i] == r
//
// The idea: a row is copied by 16 bytes per thread. Of the gradient a warp has 32 * VECTOR columns of one row of the
// table. It looks for the row among 32 indices at a time, one for each lane, and all lanes add the rows of gy that were
// found, from the lowest place up: no two threads add to one number, and results do not depend on scheduling.
//
// Index arithmetic: groups of VECTOR numbers lie one behind another in rows of equal length, so that the number of a
// group divided by the groups of a row is its row; of the gradient, runs of 32 groups, one for each lane.
//
// Numbers: copies have the bits of what they copy; sums are float64. A row that does not exist gives NaN, and its
// gradient goes nowhere.
//
// Memory traffic, which bounds the copy: each row that is taken and the result once. The gradient reads gy and writes
// gw once; what bounds it is the search, all indices from the caches for each row of the table and run of columns.
//
// Takes everything. Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DVECTOR, -DLARGE, -DGRAD and -DARGUMENT_BYTES by
// cuda_rows.py.
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

// As ARGUMENTS in cuda_rows.py.
struct Arguments {
    const Real* x;             // the table (rows, width); of the gradient gy, (taken, width)
    const long long* indices;  // (taken)
    Real* y;                   // (taken, width); of the gradient gw, (rows, width)
    Divisor groups;            // of VECTOR numbers in a row; of the gradient, runs of 32 of them
    long long count;           // groups, or runs, in y
    long long rows, taken, width;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_rows.py");

typedef Numbers<VECTOR, Real> Columns;

#if !GRAD
extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long index = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= a.count) return;
    const Index group = static_cast<Index>(index), i = quotient(group, a.groups);
    const long long column = static_cast<long long>(group - i * static_cast<Index>(a.groups.divisor)) * VECTOR;
    const long long row = load_number(a.indices + i);
    Columns y;
#pragma unroll
    for (int v = 0; v < VECTOR; v++) y.number[v] = static_cast<Real>(value_of(0x7FF8000000000000ll));  // NaN
    if (row >= 0 && row < a.rows) y = load_numbers<VECTOR>(a.x + row * a.width + column);
    store_numbers<VECTOR>(a.y + index * VECTOR, y);
}
#else
extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const int lane = threadIdx.x % 32;
    const long long index = static_cast<long long>(blockIdx.x) * (THREADS / 32) + threadIdx.x / 32;
    if (index >= a.count) return;  // all lanes of a warp together
    const Index run = static_cast<Index>(index), row = quotient(run, a.groups);
    const long long within = static_cast<long long>(run - row * static_cast<Index>(a.groups.divisor));
    const long long column = (within * 32 + lane) * VECTOR;
    const bool inside = column < a.width;
    double sums[VECTOR] = {};
    for (long long first = 0; first < a.taken; first += 32) {
        const bool exists = first + lane < a.taken;
        const long long own = exists ? load_number(a.indices + first + lane) : -1;
        for (u32 found = ballot(own == static_cast<long long>(row)); found; found &= found - 1) {
            if (!inside) continue;
            const long long i = first + lowest_bit(found);
            const Columns gy = load_numbers<VECTOR>(a.x + i * a.width + column);
#pragma unroll
            for (int v = 0; v < VECTOR; v++) sums[v] += gy.number[v];
        }
    }
    if (!inside) return;
    Columns y;
#pragma unroll
    for (int v = 0; v < VECTOR; v++) y.number[v] = static_cast<Real>(sums[v]);
    store_numbers<VECTOR>(a.y + static_cast<long long>(row) * a.width + column, y);
}
#endif
