"""canny "tiled" on CUDA: a block of threads does a tile of pixels in shared memory.

    classes   a block fetches the pixels under its tile, computes derivatives and norms of the tile and of one pixel
              around it, and compares: nothing but the classes is written
    grow      a block fetches the classes of its tile and of one pixel around it, and grows the strong ones until
              nothing changes any more in the tile; launched again until nothing changes in any tile
    edges     0 or 255

Index arithmetic: three windows lie in one another, ``radius`` being that of the derivative:

    x x x x x x x x         pixels      (8 + 2 + 2 radius) x (16 + 2 + 2 radius), row p of them is image row
    x n n n n n n x                     p0 - 1 - radius + p, the edge's pixels standing for those outside
    x n o o o o n x         norms       (8 + 2) x (16 + 2), 0 outside the image
    x n o o o o n x         the tile    8 x 16 threads, thread (row, column) at norm (row + 1, column + 1)
    x n n n n n n x

Windows are larger than the block, so that threads go over them in steps of their number.

Memory traffic: 1.9 bytes are fetched for each pixel in aperture 3, and one is written, where the naive kernels move 33.
An edge takes as many launches as tiles lie on its way, and not as pixels.

Threads beyond the image's edge help to fetch and wait at every barrier; they only store nothing. Growing has three
barriers a turn: all have written before the flag is read, all have read before it is lowered, and all begin with it
down.
"""

from typing import Any

from numba import cuda

from ..arrays import beside, new_like
from ..hysteresis.cuda_naive import until_nothing_changes
from ..hysteresis.reference import NOTHING, STRONG, WEAK
from ..machine.cuda_numba import launch
from ..operation import Run
from .apertures import DIVIDED
from .cuda_naive import THREADS as FLAT
from .cuda_naive import canny_edges, class_of, steps_of, weights_of
from .geometry import CannyGeometry

ROWS, COLUMNS = 8, 16
THREADS = ROWS * COLUMNS
LARGEST_RADIUS = 3
NORMS = (ROWS + 2, COLUMNS + 2)
PIXELS = (ROWS + 2 + 2 * LARGEST_RADIUS, COLUMNS + 2 + 2 * LARGEST_RADIUS)


@cuda.jit(device=True)
def fetch(x, n, k, top, left, radius, pixels, thread):
    """The pixels of one channel under the tile into shared memory."""
    _, H, W, _ = x.shape
    rows, columns = NORMS[0] + 2 * radius, NORMS[1] + 2 * radius
    for i in range(thread, rows * columns, THREADS):
        p, q = i // columns, i % columns
        pixels[p, q] = x[n, min(max(top - radius + p, 0), H - 1), min(max(left - radius + q, 0), W - 1), k]


@cuda.jit(device=True)
def gradient_in(pixels, p, q, weights, divided):
    """Both derivatives, the window's first pixel being (p, q)."""
    taps = weights.shape[1]
    dx, dy = 0, 0
    for r in range(taps):
        for s in range(taps):
            value = int(pixels[p + r, q + s])
            dx += int(weights[0, r]) * int(weights[1, s]) * value
            dy += int(weights[1, r]) * int(weights[0, s]) * value
    if divided:  # a sixteenth, halves to even
        dx, dy = (dx + 7 + ((dx >> 4) & 1)) >> 4, (dy + 7 + ((dy >> 4) & 1)) >> 4
    return dx, dy


