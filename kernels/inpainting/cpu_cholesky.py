"""Variant "cholesky" of biharmonic inpainting: a sparse factorisation of each hole's own equations.

    gather    holes that are too far apart to meet in an equation are found and solved each on its own, in parallel
    dissect   the pixels of a hole are ordered by nested dissection: a strip two pixels wide, which comes last, cuts the
              hole in two halves that know nothing of each other, and so on. Only the strips fill in.
    analyse   the elimination tree (Liu 1986) tells how many numbers each column of the factor will have
    factor    row by row: the tree lists the columns that reach a row (Davis, CSparse 2006), and each is taken off
    solve     forwards and backwards, all channels at once

A factorisation takes as long whatever the values are, needs no tolerance, and is accurate to rounding times the
condition of the equations; iterations would need thousands of steps in a large hole, whose condition grows with the
fourth power of its width. Everything is in float64.

Every hole is one task with arrays of its own (slices of common ones), so threads share nothing.
"""

import math
from ctypes import addressof
from typing import Any

import numpy as np
from numba import njit, types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.threads import launch, num_threads
from ..operation import Run
from .equations import MOST_TERMS, neighbour, terms
from .geometry import BiharmonicGeometry

_LEAF = 8  # pixels: smaller pieces are not cut any further
_DEEPEST = 128  # more pieces than ever wait to be cut: two for each halving
_SCRATCH = 8 * max(2 * _DEEPEST, 2 * MOST_TERMS)  # bytes for each thread


@kernel()
def _gather() -> Any:
    """List the open pixels of an image hole by hole, and where each hole begins."""

    def work(begin, end, slot, block):
        counts = pointer(block[4], types.int64)
        d, h, w = block[5], block[6], block[7]
        pixels = d * h * w
        for image in range(begin, end):
            mask = pointer(block[0] + image * pixels, types.uint8)
            seen = pointer(block[1] + 8 * image * pixels, types.int64)
            order = pointer(block[2] + 8 * image * pixels, types.int64)
            starts = pointer(block[3] + 8 * image * pixels, types.int64)
            for p in range(pixels):
                seen[p] = -1
            listed, holes = 0, 0
            for first in range(pixels):
                if mask[first] == 0 or seen[first] >= 0:
                    continue
                starts[holes] = listed
                seen[first], order[listed] = holes, first
                done, listed = listed, listed + 1
                while done < listed:
                    p = order[done]
                    done += 1
                    for side in range(6):
                        q = neighbour(p, side, d, h, w)
                        if q < 0:
                            continue
                        if mask[q] != 0 and seen[q] < 0:
                            seen[q], order[listed] = holes, q
                            listed += 1
                        for further in range(6):
                            r = neighbour(q, further, d, h, w)
                            if r >= 0 and mask[r] != 0 and seen[r] < 0:
                                seen[r], order[listed] = holes, r
                                listed += 1
                holes += 1
            counts[2 * image], counts[2 * image + 1] = holes, listed

    return work


@njit(forceinline=True)
def _coordinate(p, axis, h, w):
    return p % w if axis == 0 else p // w % h if axis == 1 else p // (h * w)


@njit(forceinline=True)
def _dissect(order, spare, stack, count, h, w):
    """Order the pixels of a hole in place: one half, the other half, the strip between them."""
    stack[0], stack[1], depth = 0, count, 1
    while depth > 0:
        depth -= 1
        a, b = stack[2 * depth], stack[2 * depth + 1]
        if b - a <= _LEAF:
            continue
        axis, low, high = 0, 0, -1
        for candidate in range(3):
            least = most = _coordinate(order[a], candidate, h, w)
            for k in range(a + 1, b):
                at = _coordinate(order[k], candidate, h, w)
                least, most = min(least, at), max(most, at)
            if most - least > high - low:
                axis, low, high = candidate, least, most
        if high - low < 3:
            continue
        cut = (low + high) // 2
        left, right, strip = a, 0, 0
        # The half before the cut stays where it is; the others wait in the spare room, from both of its ends.
        for k in range(a, b):
            p = order[k]
            at = _coordinate(p, axis, h, w)
            if at < cut:
                order[left] = p
                left += 1
            elif at > cut + 1:
                spare[right] = p
                right += 1
            else:
                strip += 1
                spare[count - strip] = p
        for k in range(right):
            order[left + k] = spare[k]
        for k in range(strip):
            order[left + right + k] = spare[count - 1 - k]
        stack[2 * depth], stack[2 * depth + 1] = a, left
        stack[2 * depth + 2], stack[2 * depth + 3] = left, left + right
        depth += 2


