"""The checked geometry of matching a template.

Letters: N images of H x W pixels and C channels; a template of R x S pixels and the same channels; P x Q places where
the template lies wholly inside the image.
"""

from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec

CENTRES = {"none": 0, "channel": 1, "all": 2}
"""What is subtracted before a window and the template are compared, and its number in kernels."""

MEASURES = {"score": 0, "products": 1, "differences": 2, "normed_differences": 3}
"""What is said of a window and the template, and its number in kernels."""

_SUMS: dict[str, np.dtype] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "uint8": np.dtype(np.int64),
}
_SCORES: dict[str, np.dtype] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "uint8": np.dtype(np.float32),
}

Outputs = tuple[tuple[tuple[int, ...], np.dtype], ...]


class MatchGeometry(NamedTuple):
    """``(N, H, W, C)`` searched for ``(R, S, C)``: ``(N, P, Q)`` places with P = H - R + 1, Q = W - S + 1."""

    n: int
    h: int
    w: int
    c: int
    r: int
    s: int
    centre: int
    dtype: np.dtype
    outputs: Outputs
    measure: int = MEASURES["score"]
    templates: int = 1
    """How many there are: image n takes the one of number n % templates."""

    @property
    def p(self) -> int:
        return self.h - self.r + 1

    @property
    def q(self) -> int:
        return self.w - self.s + 1

    @property
    def places(self) -> int:
        return self.n * self.p * self.q

    @property
    def taps(self) -> int:
        """Numbers of the template."""
        return self.r * self.s * self.c

    @property
    def flops(self) -> float:
        """Multiplications and additions of the definition's products."""
        return 2.0 * self.places * self.taps

    @property
    def bytes_moved(self) -> float:
        """Bytes of the image and of the results, each once."""
        read = self.n * self.h * self.w * self.c * self.dtype.itemsize
        return read + sum(float(np.prod(shape)) * dtype.itemsize for shape, dtype in self.outputs)


def _check(name: str, argument: str, spec: Spec, axes: str) -> None:
    if spec.dtype.name not in _SUMS:
        raise TypeError(f"{name}: {argument} expects float32, float64 or uint8 but got {spec.dtype}")
    if len(spec.shape) != len(axes.split()):
        layout = f"({', '.join(axes.split())})"
        raise ValueError(f"{name}: {argument} expects {len(axes.split())} axes {layout} but got shape {spec.shape}")


def _fit(name: str, x: Spec, r: int, s: int) -> None:
    h, w = x.shape[1:3]
    if not (1 <= r <= h and 1 <= s <= w):
        raise ValueError(f"{name}: a window of {r} x {s} pixels expects to lie inside the image (image {x.shape})")
    if x.shape[3] < 1:
        raise ValueError(f"{name}: image expects at least one channel but got shape {x.shape}")


def _matching(name: str, x: Spec, template: Spec, centre: int, kinds: dict[str, np.dtype]) -> MatchGeometry:
    _check(name, "image", x, "N H W C")
    _check(name, "template", template, "R S C")
    if x.dtype != template.dtype:
        raise TypeError(f"{name}: image and template expect one dtype but got {x.dtype} and {template.dtype}")
    r, s, c = template.shape
    if c != x.shape[3]:
        raise ValueError(
            f"{name}: template expects C = {x.shape[3]} channels but has {c} "
            f"(image {x.shape}, template {template.shape})"
        )
    _fit(name, x, r, s)
    n, h, w, _ = x.shape
    shape = (n, h - r + 1, w - s + 1)
    return MatchGeometry(n, h, w, c, r, s, centre, x.dtype, ((shape, kinds[x.dtype.name]),))


def products(x: Spec, template: Spec) -> MatchGeometry:
    """The geometry of ``match_products``."""
    name = "match_products"
    _check(name, "template", template, "T R S C")
    one = template._replace(shape=template.shape[1:])
    g = _matching(name, x, one, CENTRES["none"], _SUMS)
    templates = template.shape[0]
    if templates < 1 or g.n % templates:
        raise ValueError(
            f"{name}: template expects one, or as many as divide the {g.n} images, but got {templates} "
            f"(image {x.shape}, template {template.shape})"
        )
    return g._replace(templates=templates)


def scores(x: Spec, template: Spec, centre: Any, measure: Any) -> MatchGeometry:
    """The geometry of ``match_template``."""
    if not isinstance(measure, str) or measure not in MEASURES:
        known = ", ".join(map(repr, MEASURES))
        raise ValueError(f"match_template: measure expects one of {known} but got {measure!r}")
    if not isinstance(centre, str) or centre not in CENTRES:
        raise ValueError(f"match_template: centre expects one of {', '.join(map(repr, CENTRES))} but got {centre!r}")
    if "differences" in measure and centre != "none":
        raise ValueError(f'match_template: measure {measure!r} expects centre "none" but got {centre!r}')
    return _matching("match_template", x, template, CENTRES[centre], _SCORES)._replace(measure=MEASURES[measure])


def windows(x: Spec, size: Any) -> MatchGeometry:
    """The geometry of ``window_sums``."""
    name = "window_sums"
    _check(name, "image", x, "N H W C")
    if not (
        isinstance(size, tuple)
        and len(size) == 2
        and all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in size)
    ):
        raise TypeError(f"{name}: size expects two integers (height, width) but got {size!r}")
    r, s = int(size[0]), int(size[1])
    _fit(name, x, r, s)
    n, h, w, c = x.shape
    kind = np.dtype(np.int64 if x.dtype == np.uint8 else np.float64)
    output = ((n, h - r + 1, w - s + 1, c), kind)
    return MatchGeometry(n, h, w, c, r, s, CENTRES["none"], x.dtype, (output, output))
