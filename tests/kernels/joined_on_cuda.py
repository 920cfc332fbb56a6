"""Components, hysteresis and Canny in captured graphs, on a GPU or the stand-in; test_joined_on_cuda.py runs both."""

import cupy
import numpy as np
import pytest
from gpu import from_gpu, is_stand_in, launching_on

from tilegrad import filters, kernels, nn

is_stand_in(cupy)

H, W = 40, 70  # four tiles


def labels(x):
    return kernels.label_components(x)


def hysteresis(x):
    return kernels.hysteresis(x % 3)


def canny(x):
    return kernels.canny(x[..., None], 100, 300)


def canny_of_gradient(x):
    return kernels.canny_of_gradient(x.astype(np.int16), x.astype(np.int16) * np.int16(2), 100, 300)


def smoothed_canny(x):
    return filters.canny(x, sigma=1, batch_axes=1)


def images():
    """Paths of one pixel and of thousands: what is repeated until nothing changes takes more turns in some of them."""
    draw = np.random.default_rng(0)
    yield draw.integers(0, 2, (2, H, W)).astype(np.uint8)
    yield np.zeros((2, H, W), np.uint8)
    yield np.ones((2, H, W), np.uint8)
    winding = np.zeros((2, H, W), np.uint8)
    winding[:, :, ::2] = winding[:, -1, 1::4] = winding[:, 0, 3::4] = 1
    winding[:, -1, -2] = 2
    yield winding
    yield draw.integers(0, 256, (2, H, W)).astype(np.uint8)


@pytest.mark.parametrize("compute", [labels, hysteresis, canny, canny_of_gradient, smoothed_canny])
def test_a_graph_gives_what_main_memory_gives(compute):
    step = nn.capture(compute)
    with launching_on(cupy):
        for x in [*images(), *images()]:
            found, expected = from_gpu(step(cupy.asarray(x))), compute(x)
            for one, other in zip(*(r if isinstance(r, tuple) else (r,) for r in (found, expected)), strict=True):
                np.testing.assert_array_equal(one, other)
    (graph,) = step.graphs.values()
    assert graph is not None
