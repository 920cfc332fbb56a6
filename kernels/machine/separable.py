"""Linear maps of images that take rows and columns apart: y = A x B', A and B sparse.

Average pooling, interpolation and padding are all of this form, and so are their adjoints, with the transposed
matrices: what they differ in is two short tables of taps. One worker serves them. For each row of the output it adds
the input rows that A names into a line of scratch, then for each pixel the pixels of that line that B names; where A
names one row as it is, there is no line, and where B names pixels that follow one another, they are copied in one run.

Pixels of few channels are too short for that: few_channels.py has the worker for them.
"""

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import float32, float64, int64
from numba.extending import register_jitable

from .blocks import Template, address_of
from .compile import kernel
from .few_channels import few_channels, halved, of_equal_count
from .memory import empty
from .pointers import float_bits, pointer, word_of
from .processor import lanes
from .rows import ADDED, SCALED, WEIGHTED, sum_rows
from .streams import write
from .threads import launch, num_threads
from .windows import Windows

_NS_PER_TAP = 0.05
_LINE = 16  # numbers: lines of scratch begin on cache lines of their own


class Taps(NamedTuple):
    """A sparse matrix: output i adds weights[t] * x[indices[t]] for t in ``starts[i] .. starts[i + 1] - 1``."""

    starts: np.ndarray
    indices: np.ndarray
    weights: np.ndarray
    inputs: int

    @classmethod
    def of(cls, lists: list[list[tuple[int, float]]], inputs: int) -> "Taps":
        """From (index, weight) pairs for each output; taps without weight are dropped."""
        kept = [[tap for tap in taps if tap[1] != 0.0] for taps in lists]
        starts = np.cumsum([0, *map(len, kept)], dtype=np.int64)
        flat = [tap for taps in kept for tap in taps]
        index = np.array([i for i, _ in flat], np.int64)
        return cls(starts, index, np.array([w for _, w in flat], np.float64), inputs)

    @property
    def outputs(self) -> int:
        return len(self.starts) - 1

    def transposed(self) -> "Taps":
        """The adjoint: every input of this matrix is an output of that one."""
        owner = np.repeat(np.arange(self.outputs, dtype=np.int64), np.diff(self.starts))
        order = np.argsort(self.indices, kind="stable")
        counts = np.bincount(self.indices, minlength=self.inputs)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Taps(starts, owner[order], self.weights[order], self.outputs)

    def scales(self) -> np.ndarray | None:
        """The one weight that all taps of an output have, or None where they differ."""
        first = np.ones(self.outputs)
        filled = np.flatnonzero(np.diff(self.starts))
        first[filled] = self.weights[self.starts[filled]]
        if np.array_equal(np.repeat(first, np.diff(self.starts)), self.weights):
            return first
        return None

    def copies(self) -> bool:
        """Whether every output copies one input."""
        return len(self.indices) == self.outputs and bool(
            np.all(np.diff(self.starts) == 1) and np.all(self.weights == 1)
        )

    def runs(self) -> np.ndarray:
        """For each output, how many from there on copy one input each, all in a row; 0 where it is no copy."""
        single = np.diff(self.starts) == 1
        runs = np.zeros(self.outputs, np.int64)
        for i in reversed(range(self.outputs)):
            if single[i]:
                follows = i + 1 < self.outputs and single[i + 1]
                follows = follows and self.indices[self.starts[i + 1]] == self.indices[self.starts[i]] + 1
                runs[i] = runs[i + 1] + 1 if follows else 1
        return runs


@register_jitable
def _fill(target, count, value, real):
    numbers = pointer(target, real)
    for i in range(count):
        write(numbers, i, value)


