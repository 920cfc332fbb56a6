"""The filters of `tilegrad filter` and their options: plain data that imports nothing, so that `--help` is quick."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .options import count, positive


@dataclass(frozen=True)
class Option:
    """``--name``, its type and its default; None as a default means that it must be given, or is left to the filter."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    meaning: str
    required: bool = False
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Entry:
    """A filter on the command line."""

    meaning: str
    options: tuple[Option, ...] = ()


def number(text: str) -> float:
    """Parses any finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise argparse.ArgumentTypeError(f"expects a number but is {text!r}")
    return value


def not_negative(text: str) -> float:
    """A finite number of at least 0."""
    value = number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expects a number of at least 0 but is {text!r}")
    return value


def percent(text: str) -> float:
    """Parses a number from 0 to 100."""
    value = number(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"expects a number from 0 to 100 but is {text!r}")
    return value


def odd(text: str) -> int:
    """Parses an odd whole number."""
    value = count(1)(text)
    if value % 2 == 0:
        raise argparse.ArgumentTypeError(f"expects an odd number but is {text!r}")
    return value


_BORDERS = ("reflect", "mirror", "nearest", "wrap", "constant")
_BORDER = Option("border", str, "nearest", "what lies outside the picture", choices=_BORDERS)
_SHAPES = ("square", "disk", "diamond")


def _window(default: int) -> Option:
    return Option("size", odd, default, "side of the window in pixels")


_ELEMENT = (_window(3), Option("shape", str, "square", "of the window", choices=_SHAPES))
_SLOPE = (
    Option("direction", str, "both", "of the slope", choices=("both", "down", "right")),
    Option("sigma", not_negative, 0.0, "of a Gaussian that blurs before, in pixels"),
)

FILTERS = {
    "gaussian": Entry(
        "blur by a Gaussian", (Option("sigma", positive(), 1.0, "standard deviation in pixels"), _BORDER)
    ),
    "mean": Entry("the mean of a square window", (_window(3), _BORDER)),
    "unsharp": Entry(
        "sharpen: add what a Gaussian takes away",
        (
            Option("radius", positive(), 1.0, "of the Gaussian, in pixels"),
            Option("amount", number, 1.0, "of sharpening"),
        ),
    ),
    "median": Entry("the median of a square window: takes out salt and pepper", (_window(3), _BORDER)),
    "percentile": Entry(
        "a percentile of a square window; 0 is its least value, 100 its greatest",
        (Option("percentile", percent, 50.0, "0 to 100"), _window(3), _BORDER),
    ),
    "sobel": Entry("the strength of edges, by Sobel's weights", _SLOPE),
    "scharr": Entry("the strength of edges, by Scharr's weights", _SLOPE),
    "prewitt": Entry("the strength of edges, by Prewitt's weights", _SLOPE),
    "laplace": Entry("the Laplacian: what stands out from its neighbours"),
    "canny": Entry(
        "edges one pixel wide, of the gray picture",
        (
            Option("sigma", positive(), 1.0, "of the Gaussian before, in pixels"),
            Option("low", positive(1), 0.1, "slope that goes on with an edge, as a share of the largest value"),
            Option("high", positive(1), 0.2, "slope that begins an edge"),
        ),
    ),
    "erosion": Entry("the least value under a window", _ELEMENT),
    "dilation": Entry("the greatest value under a window", _ELEMENT),
    "opening": Entry("erosion, then dilation: takes out small bright spots", _ELEMENT),
    "closing": Entry("dilation, then erosion: takes out small dark spots", _ELEMENT),
    "white-tophat": Entry("the bright spots that opening takes out", _ELEMENT),
    "black-tophat": Entry("the dark spots that closing takes out", _ELEMENT),
    "otsu": Entry("black and white, at the threshold that parts the gray levels best"),
    "threshold": Entry(
        "black and white, at a threshold for each pixel from around it",
        (
            Option("size", odd, 35, "side of the window in pixels"),
            Option("offset", number, 0.0, "taken off the threshold, as a share of the largest value"),
        ),
    ),
    "equalize": Entry("spread the gray levels evenly over all values", (Option("bins", count(2), 256, "levels"),)),
    "clahe": Entry(
        "spread the gray levels evenly within tiles, contrast limited",
        (
            Option("clip", positive(1), 0.01, "the limit: 0 to 1"),
            Option("size", count(1), None, "side of a tile in pixels (an eighth of the picture if not given)"),
        ),
    ),
    "match-histogram": Entry(
        "give a picture the gray levels of another one",
        (Option("reference", str, None, "the other picture", required=True),),
    ),
    "bilateral": Entry(
        "smooth, but not across edges",
        (
            Option("sigma-color", positive(), 0.1, "differences that are smoothed, as a share of the largest value"),
            Option("sigma-spatial", positive(), 3.0, "in pixels"),
        ),
    ),
    "nl-means": Entry(
        "average pixels whose surroundings look alike: takes out noise",
        (
            Option("h", positive(), 0.08, "how unlike they may look, as a share of the largest value"),
            Option("patch", odd, 7, "side of what is compared, in pixels"),
            Option("distance", count(1), 11, "how far it is looked for, in pixels"),
            Option("sigma", number, 0.0, "of the noise, as a share of the largest value, if known"),
        ),
    ),
    "tv": Entry(
        "total variation: flat areas between sharp edges",
        (Option("weight", positive(), 0.1, "more is smoother"),),
    ),
    "inpaint": Entry(
        "fill holes, which a mask shows white",
        (
            Option("mask", str, None, "a picture of the same size; what is not black is filled", required=True),
            Option("method", str, "exemplar", "how", choices=("exemplar", "biharmonic", "telea", "navier-stokes")),
            Option("patch", odd, 9, "side of exemplar's patches, in pixels"),
            Option("radius", positive(), 3.0, "of telea and navier-stokes, in pixels"),
        ),
    ),
    "resize": Entry(
        "another size, with antialiasing",
        (
            Option("scale", positive(), None, "how many times as large"),
            Option("width", count(1), None, "in pixels, instead of the scale"),
            Option("height", count(1), None, "in pixels"),
            Option("order", count(0, 5), 1, "of the spline: 0 nearest, 1 linear, 3 cubic"),
        ),
    ),
    "rotate": Entry(
        "turn counter-clockwise around the middle",
        (
            Option("angle", number, None, "in degrees", required=True),
            Option("frame", str, "keep", "keep the size, or grow it to hold all", choices=("keep", "grow")),
            Option("order", count(0, 5), 1, "of the spline"),
        ),
    ),
    "match-template": Entry(
        "how well a smaller picture fits at each place, -1 to 1, as gray from black to white",
        (Option("template", str, None, "the smaller picture", required=True),),
    ),
}


def add_filters(parsers: Any, run: Callable[[argparse.Namespace], None]) -> None:
    """A parser for each filter."""
    for name, entry in FILTERS.items():
        parser = parsers.add_parser(name, help=entry.meaning, description=f"{name}: {entry.meaning}.")
        parser.add_argument("source", metavar="IN", help="a picture: gray or colour, 8 or 16 bits")
        parser.add_argument("target", metavar="OUT", help="the file to write")
        parser.add_argument(
            "--stretch", action="store_true", help="spread the result over all values, from its least to its greatest"
        )
        for option in entry.options:
            shown = "" if option.default is None else f" (default {option.default})"
            listed = f": {', '.join(option.choices)}" if option.choices else ""
            parser.add_argument(
                f"--{option.name}", type=option.parse, default=option.default, required=option.required,
                choices=option.choices, metavar=option.name.upper().replace("-", "_"),
                help=option.meaning.replace("%", "%%") + listed + shown,
            )  # fmt: skip
        parser.set_defaults(command=run, filter=name)
