"""A convolution of a crop gives the bits of the whole image, wherever all that a pixel reads lies in the crop.

Large images are restored in tiles. Kernels sum in an order that the place of a pixel within its block of 4 x 4 may
decide, but not its place in the image: so crops begin and end at multiples of 4 or where the image ends.
"""

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tilegrad import kernels

BLOCK = 4
# By the variant that is taken: channels read and written, sides of the kernel, groups.
LAYERS = {
    "depthwise": [(16, 16, 3, 16), (5, 5, 5, 5)],
    "winograd": [(64, 64, 3, 1), (20, 17, 3, 1)],
    "taps": [(64, 1, 3, 1), (20, 1, 5, 1), (17, 3, 3, 1), (32, 1, 9, 1), (16, 2, 2, 1)],
    "winograd_rows": [(1, 64, 3, 1), (1, 32, 4, 1), (3, 40, 3, 1), (1, 17, 9, 1), (2, 16, 5, 1)],
    "direct": [(3, 3, 3, 1), (64, 32, 1, 1), (32, 24, 5, 1), (8, 12, 3, 2)],
}


@st.composite
def crops(draw, length, reach):
    """Begin and end of a crop, and of those of its pixels that see nothing outside it."""
    frame = -(-reach // BLOCK) * BLOCK
    begin = draw(st.integers(0, (length - 2 * frame - 1) // BLOCK)) * BLOCK
    end = begin + draw(st.integers(2 * frame // BLOCK + 1, (length + BLOCK - 1) // BLOCK)) * BLOCK
    end = min(end, length)
    return begin, end, begin + (frame if begin else 0), end - (frame if end < length else 0)


@pytest.mark.parametrize("variant", LAYERS)
@given(data=st.data())
def test_a_crop_gives_the_bits_of_the_whole(variant, data):
    channels, out_channels, side, groups = data.draw(st.sampled_from(LAYERS[variant]))
    height, width = data.draw(st.integers(21, 50)), data.draw(st.integers(21, 150))
    top, bottom, first_row, last_row = data.draw(crops(height, side // 2))
    left, right, first_column, last_column = data.draw(crops(width, side // 2))
    activation = data.draw(st.sampled_from((None, "relu", "leaky_relu", "tanh")))
    note(f"{channels} -> {out_channels}, {side} x {side}, groups = {groups}, {activation}; image {height} x {width}, ")
    note(f"crop {top}:{bottom}, {left}:{right}, compared {first_row}:{last_row}, {first_column}:{last_column}")
    draw = np.random.default_rng(height * width)
    x = draw.standard_normal((1, height, width, channels), np.float32)
    w = draw.standard_normal((out_channels, side, side, channels // groups), np.float32)
    words = {"groups": groups, "activation": activation, "padding": ((side // 2, (side - 1) // 2),) * 2}
    bias = draw.standard_normal(out_channels, np.float32)
    with kernels.trace() as events:
        whole = kernels.conv2d(x, w, bias, **words)
        crop = kernels.conv2d(x[:, top:bottom, left:right], w, bias, **words)
    assert [event.variant for event in events if event.operation == "conv2d"] == [variant] * 2
    seen = crop[:, first_row - top : last_row - top, first_column - left : last_column - left]
    np.testing.assert_array_equal(seen, whole[:, first_row:last_row, first_column:last_column])
