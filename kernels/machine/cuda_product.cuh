// The product of two matrices whose numbers are found by functions: y[m, n] = sum over k of left(m, k) * right(n, k).
//
// Matrix products and convolutions differ in where the numbers of the two factors lie, and are alike in the rest: a
// block computes a tile of TILE_M x TILE_N results, and walks along k in steps of TILE_K.
//
// Register blocking. A thread that multiplies one number of each factor loads two numbers for one multiply-add, and
// shared memory gives a warp 32 numbers a clock where the multiprocessor multiplies 128. A thread that has
// THREAD_M x THREAD_N results loads THREAD_M + THREAD_N numbers for as many multiply-adds as it has results: for 8 x 8
// one number for four, which is what keeps the multiplying units busy. Its results stay in registers to the end.
//
//          right: TILE_K x TILE_N              thread (row, column) has the results of runs of RUN_M rows and RUN_N
//              | | | |                         columns, 16 bytes long; the next run lies DOWN runs further down, or
//     left  -- # # # #   tile of results       ACROSS runs to the right, so that neighbouring threads load neighbouring
//           -- # # # #                         16 bytes
//
// Steps. Two buffers in shared memory: while one is multiplied, the next step's numbers are on their way from device
// memory into registers, and are put into the other buffer afterwards. One barrier a step suffices, since the buffer
// that is filled was last read before the barrier that lies behind.
//
// Fetching. A factor says whether its neighbours in memory are those along k (INNER_FIRST) or those along m or n. The
// former are fetched by TILE_K neighbouring threads, 32 bytes of float32, a sector of device memory; the latter by a
// whole warp. In either case a thread's place along one of the two is the same in every step, and what must be known of
// it, such as the pixel and the image of a row, is computed once. In shared memory k is the slow index; 4 numbers of
// nothing behind each row let 8 threads that have neighbouring k write to different banks.
//
// Traffic. A tile reads (TILE_M + TILE_N) numbers from device memory, or the L2 cache, for TILE_M * TILE_N
// multiply-adds: 8 for each byte of 128 x 128 tiles of float32. Numbers: sums along k in order, in the factors' type.
//
// Included behind cuda_ptx.cuh, with -DDOUBLE, -DTILE_M, -DTILE_N, -DTHREAD_M and -DTHREAD_N.
#pragma once

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

constexpr int TILE_K = 8;
constexpr int DOWN = TILE_M / THREAD_M, ACROSS = TILE_N / THREAD_N, THREADS = DOWN * ACROSS;
constexpr int WIDE = 16 / sizeof(Real);
constexpr int RUN_M = THREAD_M < WIDE ? THREAD_M : WIDE, RUN_N = THREAD_N < WIDE ? THREAD_N : WIDE;
constexpr u32 PITCH_M = (TILE_M + 4) * sizeof(Real), PITCH_N = (TILE_N + 4) * sizeof(Real);
constexpr u32 BUFFER = TILE_K * (PITCH_M + PITCH_N);

// One factor's numbers of a step: TILE places along m or n, TILE_K along k. Factor has
//     INNER_FIRST, outer(index) and inner(k), which say what must be known of a place, and at(outer, inner), a number.
template <int TILE, class Factor>
struct Fetch {
    static constexpr int COUNT = (TILE * TILE_K + THREADS - 1) / THREADS;
    static constexpr int OUTERS = Factor::INNER_FIRST ? COUNT : 1, INNERS = Factor::INNER_FIRST ? 1 : COUNT;
    static_assert(THREADS % TILE_K == 0 && (Factor::INNER_FIRST || THREADS % TILE == 0), "places stay with a thread");
    typename Factor::Outer outers[OUTERS];
    Real numbers[COUNT];
    int place, k;  // of this thread's first number
    bool works;    // a small tile has fewer numbers than the block has threads

    __device__ __forceinline__ Fetch(const Factor& factor, long long first) {
        const int t = threadIdx.x;
        place = Factor::INNER_FIRST ? t / TILE_K : t % TILE;
        k = Factor::INNER_FIRST ? t % TILE_K : t / TILE;
        works = t < TILE * TILE_K;
#pragma unroll
        for (int j = 0; j < OUTERS; j++) outers[j] = factor.outer(first + place + j * (THREADS / TILE_K));
    }

