"""The definition of the convolution and of its gradients, in loops that can be checked by hand.

Interpreted with float64 arrays they are the oracle that every variant is held to; compiled as they stand by Numba they
are the variant "naive", the slowest rung of the ladder: one multiplication at a time, nothing kept in registers but
one sum, every operand read from memory. The inner loop walks C, which is contiguous in x and in w, and still reaches
about one percent of the processor's peak, because each addition waits for the one before it.

All three loop over the same index set: output pixel (p, q), tap (r, s), input pixel

    h = p * stride_h + r * dilation_h - top        w = q * stride_w + s * dilation_w - left

which contributes nothing where it falls outside the image. Channel k belongs to group k // (K / groups), which sees
the C / groups input channels of the same group.
"""

from numba.extending import register_jitable

from ..activation.epilogue import activate


def conv2d(x, w, bias, y, stride, pads, dilation, groups, code, negative_slope):
    """``y[n, p, q, k] = activate(bias[k] + sum over r, s, c of x[n, h, w, c] * w[k, r, s, c])``."""
    N, H, W = x.shape[:3]
    K, R, S, group_c = w.shape
    P, Q = y.shape[1], y.shape[2]
    group_k = K // groups
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for k in range(K):
                    first_c = k // group_k * group_c
                    total = 0.0
                    for r in range(R):
                        row = p * stride[0] + r * dilation[0] - pads[0]
                        if row < 0 or row >= H:
                            continue
                        for s in range(S):
                            column = q * stride[1] + s * dilation[1] - pads[2]
                            if column < 0 or column >= W:
                                continue
                            for c in range(group_c):
                                total += x[n, row, column, first_c + c] * w[k, r, s, c]
                    if bias is not None:
                        total += bias[k]
                    y[n, p, q, k] = activate(total, code, negative_slope)


@register_jitable
def input_grad_sum(gy, w, n, h, column, c, stride, pads, dilation, groups, zero):
    """The sum over (p, q, k, r, s) that read pixel (h, column) of channel c, in the type of ``zero``.

    A gather: pixel (h, w) is read by tap (r, s) of output pixel ((h + top - r * dilation) / stride, ...) where the
    division leaves no remainder.
    """
    K, R, S, group_c = w.shape
    P, Q = gy.shape[1], gy.shape[2]
    group_k, group = K // groups, c // group_c
    total = zero
    for r in range(R):
        p = h + pads[0] - r * dilation[0]
        if p % stride[0] != 0 or p < 0 or p >= P * stride[0]:
            continue
        for s in range(S):
            q = column + pads[2] - s * dilation[1]
            if q % stride[1] != 0 or q < 0 or q >= Q * stride[1]:
                continue
            for k in range(group * group_k, (group + 1) * group_k):
                total += gy[n, p // stride[0], q // stride[1], k] * w[k, r, s, c - group * group_c]
    return total


def conv2d_input_grad(gy, w, bias, gx, stride, pads, dilation, groups, code, negative_slope):
    """``gx[n, h, w, c] = activate(bias[c] + sum over (p, q, k, r, s) that read (h, w, c) of gy * w)``."""
    N, H, W, C = gx.shape
    for n in range(N):
        for h in range(H):
            for column in range(W):
                for c in range(C):
                    total = input_grad_sum(gy, w, n, h, column, c, stride, pads, dilation, groups, 0.0)
                    if bias is not None:
                        total += bias[c]
                    gx[n, h, column, c] = activate(total, code, negative_slope)


@register_jitable
def weight_grad_sum(gy, x, k, r, s, c, stride, pads, dilation, zero):
    """The sum over all output pixels of gy of channel k times what tap (r, s) reads there in channel c of x."""
    N, H, W = x.shape[:3]
    P, Q = gy.shape[1], gy.shape[2]
    total = zero
    for n in range(N):
        for p in range(P):
            row = p * stride[0] + r * dilation[0] - pads[0]
            if row < 0 or row >= H:
                continue
            for q in range(Q):
                column = q * stride[1] + s * dilation[1] - pads[2]
                if column < 0 or column >= W:
                    continue
                total += gy[n, p, q, k] * x[n, row, column, c]
    return total


def conv2d_weight_grad(gy, x, gw, stride, pads, dilation, groups):
    """``gw[k, r, s, c] = sum over n, p, q of gy[n, p, q, k] * x[n, h, w, c]``."""
    K, R, S, group_c = gw.shape
    group_k = K // groups
    for k in range(K):
        first_c = k // group_k * group_c
        for r in range(R):
            for s in range(S):
                for c in range(group_c):
                    gw[k, r, s, c] = weight_grad_sum(gy, x, k, r, s, first_c + c, stride, pads, dilation, 0.0)
