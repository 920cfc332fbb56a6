"""Variant "select": one comparison and one choice for each number, a vector of them at a time.

The rule is known when the loop is compiled, and everything in it has the type of the image, so a vector holds as many
numbers as fit: 64 bytes with AVX-512. Each is read once and written once: what bounds it is memory. Images are cut into
runs, one a task.
"""

from ctypes import addressof
from typing import TYPE_CHECKING, Any

from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run
from .reference import thresholded

if TYPE_CHECKING:
    from . import Threshold

_RUN = 1 << 16  # numbers of a task
_NS_PER_BYTE = 0.03


@kernel()
def _threshold(dtype: str, rule: int) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        levels, length, runs = pointer(block[1], number), block[3], block[4]
        top, zero = number(float_bits(block[5])), number(0)
        for task in range(begin, end):
            image, first = task // runs, task % runs * _RUN
            offset = (image * length + first) * size
            x, y, level = pointer(block[0] + offset, number), pointer(block[2] + offset, number), levels[image]
            for j in range(min(_RUN, length - first)):
                write(y, j, thresholded(read(x, j), level, top, zero, rule))

    return work


def build(g: "Threshold") -> Run:
    """One task for each run of numbers of one image."""
    worker = _threshold.address(g.dtype.name, g.rule)
    runs = -(-g.size // _RUN)
    template = Template(3, (g.size, runs, word_of(g.top)))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(worker, g.n * runs, addressof(block), _NS_PER_BYTE * g.dtype.itemsize * g.numbers)

    return run