    __device__ __forceinline__ void load(const Factor& factor, long long from) {
        if (!works) return;
        typename Factor::Inner inners[INNERS];
#pragma unroll
        for (int j = 0; j < INNERS; j++) inners[j] = factor.inner(from + k + j * (THREADS / TILE));
#pragma unroll
        for (int j = 0; j < COUNT; j++)
            numbers[j] = factor.at(outers[Factor::INNER_FIRST ? j : 0], inners[Factor::INNER_FIRST ? 0 : j]);
    }

    __device__ __forceinline__ void store(u32 tile, u32 pitch) const {
        if (!works) return;
#pragma unroll
        for (int j = 0; j < COUNT; j++) {
            const int m = Factor::INNER_FIRST ? place + j * (THREADS / TILE_K) : place;
            const int row = Factor::INNER_FIRST ? k : k + j * (THREADS / TILE);
            store_shared(tile + row * pitch + m * sizeof(Real), numbers[j]);
        }
    }
};

// Where result i of a thread stands among the tile's rows or columns.
template <int RUN, int THREADS_ALONG>
__device__ __forceinline__ int place_of(int thread, int i) {
    return i / RUN * RUN * THREADS_ALONG + thread * RUN + i % RUN;
}

template <int COUNT, int RUN, int THREADS_ALONG>
__device__ __forceinline__ void load_runs(Real (&numbers)[COUNT], u32 row, int thread) {
#pragma unroll
    for (int i = 0; i < COUNT; i += RUN) {
        const auto run = load_shared<RUN, Real>(row + place_of<RUN, THREADS_ALONG>(thread, i) * sizeof(Real));
#pragma unroll
        for (int j = 0; j < RUN; j++) numbers[i + j] = run.number[j];
    }
}

// Add the products for first <= k < last to the results of this thread.
template <class Left, class Right>
__device__ __forceinline__ void multiply(const Left& left, const Right& right, long long m0, long long n0,
                                         long long first, long long last, Real (&sums)[THREAD_M][THREAD_N]) {
    if (first >= last) return;
    const int row = threadIdx.x / ACROSS, column = threadIdx.x % ACROSS;
    const u32 shared = shared_memory();
    Fetch<TILE_M, Left> lefts(left, m0);
    Fetch<TILE_N, Right> rights(right, n0);
    u32 buffer = shared;
    lefts.load(left, first);
    rights.load(right, first);
    for (long long k = first; k < last; k += TILE_K) {
        lefts.store(buffer, PITCH_M);
        rights.store(buffer + TILE_K * PITCH_M, PITCH_N);
        __syncthreads();
        if (k + TILE_K < last) {
            lefts.load(left, k + TILE_K);
            rights.load(right, k + TILE_K);
        }
#pragma unroll
        for (int i = 0; i < TILE_K; i++) {
            Real a[THREAD_M], b[THREAD_N];
            load_runs<THREAD_M, RUN_M, DOWN>(a, buffer + i * PITCH_M, row);
            load_runs<THREAD_N, RUN_N, ACROSS>(b, buffer + TILE_K * PITCH_M + i * PITCH_N, column);
#pragma unroll
            for (int m = 0; m < THREAD_M; m++)
#pragma unroll
                for (int n = 0; n < THREAD_N; n++) sums[m][n] += a[m] * b[n];
        }
        buffer = shared + (buffer == shared ? BUFFER : 0);
    }
}

// Hand every result of this thread to `keep(m, n, sum)`, in runs of neighbouring n.
template <class Keep>
__device__ __forceinline__ void keep_results(const Real (&sums)[THREAD_M][THREAD_N], long long m0, long long n0,
                                             Keep keep) {
    const int row = threadIdx.x / ACROSS, column = threadIdx.x % ACROSS;
#pragma unroll
    for (int m = 0; m < THREAD_M; m++)
#pragma unroll
        for (int n = 0; n < THREAD_N; n++)
            keep(m0 + place_of<RUN_M, DOWN>(row, m), n0 + place_of<RUN_N, ACROSS>(column, n), sums[m][n]);
}

// The activations of kernels/activation, by their codes. NaN stays NaN.
__device__ __forceinline__ Real activate(Real value, int code, Real negative_slope) {
    if (code == 1) return value < 0 ? 0 : value;
    if (code == 2) return value < 0 ? negative_slope * value : value;
    if (code == 3) return tanh(value);
    if (code == 4) {
        const Real tail = exp(value < 0 ? value : -value);  // exp of a large positive number would overflow
        return (value < 0 ? tail : 1) / (1 + tail);
    }
    return value;
}
