"""match_products "naive" on CUDA: one thread, one place.

    y[n, p, q] = sum over r, s, c of  x[n, p + r, q + s, c] * template[n % T, r, s, c]

The idea: places do not depend on each other. Give each to a thread, and keep the three loops over the template.

Index arithmetic: threads are numbered as y lies in memory, q fastest, and the number is taken apart by division. The 32
threads of a warp hold neighbouring places of a row:

    thread    0        1        2     ...          y         one run of memory: coalesced
    y[n, p, q]    [.., q+1] [.., q+2]              x         C apart: coalesced for one channel
                                                   template  the same number for all: one read, broadcast

Memory traffic: two reads for each multiplication and addition. A pixel is read R * S times, by R * S threads; caches
catch most of it, but every read is an instruction of the one load unit of a multiprocessor, and that bounds the kernel.
In cuda_tiled.py a pixel is fetched once for many threads.

Takes everything: float32 and float64, summed in their own type, and uint8, summed in int64.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch
from ..operation import Run
from .geometry import MatchGeometry

THREADS = 128


@cuda.jit
def match_products_naive(x, template, y):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, P, Q = y.shape
    T, R, S, C = template.shape
    q = index % Q
    p = index // Q % P
    n = index // (Q * P)
    number = y.dtype.type
    total = number(0)
    for r in range(R):
        for s in range(S):
            for c in range(C):
                total += number(x[n, p + r, q + s, c]) * number(template[n % T, r, s, c])
    y[n, p, q] = total


def build(geometry: MatchGeometry) -> Run:
    """Prepare the launch: enough blocks of 128 threads for every place."""
    blocks = -(-geometry.places // THREADS)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if blocks:
            launch(match_products_naive, (blocks,), (THREADS,), *arrays, outputs[0])

    return run
