"""The checked geometry of a convolution, shared by the convolution and its two gradients.

Letters: N images of H x W pixels and C channels come in; K kernels of R x S pixels; P x Q pixels of K channels go out.
"""

from typing import Any, NamedTuple

import numpy as np

from ..activation.epilogue import check_epilogue
from ..operation import Spec


class ConvGeometry(NamedTuple):
    """One convolution ``(N, H, W, C) * (K, R, S, C // groups) -> (N, P, Q, K)``.

    ``outputs`` is the shape and dtype of what the operation at hand returns: y, gx or gw.
    """

    n: int
    h: int
    w: int
    c: int
    k: int
    r: int
    s: int
    p: int
    q: int
    stride: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, bottom, left, right
    dilation: tuple[int, int]
    groups: int
    dtype: np.dtype
    has_bias: bool
    activation: str | None
    negative_slope: float
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """Multiplications and additions of the convolution and of either gradient, padding counted."""
        return 2 * self.n * self.p * self.q * self.k * self.r * self.s * (self.c // self.groups)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x, w and y, each once."""
        x, w = self.n * self.h * self.w * self.c, self.k * self.r * self.s * (self.c // self.groups)
        return self.dtype.itemsize * (x + w + self.n * self.p * self.q * self.k)


def pair(name: str, argument: str, value: Any, least: int) -> tuple[int, int]:
    """``value`` or ``(value, value)`` as two integers of at least ``least``."""
    two = (value, value) if isinstance(value, int | np.integer) else value
    if not (
        isinstance(two, tuple | list)
        and len(two) == 2
        and all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in two)
    ):
        raise TypeError(f"{name}: {argument} expects an integer or (height, width) but got {value!r}")
    if min(two) < least:
        raise ValueError(f"{name}: {argument} expects values of at least {least} but got {value!r}")
    return int(two[0]), int(two[1])


def sides(name: str, padding: Any) -> tuple[int, int, int, int]:
    """Padding as (top, bottom, left, right), from an integer, (height, width) or ((top, bottom), (left, right))."""
    if isinstance(padding, tuple | list) and len(padding) == 2 and all(isinstance(v, tuple | list) for v in padding):
        return *pair(name, "padding", padding[0], 0), *pair(name, "padding", padding[1], 0)
    vertical, horizontal = pair(name, "padding", padding, 0)
    return vertical, vertical, horizontal, horizontal


def check_array(name: str, argument: str, spec: Spec | None, axes: str) -> None:
    """A float32 or float64 array with one axis for each letter of ``axes``."""
    if spec is None:
        raise TypeError(f"{name}: {argument} expects an array but got None")
    if spec.dtype.char not in "fd":
        raise TypeError(f"{name}: {argument} expects float32 or float64 but got {spec.dtype}")
    if len(spec.shape) != len(axes.split()):
        layout = f"({', '.join(axes.split())})"
        raise ValueError(f"{name}: {argument} expects {len(axes.split())} axes {layout} but got shape {spec.shape}")


def check_shape(name: str, argument: str, shape: Any, axes: str) -> tuple[int, ...]:
    """A shape given as an argument, as a tuple of non-negative integers."""
    if not (isinstance(shape, tuple | list) and all(isinstance(v, int | np.integer) for v in shape)):
        raise TypeError(f"{name}: {argument} expects a tuple of integers but got {shape!r}")
    if len(shape) != len(axes.split()) or min(shape) < 0:
        raise ValueError(f"{name}: {argument} expects ({', '.join(axes.split())}) but got {tuple(shape)}")
    return tuple(int(v) for v in shape)


def convolution_geometry(
    name: str,
    input_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    dtype: np.dtype,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
) -> dict[str, Any]:
    """Check a convolution of these shapes and return the fields of its geometry, but for the epilogue and outputs."""
    strides, pads, dilations = (
        pair(name, "stride", stride, 1),
        sides(name, padding),
        pair(name, "dilation", dilation, 1),
    )
    n, h, w, c = input_shape
    k, r, s, c_group = weight_shape
    seen = f"(input {input_shape}, weight {weight_shape})"
    if not isinstance(groups, int | np.integer) or groups < 1:
        raise ValueError(f"{name}: groups expects a positive integer but got {groups!r}")
    if min(r, s, c_group, k) < 1:
        raise ValueError(f"{name}: weight expects no empty axis {seen}")
    if c % groups or k % groups:
        raise ValueError(f"{name}: groups = {groups} must divide C = {c} and C_out = {k} {seen}")
    if c_group * groups != c:
        wanted = f"C_in // groups = {c_group}"
        raise ValueError(f"{name}: weight expects {wanted} but input has C = {c} with groups = {groups} {seen}")
    p = (h + pads[0] + pads[1] - dilations[0] * (r - 1) - 1) // strides[0] + 1
    q = (w + pads[2] + pads[3] - dilations[1] * (s - 1) - 1) // strides[1] + 1
    if p < 1 or q < 1:
        reach = f"{dilations[0] * (r - 1) + 1} x {dilations[1] * (s - 1) + 1}"
        padded = f"{h + pads[0] + pads[1]} x {w + pads[2] + pads[3]}"
        raise ValueError(f"{name}: kernel covers {reach} pixels but the padded input has {padded} {seen}")
    return {
        "n": n, "h": h, "w": w, "c": c, "k": k, "r": r, "s": s, "p": p, "q": q,
        "stride": strides, "pads": pads, "dilation": dilations, "groups": int(groups), "dtype": dtype,
    }  # fmt: skip


def _same_dtype(name: str, first: str, a: Spec, second: str, b: Spec) -> None:
    if a.dtype != b.dtype:
        raise TypeError(f"{name}: {first} and {second} expect one dtype but got {a.dtype} and {b.dtype}")


def conv2d_geometry(
    x: Spec, w: Spec, bias: Spec | None, stride: Any, padding: Any, dilation: Any, groups: Any,
    activation: Any, negative_slope: Any,
) -> ConvGeometry:  # fmt: skip
    """Check a call of `conv2d`."""
    check_array("conv2d", "input", x, "N H W C")
    check_array("conv2d", "weight", w, "C_out KH KW C_in//groups")
    _same_dtype("conv2d", "input", x, "weight", w)
    fields = convolution_geometry("conv2d", x.shape, w.shape, x.dtype, stride, padding, dilation, groups)
    end = check_epilogue("conv2d", x.dtype, fields["k"], bias, activation, negative_slope)
    shape = (fields["n"], fields["p"], fields["q"], fields["k"])
    return ConvGeometry(**fields, **end, outputs=((shape, x.dtype),))


def input_grad_geometry(
    gy: Spec, w: Spec, bias: Spec | None, input_shape: Any, stride: Any, padding: Any, dilation: Any, groups: Any,
    activation: Any, negative_slope: Any,
) -> ConvGeometry:  # fmt: skip
    """Check a call of `conv2d_input_grad`."""
    name = "conv2d_input_grad"
    check_array(name, "gy", gy, "N P Q C_out")
    check_array(name, "weight", w, "C_out KH KW C_in//groups")
    _same_dtype(name, "gy", gy, "weight", w)
    shape = check_shape(name, "input_shape", input_shape, "N H W C")
    fields = convolution_geometry(name, shape, w.shape, gy.dtype, stride, padding, dilation, groups)
    wanted = (fields["n"], fields["p"], fields["q"], fields["k"])
    if gy.shape != wanted:
        seen = f"(input_shape {shape}, weight {w.shape})"
        raise ValueError(f"{name}: gy expects shape {wanted} but got {gy.shape} {seen}")
    end = check_epilogue(name, gy.dtype, shape[3], bias, activation, negative_slope)
    return ConvGeometry(**fields, **end, outputs=((shape, gy.dtype),))


def weight_grad_geometry(
    gy: Spec, x: Spec, weight_shape: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> ConvGeometry:
    """Check a call of `conv2d_weight_grad`."""
    name = "conv2d_weight_grad"
    check_array(name, "gy", gy, "N P Q C_out")
    check_array(name, "input", x, "N H W C")
    _same_dtype(name, "gy", gy, "input", x)
    shape = check_shape(name, "weight_shape", weight_shape, "C_out KH KW C_in//groups")
    fields = convolution_geometry(name, x.shape, shape, x.dtype, stride, padding, dilation, groups)
    wanted = (fields["n"], fields["p"], fields["q"], fields["k"])
    if gy.shape != wanted:
        seen = f"(input {x.shape}, weight_shape {shape})"
        raise ValueError(f"{name}: gy expects shape {wanted} but got {gy.shape} {seen}")
    end = check_epilogue(name, x.dtype, shape[0], None, None, 0.0)
    return ConvGeometry(**fields, **end, outputs=((shape, x.dtype),))


def transpose_geometry(
    x: Spec, w: Spec, bias: Spec | None, stride: Any, padding: Any, output_padding: Any, dilation: Any, groups: Any,
    activation: Any, negative_slope: Any,
) -> ConvGeometry:  # fmt: skip
    """Check a call of `conv_transpose2d`."""
    name = "conv_transpose2d"
    check_array(name, "input", x, "N H W C_in")
    check_array(name, "weight", w, "C_in KH KW C_out//groups")
    _same_dtype(name, "input", x, "weight", w)
    shape = transposed_shape(x.shape, w.shape, stride, padding, output_padding, dilation, groups)
    fields = convolution_geometry(name, shape, w.shape, x.dtype, stride, padding, dilation, groups)
    end = check_epilogue(name, x.dtype, shape[3], bias, activation, negative_slope)
    return ConvGeometry(**fields, **end, outputs=((shape, x.dtype),))


def transposed_shape(
    input_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    groups: int,
) -> tuple[int, int, int, int]:
    """Shape of ``conv_transpose2d(x, w, ...)`` for ``x`` and ``w`` of these shapes.

    >>> transposed_shape((1, 7, 7, 64), (64, 4, 4, 32), 2, 1, 0, 1, 1)
    (1, 14, 14, 32)
    """
    name = "conv_transpose2d"
    if weight_shape[0] != input_shape[3]:
        seen = f"(input {input_shape}, weight {weight_shape})"
        raise ValueError(f"{name}: weight expects C_in = {weight_shape[0]} but input has C = {input_shape[3]} {seen}")
    strides, dilations = pair(name, "stride", stride, 1), pair(name, "dilation", dilation, 1)
    pads, extra = sides(name, padding), pair(name, "output_padding", output_padding, 0)
    if not isinstance(groups, int | np.integer) or groups < 1 or weight_shape[0] % groups:
        raise ValueError(f"{name}: groups expects a divisor of C_in = {weight_shape[0]} but got {groups!r}")
    if extra[0] >= strides[0] or extra[1] >= strides[1]:
        raise ValueError(
            f"{name}: output_padding expects less than the stride but got {output_padding!r} (stride {strides})"
        )
    n, h, w, _ = input_shape
    _, r, s, group_c = weight_shape
    height = (h - 1) * strides[0] - pads[0] - pads[1] + dilations[0] * (r - 1) + extra[0] + 1
    width = (w - 1) * strides[1] - pads[2] - pads[3] + dilations[1] * (s - 1) + extra[1] + 1
    if min(h, w, height, width) < 1:
        raise ValueError(
            f"{name}: padding {padding!r} leaves no output pixel (input {input_shape}, weight {weight_shape})"
        )
    return n, height, width, group_c * groups
