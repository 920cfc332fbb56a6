// Random permutations on CUDA, to the bit those of the CPU, without its one thread that goes step by step.
//
// Step i of the definition (reference.py) draws a place j <= i, moves what is there to place i, and writes i there:
//
//     order[i] = order[j];  order[j] = i
//
//     DRAW     each thread draws two places and puts both steps into the lists of steps that wrote to these
//     else     each thread finds what its place holds in the end
//
// The idea: a place holds what was last written to it. If a later step drew place p, the last of them wrote its own
// number. If none did, p holds what step p moved there, which was at place j before step p: again either the number of
// the last step before p that drew j, or what step j moved there, and so on. Each turn goes to a lower place, drawn
// uniformly below the one before, so there are about log n turns at most. Place j is drawn by log(n / j) steps, so
// lists are short: 11 steps for the first place of 60000, and one or two for most.
//
// A list's order depends on which thread comes first; its greatest number does not, and nothing else is read of it.
//
// Memory traffic: 12 bytes for each step, and some ten reads from anywhere for each place, which bound it: about what a
// shuffled copy costs. The definition's single thread waits for the memory twice in every step.
//
// Compiled with -DKERNEL, -DTHREADS, -DDRAW and -DARGUMENT_BYTES by cuda_lists.py.
#include "cuda_ptx.cuh"
#include "cuda_philox.cuh"

// As ARGUMENTS in cuda_lists.py.
#if DRAW
struct Arguments {
    const long long* place;  // (4,): seed and counter, the lower 32 bits of each first
    int* last;               // (n,): of each place a step that drew it, or -1; -1 before
    int* draws;              // (n,): the place that each step drew
    int* next;               // (n,): of each step another that drew the same place, or -1
    long long n;
};
#else
struct Arguments {
    const int *last, *draws, *next;
    long long* order;  // (n,)
    long long n;
};
#endif
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_lists.py");

#if DRAW

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long block = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (2 * block >= a.n) return;
    const Words words = philox(a.place, block);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const unsigned long long i = 2 * block + half;
        if (i >= a.n) return;
        const unsigned long long upper = words.word[2 * half] * (i + 1), lower = words.word[2 * half + 1] * (i + 1);
        const int j = static_cast<int>((upper + (lower >> 32)) >> 32);
        store_number(a.draws + i, j);
        store_number(a.next + i, exchange(a.last + j, static_cast<int>(i)));
    }
}

#else

// The last step before `end` that drew a place, or -1.
__device__ __forceinline__ int last_step(const Arguments& a, int place, int end) {
    int found = -1;
    for (int i = load_number(a.last + place); i >= 0; i = load_number(a.next + i))
        if (i < end && i > found) found = i;
    return found;
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long p = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (p >= a.n) return;
    int place = static_cast<int>(p), end = static_cast<int>(a.n), found = last_step(a, place, end);
    while (found < 0) {  // step 0 draws place 0
        end = place;
        place = load_number(a.draws + place);
        found = last_step(a, place, end);
    }
    store_number(a.order + p, static_cast<long long>(found));
}

#endif
