"""How far each filter under OpenCV's names looks: the table of `filters.halo` for them."""

from typing import Any

import numpy as np

from ..halos import MOVED, OTHER_SIZE, WHOLE, Arguments, Halo, largest, none
from .borders import BORDER_WRAP


def _inside(arguments: Arguments) -> None:
    if arguments.get("borderType") == BORDER_WRAP:
        raise ValueError("BORDER_WRAP takes pixels from the other end of the image")


def _reach(sides: Any, arguments: Arguments) -> int:
    """Of a window of these sides, whose anchor is its middle or where it is said to be."""
    _inside(arguments)
    widest = int(largest(sides))
    return widest // 2 if tuple(arguments["anchor"]) == (-1, -1) else widest - 1


def _weights(arguments: Arguments) -> int:
    return _reach(np.shape(arguments["kernel"]), arguments)


def _lines(arguments: Arguments) -> int:
    return _reach([np.size(arguments["kernelX"]), np.size(arguments["kernelY"])], arguments)


def _window(arguments: Arguments) -> int:
    return _reach(arguments["ksize"], arguments)


def _gaussian(arguments: Arguments) -> int:
    """Where the size is 0 it follows from sigma, and reaches farthest for images that are not of bytes."""
    _inside(arguments)
    width, height = arguments["ksize"]
    across = arguments["sigmaX"]
    down = arguments["sigmaY"] or across
    return max(
        side // 2 if side else (round(8 * sigma + 1) | 1) // 2 for side, sigma in ((width, across), (height, down))
    )


def _median(arguments: Arguments) -> int:
    return int(arguments["ksize"]) // 2


def _derivative(arguments: Arguments) -> int:
    """Scharr's weights, which a size of -1 stands for, and those of size 1 look at the nearest pixels."""
    _inside(arguments)
    return max(1, int(arguments["ksize"]) // 2)


def _bilateral(arguments: Arguments) -> int:
    _inside(arguments)
    d = int(arguments["d"])
    return d // 2 if d > 0 else max(1, round(1.5 * arguments["sigmaSpace"]))


def _nl_means(arguments: Arguments) -> int:
    return int(arguments["templateWindowSize"]) // 2 + int(arguments["searchWindowSize"]) // 2


def _morphology(passes: int) -> Halo:
    def found(arguments: Arguments) -> int:
        kernel = arguments["kernel"]
        reach = _reach((3, 3) if kernel is None else np.shape(kernel), arguments)
        return passes * reach * int(arguments["iterations"])

    return found


def _nearest(arguments: Arguments) -> int:
    _inside(arguments)
    return 1


HALOS: dict[str, Halo] = {
    "Canny": none(WHOLE),
    "GaussianBlur": _gaussian,
    "LUT": lambda arguments: 0,
    "Laplacian": _derivative,
    "Scharr": _nearest,
    "Sobel": _derivative,
    "bilateralFilter": _bilateral,
    "blur": _window,
    "boxFilter": _window,
    "connectedComponents": none(WHOLE),
    "connectedComponentsWithStats": none(WHOLE),
    "copyMakeBorder": none(OTHER_SIZE),
    "dilate": _morphology(1),
    "distanceTransform": none(WHOLE),
    "equalizeHist": none(WHOLE),
    "erode": _morphology(1),
    "fastNlMeansDenoising": _nl_means,
    "filter2D": _weights,
    "inpaint": none(WHOLE),
    "integral": none(OTHER_SIZE),
    "matchTemplate": none(OTHER_SIZE),
    "medianBlur": _median,
    "morphologyEx": _morphology(2),
    "pyrDown": none(OTHER_SIZE),
    "pyrUp": none(OTHER_SIZE),
    "resize": none(OTHER_SIZE),
    "sepFilter2D": _lines,
    "threshold": none("it returns the threshold beside the image"),
    "warpAffine": none(MOVED),
    "warpPerspective": none(MOVED),
}