@cuda.jit
def canny_classes_tiled(x, weights, divided, squared, thresholds, classes):
    pixels = cuda.shared.array(PIXELS, "int32")
    norms = cuda.shared.array(NORMS, "int32")
    dx = cuda.shared.array(NORMS, "int32")
    dy = cuda.shared.array(NORMS, "int32")
    _, H, W, C = x.shape
    radius = weights.shape[1] // 2
    across, down = (W + COLUMNS - 1) // COLUMNS, (H + ROWS - 1) // ROWS
    tile, n = cuda.blockIdx.x % (across * down), cuda.blockIdx.x // (across * down)
    p0, q0 = tile // across * ROWS, tile % across * COLUMNS
    column, row = cuda.threadIdx.x, cuda.threadIdx.y
    thread = row * COLUMNS + column

    for k in range(C):
        fetch(x, n, k, p0 - 1, q0 - 1, radius, pixels, thread)
        cuda.syncthreads()
        for i in range(thread, NORMS[0] * NORMS[1], THREADS):
            p, q = i // NORMS[1], i % NORMS[1]
            gx, gy = gradient_in(pixels, p, q, weights, divided)
            inside = 0 <= p0 - 1 + p < H and 0 <= q0 - 1 + q < W
            norm = 0
            if inside:
                norm = gx * gx + gy * gy if squared else abs(gx) + abs(gy)
            if k == 0 or norm > norms[p, q]:  # the same thread for every channel: nobody else writes here
                norms[p, q], dx[p, q], dy[p, q] = norm, gx, gy
        cuda.syncthreads()

    a, b = row + 1, column + 1
    step_down, step_right, may_be_equal = steps_of(int(dx[a, b]), int(dy[a, b]))
    first, second = norms[a + step_down, b + step_right], norms[a - step_down, b - step_right]
    if p0 + row < H and q0 + column < W:
        found = class_of(norms[a, b], first, second, may_be_equal, thresholds[0], thresholds[1])
        classes[n, p0 + row, q0 + column] = found


@cuda.jit
def canny_grow_tiled(classes, changed):
    cells = cuda.shared.array(NORMS, "uint8")
    again = cuda.shared.array(1, "int32")
    _, H, W = classes.shape
    across, down = (W + COLUMNS - 1) // COLUMNS, (H + ROWS - 1) // ROWS
    tile, n = cuda.blockIdx.x % (across * down), cuda.blockIdx.x // (across * down)
    p0, q0 = tile // across * ROWS, tile % across * COLUMNS
    column, row = cuda.threadIdx.x, cuda.threadIdx.y
    thread = row * COLUMNS + column
    for i in range(thread, NORMS[0] * NORMS[1], THREADS):
        p, q = p0 - 1 + i // NORMS[1], q0 - 1 + i % NORMS[1]
        inside = 0 <= p < H and 0 <= q < W
        cells[i // NORMS[1], i % NORMS[1]] = classes[n, p, q] if inside else NOTHING
    if thread == 0:
        again[0] = 0
    cuda.syncthreads()

    was_weak = cells[row + 1, column + 1] == WEAK
    growing = True
    while growing:
        if cells[row + 1, column + 1] == WEAK:
            for a in range(row, row + 3):
                for b in range(column, column + 3):
                    if cells[a, b] == STRONG:
                        cells[row + 1, column + 1] = STRONG
                        again[0] = 1
        cuda.syncthreads()
        growing = again[0] != 0
        cuda.syncthreads()
        if thread == 0:
            again[0] = 0
        cuda.syncthreads()

    if was_weak and cells[row + 1, column + 1] == STRONG:  # only such a pixel lies in the image
        classes[n, p0 + row, q0 + column] = STRONG
        changed[0] = 1


def build(g: CannyGeometry) -> Run:
    """Prepare the launches: a block for each tile."""
    grid, block = (g.n * -(-g.h // ROWS) * -(-g.w // COLUMNS),), (COLUMNS, ROWS)
    weights, divided = weights_of(g), g.aperture == DIVIDED

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, thresholds), (y,) = arrays, outputs
        if not g.pixels:
            return
        classes = new_like(x, y.shape, "uint8")
        launch(canny_classes_tiled, grid, block, x, beside(x, weights), divided, g.squared, thresholds, classes)
        until_nothing_changes(canny_grow_tiled, grid, block, classes)
        launch(canny_edges, (-(-g.pixels // FLAT),), (FLAT,), classes, y)

    return run
