"""Variant "loops" of the Poisson numbers: each from a block of its own.

Steps of the distribution function are taken for a group of numbers at once, in vector registers: step k multiplies each
number's share by mean / k, so that all are at the same k, and the group goes on until its last one has arrived. One
that has arrived earlier keeps its count: what its uniform number is compared with only grows.
"""

import math
from typing import Any

import numpy as np
from numba import int64, types

from ..machine.blocks import address_of
from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.polynomials import select
from ..machine.streams import stack, whole_vectors
from ..machine.threads import block_of, launch
from ..operation import Run
from .normal import normal_pair_64
from .philox import LOW, words_at

_VALUES_PER_TASK = 4096
_GROUP = 32


@kernel(fastmath=False)
def _fill(dtype: str) -> Any:
    real = getattr(types, dtype)
    half, shift = np.uint64(32), np.uint64(11)

    def work(begin, end, slot, block):
        whole_vectors()
        rates, out, n = pointer(block[0], real), pointer(block[1], real), block[2]
        k0, k1 = np.uint64(block[3]), np.uint64(block[4])
        counter = np.uint64(block[5]) | np.uint64(block[6]) << half
        largest = float_bits(block[7])
        means, uniforms = stack(_GROUP, types.float64), stack(_GROUP, types.float64)
        shares, sums = stack(_GROUP, types.float64), stack(_GROUP, types.float64)
        counts = stack(_GROUP, types.float64)
        for group in range(begin * _VALUES_PER_TASK, min(end * _VALUES_PER_TASK, n), _GROUP):
            size = min(_GROUP, n - group)
            for j in range(_GROUP):
                means[j], uniforms[j], shares[j], sums[j], counts[j] = 0.0, 0.0, 0.0, 1.0, 0.0
            for j in range(size):
                w0, w1, w2, w3 = words_at(counter + np.uint64(group + j), k0, k1)
                first, second = (w0 & LOW) << half | (w1 & LOW), (w2 & LOW) << half | (w3 & LOW)
                mean = np.float64(rates[group + j])
                if not 0 <= mean < np.inf:
                    counts[j] = np.nan
                elif mean < largest:
                    uniforms[j], means[j] = np.float64(int64(first >> shift)) * 2.0**-53, mean
                    shares[j] = math.exp(-mean)
                    sums[j] = shares[j]
                else:
                    z = normal_pair_64(first, second)[0]
                    counts[j] = max(0.0, math.floor(mean + math.sqrt(mean) * z + (z * z - 1) / 6 + 0.5))
            step, going = 0.0, 1
            while going:
                step, going = step + 1.0, 0
                for j in range(_GROUP):
                    further = (uniforms[j] >= sums[j]) & (shares[j] > 0.0)
                    counts[j] = select(further, step, counts[j])
                    going |= further
                    shares[j] *= means[j] / step
                    sums[j] += shares[j]
            for j in range(size):
                out[group + j] = counts[j]

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
