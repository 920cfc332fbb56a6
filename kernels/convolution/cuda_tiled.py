"""conv2d "tiled" on CUDA: a block shares a tile of the input and of the weights.

The idea: the outputs of a small square of pixels need nearly the same input pixels, and all pixels need the same
weights. A block of threads computes ``TILE_ROWS x TILE_COLUMNS`` pixels of ``TILE_CHANNELS`` channels, one output a
thread. It fetches what they need into shared memory together, ``CHUNK`` input channels at a time, waits, and then each
thread sums its output's products from there.

Index arithmetic: output pixel (p, q) reads input rows ``p * stride - top + r``. The block's first pixel (p0, q0) needs
rows from ``p0 * stride - top`` on, so in the tile that thread (row, column) reads at tap (r, s) it is simply

    x_tile[row * stride + r, column * stride + s, c]          zeros where the tile leaves the image (the *halo*)
    w_tile[r, s, c, k]                                        k last: neighbouring threads read neighbouring words

    stride 1, 3 x 3 taps:    . . . . . .       4 x 4 outputs read a 6 x 6 tile: 36 pixels fetched
                             . o o o o .       instead of 16 x 9 = 144
                             . o o o o .
                             . o o o o .
                             . o o o o .
                             . . . . . .

Memory traffic: for 3 x 3 taps and 8 channels, 288 words of x and 1152 of w for 18432 multiply-adds: 13 for each word,
where the naive kernel reads two words for each one. What bounds it now is shared memory: still two reads for a
multiply-add, and a multiprocessor starts one warp's read in the time of four warps' multiply-adds, so an eighth of the
arithmetic peak at best. The way on is to let a thread compute several outputs from registers.

Two barriers a chunk: the first so that no thread reads before all have written, the second so that none writes the
next chunk while others still read.

Takes groups 1, dilation 1, stride 1 or 2, and kernels up to 5 x 5 (the shared arrays have a fixed size); any padding,
size and number of channels, float32 and float64. A zero of the halo times an infinite weight is NaN.
"""

from typing import Any

from numba import cuda

from ..activation.epilogue import CODES
from ..machine.cuda_numba import launch
from ..operation import Run
from .cuda_naive import activate
from .geometry import ConvGeometry

TILE_ROWS = TILE_COLUMNS = 4
TILE_CHANNELS = 16
CHUNK = 8
LARGEST_KERNEL = 5
LARGEST_STRIDE = 2
THREADS = TILE_ROWS * TILE_COLUMNS * TILE_CHANNELS
HALO_ROWS = HALO_COLUMNS = (TILE_ROWS - 1) * LARGEST_STRIDE + LARGEST_KERNEL
X_TILE = (HALO_ROWS, HALO_COLUMNS, CHUNK)
W_TILE = (LARGEST_KERNEL, LARGEST_KERNEL, CHUNK, TILE_CHANNELS)


@cuda.jit
def conv2d_tiled(x, w, bias, y, stride, pads, code, negative_slope):
    """Each block computes a tile of y. An empty bias stands for none."""
    x_tile = cuda.shared.array(X_TILE, x.dtype)
    w_tile = cuda.shared.array(W_TILE, w.dtype)
    _, H, W, C = x.shape
    K, R, S, _ = w.shape
    _, P, Q, _ = y.shape

    # Which tile: blockIdx.x counts tiles of pixels, image after image; blockIdx.y counts tiles of channels.
    tiles_across = (Q + TILE_COLUMNS - 1) // TILE_COLUMNS
    tiles_down = (P + TILE_ROWS - 1) // TILE_ROWS
    n = cuda.blockIdx.x // (tiles_across * tiles_down)
    p0 = cuda.blockIdx.x // tiles_across % tiles_down * TILE_ROWS
    q0 = cuda.blockIdx.x % tiles_across * TILE_COLUMNS
    k0 = cuda.blockIdx.y * TILE_CHANNELS
    k, column, row = cuda.threadIdx.x, cuda.threadIdx.y, cuda.threadIdx.z
    thread = (row * TILE_COLUMNS + column) * TILE_CHANNELS + k

    # The tile's upper left corner in the image, and how much of x_tile this stride and kernel need.
    top, left = p0 * stride[0] - pads[0], q0 * stride[1] - pads[2]
    halo_rows, halo_columns = (TILE_ROWS - 1) * stride[0] + R, (TILE_COLUMNS - 1) * stride[1] + S

    one = y.dtype.type(1)
    zero = one - one
    total = zero
    for first_c in range(0, C, CHUNK):
        for i in range(thread, halo_rows * halo_columns * CHUNK, THREADS):
            c, tile_column, tile_row = i % CHUNK, i // CHUNK % halo_columns, i // (CHUNK * halo_columns)
            h, image_column = top + tile_row, left + tile_column
            inside = 0 <= h < H and 0 <= image_column < W and first_c + c < C
            x_tile[tile_row, tile_column, c] = x[n, h, image_column, first_c + c] if inside else zero
        for i in range(thread, TILE_CHANNELS * R * S * CHUNK, THREADS):
            c, s, r, tile_k = i % CHUNK, i // CHUNK % S, i // (CHUNK * S) % R, i // (CHUNK * S * R)
            inside = k0 + tile_k < K and first_c + c < C
            w_tile[r, s, c, tile_k] = w[k0 + tile_k, r, s, first_c + c] if inside else zero
        cuda.syncthreads()
        for r in range(R):
            for s in range(S):
                for c in range(CHUNK):
                    total += x_tile[row * stride[0] + r, column * stride[1] + s, c] * w_tile[r, s, c, k]
        cuda.syncthreads()

    # Threads beyond the edge have helped to fetch; they have nothing to store.
    if p0 + row < P and q0 + column < Q and k0 + k < K:
        if bias.size > 0:
            total += bias[k0 + k]
        y[n, p0 + row, q0 + column, k0 + k] = activate(total, code, negative_slope, one)


def rejects(geometry: ConvGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    g = geometry
    if g.groups != 1 or g.dilation != (1, 1):
        return f"takes groups 1 and dilation 1 but got groups {g.groups}, dilation {g.dilation}"
    if max(g.stride) > LARGEST_STRIDE:
        return f"takes strides up to {LARGEST_STRIDE} but got {g.stride}"
    if max(g.r, g.s) > LARGEST_KERNEL:
        return f"takes kernels up to {LARGEST_KERNEL} x {LARGEST_KERNEL} but got {g.r} x {g.s}"
    return None


def build(geometry: ConvGeometry) -> Run:
    """Prepare the launch: a block for each tile of the output."""
    g = geometry
    pixel_tiles = g.n * -(-g.p // TILE_ROWS) * -(-g.q // TILE_COLUMNS)
    grid = (pixel_tiles, -(-g.k // TILE_CHANNELS))
    block = (TILE_CHANNELS, TILE_COLUMNS, TILE_ROWS)
    constants = (g.stride, g.pads, CODES[g.activation], g.dtype.type(g.negative_slope))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, w, bias), (y,) = arrays, outputs
        if pixel_tiles:
            launch(conv2d_tiled, grid, block, x, w, w.reshape(-1)[:0] if bias is None else bias, y, *constants)

    return run
