"""match_products "tiled" on CUDA: a block shares a tile of the image and a piece of the template.

The idea: neighbouring places read nearly the same pixels, and all read the same template. A block of threads computes
``TILE x TILE`` places, one a thread. It takes the template in pieces of ``PIECE x PIECE`` numbers of one channel: the
piece and the pixels under it, for all its places, are fetched into shared memory together; after a barrier each thread
adds its products from there; after another the next piece is fetched.

Index arithmetic: the piece that begins at (r0, s0) of the template lies, for the block's first place (p0, q0), on the
pixels from (p0 + r0, q0 + s0) on. Thread (row, column) reads, for number (i, j) of the piece,

    x_tile[row + i, column + j]

    4 x 4 places, 3 x 3 numbers:   . . . . . .       a tile of 6 x 6: 36 pixels fetched
                                   . o o o o .       instead of 16 x 9 = 144
                                   . o o o o .
                                   . o o o o .
                                   . o o o o .
                                   . . . . . .

Memory traffic: for 8 x 8 places and a piece of 8 x 8, 225 pixels and 64 numbers of the template for 4096 multiply-adds,
14 for each word, where the naive kernel reads two words for each one. What bounds it is shared memory: two reads for a
multiply-add still. The way on is to let a thread compute several places of a row from registers.

What lies outside of image or template is 0, and its product is left out rather than added: so NaN and infinity reach
the windows that hold them alone.

Takes everything: any size of template, float32, float64, and uint8 summed in int64.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch
from ..operation import Run
from .geometry import MatchGeometry

TILE = 8
PIECE = 8
THREADS = TILE * TILE
HALO = TILE + PIECE - 1


@cuda.jit
def match_products_tiled(x, template, y):
    """Each block computes a tile of y."""
    x_tile = cuda.shared.array((HALO, HALO), y.dtype)
    piece = cuda.shared.array((PIECE, PIECE), y.dtype)
    _, H, W, _ = x.shape
    T, R, S, C = template.shape
    _, P, Q = y.shape

    # Which tile: blockIdx.x counts them, image after image.
    tiles_across = (Q + TILE - 1) // TILE
    tiles_down = (P + TILE - 1) // TILE
    n = cuda.blockIdx.x // (tiles_across * tiles_down)
    p0 = cuda.blockIdx.x // tiles_across % tiles_down * TILE
    q0 = cuda.blockIdx.x % tiles_across * TILE
    column, row = cuda.threadIdx.x, cuda.threadIdx.y
    thread = row * TILE + column

    number = y.dtype.type
    total = number(0)
    for c in range(C):
        for r0 in range(0, R, PIECE):
            for s0 in range(0, S, PIECE):
                for i in range(thread, HALO * HALO, THREADS):
                    h, w = p0 + r0 + i // HALO, q0 + s0 + i % HALO
                    x_tile[i // HALO, i % HALO] = number(x[n, h, w, c]) if h < H and w < W else number(0)
                for i in range(thread, PIECE * PIECE, THREADS):
                    r, s = r0 + i // PIECE, s0 + i % PIECE
                    piece[i // PIECE, i % PIECE] = number(template[n % T, r, s, c]) if r < R and s < S else number(0)
                cuda.syncthreads()
                for i in range(min(PIECE, R - r0)):
                    for j in range(min(PIECE, S - s0)):
                        total += x_tile[row + i, column + j] * piece[i, j]
                cuda.syncthreads()

    # Threads beyond the edge have helped to fetch; they have nothing to store.
    if p0 + row < P and q0 + column < Q:
        y[n, p0 + row, q0 + column] = total


def build(geometry: MatchGeometry) -> Run:
    """Prepare the launch: a block for each tile of places."""
    g = geometry
    tiles = g.n * -(-g.p // TILE) * -(-g.q // TILE)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if tiles:
            launch(match_products_tiled, (tiles,), (TILE, TILE), *arrays, outputs[0])

    return run
