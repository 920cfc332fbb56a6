"""Embeddings and their gradient "naive" on CUDA: one thread, one output.

The idea: each thread of `embedding` copies one number. The gradient adds row i of gy to row ``indices[i]`` of the
table, which several threads would do to one number at once; so here each thread has a number of the table and looks
through all indices for its row, in ascending order: sums are the same in every run.

Index arithmetic: threads are numbered as results lie in memory, so the 32 of a warp have neighbouring columns of one
row: they read one index for all, and neighbouring words.

Memory traffic: the gradient's threads read every index, rows x width x taken reads from the cache in all, where
sorted indices would give each row its own run of terms.

Sums are float64. A row that does not exist gives NaN, and its gradient goes nowhere: arrays on a GPU are not read
before. Takes everything.
"""

import math
from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from . import Embedding
from .reference import sum_of_row


@cuda.jit
def embedding_naive(weight, rows, y):
    """Each thread copies one number."""
    index = cuda.grid(1)
    if index < y.size:
        i, d = index // y.shape[1], index % y.shape[1]
        y[i, d] = weight[rows[i], d] if 0 <= rows[i] < weight.shape[0] else math.nan


@cuda.jit
def embedding_grad_naive(gy, rows, gw):
    """Each thread adds up one number of the table."""
    index = cuda.grid(1)
    if index < gw.size:
        r, d = index // gw.shape[1], index % gw.shape[1]
        gw[r, d] = sum_of_row(gy, rows, r, d)


def build(g: Embedding) -> Run:
    """Prepare the launch: a thread for each number that is taken."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (weight, indices), (y,) = arrays, outputs
        launch_each(embedding_naive, y.size, weight, indices.reshape(-1), y.reshape(g.taken, g.width))

    return run


def build_grad(g: Embedding) -> Run:
    """Prepare the launch: a thread for each number of the table."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, indices), (gw,) = arrays, outputs
        launch_each(embedding_grad_naive, gw.size, gy.reshape(g.taken, g.width), indices.reshape(-1), gw)

    return run
