"""Variant "loops" of the Poisson numbers: one value after the other, each from a block of its own."""

import math
from typing import Any

import numpy as np
from numba import int64, types

from ..machine.blocks import address_of
from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.threads import block_of, launch
from ..operation import Run
from .normal import normal_pair_64
from .philox import LOW, words_at

_VALUES_PER_TASK = 4096


@kernel(fastmath=False)
def _fill(dtype: str) -> Any:
    real = getattr(types, dtype)
    half, shift = np.uint64(32), np.uint64(11)

    def work(begin, end, slot, block):
        rates, out, n = pointer(block[0], real), pointer(block[1], real), block[2]
        k0, k1 = np.uint64(block[3]), np.uint64(block[4])
        counter = np.uint64(block[5]) | np.uint64(block[6]) << half
        largest = float_bits(block[7])
        for i in range(begin * _VALUES_PER_TASK, min(end * _VALUES_PER_TASK, n)):
            w0, w1, w2, w3 = words_at(counter + np.uint64(i), k0, k1)
            first, second = (w0 & LOW) << half | (w1 & LOW), (w2 & LOW) << half | (w3 & LOW)
            mean = np.float64(rates[i])
            if not 0 <= mean < np.inf:
                out[i] = np.nan
            elif mean < largest:
                u = np.float64(int64(first >> shift)) * 2.0**-53
                count, share = 0, math.exp(-mean)
                below = share
                while u >= below and share > 0:
                    count += 1
                    share *= mean / count
                    below += share
                out[i] = count
            else:
                z = normal_pair_64(first, second)[0]
                out[i] = max(0.0, math.floor(mean + math.sqrt(mean) * z + (z * z - 1) / 6 + 0.5))

    return work


def build(geometry) -> Run:  # type: ignore[no-untyped-def]
    """Poisson values of the geometry's means."""
    g = geometry
    worker, largest = _fill.address(g.dtype.name), word_of(g.largest)

    def run(arrays, outputs):
        place, rates = arrays
        block = block_of([address_of(rates), address_of(outputs[0]), g.n, *place.tolist(), largest])
        launch(worker, -(-g.n // _VALUES_PER_TASK), address_of(block), g.n * 60.0)

    return run
