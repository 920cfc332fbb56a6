// The functions of kernels/machine/cuda_ptx.cuh in plain C++, so that a kernel's source compiles for the CPU unchanged.
// See there for what each does; here is what each checks. The line of a call travels with it into messages.
#pragma once

#include <cmath>
#include <functional>

#include "fibers.h"
#include "memory.h"

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __syncthreads() emulator::barrier(emulator::CallSite::here())

typedef unsigned int u32;
using emulator::CallSite;

#define threadIdx emulator::thread_index
#define blockIdx emulator::block_index
#define blockDim emulator::block_size
#define gridDim emulator::grid_size

inline u32 shared_memory() { return emulator::SHARED_BASE; }

inline void copy_async_16(u32 to, const void* from, bool wanted, CallSite site = CallSite::here()) {
    emulator::start_copy(to, from, wanted, 16, "copy_async_16", site);
}

inline void copy_async_8(u32 to, const void* from, bool wanted, CallSite site = CallSite::here()) {
    emulator::start_copy(to, from, wanted, 8, "copy_async_8", site);
}

inline void commit_copies() { emulator::commit(); }

template <int PENDING>
inline void wait_copies() {
    emulator::finish_copies(PENDING);
}

inline void load_matrices(u32 (&fragment)[4], u32 row, CallSite site = CallSite::here()) {
    emulator::collective({"load_matrices", site, &row, fragment, [](emulator::Collective* lanes, int first_thread) {
        for (int i = 0; i < 32; i++) {
            u32 words[4];
            emulator::current = first_thread + i;
            emulator::read_shared(words, *static_cast<const u32*>(lanes[i].in), 16, "load_matrices", lanes[i].site);
            for (int j = 0; j < 4; j++) static_cast<u32*>(lanes[i % 8 * 4 + j].out)[i / 8] = words[j];
        }
    }});
}

inline void load_matrices_turned(u32 (&fragment)[4], u32 row, CallSite site = CallSite::here()) {
    emulator::collective({"load_matrices_turned", site, &row, fragment, [](emulator::Collective* lanes, int first) {
        unsigned short numbers[32][8];
        for (int i = 0; i < 32; i++) {
            emulator::current = first + i;
            const u32 from = *static_cast<const u32*>(lanes[i].in);
            emulator::read_shared(numbers[i], from, 16, "load_matrices_turned", lanes[i].site);
        }
        for (int i = 0; i < 32; i++)
            for (int m = 0; m < 4; m++) {
                const u32 low = numbers[m * 8 + i % 4 * 2][i / 4], high = numbers[m * 8 + i % 4 * 2 + 1][i / 4];
                static_cast<u32*>(lanes[i].out)[m] = low | high << 16;
            }
    }});
}

inline u32 load_word(u32 from, CallSite site = CallSite::here()) {
    u32 word;
    emulator::read_shared(&word, from, 4, "load_word", site);
    return word;
}

inline u32 bits_of(float value) {
    u32 bits;
    memcpy(&bits, &value, 4);
    return bits;
}