def _combined(itemsize: int, mode: int) -> Callable[..., None]:
    """The sum of rows that a list of taps names, four at a time."""
    added, inner = mode | ADDED, mode & ~SCALED
    inner_added = inner | ADDED
    real = float32 if itemsize == 4 else float64
    weighted = bool(mode & WEIGHTED)

    @register_jitable
    def combined(target, base, pitch, index, weights, first, stop, scale, count):
        zero = real(0)
        t = first
        while stop - t > 4:
            a, b = base + index[t] * pitch, base + index[t + 1] * pitch
            c, d = base + index[t + 2] * pitch, base + index[t + 3] * pitch
            wa, wb, wc, wd = zero, zero, zero, zero
            if weighted:
                wa, wb, wc, wd = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
            if t == first:
                sum_rows(itemsize, 4, inner, target, a, b, c, d, wa, wb, wc, wd, scale, count)
            else:
                sum_rows(itemsize, 4, inner_added, target, a, b, c, d, wa, wb, wc, wd, scale, count)
            t += 4
        taps = stop - t
        a = base + index[t] * pitch
        b, c, d = a, a, a
        wa, wb, wc, wd = zero, zero, zero, zero
        if weighted:
            wa = weights[t]
        if taps > 1:
            b = base + index[t + 1] * pitch
            if weighted:
                wb = weights[t + 1]
        if taps > 2:
            c = base + index[t + 2] * pitch
            if weighted:
                wc = weights[t + 2]
        if taps > 3:
            d = base + index[t + 3] * pitch
            if weighted:
                wd = weights[t + 3]
        if t > first:
            if taps == 1:
                sum_rows(itemsize, 1, added, target, a, b, c, d, wa, wb, wc, wd, scale, count)
            elif taps == 2:
                sum_rows(itemsize, 2, added, target, a, b, c, d, wa, wb, wc, wd, scale, count)
            elif taps == 3:
                sum_rows(itemsize, 3, added, target, a, b, c, d, wa, wb, wc, wd, scale, count)
            else:
                sum_rows(itemsize, 4, added, target, a, b, c, d, wa, wb, wc, wd, scale, count)
        elif taps == 1:
            sum_rows(itemsize, 1, mode, target, a, b, c, d, wa, wb, wc, wd, scale, count)
        elif taps == 2:
            sum_rows(itemsize, 2, mode, target, a, b, c, d, wa, wb, wc, wd, scale, count)
        elif taps == 3:
            sum_rows(itemsize, 3, mode, target, a, b, c, d, wa, wb, wc, wd, scale, count)
        else:
            sum_rows(itemsize, 4, mode, target, a, b, c, d, wa, wb, wc, wd, scale, count)

    return combined


@kernel()
def separable(itemsize: int, mode: int) -> Callable[..., Any]:
    """Task: one row of one output image.

    block = x, y, scratch, the tables of A and B (starts, index, weights, scales, runs of B), H, W, P, Q, C, the length
    of a scratch line, the number that stands where there are no taps, whether all pixels have two taps.
    """
    real = float32 if itemsize == 4 else float64
    scaled, weighted = bool(mode & SCALED), bool(mode & WEIGHTED)
    rows_mode = mode & WEIGHTED
    down, across = _combined(itemsize, rows_mode), _combined(itemsize, mode)

    def worker(begin, end, slot, block):
        a_starts, a_index = pointer(block[3], int64), pointer(block[4], int64)
        a_weights, a_scales = pointer(block[5], real), pointer(block[6], float64)
        b_starts, b_index = pointer(block[7], int64), pointer(block[8], int64)
        b_weights, b_scales, b_runs = pointer(block[9], real), pointer(block[10], float64), pointer(block[11], int64)
        H, W, P, Q, C = block[12], block[13], block[14], block[15], block[16]
        scratch = block[2] + slot * block[17] * itemsize
        value, pairs = real(float_bits(block[18])), block[19] != 0
        pixel, line_size = C * itemsize, W * C * itemsize
        one = real(1)
        for task in range(begin, end):
            n = task // P
            p = task - n * P
            y = block[1] + task * Q * pixel
            first, stop = a_starts[p], a_starts[p + 1]
            if first == stop:
                _fill(y, Q * C, value, real)
                continue
            image = block[0] + n * H * line_size
            line = scratch
            if stop - first == 1 and (not weighted or a_weights[first] == one):
                line = image + a_index[first] * line_size
            elif stop - first == 2 and pairs and not weighted:
                upper, lower = image + a_index[first] * line_size, image + a_index[first + 1] * line_size
                for q in range(Q):
                    scale = real(a_scales[p] * b_scales[q]) if scaled else one
                    left, right = b_index[2 * q] * pixel, b_index[2 * q + 1] * pixel
                    sum_rows(
                        itemsize, 4, mode, y + q * pixel,
                        upper + left, upper + right, lower + left, lower + right, one, one, one, one, scale, C,
                    )  # fmt: skip
                continue
            else:
                down(scratch, image, line_size, a_index, a_weights, first, stop, one, W * C)
            q = 0
            while q < Q:
                first, stop = b_starts[q], b_starts[q + 1]
                target, done = y + q * pixel, 1
                scale = real(a_scales[p] * b_scales[q]) if scaled else one
                if stop - first == 2:
                    left, right = line + b_index[first] * pixel, line + b_index[first + 1] * pixel
                    w_left, w_right = (b_weights[first], b_weights[first + 1]) if weighted else (one, one)
                    sum_rows(itemsize, 2, mode, target, left, right, 0, 0, w_left, w_right, one, one, scale, C)
                elif stop - first == 1:
                    left, w_left = line + b_index[first] * pixel, b_weights[first] if weighted else one
                    if not weighted and not scaled:
                        done = b_runs[q]
                    sum_rows(itemsize, 1, mode, target, left, 0, 0, 0, w_left, one, one, one, scale, C * done)
                elif first == stop:
                    _fill(target, C, value, real)
                else:
                    across(target, line, pixel, b_index, b_weights, first, stop, scale, C)
                q += done

    return worker