@kernel()
def _analyse() -> Any:
    """Order each hole, and count the numbers in its factor."""

    def work(begin, end, slot, block):
        starts, images = pointer(block[1], types.int64), pointer(block[2], types.int64)
        sizes, scratch = pointer(block[3], types.int64), block[8] + slot * _SCRATCH
        d, h, w = block[9], block[10], block[11]
        stack, pixels = pointer(scratch, types.int64), pointer(scratch, types.int64)
        factors = pointer(scratch + 8 * MOST_TERMS, types.float64)
        for hole in range(begin, end):
            first, count = starts[hole], starts[hole + 1] - starts[hole]
            order = pointer(block[0] + 8 * first, types.int64)
            place = pointer(block[4] + 8 * images[hole] * d * h * w, types.int64)
            parent, root = pointer(block[5] + 8 * first, types.int64), pointer(block[6] + 8 * first, types.int64)
            lengths = pointer(block[7] + 8 * first, types.int64)
            _dissect(order, root, stack, count, h, w)
            for k in range(count):
                place[order[k]] = k
                parent[k], root[k], lengths[k] = -1, -1, 1
            for k in range(count):
                for term in range(terms(order[k], d, h, w, 0.0, pixels, factors)):
                    i = place[pixels[term]]
                    while 0 <= i < k:
                        above = root[i]
                        root[i] = k
                        if above < 0:
                            parent[i] = k
                        i = above
            for k in range(count):
                root[k] = -1
            total = count
            for k in range(count):
                for term in range(terms(order[k], d, h, w, 0.0, pixels, factors)):
                    i = place[pixels[term]]
                    while 0 <= i < k and root[i] != k:
                        lengths[i] += 1
                        total += 1
                        root[i] = k
                        i = parent[i]
            sizes[hole] = total

    return work


