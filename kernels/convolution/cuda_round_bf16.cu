// Rows of float32 rounded to bfloat16 (to nearest, halves to even), each padded by zeros to whole pieces of 8 numbers.
//
// The weights of a convolution on tensor cores: every block of cuda_mma.cu reads all that belong to its channels, so
// they are rounded once, before, rather than by each block; and 16 bytes are then 8 numbers on their way to shared
// memory. A thread has one piece: it reads 32 bytes and writes 16, next to its neighbours'. Weights are some hundred
// kilobytes, and the launch takes about as long as a launch must.
//
// Takes rows of a multiple of 4 numbers. Compiled with -DKERNEL, -DTHREADS and -DARGUMENT_BYTES by cuda_round_bf16.py,
// which also launches it.
#include "cuda_ptx.cuh"

// As ARGUMENTS in cuda_round_bf16.py.
struct Arguments {
    const float* from;  // (rows, width)
    u32* to;            // (rows, row_pieces * 4): pairs, the first number in the low bits
    long long pieces;   // of all rows
    int width;
    int row_pieces;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_round_bf16.py");

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const long long piece = static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x;
    if (piece >= a.pieces) return;
    const long long row = piece / a.row_pieces;
    const int first = static_cast<int>(piece % a.row_pieces) * 8;
    Numbers<4, u32> pairs = {};
#pragma unroll
    for (int half = 0; half < 2; half++) {
        if (first + half * 4 >= a.width) continue;
        const Numbers<4, float> own = load_numbers<4>(a.from + row * a.width + first + half * 4);
#pragma unroll
        for (int i = 0; i < 2; i++)
            pairs.number[half * 2 + i] = pair_bf16(bits_of(own.number[i * 2]), bits_of(own.number[i * 2 + 1]));
    }
    store_numbers<4>(a.to + piece * 4, pairs);
}
