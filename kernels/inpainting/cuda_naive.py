"""inpaint_biharmonic "naive" on CUDA: one thread, one number of the equations, in every step of Gauss.

    equations    each thread writes the equation of one open pixel
    eliminate    each thread takes one number of row k off one below it; a launch for each k
    substitute   each thread takes what is known of pixel k off one equation above; a launch for each k, from the last
    write        each thread writes one channel of one open pixel

The idea: the equations of an image are a band. Open pixels are numbered as they lie, and one joins only those at most
two steps away, so row k has numbers up to ``band`` places beside its diagonal and is taken off ``band`` rows below.
What a launch reads, row and column k, it does not write, so its threads do not depend on each other; sums are in a
fixed order, that of the definition.

Index arithmetic: the matrix is symmetric, and number m of row k is that of column k - m. Below row k the rows k + 1 + a
and columns k + 1 + b are a square of threads, of which the half up to its diagonal works; right sides lie beside it.

Memory traffic: the square is read and written for every k, band^2 numbers of float64, which the cache holds for most
holes. What bounds it is the latency of launches, two for each open pixel of the image that has most; those of other
images run in the same ones. cpu_cholesky.py needs fewer operations, which depend on each other.

Takes everything that has room: the matrix has band + 1 numbers for each open pixel. The host reads the mask, once, for
numbers and band; so it cannot be captured in a graph.
"""

from typing import Any

import numpy as np
from numba import cuda, float64, int64

from ..arrays import is_on_cuda, new_like, to_device
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .equations import MOST_TERMS, terms
from .geometry import BiharmonicGeometry


@cuda.jit
def biharmonic_equations(x, places, order, counts, matrix, right, shape, tension):
    """Each thread writes one row; right sides are of x (N, D H W, C), where it is known."""
    index = cuda.grid(1)
    if index >= order.size:
        return
    n, k = index // order.shape[1], index % order.shape[1]
    if k >= counts[n]:
        return
    d, h, w = shape
    pixels, factors = cuda.local.array(MOST_TERMS, int64), cuda.local.array(MOST_TERMS, float64)
    for m in range(matrix.shape[2]):
        matrix[n, k, m] = 0.0
    for channel in range(right.shape[2]):
        right[n, k, channel] = 0.0
    for term in range(terms(order[n, k], d, h, w, tension, pixels, factors)):
        pixel, factor = pixels[term], factors[term]
        place = places[n, pixel]
        if place < 0:
            for channel in range(right.shape[2]):
                right[n, k, channel] -= factor * x[n, pixel, channel]
        elif place <= k:
            matrix[n, k, k - place] = factor


@cuda.jit
def biharmonic_eliminate(matrix, right, counts, k, below):
    """Each thread takes off one number of ``below`` rows; 0 takes off nothing, even of NaN, which stays in its hole."""
    index = cuda.grid(1)
    wide = below + right.shape[2]
    if index >= counts.size * below * wide:
        return
    n, a, b = index // (below * wide), index // wide % below, index % wide
    row = k + 1 + a
    if row >= counts[n]:
        return
    factor = matrix[n, row, 1 + a] / matrix[n, k, 0]
    if factor == 0:
        return
    if b >= below:
        right[n, row, b - below] -= factor * right[n, k, b - below]
    elif b <= a:
        matrix[n, row, a - b] -= factor * matrix[n, k + 1 + b, 1 + b]


@cuda.jit
def biharmonic_substitute(matrix, right, counts, k, above):
    """Each thread takes pixel k off one of the ``above`` equations that know it."""
    index = cuda.grid(1)
    channels = right.shape[2]
    if index >= counts.size * above * channels:
        return
    n, m, channel = index // (above * channels), 1 + index // channels % above, index % channels
    if k < counts[n] and matrix[n, k, m] != 0:
        right[n, k - m, channel] -= matrix[n, k, m] * (right[n, k, channel] / matrix[n, k, 0])


@cuda.jit
def biharmonic_write(matrix, right, order, counts, y):
    index = cuda.grid(1)
    if index >= right.size:
        return
    _, most, channels = right.shape
    n, k, channel = index // (most * channels), index // channels % most, index % channels
    if k < counts[n]:
        y[n, order[n, k], channel] = right[n, k, channel] / matrix[n, k, 0]


def build(g: BiharmonicGeometry) -> Run:
    """Prepare two launches for each open pixel of the image that has most."""
    shape, pixels = (g.d, g.h, g.w), g.d * g.h * g.w
    reach = 2 * (g.h * g.w if g.d > 1 else g.w if g.h > 1 else 1)  # the equation of a pixel ends here

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y = arrays[0].reshape((g.n, pixels, g.c)), outputs[0].reshape((g.n, pixels, g.c))
        y[...] = x
        if not y.size:
            return
        tables = _numbered(to_device(arrays[1], "cpu").reshape((g.n, pixels)) != 0, reach)
        band, most = tables[0], tables[2].shape[1]
        places, order, counts = (to_device(table, "cuda" if is_on_cuda(x) else "cpu") for table in tables[1:])
        matrix, right = (new_like(x, (g.n, most, numbers), np.float64) for numbers in (band + 1, g.c))
        launch_each(biharmonic_equations, order.size, x, places, order, counts, matrix, right, shape, g.tension)
        for k in range(most):
            below = min(band, most - 1 - k)
            launch_each(biharmonic_eliminate, g.n * below * (below + g.c), matrix, right, counts, k, below)
        for k in range(most - 1, 0, -1):
            above = min(band, k)
            launch_each(biharmonic_substitute, g.n * above * g.c, matrix, right, counts, k, above)
        launch_each(biharmonic_write, right.size, matrix, right, order, counts, y)

    return run


def _numbered(holes: np.ndarray, reach: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """The band; the number of each open pixel, or -1; the pixels by their numbers; how many there are."""
    if holes.all(axis=1).any():
        image = int(holes.all(axis=1).argmax())
        raise ValueError(f"inpaint_biharmonic: mask of image {image} leaves no pixel known")
    upto = np.cumsum(holes, axis=1)
    counts = upto[:, -1].copy()
    ends = np.minimum(np.arange(holes.shape[1]) + reach, holes.shape[1] - 1)
    band = int((upto[:, ends] - upto)[holes].max(initial=0))
    order = np.zeros((len(holes), int(counts.max())), np.int64)
    order[np.arange(order.shape[1]) < counts[:, None]] = np.nonzero(holes)[1]
    return band, np.where(holes, upto - 1, -1), order, counts
