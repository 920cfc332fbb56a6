"""``out`` and ``dst`` of every public function: the result lies there, whatever its strides, and what does not fit is
refused by name with nothing written."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tilegrad.filters import cv

from tilegrad import filters

FLOAT = np.random.default_rng(0).uniform(0.05, 0.95, (12, 14)).astype(np.float32)
BYTES = (FLOAT * 255).astype(np.uint8)
SHAPE = (BYTES > 99).astype(np.uint8)
HOLE = np.zeros(FLOAT.shape, np.uint8)
HOLE[4:6, 5:8] = 1
BOX, LINE = np.ones((3, 3), np.float32) / 9, np.ones(3, np.float32) / 3
SQUARE = np.ones((3, 3), np.uint8)
MAP = np.array([[1, 0.1, 0], [0, 1, 0.3], [0, 0, 1]])

# The arguments of those that have more than an image; most take it as it is.
FILTERS: dict[str, tuple[Any, ...]] = {
    "apply_hysteresis_threshold": (0.4, 0.7),
    "convolve": (np.arange(6.0).reshape(2, 3),),
    "correlate": (np.arange(6.0).reshape(2, 3),),
    "correlate1d": ([1, 2, 1],),
    "degrade": ([("drop_blocks", {"block": 4, "amount": 0.3}), ("jpeg", {"quality": 50}), ("gaussian", {})],),
    "denoise_bilateral": (3,),
    "denoise_nl_means": (3, 2),
    "downsample": (2,),
    "downscale_local_mean": ((2, 3),),
    "drop_blocks": (4, 0.3),
    "inpaint_biharmonic": (HOLE > 0,),
    "inpaint_exemplar": (HOLE > 0, 3),
    "match_histograms": (FLOAT[::-1] / 2,),
    "match_template": (FLOAT[3:6, 4:8],),
    "maximum": (3,),
    "minimum": (3,),
    "pad": (2,),
    "percentile": (30, 3),
    "rank_filter": (2, 3),
    "rescale": (0.7,),
    "resize": ((9, 8),),
    "resize_local_mean": ((9, 8),),
    "richardson_lucy": (BOX, 2),
    "rotate": (30,),
    "warp": (MAP,),
    "wiener": (BOX, 0.1),
}
OPENCV: dict[str, tuple[Any, ...]] = {
    "Canny": (50, 150),
    "GaussianBlur": ((5, 5), 1.0),
    "LUT": (np.arange(255, -1, -1).astype(np.uint8),),
    "Laplacian": (-1,),
    "Scharr": (-1, 1, 0),
    "Sobel": (-1, 1, 0),
    "bilateralFilter": (3, 20, 2),
    "blur": ((3, 3),),
    "boxFilter": (-1, (3, 3)),
    "copyMakeBorder": (1, 2, 3, 4, cv.BORDER_REFLECT),
    "dilate": (SQUARE,),
    "distanceTransform": (cv.DIST_L2, cv.DIST_MASK_PRECISE),
    "erode": (SQUARE,),
    "filter2D": (-1, BOX),
    "inpaint": (HOLE, 3, cv.INPAINT_TELEA),
    "matchTemplate": (BYTES[3:6, 4:8].copy(), cv.TM_CCOEFF_NORMED),
    "medianBlur": (3,),
    "morphologyEx": (cv.MORPH_GRADIENT, SQUARE),
    "resize": ((9, 8),),
    "sepFilter2D": (-1, LINE, LINE),
    "threshold": (99, 200, cv.THRESH_BINARY),
    "warpAffine": (MAP[:2], (14, 12)),
    "warpPerspective": (MAP, (14, 12)),
}
IMAGES = {
    "label": SHAPE, "distance_transform_edt": SHAPE, "jpeg": BYTES,
    "connectedComponents": SHAPE, "connectedComponentsWithStats": SHAPE, "distanceTransform": SHAPE,
}  # fmt: skip
NAMES = ("out", "dst", "edges", "labels", "sum", "result")  # OpenCV's, of some
PLACE = {"connectedComponents": 1, "connectedComponentsWithStats": 1, "threshold": 1}  # where in several results


def _argument(function: Callable[..., Any]) -> str | None:
    return next((name for name in inspect.signature(function).parameters if name in NAMES), None)


def _with_out(module: ModuleType) -> list[str]:
    functions = {name: getattr(module, name) for name in module.__all__}
    return [name for name, found in functions.items() if inspect.isfunction(found) and _argument(found)]


CASES = [(filters, name) for name in _with_out(filters)] + [(cv, name) for name in _with_out(cv)]
CASES.append((cv, "CLAHE"))


class Call:
    """A public function, its image and its other arguments."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self.title = f"{name}.apply" if name == "CLAHE" else name
        self.function = cv.createCLAHE(2.0, (2, 2)).apply if name == "CLAHE" else getattr(module, name)
        self.argument = _argument(self.function)
        self.image = IMAGES.get(name, FLOAT if module is filters else BYTES)
        self.more = (FILTERS if module is filters else OPENCV).get(name, ())
        self.place = PLACE.get(name, 0)

    def __call__(self, image: np.ndarray, out: Any = None) -> Any:
        names = [name for name in inspect.signature(self.function).parameters if name != self.argument]
        given = dict(zip(names[1:], self.more, strict=False))
        result = self.function(image, **given, **({} if out is None else {self.argument: out}))
        return result[self.place] if isinstance(result, tuple) else result


@pytest.mark.parametrize(("module", "name"), CASES)
def test_the_result_lies_in_out_whatever_its_strides(module: ModuleType, name: str) -> None:
    call = Call(module, name)
    expected = call(call.image)
    around = np.zeros(tuple(2 * n for n in expected.shape), expected.dtype)
    turned = around[tuple(slice(None, None, -2) for _ in expected.shape)]
    for out in (np.ones_like(expected), np.ones_like(expected, order="F"), turned):
        assert call(call.image, out) is out
        np.testing.assert_array_equal(out, expected)
    turned[...] = 0
    assert not around.any()


@pytest.mark.parametrize(("module", "name"), CASES)
def test_out_may_be_the_image(module: ModuleType, name: str) -> None:
    call = Call(module, name)
    expected = call(call.image)
    if (expected.shape, expected.dtype) != (call.image.shape, call.image.dtype):
        pytest.skip("the result has another shape or type")
    image = call.image.copy()
    assert call(image, image) is image
    np.testing.assert_array_equal(image, expected)
    memory = np.concatenate([call.image, call.image[-1:]])
    call(memory[:-1], memory[1:])  # a row further, where rows are written before they are read for the last time
    np.testing.assert_array_equal(memory[1:], expected)


@pytest.mark.parametrize(("module", "name"), CASES)
def test_what_does_not_fit_is_refused_by_name(module: ModuleType, name: str) -> None:
    call = Call(module, name)
    expected = call(call.image)
    read_only = np.zeros_like(expected)
    read_only.flags.writeable = False
    larger = np.zeros((expected.shape[0] + 1, *expected.shape[1:]), expected.dtype)
    other = np.zeros(expected.shape, np.int8)
    for out in (larger, other, expected[None] * 0, read_only, [0]):
        with pytest.raises((TypeError, ValueError), match=rf"^{call.title}: {call.argument} "):
            call(call.image, out)
        assert not np.any(out)
