// What lies outside an image: the pixel that a position stands for, as `border` in correlation/reference.py.
//
// Filters look positions up once, before their loops: a block has few rows, and a thread few columns.
//
// Included behind cuda_ptx.cuh.
#pragma once

// As MODES in correlation/reference.py.
enum Border { CONSTANT, NEAREST, REFLECT, MIRROR, WRAP };

// The remainder that is not negative.
__device__ __forceinline__ int remainder_of(int i, int n) {
    const int r = i % n;
    return r < 0 ? r + n : r;
}

// The index below n that position i stands for, at any distance outside; -1 for the constant.
__device__ __forceinline__ int border(int i, int n, int mode) {
    if (i >= 0 && i < n) return i;
    if (mode == CONSTANT) return -1;
    if (mode == NEAREST) return i < 0 ? 0 : n - 1;
    if (mode == WRAP) return remainder_of(i, n);
    if (mode == MIRROR && n == 1) return 0;
    const int last = mode == REFLECT ? 2 * n - 1 : 2 * n - 2;
    const int r = remainder_of(i, mode == REFLECT ? 2 * n : 2 * n - 2);
    return r < n ? r : last - r;
}
