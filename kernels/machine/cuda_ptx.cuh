// The instructions that CUDA C++ has no words for: all inline PTX of the package, one function each.
//
// Kernels reach shared and device memory through these functions alone. Shared memory is named by 32-bit addresses,
// as the instructions below want them. A header with the same functions in plain C++ lets a kernel run on a CPU.
// Asynchronous copies, tf32 and bfloat16 are instructions of sm_80 and later; all others are sm_75's (NVIDIA, "Parallel
// Thread Execution ISA").
#pragma once

typedef unsigned int u32;

// The block's shared memory, as large as the launch asked for. 128 bytes are one pass over all 32 banks.
__device__ __forceinline__ u32 shared_memory() {
    extern __shared__ __align__(128) unsigned char bytes[];
    return static_cast<u32>(__cvta_generic_to_shared(bytes));
}

// Copy 16 bytes from device to shared memory without passing through registers; zeros if not `wanted`, and then
// `from` is not read. Both addresses are multiples of 16. The copy is not finished before wait_copies.
__device__ __forceinline__ void copy_async_16(u32 to, const void* from, bool wanted) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(wanted ? 16 : 0) : "memory");
}

// The same with 8 bytes, by way of the first-level cache, as copies of less than 16 must go.
__device__ __forceinline__ void copy_async_8(u32 to, const void* from, bool wanted) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(to), "l"(from), "r"(wanted ? 8 : 0) : "memory");
}

// Close a group of this thread's copies.
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Wait until at most PENDING of this thread's groups are unfinished. Other threads see the bytes after a barrier.
template <int PENDING>
__device__ __forceinline__ void wait_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

// Read four 8 x 4 matrices of 32-bit words, a whole warp together. Lane l gives the address of row l % 8 of matrix
// l / 8 (16 bytes, aligned) and receives, in fragment[m], word l % 4 of row l / 4 of matrix m.
__device__ __forceinline__ void load_matrices(u32 (&fragment)[4], u32 row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                 : "r"(row)
                 : "memory");
}

// Read four 8 x 8 matrices of 16-bit numbers and turn each round, a whole warp together. Lane l gives the address of
// row l % 8 of matrix l / 8 (16 bytes, aligned) and receives, in fragment[m], numbers [2t][g] and [2t + 1][g] of matrix
// m, with g = l / 4 and t = l % 4, the first in the low bits.
__device__ __forceinline__ void load_matrices_turned(u32 (&fragment)[4], u32 row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                 : "r"(row)
                 : "memory");
}

// Read one aligned 32-bit word of shared memory.
__device__ __forceinline__ u32 load_word(u32 from) {
    u32 word;
    asm volatile("ld.shared.b32 %0, [%1];" : "=r"(word) : "r"(from) : "memory");
    return word;
}

// Round a float32 to tf32 (10 bits of mantissa), halves away from zero. Without it the tensor core truncates.
__device__ __forceinline__ u32 round_tf32(u32 bits) {
    u32 rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(bits)));
    return rounded;
}

// D += A B on a tensor core, a whole warp together: A is 16 x 8, B is 8 x 8, D is 16 x 8 in float32.
// With g = lane / 4 and t = lane % 4, a lane holds
//     a[0..3] = A[g][t], A[g+8][t], A[g][t+4], A[g+8][t+4]      b0, b1 = B[t][g], B[t+4][g]
//     d[0..3] = D[g][2t], D[g][2t+1], D[g+8][2t], D[g+8][2t+1]
__device__ __forceinline__ void multiply_tf32(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Round two float32 to bfloat16 (7 bits of mantissa), halves to even, and put the first into the low 16 bits.
__device__ __forceinline__ u32 pair_bf16(u32 first, u32 second) {
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(__uint_as_float(second)), "f"(__uint_as_float(first)));
    return pair;
}