@kernel()
def _solve(dtype: str) -> Any:
    """Factor the equations of each hole and write its solution into the image."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        starts, images = pointer(block[1], types.int64), pointer(block[2], types.int64)
        begins, scratch = pointer(block[3], types.int64), block[8] + slot * _SCRATCH
        d, h, w, c, tension = block[17], block[18], block[19], block[20], float_bits(block[21])
        pixels, factors = pointer(scratch, types.int64), pointer(scratch + 8 * MOST_TERMS, types.float64)
        for hole in range(begin, end):
            first, count, image = starts[hole], starts[hole + 1] - starts[hole], images[hole]
            order = pointer(block[0] + 8 * first, types.int64)
            place = pointer(block[4] + 8 * image * d * h * w, types.int64)
            parent, root = pointer(block[5] + 8 * first, types.int64), pointer(block[6] + 8 * first, types.int64)
            lengths = pointer(block[7] + 8 * first, types.int64)
            y = pointer(block[9] + image * d * h * w * c * (size), number)
            row, reached = pointer(block[10] + 8 * first, types.float64), pointer(block[11] + 8 * first, types.int64)
            column, filled = pointer(block[12] + 8 * first, types.int64), pointer(block[13] + 8 * first, types.int64)
            u = pointer(block[14] + 8 * first * c, types.float64)
            rows = pointer(block[15] + 4 * begins[hole], types.int32)
            values = pointer(block[16] + 8 * begins[hole], types.float64)
            at = 0
            for k in range(count):
                column[k] = filled[k] = at
                at += lengths[k]
                root[k], row[k] = -1, 0.0
                for channel in range(c):
                    u[k * c + channel] = 0.0
            for k in range(count):
                top = count
                for term in range(terms(order[k], d, h, w, tension, pixels, factors)):
                    i = place[pixels[term]]
                    if i < 0:
                        for channel in range(c):
                            u[k * c + channel] -= factors[term] * y[pixels[term] * c + channel]
                    elif i <= k:
                        row[i] = factors[term]
                        length = 0
                        while i < k and root[i] != k:
                            reached[length] = i
                            length += 1
                            root[i] = k
                            i = parent[i]
                        while length > 0:
                            top, length = top - 1, length - 1
                            reached[top] = reached[length]
                diagonal = row[k]
                row[k] = 0.0
                for t in range(top, count):
                    i = reached[t]
                    value = row[i] / values[column[i]]
                    row[i] = 0.0
                    for p in range(column[i] + 1, filled[i]):
                        row[rows[p]] -= values[p] * value
                    diagonal -= value * value
                    rows[filled[i]], values[filled[i]] = k, value
                    filled[i] += 1
                rows[filled[k]], values[filled[k]] = k, math.sqrt(diagonal)
                filled[k] += 1
            for k in range(count):
                for channel in range(c):
                    u[k * c + channel] /= values[column[k]]
                    for p in range(column[k] + 1, filled[k]):
                        u[rows[p] * c + channel] -= values[p] * u[k * c + channel]
            for k in range(count - 1, -1, -1):
                for channel in range(c):
                    total = u[k * c + channel]
                    for p in range(column[k] + 1, filled[k]):
                        total -= values[p] * u[rows[p] * c + channel]
                    u[k * c + channel] = total / values[column[k]]
                    y[order[k] * c + channel] = u[k * c + channel]

    return work


def build(g: BiharmonicGeometry) -> Run:
    if g.pixels * g.c == 0:
        return lambda arrays, outputs: None
    gather, analyse, solve = _gather.address(), _analyse.address(), _solve.address(g.dtype.name)
    pixels = g.d * g.h * g.w

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, mask = arrays
        np.copyto(outputs[0], x)
        full = mask.reshape(g.n, pixels).all(axis=1)
        if full.any():
            raise ValueError(f"inpaint_biharmonic: mask of image {int(full.argmax())} leaves no pixel known")
        places, listed = empty((g.n, pixels), np.int64), empty((g.n, pixels), np.int64)
        begins, counts = empty((g.n, pixels), np.int64), empty((g.n, 2), np.int64)
        block = Template(5, (g.d, g.h, g.w)).filled(mask, places, listed, begins, counts)
        launch(gather, g.n, addressof(block), 3.0 * g.pixels)
        holes, opened = int(counts[:, 0].sum()), int(counts[:, 1].sum())
        if holes == 0:
            return
        steps = np.arange(pixels)
        order = listed[steps < counts[:, 1:]]
        bases = np.cumsum(counts[:, 1]) - counts[:, 1]
        starts = np.append((begins + bases[:, None])[steps < counts[:, :1]], opened)
        images = np.repeat(np.arange(g.n), counts[:, 0])
        sizes = empty((holes,), np.int64)
        parent, root, lengths = (empty((opened,), np.int64) for _ in range(3))
        buffer = empty((num_threads() * _SCRATCH,), np.uint8)
        template = Template(9, (g.d, g.h, g.w))
        block = template.filled(order, starts, images, sizes, places, parent, root, lengths, buffer)
        launch(analyse, holes, addressof(block), 500.0 * opened)
        total = int(sizes.sum())
        offsets = np.cumsum(sizes) - sizes
        row, u = empty((opened,), np.float64), empty((opened, g.c), np.float64)
        reached, column, filled = (empty((opened,), np.int64) for _ in range(3))
        rows, values = empty((total,), np.int32), empty((total,), np.float64)
        arrays_of_block = (
            order, starts, images, offsets, places, parent, root, lengths, buffer, outputs[0],
            row, reached, column, filled, u, rows, values,
        )  # fmt: skip
        template = Template(17, (g.d, g.h, g.w, g.c, word_of(g.tension)))
        block = template.filled(*arrays_of_block)
        launch(solve, holes, addressof(block), 20.0 * total)

    return run
