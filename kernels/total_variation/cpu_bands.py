"""Variant "bands": a step of Chambolle's projection in one walk over the image and the field.

As written, a step is half a dozen walks over whole images: the divergence, the sum with the image, the differences,
their size, the energy, the new field. Here a task takes a band of rows and goes down it with two rows of u, which stay
in the first-level cache:

    next row of u     from the field's old rows there and above
    field             the row's new vectors, from the row of u, the next one and the old vectors
    energy            summed on the way, row by row

so that each number of the image and of the field is read once, and of the field written once. The new field is another
array than the old one: bands need the row of u below them, which is made of old vectors, in whatever order bands run.
It also means that when the energy says that this step was the last, the field that u comes from is still there.

Images stop one by one; energies of bands are added in order, so that results do not depend on the number of threads.
"""

import math
from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.streams import read, write
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import VariationGeometry

_BAND_ROWS = 16
_LINE = 64
_TAU = 0.25


@kernel()
def _steps(dtype: str) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    @register_jitable
    def row_of_u(target, image, above, down, right, w):
        """``target = image + d``; the sum of the squares of d. ``above`` is the row of ``down`` above."""
        d = pointer(right, number)
        u, x, high, low = (
            pointer(target, number), pointer(image, number), pointer(above, number), pointer(down, number),
        )  # fmt: skip
        left = pointer(right - size, number)
        change = read(high, 0) - read(low, 0) - read(d, 0)
        u[0] = read(x, 0) + change
        total = change * change
        for j in range(1, w):
            change = (read(high, j) - read(low, j)) + (read(left, j) - read(d, j))
            u[j] = read(x, j) + change
            total += change * change
        return total

    def work(begin, end, slot, block):
        x, zeros, planes = block[0], block[4], pointer(block[5], types.int64)
        energies = pointer(block[3], types.float64)
        h, w, rows, bands, last = block[7], block[8], block[9], block[10], block[11]
        weight, ratio, tau = float_bits(block[12]), number(float_bits(block[13])), number(_TAU)
        lines = (block[6] + _LINE - 1) // _LINE * _LINE + slot * block[14]
        pitch = w * size
        one, zero = number(1), number(0)

        for task in range(begin, end):
            band, plane = task % bands, planes[task // bands]
            top, bottom = band * rows, min((band + 1) * rows, h)
            image, field = x + plane * h * pitch, 2 * plane * h * pitch
            old, new = block[1] + field, block[2] + field
            beside = h * pitch  # from the vectors' first components to the second

            if last:  # the old field's u is the result, in the place of the new field
                for p in range(top, bottom):
                    place = p * pitch
                    above = old + place - pitch if p > 0 else zeros
                    row_of_u(block[2] + plane * h * pitch + place, image + place, above, old + place,
                             old + beside + place, w)  # fmt: skip
                continue

            energy = 0.0
            here, below = lines, lines + pitch
            place = top * pitch
            above = old + place - pitch if top > 0 else zeros
            energy += row_of_u(here, image + place, above, old + place, old + beside + place, w)
            for p in range(top, bottom):
                place = p * pitch
                if p + 1 < h:
                    following = place + pitch
                    squares = row_of_u(
                        below, image + following, old + place, old + following, old + beside + following, w
                    )
                    if p + 1 < bottom:
                        energy += squares
                u = pointer(here, number)
                under = pointer(below if p + 1 < h else here, number)  # no difference below the last row
                after = pointer(here + size, number)
                first, second = pointer(old + place, number), pointer(old + beside + place, number)
                new_first, new_second = pointer(new + place, number), pointer(new + beside + place, number)
                total = zero
                for j in range(w - 1):
                    down, across = read(under, j) - read(u, j), read(after, j) - read(u, j)
                    norm = math.sqrt(down * down + across * across)
                    total += norm
                    scale = one / (one + ratio * norm)
                    write(new_first, j, (read(first, j) - tau * down) * scale)
                    write(new_second, j, (read(second, j) - tau * across) * scale)
                down = read(under, w - 1) - read(u, w - 1)
                norm = abs(down)
                scale = one / (one + ratio * norm)
                write(new_first, w - 1, (read(first, w - 1) - tau * down) * scale)
                write(new_second, w - 1, read(second, w - 1) * scale)
                energy += weight * types.float64(total + norm)
                here, below = below, here
            energies[plane * bands + band] = energy

    return work


def build(g: VariationGeometry) -> Run:
    """Sizes of one geometry; the loop over steps."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    bands = -(-g.h // _BAND_ROWS)
    scratch = -(-2 * g.w * g.dtype.itemsize // _LINE) * _LINE + _LINE
    words = (g.h, g.w, _BAND_ROWS, bands)
    more = (word_of(g.weight), word_of(_TAU / g.weight), scratch)
    step, finish = (Template(7, (*words, last, *more)) for last in (0, 1))
    ns = g.h * g.w * g.dtype.itemsize * 0.2
    worker = _steps.address(g.dtype.name)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y = arrays[0], outputs[0]
        old = empty((g.planes, 2, g.h, g.w), g.dtype)
        old[...] = 0
        new, zeros = empty(old.shape, g.dtype), np.zeros(g.w, g.dtype)
        energies = np.zeros((g.planes, bands))
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)

        def walk(template: Template, target: np.ndarray, planes: np.ndarray) -> None:
            block = template.filled(x, old, target, energies, zeros, planes, buffer)
            launch(worker, len(planes) * bands, addressof(block), ns * len(planes))

        going = np.arange(g.planes)
        first = previous = np.zeros(g.planes)
        for count in range(g.steps):
            if count == g.steps - 1:
                break
            walk(step, new, going)
            energy = energies.sum(axis=1) / (g.h * g.w)
            if count == 0:
                first = energy
            else:
                stops = np.abs(previous - energy)[going] < g.eps * first[going]
                if stops.any():
                    walk(finish, y, going[stops])
                    going = np.ascontiguousarray(going[~stops])
                    if not going.size:
                        return
            previous = energy
            old, new = new, old
        walk(finish, y, going)

    return run