class Separable:
    """Computes y (N, P, Q, C) from x (N, H, W, C), ``rows`` being A and ``columns`` B.

    ``value`` stands where a row or a column has no taps. Integers are summed in float32 and rounded, halves to even;
    every row and column must have a tap then.
    """

    def __init__(self, n: int, channels: int, rows: Taps, columns: Taps, dtype: np.dtype, value: float = 0.0) -> None:
        self.dtype = dtype
        self.real = dtype if dtype.kind == "f" else np.dtype(np.float32)  # that sums have
        numbers = columns.inputs * channels
        self.tasks = n * rows.outputs if columns.outputs * channels else 0
        taps = len(columns.indices) + len(rows.indices) * columns.inputs / max(1, rows.outputs)
        self.ns = self.tasks * (taps + columns.outputs) * channels * _NS_PER_TAP
        line = -(-numbers // _LINE) * _LINE
        if self.tasks and (dtype.kind != "f" or _by_numbers(rows, columns, channels, dtype.itemsize)):
            self._plan_numbers(rows, columns, channels, line)
        else:
            self._plan_pixels(rows, columns, channels, line, value)

    def _plan_pixels(self, rows: Taps, columns: Taps, channels: int, line: int, value: float) -> None:
        row_scales, column_scales = rows.scales(), columns.scales()
        if row_scales is None or column_scales is None:
            mode = WEIGHTED
            row_scales = column_scales = np.ones(1)
        else:
            mode = 0 if np.all(row_scales == 1.0) and np.all(column_scales == 1.0) else SCALED
        # They must live as long as the template, which has their addresses.
        self.tables = [
            rows.starts, rows.indices, rows.weights.astype(self.dtype), row_scales,
            columns.starts, columns.indices, columns.weights.astype(self.dtype), column_scales, columns.runs(),
        ]  # fmt: skip
        self.scratch = line
        sizes = [rows.inputs, columns.inputs, rows.outputs, columns.outputs, channels, line, word_of(value)]
        sizes.append(int(bool(np.all(np.diff(columns.starts) == 2))))
        self.template = Template(3, [*map(address_of, self.tables), *sizes])
        self.worker = separable.address(self.dtype.itemsize, mode)

    def _plan_numbers(self, rows: Taps, columns: Taps, channels: int, line: int) -> None:
        itemsize, real = self.real.itemsize, self.real
        found = halved(columns, itemsize) if channels == 1 and self.dtype == real else None
        first, last, origin, weights = found or (0, 0, 0, np.ones(1))
        indices, all_weights = of_equal_count(columns, channels)
        numbers = columns.outputs * channels
        windows = None if found else Windows.of(indices, all_weights.astype(real), columns.inputs * channels, itemsize)
        begins, places, factors = windows or (np.zeros(0, np.int32),) * 3
        self.tables = [
            rows.starts, rows.indices, rows.weights.astype(real), indices, all_weights.astype(real),
            weights.astype(real), begins, places, factors,
        ]  # fmt: skip
        addresses = -(-8 * int(np.diff(rows.starts).max()) // (_LINE * itemsize)) * _LINE
        row = 0 if self.dtype == real else -(-numbers // _LINE) * _LINE  # of results that are not yet rounded
        self.scratch = addresses + line + row
        sizes = [
            rows.inputs, columns.inputs * channels, rows.outputs, numbers, len(indices), int(_untouched(columns)),
            first, last, origin, self.scratch * itemsize, addresses * itemsize, len(begins),
        ]  # fmt: skip
        tables = list(map(address_of, self.tables))
        self.template = Template(3, [*tables[:6], *sizes, *tables[6:], (addresses + line) * itemsize])
        self.worker = few_channels.address(self.dtype.name, 0 if found is None else len(weights))

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * self.scratch,), self.real)
        block = self.template.filled(arrays[0], outputs[0], scratch)
        launch(self.worker, self.tasks, ctypes.addressof(block), self.ns)


def _untouched(columns: Taps) -> bool:
    """Whether every output is the input of its place."""
    return columns.outputs == columns.inputs and bool(columns.runs()[0] == columns.inputs and columns.copies())


def _by_numbers(rows: Taps, columns: Taps, channels: int, itemsize: int) -> bool:
    """Whether the numbers of a row are computed one by one (few_channels.py) rather than the pixels."""
    if channels >= lanes(itemsize) or not (np.all(np.diff(rows.starts)) and np.all(np.diff(columns.starts))):
        return False
    if not columns.copies() or _untouched(columns):
        return True
    return bool(8 * np.count_nonzero(columns.runs() == 1) > columns.outputs)  # otherwise most pixels are copied in runs