inline float value_of(u32 bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

// Half of the last place kept is added to the magnitude, the 13 bits below it go. NaN and infinity stay.
inline u32 round_tf32(u32 bits) {
    return (bits & 0x7F800000u) == 0x7F800000u ? bits : (bits + 0x1000u) & ~0x1FFFu;
}

// A number of D, as tensor cores of Ampere compute it (Khattak and Mikaitis, "Accurate models of NVIDIA tensor cores",
// 2025): products are exact; they and the number so far are cut below the 25th bit of the largest of them, and added,
// and the sum is cut to 24 bits: towards zero, all of it. (Hopper keeps a bit more; neither rounds to nearest.)
template <int COUNT>
inline float add_products(float so_far, const float* a, const float* b) {
    double terms[COUNT + 1] = {so_far}, largest = std::fabs(so_far), plain = so_far;
    for (int k = 0; k < COUNT; k++) {
        terms[k + 1] = static_cast<double>(a[k]) * b[k];
        largest = std::fabs(terms[k + 1]) > largest ? std::fabs(terms[k + 1]) : largest;
        plain += terms[k + 1];
    }
    if (!std::isfinite(plain) || largest == 0) return static_cast<float>(plain);
    unsigned long long bits;
    memcpy(&bits, &largest, 8);
    const unsigned long long unit_bits = (bits >> 52) - 24 << 52, scale_bits = 2046 * (1ull << 52) - unit_bits;
    double unit, scale;  // the 25th bit of the largest, and 1 / unit
    memcpy(&unit, &unit_bits, 8);
    memcpy(&scale, &scale_bits, 8);
    long long sum = 0;
    for (double term : terms) sum += static_cast<long long>(term * scale);
    unsigned long long size = sum < 0 ? -sum : sum, last = 1;
    while (size >> 24 >= last) last *= 2;
    size &= ~(last - 1);
    return static_cast<float>(sum < 0 ? -(size * unit) : size * unit);
}

// The hardware ignores the 13 low bits of an operand.
inline void multiply_tf32(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, CallSite site = CallSite::here()) {
    const u32 in[6] = {a[0], a[1], a[2], a[3], b0, b1};
    emulator::collective({"multiply_tf32", site, in, d, [](emulator::Collective* lanes, int) {
        float a[16][8], b[8][8];  // b turned round
        for (int i = 0; i < 32; i++) {
            const u32* in = static_cast<const u32*>(lanes[i].in);
            const int g = i / 4, t = i % 4;
            for (int j = 0; j < 4; j++) a[g + j % 2 * 8][t + j / 2 * 4] = value_of(in[j] & ~0x1FFFu);
            for (int j = 0; j < 2; j++) b[g][t + j * 4] = value_of(in[4 + j] & ~0x1FFFu);
        }
        for (int i = 0; i < 32; i++) {
            float* d = static_cast<float*>(lanes[i].out);
            for (int j = 0; j < 4; j++)
                for (int k = 0; k < 8; k += 4)
                    d[j] = add_products<4>(d[j], &a[i / 4 + j / 2 * 8][k], &b[i % 4 * 2 + j % 2][k]);
        }
    }});
}

// To nearest, halves to even; every NaN becomes the same.
inline u32 round_bf16(u32 bits) {
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return 0x7FFFu;
    return (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
}

inline u32 pair_bf16(u32 first, u32 second) { return round_bf16(first) | round_bf16(second) << 16; }

inline void multiply_bf16(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, CallSite site = CallSite::here()) {
    const u32 in[6] = {a[0], a[1], a[2], a[3], b0, b1};
    emulator::collective({"multiply_bf16", site, in, d, [](emulator::Collective* lanes, int) {
        float a[16][16], b[8][16];  // b turned round
        for (int i = 0; i < 32; i++) {
            const u32* in = static_cast<const u32*>(lanes[i].in);
            const int g = i / 4, t = i % 4;
            for (int half = 0; half < 2; half++) {
                const int shift = half ? 0 : 16;
                for (int j = 0; j < 4; j++)
                    a[g + j % 2 * 8][2 * t + half + j / 2 * 8] = value_of(in[j] << shift & 0xFFFF0000u);
                for (int j = 0; j < 2; j++) b[g][2 * t + half + j * 8] = value_of(in[4 + j] << shift & 0xFFFF0000u);
            }
        }
        for (int i = 0; i < 32; i++) {
            float* d = static_cast<float*>(lanes[i].out);
            for (int j = 0; j < 4; j++)
                for (int k = 0; k < 16; k += 8)
                    d[j] = add_products<8>(d[j], &a[i / 4 + j / 2 * 8][k], &b[i % 4 * 2 + j % 2][k]);
        }
    }});
}

inline float load_constant(const float* from, CallSite site = CallSite::here()) {
    float value;
    emulator::read_device(&value, from, 4, "load_constant", site);
    return value;
}

inline void store_pair(float* to, float first, float second, CallSite site = CallSite::here()) {
    const float pair[2] = {first, second};
    emulator::write_device(to, pair, 8, "store_pair", site);
}

inline void store_one(float* to, float value, CallSite site = CallSite::here()) {
    emulator::write_device(to, &value, 4, "store_one", site);
}

template <class T>
inline T load_number(const T* from, CallSite site = CallSite::here()) {
    T value;
    emulator::read_device(&value, from, sizeof value, "load_number", site);
    return value;
}

template <class T>
inline void store_number(T* to, T value, CallSite site = CallSite::here()) {
    emulator::write_device(to, &value, sizeof value, "store_number", site);
}

template <int COUNT, class T>
struct alignas(COUNT * sizeof(T)) Numbers {
    T number[COUNT];
};

template <int COUNT, class T>
inline Numbers<COUNT, T> load_numbers(const T* from, CallSite site = CallSite::here()) {
    Numbers<COUNT, T> numbers;
    emulator::read_device(&numbers, from, sizeof numbers, "load_numbers", site);
    return numbers;
}

template <int COUNT, class T>
inline void store_numbers(T* to, const Numbers<COUNT, T>& numbers, CallSite site = CallSite::here()) {
    emulator::write_device(to, &numbers, sizeof numbers, "store_numbers", site);
}

inline double load_double(u32 from, CallSite site = CallSite::here()) {
    double value;
    emulator::read_shared(&value, from, 8, "load_double", site);
    return value;
}

inline void store_double(u32 to, double value, CallSite site = CallSite::here()) {
    emulator::write_shared(to, &value, 8, "store_double", site);
}

// What the lane passed that `from(this lane, number)` names.
template <class T, class From>
inline T shuffled(const char* name, T value, int number, From from, CallSite site) {
    struct Lane {
        T value;
        int number;
    } in = {value, number};
    T out;
    emulator::collective({name, site, &in, &out, [](emulator::Collective* lanes, int) {
        for (int i = 0; i < 32; i++) {
            const int other = From()(i, static_cast<const Lane*>(lanes[i].in)->number);
            *static_cast<T*>(lanes[i].out) = static_cast<const Lane*>(lanes[other].in)->value;
        }
    }});
    return out;
}

template <class T>
inline T shuffle_xor(T value, int mask, CallSite site = CallSite::here()) {
    return shuffled("shuffle_xor", value, mask, std::bit_xor<int>(), site);
}

struct SecondNumber {
    int operator()(int, int lane) const { return lane & 31; }
};

template <class T>
inline T shuffle(T value, int lane, CallSite site = CallSite::here()) {
    return shuffled("shuffle", value, lane, SecondNumber(), site);
}

inline u32 ballot(bool wanted, CallSite site = CallSite::here()) {
    u32 bits;
    emulator::collective({"ballot", site, &wanted, &bits, [](emulator::Collective* lanes, int) {
        u32 all = 0;
        for (int i = 0; i < 32; i++) all |= static_cast<u32>(*static_cast<const bool*>(lanes[i].in)) << i;
        for (int i = 0; i < 32; i++) *static_cast<u32*>(lanes[i].out) = all;
    }});
    return bits;
}

inline u32 shift_right(u32 low, u32 high, u32 bits, CallSite site = CallSite::here()) {
    if (bits >= 32) emulator::fail(site, "shift_right: %u bits", bits);
    return static_cast<u32>((static_cast<unsigned long long>(high) << 32 | low) >> bits);
}

inline int lowest_bit(u32 bits) { return __builtin_ctz(bits); }
inline int highest_bit(unsigned long long bits) { return 63 - __builtin_clzll(bits); }
inline u32 count_bits(u32 bits) { return static_cast<u32>(__builtin_popcount(bits)); }

template <int COUNT, class T>
inline Numbers<COUNT, T> load_shared(u32 from, CallSite site = CallSite::here()) {
    Numbers<COUNT, T> numbers;
    emulator::read_shared(&numbers, from, sizeof numbers, "load_shared", site);
    return numbers;
}

template <class T>
inline void store_shared(u32 to, T number, CallSite site = CallSite::here()) {
    emulator::write_shared(to, &number, sizeof number, "store_shared", site);
}

struct Divisor {
    unsigned long long divisor;
    u32 multiplier, shift;
};

inline u32 quotient(u32 number, const Divisor& by, CallSite site = CallSite::here()) {
    const unsigned long long product = static_cast<unsigned long long>(number) * by.multiplier;
    const u32 found = (static_cast<u32>(product >> 32) + number) >> by.shift;
    if (found != number / by.divisor) emulator::fail(site, "quotient: %u by %llu is not %u", number, by.divisor, found);
    return found;
}

inline unsigned long long quotient(unsigned long long number, const Divisor& by) { return number / by.divisor; }

template <int COUNT, class Fold>
inline double fold_threads(double value, u32 shared, Fold fold) {
    for (int mask = (COUNT < 32 ? COUNT : 32) / 2; mask; mask /= 2) value = fold(value, shuffle_xor(value, mask));
    if constexpr (COUNT > 32) {
        if (threadIdx.x % 32 == 0) store_double(shared + threadIdx.x / 32 * 8, value);
        __syncthreads();
        value = load_double(shared);
        for (int warp = 1; warp < COUNT / 32; warp++) value = fold(value, load_double(shared + warp * 8));
    }
    return value;
}

template <int COUNT>
inline double add_threads(double value, u32 shared) {
    return fold_threads<COUNT>(value, shared, [](double a, double b) { return a + b; });
}

inline long long bits_of(double value) {
    long long bits;
    memcpy(&bits, &value, 8);
    return bits;
}

inline float value_of(int bits) { return value_of(static_cast<u32>(bits)); }

inline double value_of(long long bits) {
    double value;
    memcpy(&value, &bits, 8);
    return value;
}

inline int exchange(int* at, int value, CallSite site = CallSite::here()) {
    int before;
    emulator::exchange_device(at, &before, &value, sizeof value, "exchange", site);
    return before;
}

inline u32 lower(u32* at, u32 value, CallSite site = CallSite::here()) {
    emulator::let_others_run();
    return emulator::lower_device(at, value, "lower", site);
}

inline u32 load_lowered(const u32* from, CallSite site = CallSite::here()) {
    emulator::let_others_run();
    return *emulator::lowered_device(from, "load_lowered", site);
}

inline u32 lower_shared(u32 at, u32 value, CallSite site = CallSite::here()) {
    emulator::let_others_run();
    return emulator::lower_shared(at, value, "lower_shared", site);
}

inline u32 load_lowered_shared(u32 from, CallSite site = CallSite::here()) {
    emulator::let_others_run();
    return *emulator::lowered_shared(from, "load_lowered_shared", site);
}

inline float rounded_product(float a, float b) { return a * b; }

inline double rounded_product(double a, double b) { return a * b; }
