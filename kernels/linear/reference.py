"""The definition of the matrix product and of the linear layer, in loops."""

from numba.extending import register_jitable

from ..activation.epilogue import activate


@register_jitable
def product(a, b, m, n, transpose_a, transpose_b, zero):
    """``sum over k of a[m, k] * b[k, n]``, either operand read transposed, added in the type of ``zero``."""
    total = zero
    for k in range(a.shape[0] if transpose_a else a.shape[1]):
        left = a[k, m] if transpose_a else a[m, k]
        right = b[n, k] if transpose_b else b[k, n]
        total += left * right
    return total


def matmul(a, b, y, transpose_a, transpose_b):
    """``y[m, n] = sum over k of a[m, k] * b[k, n]``, either operand read transposed."""
    M, N = y.shape
    for m in range(M):
        for n in range(N):
            y[m, n] = product(a, b, m, n, transpose_a, transpose_b, 0.0)


def linear(x, w, bias, y, code, negative_slope):
    """``y[m, n] = activate(bias[n] + sum over k of x[m, k] * w[n, k])`` with the leading axes of x taken as one."""
    N, K = w.shape
    rows, out = x.reshape(-1, K), y.reshape(-1, N)
    for m in range(out.shape[0]):
        for n in range(N):
            total = product(rows, w, m, n, False, True, 0.0)
            if bias is not None:
                total += bias[n]
            out[m, n] = activate(total, code, negative_slope)
