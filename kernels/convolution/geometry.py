"""The checked geometry of a convolution, shared by the convolution and its two gradients.

Letters: N images of H x W pixels and C channels come in; K kernels of R x S pixels; P x Q pixels of K channels go out.
"""

from typing import Any, NamedTuple

import numpy as np

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
