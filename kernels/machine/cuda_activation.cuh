// The activations that kernels apply to their results, by the codes of kernels/activation/epilogue.py, and their
// gradients. NaN stays NaN.
#pragma once

template <class T>
__device__ __forceinline__ T activate(T value, int code, T negative_slope) {
    if (code == 1) return value < 0 ? 0 : value;
    if (code == 2) return value < 0 ? negative_slope * value : value;
    if (code == 3) return tanh(value);
    if (code == 4) {
        const T tail = exp(value < 0 ? value : -value);  // exp of a large positive number would overflow
        return (value < 0 ? tail : 1) / (1 + tail);
    }
    return value;
}

// gy through the activation of value: the gradient by value.
template <class T>
__device__ __forceinline__ T activate_grad(T value, T gy, int code, T negative_slope) {
    if (code == 1) return value <= 0 ? 0 : gy;
    if (code == 2) return value <= 0 ? negative_slope * gy : gy;
    if (code == 3) {
        const T y = tanh(value);
        return gy * ((1 - y) * (1 + y));
    }
    if (code == 4) {
        const T tail = exp(value < 0 ? value : -value), y = 1 / (1 + tail);
        return gy * (y * (tail * y));
    }
    return gy;
}
