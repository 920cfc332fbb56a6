"""Rank filters, minima, maxima and places of numbers "naive" on CUDA: one thread, one output.

The idea: outputs do not depend on each other, so each goes to a thread, which goes over its window. A minimum or a
maximum takes one walk. For another rank the definition sorts the numbers under the window, for which a thread has no
room: here it *ascends*. Each walk finds the least number above the one before and counts how often it stands there;
the walk in which that many numbers are passed ends with the wanted one. A place is that of the first equal number.
Of images of more than two axes, a walk goes from slice to slice.

Index arithmetic: threads are numbered as numbers lie in memory, channels fastest, so that the 32 threads of a warp
read neighbouring numbers for each pixel of the window.

Memory traffic: a window's numbers for each walk, which the cache answers, and of walks as many as there are different
numbers up to the wanted one: 5 for most medians of 9 numbers, 113 for those of 225. What bounds it is their
comparisons, of which there are taps^2 / 2 for a median. cpu_selection.py needs a walk for each bit of the type.

Takes everything: any window, type and border. A walk that meets a NaN ends with it.
"""

from typing import Any

from numba import cuda

from ..arrays import beside
from ..correlation.reference import MODES
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import PlacesGeometry, RankGeometry
from .reference import number_at, place_of


@cuda.jit(device=True)
def next_number(x, n, p, q, c, footprint, mode, outside, ascended, last, least, count):
    """The least number under the window that begins at (p, q), and how many are equal; above ``last`` if ascended.

    ``least`` was found ``count`` times before.
    """
    R, S = footprint.shape
    for r in range(R):
        for s in range(S):
            if not footprint[r, s]:
                continue
            number = number_at(x, n, p + r, q + s, c, mode, outside)
            if number != number:
                return number, R * S
            if ascended and number <= last:
                continue
            if count == 0 or number < least:
                least, count = number, 1
            elif number == least:
                count += 1
    return least, count


@cuda.jit
def rank_filter2d_naive(x, y, footprint, rank, mode, outside, top, left):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    n, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    found, passed = next_number(x, n, p - top, q - left, c, footprint, mode, outside, False, outside, outside, 0)
    while passed <= rank:
        found, count = next_number(x, n, p - top, q - left, c, footprint, mode, outside, True, found, outside, 0)
        passed += count
    y[n, p, q, c] = found


@cuda.jit(device=True)
def extreme_of(x, n, p, q, c, footprint, mode, outside, greatest, found, is_first):
    """The greatest or the least of ``found``, unless nothing was before, and the window that begins at (p, q).

    Also whether still nothing was found.
    """
    R, S = footprint.shape
    for r in range(R):
        for s in range(S):
            if not footprint[r, s]:
                continue
            number = number_at(x, n, p + r, q + s, c, mode, outside)
            if number != number:
                return number, False
            if is_first or (number > found if greatest else number < found):
                found, is_first = number, False
    return found, is_first


@cuda.jit
def extremes2d_naive(x, y, footprint, mode, outside, top, left, greatest):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    n, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    y[n, p, q, c], _ = extreme_of(x, n, p - top, q - left, c, footprint, mode, outside, greatest, outside, True)


@cuda.jit(device=True)
def slice_at(slices, z, t, p, R):
    """The slice of an image that lies under slice t of the window of slice z, and the row where the window begins.

    Of the constant it is any slice, far above its first row: R rows are under the window.
    """
    k = slices[z, t]
    return (k, p) if k >= 0 else (0, -R)


@cuda.jit(device=True)
def next_of_stack(x, n, z, p, q, c, slices, window, mode, outside, ascended, last):
    """`next_number` under the slices of a window; n is the first slice of the image."""
    T, R, _ = window.shape
    least, count = outside, 0
    for t in range(T):
        k, row = slice_at(slices, z, t, p, R)
        least, count = next_number(x, n + k, row, q, c, window[t], mode, outside, ascended, last, least, count)
        if count > 0 and least != least:
            return least, window.size
    return least, count


@cuda.jit
def rank_filter_nd_naive(x, y, slices, window, rank, mode, outside, top, left):
    """Each thread computes one element of y; x and y are (N * slices, H, W, C)."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    plane, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    z = plane % slices.shape[0]
    n, p, q = plane - z, p - top, q - left
    found, passed = next_of_stack(x, n, z, p, q, c, slices, window, mode, outside, False, outside)
    while passed <= rank:
        found, count = next_of_stack(x, n, z, p, q, c, slices, window, mode, outside, True, found)
        passed += count
    y[plane, p + top, q + left, c] = found


@cuda.jit
def extremes_nd_naive(x, y, slices, window, mode, outside, top, left, greatest):
    """Each thread computes one element of y; x and y are (N * slices, H, W, C)."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    plane, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    z = plane % slices.shape[0]
    T, R, _ = window.shape
    found, is_first = outside, True
    for t in range(T):
        k, row = slice_at(slices, z, t, p - top, R)
        n = plane - z + k
        found, is_first = extreme_of(x, n, row, q - left, c, window[t], mode, outside, greatest, found, is_first)
        if not is_first and found != found:
            break
    y[plane, p, q, c] = found


@cuda.jit
def window_places_naive(x, y, places, footprint):
    """Each thread computes one element of ``places``."""
    index = cuda.grid(1)
    if index >= places.size:
        return
    _, P, Q, C = y.shape
    n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
    places[n, p, q, c] = place_of(y[n, p, q, c], x, n, p, q, c, footprint)


def build(g: RankGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    footprint, outside = g.footprint.array, g.constant[0]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (y,) = arrays, outputs
        window = beside(x, footprint), g.rank, MODES[g.mode], outside, g.top, g.left
        launch_each(rank_filter2d_naive, y.size, x, y, *window)

    return run


def _build_extreme(g: RankGeometry, greatest: bool) -> Run:
    footprint, outside = g.footprint.array, g.constant[0]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (y,) = arrays, outputs
        window = beside(x, footprint), MODES[g.mode], outside, g.top, g.left
        launch_each(extremes2d_naive, y.size, x, y, *window, greatest)

    return run


def build_minimum(g: RankGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    return _build_extreme(g, greatest=False)


def build_maximum(g: RankGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    return _build_extreme(g, greatest=True)


def build_stacks(g: RankGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result, of images of more than two axes."""
    slices, window, outside = g.slices(), g.window, g.constant[0]
    n, deep, h, w, c = g.stack

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y = (array.reshape(n * deep, h, w, c) for array in (*arrays, *outputs))
        tables = beside(x, slices), beside(x, window)
        place = MODES[g.mode], outside, g.top, g.left
        if g.extreme:
            launch_each(extremes_nd_naive, y.size, x, y, *tables, *place, g.rank > 0)
        else:
            launch_each(rank_filter_nd_naive, y.size, x, y, *tables, g.rank, *place)

    return run


def build_places(g: PlacesGeometry) -> Run:
    """Prepare the launch: a thread for each place."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, y), (places,) = arrays, outputs
        launch_each(window_places_naive, places.size, x, y, places, beside(x, g.footprint.array))

    return run
