// Sums over the rows of a C-contiguous (outer, rows, inner) array: blocks add parts of the rows, and where the rows
// were cut, the same kernel adds the parts in a second launch.
//
// The idea is to read neighbouring numbers with neighbouring threads, whichever way the sums lie:
//
//     inner > 1         (COLUMNS 1) sums lie side by side. `across` threads stand side by side along them, with VECTOR
//                       sums each, and those of a block stand in rows, one above the other, that take rows in turn.
//     inner == 1        (COLUMNS 0) the numbers of a sum lie side by side: `down` threads side by side share one sum,
//                       VECTOR neighbouring numbers each, and a block has THREADS / down sums, or one.
//
// A thread adds its own numbers, lanes of a warp that have the same sum add theirs by shuffles, and warps through
// shared memory. Nothing depends on which block or warp comes first: the order of additions follows from the shape.
//
// Numbers: float32 numbers are added four at a time, and those sums in float64, as on the CPU: the error is at most 1.5
// units in the last place of the sum of the numbers' sizes, however many there are, while only every fourth addition is
// one in float64, for which a small GPU has few units. Between launches sums are float64.
//
// Memory traffic: every number once, which bounds it. Four loads are under way at once, 64 bytes a thread where
// VECTOR numbers are 16 bytes: 528 blocks of 256 threads have 8 MB on their way, more than a large GPU needs.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE_IN, -DDOUBLE_OUT, -DVECTOR, -DCOLUMNS and -DARGUMENT_BYTES by
// cuda_blocks.py, which also launches it.
#include "cuda_ptx.cuh"

#if DOUBLE_IN
typedef double Real;
#else
typedef float Real;
#endif
#if DOUBLE_OUT
typedef double Result;
#else
typedef float Result;
#endif

// As ARGUMENTS in cuda_blocks.py. Rows are counted in units of VECTOR numbers where inner is 1.
struct Arguments {
    const Real* x;        // (outer, rows, inner)
    Result* y;            // (outer, parts, inner)
    long long outer;
    long long rows;
    long long inner;
    long long part_rows;  // of one block
    double scale;
    int parts;
    int across;           // threads with sums of their own, a power of two; in columns up to 32
    int strips;           // in columns: blocks side by side along the sums
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

constexpr int LOADS = 4, WARPS = THREADS / 32;
constexpr int SUMS = COLUMNS ? VECTOR : 1;  // of a thread

// Add one load or LOADS of them, `step` numbers from each other, in the working type, and their sum in float64.
template <int COUNT>
__device__ __forceinline__ void add(const Real* x, long long step, double (&sums)[SUMS]) {
    Numbers<VECTOR, Real> loaded[COUNT];
#pragma unroll
    for (int k = 0; k < COUNT; k++) loaded[k] = load_numbers<VECTOR>(x + k * step);
#pragma unroll
    for (int v = 0; v < VECTOR; v++) {
        Real sum = loaded[0].number[v];
        if constexpr (COUNT == LOADS) sum = (sum + loaded[1].number[v]) + (loaded[2].number[v] + loaded[3].number[v]);
        sums[v % SUMS] += sum;
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, down = THREADS / a.across;
    const int width = a.across * SUMS;  // sums of a block
    // The thread's place among those that share its sums, and its first sum.
    const int place = COLUMNS ? threadIdx.x / a.across : threadIdx.x % down;
    const int own = COLUMNS ? threadIdx.x % a.across * SUMS : threadIdx.x / down;
    const int block = blockIdx.x;
    const long long outer = COLUMNS ? block / a.strips : static_cast<long long>(block) * width + own;
    const long long first_column = COLUMNS ? static_cast<long long>(block % a.strips) * width : 0;
    const long long column = COLUMNS ? first_column + own : 0;

    double sums[SUMS] = {};
    if (COLUMNS ? column < a.inner : outer < a.outer) {
        const long long unit = COLUMNS ? a.inner : VECTOR, step = down * unit;
        const long long first = blockIdx.y * a.part_rows;
        const long long end = first + a.part_rows < a.rows ? first + a.part_rows : a.rows;
        const Real* x = a.x + outer * a.rows * unit + column;
        long long row = first + place;
        for (; row + (LOADS - 1) * down < end; row += LOADS * down) add<LOADS>(x + row * unit, step, sums);
        for (; row < end; row += down) add<1>(x + row * unit, step, sums);
    }
    const int nearest = COLUMNS ? a.across : 1, beyond = COLUMNS || down > 32 ? 32 : down;
    for (int mask = nearest; mask < beyond; mask *= 2)
#pragma unroll
        for (int v = 0; v < SUMS; v++) sums[v] += shuffle_xor(sums[v], mask);
    if (!COLUMNS && down <= 32) {  // no other warp has numbers of the sum
        if (place == 0 && outer < a.outer)
            store_number(a.y + outer * a.parts + blockIdx.y, static_cast<Result>(sums[0] * a.scale));
        return;
    }
    // (warp, sum) in shared memory, then a thread for each sum.
    const u32 shared = shared_memory();
    if (lane < a.across)
#pragma unroll
        for (int v = 0; v < SUMS; v++) store_double(shared + (warp * width + lane * SUMS + v) * 8, sums[v]);
    __syncthreads();
    const long long sum_column = first_column + threadIdx.x;
    if (threadIdx.x >= width || sum_column >= a.inner) return;
    double total = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) total += load_double(shared + (w * width + threadIdx.x) * 8);
    Result* y = a.y + (outer * a.parts + blockIdx.y) * a.inner + sum_column;
    store_number(y, static_cast<Result>(total * a.scale));
}
