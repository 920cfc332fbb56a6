"""Depthwise convolutions: which taps an output has, and what infinity and NaN do not reach."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.convolution.tap_runs import runs_of

from tilegrad import kernels


@given(
    outputs=st.integers(0, 12),
    size=st.integers(1, 9),
    taps=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    pad=st.integers(0, 6),
    gradient=st.booleans(),
    most=st.integers(1, 9),
)
def test_runs_name_every_tap_of_every_output_once(outputs, size, taps, stride, dilation, pad, gradient, most):
    expected = set()
    for output in range(outputs):
        for tap in range(taps):
            for source in range(size):
                wide, narrow = (output, source) if gradient else (source, output)
                if wide == narrow * stride + tap * dilation - pad:
                    expected.add((output, tap, source))
    found, written = [], []
    for run in runs_of(outputs, size, taps, stride, dilation, pad, gradient, most):
        assert 1 <= run.outputs <= most
        for i in range(run.outputs):
            written.append(run.output + i * run.output_step)
            for j in range(run.taps):
                source = run.source + i * run.source_step + j * run.source_tap_step
                found.append((written[-1], run.tap + j * run.tap_step, source))
    assert sorted(found) == sorted(expected)
    assert sorted(written) == list(range(outputs))


@pytest.mark.parametrize("activation", [None, "relu", "leaky_relu"])
def test_nan_stays_in_its_channel_and_its_windows(activation):
    """Borders are not multiplied by: an infinite weight beside the image makes no NaN."""
    x, weight = np.ones((1, 6, 7, 40), np.float32), np.ones((40, 3, 3, 1), np.float32)
    x[0, 3, 3, 17], weight[5, 0, 0] = np.nan, np.inf
    y = kernels.conv2d(x, weight, padding=1, groups=40, activation=activation, variant="depthwise")
    expected = np.zeros(y.shape, bool)
    expected[0, 2:5, 2:5, 17] = True
    np.testing.assert_array_equal(np.isnan(y), expected)
    assert np.isfinite(y[0, 0, :, 5]).all()
    assert np.isfinite(y[0, :, 0, 5]).all()
