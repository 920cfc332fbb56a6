// Products of float32 numbers on tensor cores, which multiply tf32: "3xTF32" (NVIDIA, CUTLASS, example 27).
//
// Taking apart. A factor is nearly the sum of two tf32 numbers: big, the nearest to it, and small, the nearest to what
// is left, 12 bits and a sign of which tf32 keeps 11. They miss it by a unit in float32's last place at most. In
//
//     (a_big + a_small) (b_big + b_small)  =  a_big b_big + a_big b_small + a_small b_big + a_small b_small
//
// the last product is at most 2^-22 of the first. It is left out: three instructions where tf32 takes one, for products
// with an error of 2^-21 at most where tf32 has 2^-10.
//
// Sums. A tensor core cuts what it adds, always towards zero: along a chain of instructions, each of which adds to the
// last one's sum, such errors do not cancel but add up. So a chain is three instructions long. It begins with zero and
// adds the small products first, and its sum is added to the accumulator in registers, which rounds to nearest: four
// additions of a lane beside three instructions of the tensor core. (Ootomo and Yokota, "Recovering single precision
// accuracy from tensor cores while surpassing the FP32 theoretical peak performance", 2022.) Loops over steps of the
// inner index are not unrolled: the assembler would begin more chains than it has registers for, and spill.
//
// Infinity and NaN. What is left of infinity would be NaN, and infinity times a small part, which is of either sign or
// zero, minus infinity or NaN. So a factor that is not finite becomes the small part, and 1 with its sign the big one.
// Then infinity is multiplied by the other factor's big part alone, which has that one's sign and is zero if it is.
//
// Range. Numbers from 2^128 - 2^116 on round to infinity, as to tf32. Below 2^-103 the small part's last bits are below
// the smallest normal number. A product beyond the range of float32 is infinite, with either sign, or NaN.
//
// Included behind cuda_ptx.cuh.
#pragma once

// Registers of factors, as mma.sync takes them; only those that are taken apart have a small part.
template <int COUNT>
struct Operands {
    u32 big[COUNT], small[COUNT];
};

// Take float32 numbers apart, which are given as the big part.
template <int COUNT>
__device__ __forceinline__ void take_apart(Operands<COUNT>& operands) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        const u32 nearest = round_tf32(operands.big[i]);
        const float left = value_of(static_cast<int>(operands.big[i])) - value_of(static_cast<int>(nearest));
        const bool finite = (nearest & 0x7F800000u) != 0x7F800000u;
        operands.small[i] = finite ? round_tf32(static_cast<u32>(bits_of(left))) : nearest;
        operands.big[i] = finite ? nearest : (nearest & 0x80000000u) | 0x3F800000u;
    }
}

// D += A B as multiply_tf32 does, of factors taken apart; B's are those from `first` on.
template <int COUNT>
__device__ __forceinline__ void multiply_3xtf32(float (&d)[4], const Operands<4>& a, const Operands<COUNT>& b,
                                                int first) {
    float sum[4] = {};
    multiply_tf32(sum, a.small, b.big[first], b.big[first + 1]);
    multiply_tf32(sum, a.big, b.small[first], b.small[first + 1]);
    multiply_tf32(sum, a.big, b.big[first], b.big[first + 1]);
#pragma unroll
    for (int i = 0; i < 4; i++) d[i] += sum[i];
}