// The same with pairs of bfloat16: A is 16 x 16, B is 16 x 8. A lane holds, first number of a pair in the low bits,
//     a[0..3] = A[g][2t, 2t+1], A[g+8][2t, 2t+1], A[g][2t+8, 2t+9], A[g+8][2t+8, 2t+9]
//     b0, b1 = B[2t, 2t+1][g], B[2t+8, 2t+9][g]
__device__ __forceinline__ void multiply_bf16(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// One float32 that no thread of the launch writes.
__device__ __forceinline__ float load_constant(const float* from) {
    float value;
    asm("ld.global.nc.f32 %0, [%1];" : "=f"(value) : "l"(from));
    return value;
}

// Two neighbouring float32; the address is a multiple of 8.
__device__ __forceinline__ void store_pair(float* to, float first, float second) {
    asm volatile("st.global.v2.f32 [%0], {%1, %2};" ::"l"(to), "f"(first), "f"(second) : "memory");
}

__device__ __forceinline__ void store_one(float* to, float value) {
    asm volatile("st.global.f32 [%0], %1;" ::"l"(to), "f"(value) : "memory");
}

// Below, numbers are float or double, of arrays in device memory unless a name says otherwise.

template <class T>
__device__ __forceinline__ T load_number(const T* from) {
    return *from;
}

template <class T>
__device__ __forceinline__ void store_number(T* to, T value) {
    *to = value;
}

// Neighbouring numbers that one instruction loads or stores: their address is a multiple of their size together.
template <int COUNT, class T>
struct alignas(COUNT * sizeof(T)) Numbers {
    T number[COUNT];
};

template <int COUNT, class T>
__device__ __forceinline__ Numbers<COUNT, T> load_numbers(const T* from) {
    return *reinterpret_cast<const Numbers<COUNT, T>*>(from);
}

template <int COUNT, class T>
__device__ __forceinline__ void store_numbers(T* to, const Numbers<COUNT, T>& numbers) {
    *reinterpret_cast<Numbers<COUNT, T>*>(to) = numbers;
}

// One aligned float64 of shared memory.
__device__ __forceinline__ double load_double(u32 from) {
    double value;
    asm volatile("ld.shared.f64 %0, [%1];" : "=d"(value) : "r"(from) : "memory");
    return value;
}

__device__ __forceinline__ void store_double(u32 to, double value) {
    asm volatile("st.shared.f64 [%0], %1;" ::"r"(to), "d"(value) : "memory");
}

// What the lane whose number differs in the bits of `mask` passed as its value; a whole warp together.
template <class T>
__device__ __forceinline__ T shuffle_xor(T value, int mask) {
    return __shfl_xor_sync(0xFFFFFFFFu, value, mask);
}

// What a lane passed as its value; a whole warp together.
template <class T>
__device__ __forceinline__ T shuffle(T value, int lane) {
    return __shfl_sync(0xFFFFFFFFu, value, lane);
}

// The lanes that passed true, as bits; a whole warp together.
__device__ __forceinline__ u32 ballot(bool wanted) { return __ballot_sync(0xFFFFFFFFu, wanted); }

// The low word of two together that are shifted right by `bits`, less than 32.
__device__ __forceinline__ u32 shift_right(u32 low, u32 high, u32 bits) { return __funnelshift_r(low, high, bits); }

// The number of the lowest and of the highest bit that is set; one is.
__device__ __forceinline__ int lowest_bit(u32 bits) { return __ffs(static_cast<int>(bits)) - 1; }
__device__ __forceinline__ int highest_bit(unsigned long long bits) {
    return 63 - __clzll(static_cast<long long>(bits));
}

// How many bits are set.
__device__ __forceinline__ u32 count_bits(u32 bits) { return static_cast<u32>(__popc(bits)); }

// One number, or neighbouring ones at a multiple of their size together, of shared memory.
template <int COUNT, class T>
__device__ __forceinline__ Numbers<COUNT, T> load_shared(u32 from) {
    return *static_cast<const Numbers<COUNT, T>*>(__cvta_shared_to_generic(from));
}

template <class T>
__device__ __forceinline__ void store_shared(u32 to, T number) {
    *static_cast<T*>(__cvta_shared_to_generic(to)) = number;
}

// A divisor that the host knows, as cuda.divisor makes it: the quotient of a number below 2^31 takes a multiplication,
// where a division takes some thirty instructions.
struct Divisor {
    unsigned long long divisor;
    u32 multiplier, shift;
};

__device__ __forceinline__ u32 quotient(u32 number, const Divisor& by) {
    return (__umulhi(number, by.multiplier) + number) >> by.shift;
}

__device__ __forceinline__ unsigned long long quotient(unsigned long long number, const Divisor& by) {
    return number / by.divisor;
}

// The fold of a float64 of each of COUNT threads, by a commutative function, in a fixed order, for all of them. Up to
// 32 are neighbouring lanes, of a warp that calls together, and use shuffles. More are the block: its warps meet in
// COUNT / 32 float64 of shared memory, which nothing else uses since the last barrier nor before the next.
template <int COUNT, class Fold>
__device__ __forceinline__ double fold_threads(double value, u32 shared, Fold fold) {
#pragma unroll
    for (int mask = (COUNT < 32 ? COUNT : 32) / 2; mask; mask /= 2) value = fold(value, shuffle_xor(value, mask));
    if constexpr (COUNT > 32) {
        if (threadIdx.x % 32 == 0) store_double(shared + threadIdx.x / 32 * 8, value);
        __syncthreads();
        value = load_double(shared);
#pragma unroll
        for (int warp = 1; warp < COUNT / 32; warp++) value = fold(value, load_double(shared + warp * 8));
    }
    return value;
}

template <int COUNT>
__device__ __forceinline__ double add_threads(double value, u32 shared) {
    return fold_threads<COUNT>(value, shared, [](double a, double b) { return a + b; });
}

// The bits of a number as a signed integer, and the number of those bits.
__device__ __forceinline__ int bits_of(float value) { return __float_as_int(value); }
__device__ __forceinline__ long long bits_of(double value) { return __double_as_longlong(value); }
__device__ __forceinline__ float value_of(int bits) { return __int_as_float(bits); }
__device__ __forceinline__ double value_of(long long bits) { return __longlong_as_double(bits); }

// Put a number there and return the one before, as one step that no other thread's exchange comes between.
__device__ __forceinline__ int exchange(int* at, int value) { return atomicExch(at, value); }

// Put a number there if it is less, and return the one before, as one step in the same sense. While others lower a
// number, load_lowered reads what it was at some moment: here or there it may lag behind.
__device__ __forceinline__ u32 lower(u32* at, u32 value) { return atomicMin(at, value); }

__device__ __forceinline__ u32 load_lowered(const u32* from) {
    u32 number;
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(number) : "l"(from) : "memory");
    return number;
}

// The same of a word of shared memory.
__device__ __forceinline__ u32 lower_shared(u32 at, u32 value) {
    u32 before;
    asm volatile("atom.shared.min.u32 %0, [%1], %2;" : "=r"(before) : "r"(at), "r"(value) : "memory");
    return before;
}

__device__ __forceinline__ u32 load_lowered_shared(u32 from) {
    u32 number;
    asm volatile("ld.volatile.shared.u32 %0, [%1];" : "=r"(number) : "r"(from) : "memory");
    return number;
}

// The product, rounded before anything is added to it: a compiler joins others into fused multiply-adds.
__device__ __forceinline__ float rounded_product(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ double rounded_product(double a, double b) { return __dmul_rn(a, b); }
