"""Windows: which pixels of an image each pixel of the pooled one looks at, along one axis.

Letters: N images of H x W pixels and C channels come in, P x Q pixels go out.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..convolution.geometry import check_array, check_shape, pair
from ..operation import Spec


class Pooling(NamedTuple):
    """Windows over an image. ``kernel`` is None where they are adaptive, and (P, Q) alone decides."""

    image: tuple[int, ...]
    p: int
    q: int
    kernel: tuple[int, int] | None
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    include_pad: bool
    divisor: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pooled(self) -> tuple[int, ...]:
        return self.image[0], self.p, self.q, self.image[3]

    def windows(self, axis: int) -> list[range]:
        """The indices of each window along H (0) or W (1)."""
        size, count = self.image[1 + axis], (self.p, self.q)[axis]
        if self.kernel is None:
            return [range(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        kernel, stride, padding, step = (v[axis] for v in (self.kernel, self.stride, self.padding, self.dilation))
        found = []
        for i in range(count):
            first = i * stride - padding
            outside = max(0, -(first // step)) if first < 0 else 0
            found.append(range(first + outside * step, min(first + (kernel - 1) * step + 1, size), step))
        return found

    def counts(self, axis: int) -> list[int]:
        """By what the sum over each window is divided along an axis, where no divisor is given."""
        if self.kernel is None or not self.include_pad:
            return [len(window) for window in self.windows(axis)]
        size, count = self.image[1 + axis], (self.p, self.q)[axis]
        kernel, stride, padding = (v[axis] for v in (self.kernel, self.stride, self.padding))
        firsts = [i * stride - padding for i in range(count)]
        return [min(first + kernel, size + padding) - first for first in firsts]

    @property
    def flops(self) -> float:
        """One operation for each number of each window."""
        taps = [sum(map(len, self.windows(axis))) for axis in (0, 1)]
        return self.image[0] * taps[0] * taps[1] * self.image[3]

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images and of places, where there are any, each once."""
        places = 4 * math.prod(self.pooled) if any(dtype.kind == "i" for _, dtype in self.outputs) else 0
        return self.dtype.itemsize * (math.prod(self.image) + math.prod(self.pooled)) + places


def _outputs(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows there are along an axis."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count  # it would begin behind the image


def fixed(
    name: str,
    image: tuple[int, ...],
    dtype: np.dtype,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
    include_pad: Any = True,
    divisor: Any = None,
) -> Pooling:
    """Check windows of one size over this image and return their geometry, but for the outputs."""
    kernel = pair(name, "kernel_size", kernel_size, 1)
    steps = kernel if stride is None else pair(name, "stride", stride, 1)
    pads, dilations = pair(name, "padding", padding, 0), pair(name, "dilation", dilation, 1)
    if divisor is not None and (isinstance(divisor, bool) or not isinstance(divisor, int | np.integer)):
        raise TypeError(f"{name}: divisor_override expects an integer or None but got {divisor!r}")
    if divisor == 0:
        raise ValueError(f"{name}: divisor_override expects an integer other than 0")
    seen = f"(input {image}, kernel_size {kernel}, dilation {dilations})"
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True))
    if any(pad > k // 2 for pad, k in zip(pads, kernel, strict=True)):
        half = tuple(k // 2 for k in kernel)
        raise ValueError(f"{name}: padding expects at most half of kernel_size {half} but got {pads} {seen}")
    sizes = image[1:3]
    p, q = (
        _outputs(sizes[i], kernel[i], steps[i], pads[i], dilations[i], bool(ceil_mode)) if sizes[i] else 0
        for i in (0, 1)
    )
    if p < 1 or q < 1:
        padded = f"{sizes[0] + 2 * pads[0]} x {sizes[1] + 2 * pads[1]}"
        raise ValueError(
            f"{name}: window covers {reach[0]} x {reach[1]} pixels but the padded input has {padded} {seen}"
        )
    g = Pooling(image, p, q, kernel, steps, pads, dilations, bool(include_pad), int(divisor or 0), dtype, ())
    if not all(len(window) for axis in (0, 1) for window in g.windows(axis)):
        raise ValueError(f"{name}: a window lies in the padding {pads} alone {seen}")
    return g


def adaptive(name: str, image: tuple[int, ...], dtype: np.dtype, output_size: Any) -> Pooling:
    """Check windows that divide this image evenly and return their geometry, but for the outputs."""
    sizes = image[1:3]
    if isinstance(output_size, tuple | list) and len(output_size) == 2:
        output_size = tuple(own if size is None else size for size, own in zip(output_size, sizes, strict=True))
    p, q = pair(name, "output_size", output_size, 1)
    if 0 in sizes:
        raise ValueError(f"{name}: x expects at least one pixel but got shape {image}")
    return Pooling(image, p, q, None, (0, 0), (0, 0), (1, 1), True, 0, dtype, ())


def forward(name: str, x: Spec) -> tuple[str, tuple[int, ...], np.dtype]:
    """What a forward operation begins with: its image."""
    check_array(name, "x", x, "N H W C")
    return name, x.shape, x.dtype


def backward(name: str, gy: Spec, input_shape: Any) -> tuple[str, tuple[int, ...], np.dtype]:
    """What a gradient begins with: the image that it is by."""
    check_array(name, "gy", gy, "N P Q C")
    return name, check_shape(name, "input_shape", input_shape, "N H W C"), gy.dtype


def pools(g: Pooling) -> Pooling:
    """With the output of a forward operation."""
    return g._replace(outputs=((g.pooled, g.dtype),))


def spreads(name: str, g: Pooling, gy: Spec) -> Pooling:
    """With the output of a gradient, whose incoming one is checked."""
    if gy.shape != g.pooled:
        raise ValueError(f"{name}: gy expects {g.pooled} but got {gy.shape} (input {g.image})")
    return g._replace(outputs=((g.image, g.dtype),))
