"""Kernels that memory bounds, as they are measured on a GPU: one call each, of 200 MB and more that no cache holds."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tilegrad import kernels

_BATCH = (512, 40, 40, 64)
_PICTURE = (8192, 8192)
_TAPS = np.array([1.0, 8, 28, 56, 70, 56, 28, 8, 1]) / 256


@dataclass(frozen=True)
class Move:
    """A call, and the shapes of the arrays that it takes."""

    name: str
    arrays: tuple[tuple[int, ...], ...]
    call: Callable[..., Any]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {str(place): shape for place, shape in enumerate(self.arrays)}


def _gaussian(x: Any) -> Any:
    return kernels.correlate_separable2d(x, _TAPS, _TAPS)


def _median(x: Any) -> Any:
    return kernels.rank_filter2d(x[None, :, :, None], np.ones((3, 3), bool), 4)


def _similarity(x: Any, y: Any) -> Any:
    return kernels.structural_similarity(x, y, np.full(7, 1 / 7), c1=1e-4, c2=9e-4)


MOVES = (
    Move("add", (_BATCH, _BATCH), kernels.add),
    Move("relu", (_BATCH,), kernels.relu),
    Move("sum", (_BATCH,), kernels.sum),
    Move("batch_norm_train", (_BATCH, (64,), (64,)), functools.partial(kernels.batch_norm_train, activation="relu")),
    Move("max_pool2d", (_BATCH,), functools.partial(kernels.max_pool2d, kernel_size=2)),
    Move("interpolate", (_BATCH,), functools.partial(kernels.interpolate, scale_factor=2, mode="bilinear")),
    Move("pad2d", (_BATCH,), functools.partial(kernels.pad2d, padding=1, mode="reflect")),
    Move("pixel_shuffle", (_BATCH,), functools.partial(kernels.pixel_shuffle, upscale_factor=2)),
    Move("softmax", ((65536, 1000),), kernels.softmax),
    Move("mse_loss_and_grad", (_BATCH, _BATCH), kernels.mse_loss_and_grad),
    Move("dropout", (_BATCH,), functools.partial(kernels.dropout, seed=1)),
    Move("add_noise", (_BATCH,), functools.partial(kernels.add_noise, seed=1)),
    Move("gaussian-9x9", (_PICTURE,), _gaussian),
    Move("median-3x3", (_PICTURE,), _median),
    Move("structural_similarity", (_PICTURE, _PICTURE), _similarity),
)
"""Of filters, those that are in CUDA C++."""
