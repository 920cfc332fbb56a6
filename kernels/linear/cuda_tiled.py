"""Matrix products "tiled" on CUDA: a block shares square tiles of both factors.

The idea: the 16 x 16 outputs of a block need 16 rows of a and 16 columns of b. Its 256 threads fetch 16 x 16 numbers of
each into shared memory, one number of each a thread, wait, and then every thread adds 16 products from there; then the
next 16 columns of a and rows of b.

              b tile                thread (row, column) adds
              . . . .
    a tile    . . . .                   sum over i of a_tile[row, i] * b_tile[i, column]
    . . . .   y . . .
    . . . .   . . . .               16 numbers of a and 16 of b, each fetched once and read 16 times

Index arithmetic: tile number t covers k from 16 t on. Thread (row, column) fetches ``a[m, 16 t + column]`` and
``b[16 t + row, n]``: in both the fastest thread index, column, is the fastest index in memory. An operand that is read
transposed lies the other way, so there it fetches the number at the transposed place of the tile, and stores it at the
transposed place of shared memory: reads from memory stay neighbouring. Beyond the edge of a matrix stand zeros.

Memory traffic: 2 words fetched for 16 multiply-adds, an eighth of a word for each, where the naive kernel reads two.
What bounds it now is shared memory, two reads for a multiply-add; the way on is to let a thread compute several
outputs from registers.

Two barriers a tile: the first so that no thread reads before all have written, the second so that none writes the next
tile while others still read.

Sums are in the working type. Takes up to 65535 x 16 rows, one block of the grid's second axis for each 16.
"""

from typing import Any

from numba import cuda

from ..activation.epilogue import activate
from ..machine.cuda_numba import launch
from ..operation import Run
from .cuda_naive import constants, matrices

TILE = 16


@cuda.jit
def matmul_tiled(a, b, bias, y, transpose_a, transpose_b, code, negative_slope):
    """Each block computes a tile of y. An empty bias stands for none."""
    a_tile = cuda.shared.array((TILE, TILE), a.dtype)
    b_tile = cuda.shared.array((TILE, TILE), b.dtype)
    M, N = y.shape
    K = a.shape[0] if transpose_a else a.shape[1]
    column, row = cuda.threadIdx.x, cuda.threadIdx.y
    m0, n0 = cuda.blockIdx.y * TILE, cuda.blockIdx.x * TILE

    zero = y.dtype.type(0)
    total = zero
    for k0 in range(0, K, TILE):
        if transpose_a:
            m, k = m0 + column, k0 + row
            a_tile[column, row] = a[k, m] if m < M and k < K else zero
        else:
            m, k = m0 + row, k0 + column
            a_tile[row, column] = a[m, k] if m < M and k < K else zero
        if transpose_b:
            n, k = n0 + row, k0 + column
            b_tile[column, row] = b[n, k] if n < N and k < K else zero
        else:
            n, k = n0 + column, k0 + row
            b_tile[row, column] = b[k, n] if n < N and k < K else zero
        cuda.syncthreads()
        for i in range(min(TILE, K - k0)):
            total += a_tile[row, i] * b_tile[i, column]
        cuda.syncthreads()

    # Threads beyond the edge have helped to fetch; they have nothing to store.
    if m0 + row < M and n0 + column < N:
        if bias.size > 0:
            total += bias[n0 + column]
        y[m0 + row, n0 + column] = activate(total, code, negative_slope)


def rejects(g: Any) -> str | None:
    """Why this variant cannot take a call, or None."""
    most = 65535 * TILE  # blocks along the grid's second axis
    return f"takes at most {most} rows but got {g.m}" if g.m > most else None


def build(g: Any) -> Run:
    """Prepare the launch: a block for each tile of the output."""
    grid = (-(-g.n // TILE), -(-g.m // TILE))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if g.m * g.n:
            launch(matmul_tiled, grid, (TILE, TILE), *matrices(g, arrays, outputs), *constants(g))

    return run
