// One launch over all parameters of a model: an optimiser's step, or the squares of all numbers for their norm.
//
//     ADAM, SGD, MOMENTUM, AVERAGE    as in reference.py, number by number, in place
//     SQUARES                         the sum of each task's squares, which cuda_table_root.cu adds
//
// The idea: a network has a hundred arrays, most of them small, and a launch for each costs more than their traffic.
// Here a block has a task, NUMBERS numbers of one array, and finds out which from a table: for every array the first
// task that is not its own, its size and its addresses, one in each list. The table comes by value with the launch: no
// copy to the device before a step, although gradients lie elsewhere each time; and a CUDA graph that has captured the
// step keeps it. 4 KB of arguments hold ROWS arrays, 83 for Adam; a longer list takes several launches. What changes
// from step to step, such as the learning rate, comes by value likewise, or lies in device memory, where a graph finds
// what was put there since.
//
// Index arithmetic: all threads of a block search the table alike, seven comparisons at most, in the constant bank that
// arguments lie in. Thread t then takes numbers t, t + THREADS, ... of the task, so a warp reads neighbouring ones.
//
// Memory traffic: each number once, for Adam 28 bytes (4 read, 3 written). EACH numbers of all lists are loaded before
// the first is used, 64 bytes a thread. Arithmetic is float64, as in the definition: some seventy instructions for a
// number of Adam, with its root and two divisions; on GPUs with full float64 rate memory still bounds it, on others
// (1/64 of the float32 rate) float64 does.
//
// Compiled with -DKERNEL, -DTHREADS, -DDOUBLE, -DSTEP, -DLISTS, -DSCALARS, -DROWS, -DEACH and -DARGUMENT_BYTES by
// cuda_table.py.
#include "cuda_ptx.cuh"

#if DOUBLE
typedef double Real;
#else
typedef float Real;
#endif

// As STEPS in cuda_table.py.
enum Step { ADAM, SGD, MOMENTUM, AVERAGE, SQUARES };
constexpr int NUMBERS = THREADS * EACH;  // of a task

// As arguments_of in cuda_table.py.
struct Row {
    long long end;  // the first task that is not this row's
    long long size;
    Real* lists[LISTS];
};
struct Arguments {
    double* partials;       // (tasks of all launches,), for SQUARES
    const double* scalars;  // on the device, or null: then the values
    double values[7];
    int rows;
    int first;              // task, of all launches
    int decay;              // 0: none, 1: added to the gradient, 2: off the parameter
    int nesterov;
    int starts;             // MOMENTUM's first step
    Row table[ROWS];
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES && ARGUMENT_BYTES <= 4096, "Arguments differs from cuda_table.py");

__device__ __forceinline__ double scalar(const Arguments& a, int i) {
    return a.scalars ? load_number(a.scalars + i) : a.values[i];
}

// The numbers of one place in all lists, of which there may be fewer, after a step.
__device__ __forceinline__ void step(const Arguments& a, const double (&s)[7], Real (&number)[4]) {
    double p = number[0], g = number[1];
    if constexpr (STEP == ADAM) {
        const double rest1 = s[0], beta2 = s[1], rest2 = s[2], step_size = s[3], correction = s[4], eps = s[5];
        double m = number[2], v = number[3];
        if (a.decay == 1) g += s[6] * p;
        if (a.decay == 2) p -= s[6] * p;
        m += rest1 * (g - m);
        v = beta2 * v + rest2 * g * g;
        number[2] = static_cast<Real>(m);
        number[3] = static_cast<Real>(v);
        p -= step_size * m / (sqrt(v) / correction + eps);
    } else if constexpr (STEP == AVERAGE) {
        p += s[0] * (g - p);
    } else {
        const double lr = s[0];
        if (a.decay == 1) g += s[1] * p;
        if constexpr (STEP == MOMENTUM) {
            const double momentum = s[2], share = s[3];
            const double b = a.starts ? g : momentum * number[2] + share * g;
            number[2] = static_cast<Real>(b);
            g = a.nesterov ? g + momentum * b : b;
        }
        p -= lr * g;
    }
    number[0] = static_cast<Real>(p);
}

// The sum of a number of each thread, for thread 0.
__device__ __forceinline__ double block_sum(double sum) {
#pragma unroll
    for (int mask = 1; mask < 32; mask *= 2) sum += shuffle_xor(sum, mask);
    const u32 shared = shared_memory();
    if (threadIdx.x % 32 == 0) store_double(shared + threadIdx.x / 32 * 8, sum);
    __syncthreads();
    if (threadIdx.x) return 0;
    sum = 0;
#pragma unroll
    for (int warp = 0; warp < THREADS / 32; warp++) sum += load_double(shared + warp * 8);
    return sum;
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const int task = blockIdx.x;
    int row = 0;
    for (int beyond = a.rows; row < beyond;) {  // the first row that ends after the task
        const int middle = (row + beyond) / 2;
        if (a.table[middle].end > task) beyond = middle;
        else row = middle + 1;
    }
    const long long begin = row ? a.table[row - 1].end : 0, size = a.table[row].size;
    const long long at = (task - begin) * NUMBERS + threadIdx.x;

    Real numbers[EACH][4] = {};
#pragma unroll
    for (int k = 0; k < EACH; k++)
#pragma unroll
        for (int list = 0; list < LISTS; list++) {
            const bool wanted = at + k * THREADS < size && !(STEP == MOMENTUM && list == 2 && a.starts);
            if (wanted) numbers[k][list] = load_number(a.table[row].lists[list] + at + k * THREADS);
        }
    if constexpr (STEP == SQUARES) {
        double sum = 0;
#pragma unroll
        for (int k = 0; k < EACH; k++) sum += static_cast<double>(numbers[k][0]) * numbers[k][0];
        sum = block_sum(sum);
        if (threadIdx.x == 0) store_number(a.partials + a.first + task, sum);
        return;
    }
    double s[7];
#pragma unroll
    for (int i = 0; i < 7; i++) s[i] = i < SCALARS ? scalar(a, i) : 0;
#pragma unroll
    for (int k = 0; k < EACH; k++) {
        if (at + k * THREADS >= size) continue;
        step(a, s, numbers[k]);
#pragma unroll
        for (int list = 0; list < LISTS; list++)
            if (list != 1) store_number(a.table[row].lists[list] + at + k * THREADS, numbers[k][list]);
    }
}
