// Arrays of bfloat16, the upper halves of float32 numbers: kernels/bfloat16.py says why. A kernel that may read one
// names its element type, and `load_wide` gives float32 numbers, or those of the array's own type.
#pragma once

typedef unsigned short Stored;

__device__ __forceinline__ float widened(Stored number) {
    return value_of(static_cast<int>(static_cast<u32>(number) << 16));
}

template <int COUNT>
__device__ __forceinline__ Numbers<COUNT, float> widened(const Numbers<COUNT, Stored>& stored) {
    Numbers<COUNT, float> numbers;
#pragma unroll
    for (int i = 0; i < COUNT; i++) numbers.number[i] = widened(stored.number[i]);
    return numbers;
}

template <int COUNT>
__device__ __forceinline__ Numbers<COUNT, float> load_wide(const Stored* from) {
    return widened(load_numbers<COUNT>(from));
}

template <int COUNT, class T>
__device__ __forceinline__ Numbers<COUNT, T> load_wide(const T* from) {
    return load_numbers<COUNT>(from);
}
