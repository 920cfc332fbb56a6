"""Denoising by total variation "naive" on CUDA: one thread, one pixel, in every part of a step.

    images     each thread adds the field's divergence to its pixel, and writes that number and its square
    fields     each thread takes the differences to two neighbours, and moves its vector
    rows       each thread adds the energies of one row
    energies   each thread adds those rows of one image, and says whether the image is done

The idea: within a part pixels do not depend on each other, and each part ends with a launch, behind which all of its
numbers can be read. Whether an image is done is a number on the device, too: threads of an image that is done return
at once, so that the host launches as many steps as there may be and reads nothing back.

Index arithmetic: threads are numbered as pixels lie in memory, so the 32 of a warp read and write neighbouring numbers.

Memory traffic, which bounds it: of a step some 9 reads and 5 writes of a float64 number for each pixel, where
cpu_bands.py walks the image once. Energies are added in a fixed order, by few threads: a launch of latency. Takes
everything; numbers are float64 until the result is written.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import VariationGeometry
from .reference import divergence, gradient, stepped


@cuda.jit
def images_naive(x, down, right, done, u, energies):
    """Each thread computes one pixel of u."""
    index = cuda.grid(1)
    if index >= u.size:
        return
    _, H, W = u.shape
    plane, i, j = index // (W * H), index // W % H, index % W
    if done[plane]:
        return
    d = divergence(down, right, plane, i, j)
    u[plane, i, j] = x[plane, i, j] + d
    energies[plane, i, j] = d * d


@cuda.jit
def fields_naive(u, done, down, right, energies, weight):
    """Each thread moves the vector of one pixel."""
    index = cuda.grid(1)
    if index >= u.size:
        return
    _, H, W = u.shape
    plane, i, j = index // (W * H), index // W % H, index % W
    if done[plane]:
        return
    below, beside = gradient(u, plane, i, j)
    norm = math.sqrt(below * below + beside * beside)
    energies[plane, i, j] += weight * norm
    down[plane, i, j] = stepped(down[plane, i, j], below, norm, weight)
    right[plane, i, j] = stepped(right[plane, i, j], beside, norm, weight)


@cuda.jit
def rows_naive(energies, rows):
    """Each thread adds one row."""
    index = cuda.grid(1)
    if index >= rows.size:
        return
    plane, i, total = index // rows.shape[1], index % rows.shape[1], 0.0
    for j in range(energies.shape[2]):
        total += energies[plane, i, j]
    rows[plane, i] = total


@cuda.jit
def energies_naive(rows, energy, done, step, eps, pixels):
    """Each thread ends a step of one image; ``energy`` holds its first energy and that of the step before."""
    plane = cuda.grid(1)
    if plane >= done.size or done[plane]:
        return
    total = 0.0
    for i in range(rows.shape[1]):
        total += rows[plane, i]
    total /= pixels
    if step == 0:
        energy[plane, 0] = total
    elif abs(energy[plane, 1] - total) < eps * energy[plane, 0]:
        done[plane] = 1
    energy[plane, 1] = total


def build(g: VariationGeometry) -> Run:
    """Prepare four launches for each step that there may be."""
    shape, pixels = (g.planes, g.h, g.w), g.h * g.w

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y = arrays[0].reshape(shape), outputs[0].reshape(shape)
        if not x.size:
            return
        u, down, right, energies = (new_like(x, shape, np.float64) for _ in range(4))
        rows, energy = new_like(x, shape[:2], np.float64), new_like(x, (g.planes, 2), np.float64)
        done = new_like(x, (g.planes,), np.int32)
        for array in (down, right, done):
            array[...] = 0
        for step in range(g.steps):
            launch_each(images_naive, x.size, x, down, right, done, u, energies)
            launch_each(fields_naive, x.size, u, done, down, right, energies, g.weight)
            launch_each(rows_naive, rows.size, energies, rows)
            launch_each(energies_naive, g.planes, rows, energy, done, step, g.eps, pixels)
        y[...] = u

    return run
