// The product of two matrices whose numbers are found by functions: y[m, n] = sum over k of left(m, k) * right(n, k).
//
// Matrix products and convolutions differ in where the numbers of the two factors lie, and are alike in the rest: a
// block computes a tile of TILE_M x TILE_N results, and walks along k in steps of TILE_K.
//
// Register blocking. A thread that multiplies one number of each factor loads two numbers for one multiply-add, and
// shared memory gives a warp 32 numbers a clock where the multiprocessor multiplies 128. A thread that has
// PART_M x PART_N results loads PART_M + PART_N numbers for as many multiply-adds as it has results: for 8 x 8
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
// Tensor cores (-DTENSOR=1: tf32, 2: bfloat16, 3: float32; of float32 arrays). The same tiles, fetched in the same way,
// and rounded to tf32 as they are put into shared memory. A warp has WARP_M x WARP_N results, as fragments of 16 x 8,
// and mma.sync takes the place of the loop over a thread's results. A lane's four numbers of a fragment lie in rows of
// different k, so that rows are padded by 8 numbers here: lane (g, t) reads bank 8 t + g. bfloat16 takes 16 of k at
// once, in pairs that are rounded and packed as they are read; which of the 16 make a pair is free, so long as both
// factors agree. For products of float32 numbers are stored as they are, and taken apart as they are read
// (cuda_3xtf32.cuh).
//
// Traffic. A tile reads (TILE_M + TILE_N) numbers from device memory, or the L2 cache, for TILE_M * TILE_N
// multiply-adds: 8 for each byte of 128 x 128 tiles of float32. Numbers: sums along k in order, in the factors' type.
//
// Included behind cuda_ptx.cuh, with -DDOUBLE, -DTENSOR, -DTILE_M, -DTILE_N, and -DPART_M and -DPART_N: the results of
// a thread or, on tensor cores, of a warp.
#pragma once
#include "cuda_3xtf32.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

constexpr int TILE_K = TENSOR == 2 ? 16 : 8;
constexpr int DOWN = TILE_M / PART_M, ACROSS = TILE_N / PART_N, THREADS = DOWN * ACROSS * (TENSOR ? 32 : 1);
constexpr int PADDING = TENSOR ? 8 : 4;
constexpr u32 PITCH_M = (TILE_M + PADDING) * sizeof(Real), PITCH_N = (TILE_N + PADDING) * sizeof(Real);
constexpr u32 BUFFER = TILE_K * (PITCH_M + PITCH_N);

__device__ __forceinline__ Real rounded(Real number) {
#if TENSOR == 1
    return value_of(static_cast<int>(round_tf32(static_cast<u32>(bits_of(number)))));
#else
    return number;
#endif
}

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
            store_shared(tile + row * pitch + m * sizeof(Real), rounded(numbers[j]));
        }
    }
};

#if TENSOR
typedef float Sums[PART_M / 16][PART_N / 8][4];

// Four numbers of a fragment, or two of the right factor's: rows k of this lane, at the column that it is in.
__device__ __forceinline__ u32 factor_at(u32 row, u32 pitch, int k) {
#if TENSOR == 2
    return pair_bf16(load_word(row + 2 * k * pitch - k % 4 * pitch), load_word(row + (2 * k - k % 4 + 4) * pitch));
#else
    return load_word(row + k * pitch);
#endif
}

// Add the products of the TILE_K places along k that lie in a buffer.
__device__ __forceinline__ void multiply_buffer(u32 buffer, Sums& sums) {
    const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const u32 left = buffer + (warp / ACROSS * PART_M + g) * sizeof(Real);
    const u32 right = buffer + TILE_K * PITCH_M + (warp % ACROSS * PART_N + g) * sizeof(Real);
    Operands<2> b[PART_N / 8];
#pragma unroll
    for (int n = 0; n < PART_N / 8; n++) {
#pragma unroll
        for (int half = 0; half < 2; half++)
            b[n].big[half] = factor_at(right + n * 8 * sizeof(Real), PITCH_N, t + 4 * half);
        if constexpr (TENSOR == 3) take_apart(b[n]);
    }
#pragma unroll
    for (int m = 0; m < PART_M / 16; m++) {
        Operands<4> a;
#pragma unroll
        for (int i = 0; i < 4; i++)
            a.big[i] = factor_at(left + (m * 16 + i % 2 * 8) * sizeof(Real), PITCH_M, t + i / 2 * 4);
        if constexpr (TENSOR == 3) take_apart(a);
#pragma unroll
        for (int n = 0; n < PART_N / 8; n++)
            if constexpr (TENSOR == 1)
                multiply_tf32(sums[m][n], a.big, b[n].big[0], b[n].big[1]);
            else if constexpr (TENSOR == 2)
                multiply_bf16(sums[m][n], a.big, b[n].big[0], b[n].big[1]);
            else
                multiply_3xtf32(sums[m][n], a, b[n], 0);
    }
}

// Hand every result of this thread to `keep(m, n, sum)`.
template <class Keep>
__device__ __forceinline__ void keep_results(const Sums& sums, long long m0, long long n0, Keep keep) {
    const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    m0 += warp / ACROSS * PART_M + g;
    n0 += warp % ACROSS * PART_N + 2 * t;
#pragma unroll
    for (int m = 0; m < PART_M / 16; m++)
#pragma unroll
        for (int n = 0; n < PART_N / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) keep(m0 + m * 16 + i / 2 * 8, n0 + n * 8 + i % 2, sums[m][n][i]);
}
#else
typedef Real Sums[PART_M][PART_N];
constexpr int WIDE = 16 / sizeof(Real);
constexpr int RUN_M = PART_M < WIDE ? PART_M : WIDE, RUN_N = PART_N < WIDE ? PART_N : WIDE;

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

// Add the products of the TILE_K places along k that lie in a buffer.
__device__ __forceinline__ void multiply_buffer(u32 buffer, Sums& sums) {
    const int row = threadIdx.x / ACROSS, column = threadIdx.x % ACROSS;
#pragma unroll
    for (int i = 0; i < TILE_K; i++) {
        Real a[PART_M], b[PART_N];
        load_runs<PART_M, RUN_M, DOWN>(a, buffer + i * PITCH_M, row);
        load_runs<PART_N, RUN_N, ACROSS>(b, buffer + TILE_K * PITCH_M + i * PITCH_N, column);
#pragma unroll
        for (int m = 0; m < PART_M; m++)
#pragma unroll
            for (int n = 0; n < PART_N; n++) sums[m][n] += a[m] * b[n];
    }
}

// Hand every result of this thread to `keep(m, n, sum)`, in runs of neighbouring n.
template <class Keep>
__device__ __forceinline__ void keep_results(const Sums& sums, long long m0, long long n0, Keep keep) {
    const int row = threadIdx.x / ACROSS, column = threadIdx.x % ACROSS;
#pragma unroll
    for (int m = 0; m < PART_M; m++)
#pragma unroll
        for (int n = 0; n < PART_N; n++)
            keep(m0 + place_of<RUN_M, DOWN>(row, m), n0 + place_of<RUN_N, ACROSS>(column, n), sums[m][n]);
}
#endif

// Add the products for first <= k < last to the results of this thread.
template <class Left, class Right>
__device__ __forceinline__ void multiply(const Left& left, const Right& right, long long m0, long long n0,
                                         long long first, long long last, Sums& sums) {
    if (first >= last) return;
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
        multiply_buffer(buffer, sums);
        buffer = shared + (buffer == shared ? BUFFER : 0);
    }
}
