"""Padding of images by a number or by what is in them, and its adjoint.

reference.py       the definition
cpu_separable.py   "separable": rows copied in runs, from a table of sources (machine/separable.py)
cuda_naive.py      "naive" on CUDA: one thread, one output
cuda_channels.py   "channels" on CUDA, with cuda_channels.cu: 16 bytes of channels per thread
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..convolution.geometry import check_array, check_shape, sides
from ..operation import Operation, Spec, Variant
from . import reference
from .reference import MODES

__all__ = ["pad2d", "pad2d_grad"]


class Padding(NamedTuple):
    """An image (N, H, W, C), what is put around it (top, bottom, left, right) and how."""

    image: tuple[int, ...]
    pads: tuple[int, int, int, int]
    mode: int
    value: float
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def padded(self) -> tuple[int, ...]:
        n, h, w, c = self.image
        top, bottom, left, right = self.pads
        return n, top + h + bottom, left + w + right, c

    @property
    def flops(self) -> float:
        """None are needed; one is counted for each padded number."""
        return math.prod(self.padded)

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images, each once."""
        return self.dtype.itemsize * (math.prod(self.image) + math.prod(self.padded))


def _checked(name: str, image: tuple[int, ...], padding: Any, mode: Any, value: Any, dtype: np.dtype) -> Padding:
    """The geometry of padding this image, but for the outputs."""
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, MODES))} but got {mode!r}")
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: value expects a number but got {value!r}")
    pads = sides(name, padding)
    for axis, size, around in (("H", image[1], pads[:2]), ("W", image[2], pads[2:])):
        # Each mode would have to repeat its repetition beyond these.
        most = {"reflect": size - 1, "circular": size, "symmetric": size}.get(mode, max(around))
        if max(around) > most or (mode == "replicate" and max(around) > 0 and size == 0):
            raise ValueError(
                f'{name}: mode "{mode}" expects padding of at most {max(0, most if size else 0)} for {axis} = {size} '
                f"but got {around} (input {image})"
            )
    return Padding(image, pads, MODES.index(mode), float(value), dtype, ())


def _pad(x: Spec, padding: Any, mode: Any, value: Any) -> Padding:
    check_array("pad2d", "x", x, "N H W C")
    g = _checked("pad2d", x.shape, padding, mode, value, x.dtype)
    return g._replace(outputs=((g.padded, x.dtype),))


def _pad_grad(gy: Spec, input_shape: Any, padding: Any, mode: Any) -> Padding:
    name = "pad2d_grad"
    check_array(name, "gy", gy, "N P Q C")
    g = _checked(name, check_shape(name, "input_shape", input_shape, "N H W C"), padding, mode, 0.0, gy.dtype)
    if gy.shape != g.padded:
        raise ValueError(f"{name}: gy expects {g.padded} but got {gy.shape} (input {g.image})")
    return g._replace(outputs=((g.image, gy.dtype),))


_CASES: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 5, 4, 3), {"padding": ((1, 2), (0, 3)), "mode": "reflect"}),
    ((2, 5, 4, 3), {"padding": ((0, 5), (4, 1)), "mode": "circular"}),
    ((1, 3, 4, 17), {"padding": 3, "mode": "symmetric"}),
    ((1, 1, 4, 33), {"padding": (4, 2), "mode": "replicate"}),
    ((2, 30, 31, 65), {"padding": 1, "mode": "constant"}),
)

PAD2D = Operation(
    "pad2d",
    package=__name__,
    geometry=_pad,
    variants=(
        Variant("separable", "cpu_separable"),
        Variant("channels", "cuda_channels", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.pad,
    reference_args=lambda g: (g.pads[0], g.pads[2], g.mode, g.value),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=tuple({"shapes": [shape], **call} for shape, call in _CASES),
)

PAD2D_GRAD = Operation(
    "pad2d_grad",
    package=__name__,
    geometry=_pad_grad,
    variants=(
        Variant("separable", "cpu_separable", build="build_grad"),
        Variant("channels", "cuda_channels", device="cuda", build="build_grad"),
        Variant("naive", "cuda_naive", device="cuda", build="build_grad"),
    ),
    reference=reference.pad_grad,
    reference_args=lambda g: (g.pads[0], g.pads[2], g.mode),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=tuple(
        {"shapes": [_checked("", shape, call["padding"], call["mode"], 0, np.dtype("f4")).padded],
         "input_shape": shape, **call}
        for shape, call in _CASES
    ),
)  # fmt: skip


def pad2d(
    x: np.ndarray,
    padding: Any,
    *,
    mode: str = "constant",
    value: float = 0.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Put rows and columns around images.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
    padding : int, (height, width) or ((top, bottom), (left, right)), at least 0
    mode : {"constant", "reflect", "replicate", "circular", "symmetric"}
        What stands around ``a b c d``: ``value``; ``c b | a b c d | c b`` (at most size - 1 on a side);
        ``a a | a b c d | d d``; ``c d | a b c d | a b`` (at most size); ``b a | a b c d | d c`` (at most size).
    value : float
        Of the mode "constant".
    out : (N, P, Q, C) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, top + H + bottom, left + W + right, C) array

    Raises
    ------
    ValueError, TypeError
        Where padding is negative or too much for its mode, or an array does not fit.

    Notes
    -----
    Modes and names of ``torch.nn.functional.pad``; "symmetric" is that of ``numpy.pad``, whose "edge" and "wrap" are
    "replicate" and "circular" here. PyTorch lists padding from the last axis: (left, right, top, bottom).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    >>> pad2d(x, ((0, 0), (2, 1)), mode="reflect").reshape(-1)
    array([3., 2., 1., 2., 3., 2.])
    """
    return PAD2D.run((x,), (padding, mode, value), out, variant)


def pad2d_grad(
    gy: np.ndarray,
    input_shape: tuple[int, ...],
    padding: Any,
    *,
    mode: str = "constant",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `pad2d` by its input: what was copied, added back to where it came from.

    Parameters
    ----------
    gy : (N, P, Q, C), float32 or float64
        Gradient by the output.
    input_shape : (N, H, W, C)
    padding, mode, variant
        As in `pad2d`; its ``value`` changes nothing.
    out : (N, H, W, C) array, optional
        Where to write, C-contiguous; shares no memory with ``gy``.

    Returns
    -------
    (N, H, W, C) array

    Raises
    ------
    ValueError, TypeError
        As in `pad2d`, and where ``gy`` is not of the padded shape.

    Examples
    --------
    >>> import numpy as np
    >>> pad2d_grad(np.ones((1, 1, 6, 1)), (1, 1, 3, 1), ((0, 0), (2, 1)), mode="reflect").reshape(-1)
    array([1., 3., 2.])
    """
    return PAD2D_GRAD.run((gy,), (input_shape, padding, mode), out, variant)
