"""Calls of the linear filters: a strategy for each primitive, as in test_functional_gradients.py."""

import numpy as np
from hypothesis import strategies as st
from tilegrad.nn import functional
from tilegrad.nn.primitive import PRIMITIVES

from tilegrad import nn

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")


@st.composite
def filters(draw):
    """Two images, weights, and the settings of a filter; windows may exceed the image."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    taps = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    shape = tuple(draw(st.integers(1, n)) for n in (2, 4, 4, 2))
    settings = {
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, 0.5])),
        "origin": tuple(draw(st.integers(-(n // 2), (n - 1) // 2)) for n in taps),
    }
    return [nn.Tensor(rng.standard_normal(s), True) for s in (shape, shape, taps)], settings


@st.composite
def correlations(draw):
    (x, _, weight), settings = draw(filters())
    return (lambda x, weight: functional.correlate2d(x, weight, **settings)), [x, weight]


@st.composite
def input_gradients(draw):
    (gy, _, weight), settings = draw(filters())
    settings.pop("cval")
    gradient = PRIMITIVES["correlate2d_input_grad"]
    return (lambda gy, weight: gradient(gy, weight, **settings)), [gy, weight]


@st.composite
def weight_gradients(draw):
    (gy, x, weight), settings = draw(filters())
    gradient = PRIMITIVES["correlate2d_weight_grad"]
    return (lambda gy, x: gradient(gy, x, weight.shape, **settings)), [gy, x]


CASES = {
    "correlate2d": correlations,
    "correlate2d_input_grad": input_gradients,
    "correlate2d_weight_grad": weight_gradients,
}
