"""Runs: along one axis, outputs that read the same taps, so that no border is looked for where they are computed.

In a convolution, the outputs in the middle of a row have all taps inside of the image, and those at its ends fewer. An
input gradient of stride s has s such sets, interleaved: only every s-th pixel was read by a given tap.
"""

from typing import NamedTuple

import numpy as np


class Run(NamedTuple):
    """``outputs`` from ``output`` on, each ``output_step`` after the last, that read the same ``taps``.

    Of the first one, tap ``tap`` is the first, and reads ``source``; one tap further is ``tap_step`` and
    ``source_tap_step``, one output further ``source_step``. Without taps the rest is 0.
    """

    output: int
    output_step: int
    outputs: int
    tap: int
    tap_step: int
    taps: int
    source: int
    source_step: int
    source_tap_step: int


WORDS = len(Run._fields)


def _taps_of(output: int, size: int, taps: int, stride: int, dilation: int, pad: int, gradient: bool) -> list[int]:
    """The taps of an output, each with its place in the source: tap and source in turns."""
    found = []
    for tap in range(taps):
        if gradient:
            source, beside = divmod(output + pad - tap * dilation, stride)
        else:
            source, beside = output * stride + tap * dilation - pad, 0
        if beside == 0 and 0 <= source < size:
            found += [tap, source]
    return found


def runs_of(
    outputs: int, size: int, taps: int, stride: int, dilation: int, pad: int, gradient: bool, most: int
) -> list[Run]:
    """The runs of an axis, of at most ``most`` outputs each; ``size`` is that of the source."""
    found: list[Run] = []
    output_step, source_step = (stride, 1) if gradient else (1, stride)
    for phase in range(min(output_step, outputs)):
        before: list[int] | None = None
        for output in range(phase, outputs, output_step):
            pairs = _taps_of(output, size, taps, stride, dilation, pad, gradient)
            if pairs[::2] == before and found[-1].outputs < most:
                found[-1] = found[-1]._replace(outputs=found[-1].outputs + 1)
                continue
            before = pairs[::2]
            tap, source, next_tap, next_source = (*pairs, 0, 0, 0, 0)[:4]
            steps = (next_tap - tap, next_source - source) if len(pairs) > 2 else (0, 0)
            found.append(Run(output, output_step, 1, tap, steps[0], len(pairs) // 2, source, source_step, steps[1]))
    return found


def table_of(runs: list[Run]) -> np.ndarray:
    """As int64 words, `WORDS` for each run."""
    return np.array(runs, np.int64).reshape(-1)
