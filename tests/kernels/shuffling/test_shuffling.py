"""The pixel shuffle against its definition and PyTorch; its inverse; bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

# Channels of a block's pixels: few, just below, at and above whole vectors, and several of them.
CHANNELS = st.sampled_from([1, 2, 3, 8, 15, 16, 17, 35])
CALLS = st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(1, 4), CHANNELS, st.integers(1, 4))


@given(call=CALLS, dtype=st.sampled_from(["float32", "float64"]))
def test_equals_the_definition_and_is_undone(call, dtype):
    n, h, w, c, r = call
    x = np.random.default_rng(0).standard_normal((n, h, w, c * r * r)).astype(dtype)
    y = kernels.pixel_shuffle(x, r, out=np.full((n, h * r, w * r, c), 9, dtype))
    np.testing.assert_array_equal(y, kernels.pixel_shuffle(x, r, variant="naive"))
    np.testing.assert_array_equal(kernels.pixel_unshuffle(y, r, out=np.full_like(x, 9)), x)
    np.testing.assert_array_equal(kernels.pixel_unshuffle(y, r, variant="naive"), x)


@pytest.mark.parity
@given(call=CALLS)
def test_equals_pytorch(call):
    torch = pytest.importorskip("torch")
    n, h, w, c, r = call
    x = np.random.default_rng(0).standard_normal((n, h, w, c * r * r)).astype("f4")
    expected = torch.nn.functional.pixel_shuffle(torch.from_numpy(x).permute(0, 3, 1, 2), r).permute(0, 2, 3, 1)
    np.testing.assert_array_equal(kernels.pixel_shuffle(x, r), expected.numpy())


X = np.ones((2, 4, 6, 12), np.float32)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"pixel_shuffle: x expects a multiple of 3 \* 3 channels but got 12"):
        kernels.pixel_shuffle(X, 3)
    with pytest.raises(ValueError, match="pixel_unshuffle: x expects sides that are multiples of 4 but got 4 x 6"):
        kernels.pixel_unshuffle(X, 4)
    with pytest.raises(ValueError, match="pixel_shuffle: upscale_factor expects at least 1 but got 0"):
        kernels.pixel_shuffle(X, 0)
    with pytest.raises(TypeError, match=r"pixel_shuffle: upscale_factor expects an integer but got 2\.0"):
        kernels.pixel_shuffle(X, 2.0)
    with pytest.raises(TypeError, match="pixel_unshuffle: x expects float32 or float64"):
        kernels.pixel_unshuffle(X.astype(int), 2)
    with pytest.raises(ValueError, match="pixel_shuffle: x expects 4 axes"):
        kernels.pixel_shuffle(X[0], 2)
