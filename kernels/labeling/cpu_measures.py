"""Variant "runs" of the measures of components: a row's pixels of one label are added as a run.

Labels are many and images few, so an image is done by one task: shares of it would each need a table of all labels.
"""

from ctypes import addressof
from typing import Any

from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.threads import launch
from ..operation import Run
from .geometry import MeasureGeometry


@kernel()
def _measures(dtype: str) -> Any:
    """Task: one image.

    block = labels, boxes, sums, h, w, components
    """
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        h, w, components = block[3], block[4], block[5]
        for task in range(begin, end):
            boxes = pointer(block[1] + task * components * 40, types.int64)
            sums = pointer(block[2] + task * components * 16, types.int64)
            for k in range(components):
                boxes[5 * k], boxes[5 * k + 1], boxes[5 * k + 2], boxes[5 * k + 3], boxes[5 * k + 4] = h, w, -1, -1, 0
                sums[2 * k], sums[2 * k + 1] = 0, 0
            for p in range(h):
                labels = pointer(block[0] + (task * h + p) * w * size, number)
                q = types.int64(0)
                while q < w:
                    k, first = types.int64(labels[q]), q
                    q += 1
                    while q < w and types.int64(labels[q]) == k:
                        q += 1
                    if k < 0 or k >= components:
                        continue
                    boxes[5 * k] = min(boxes[5 * k], p)
                    boxes[5 * k + 1] = min(boxes[5 * k + 1], first)
                    boxes[5 * k + 2] = max(boxes[5 * k + 2], p)
                    boxes[5 * k + 3] = max(boxes[5 * k + 3], q - 1)
                    boxes[5 * k + 4] += q - first
                    sums[2 * k] += p * (q - first)
                    sums[2 * k + 1] += (first + q - 1) * (q - first) // 2

    return work


def build(g: MeasureGeometry) -> Run:
    worker, template = _measures.address(g.dtype.name), Template(3, (g.h, g.w, g.components))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(worker, g.n, addressof(block), g.n * (g.h * g.w + 4.0 * g.components))

    return run
