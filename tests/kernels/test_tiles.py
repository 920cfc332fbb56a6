"""Tiles: every pixel once, from all that it depends on, cut at multiples."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tilegrad.kernels.tiles import tiles


@given(
    height=st.integers(1, 60), width=st.integers(1, 60), side=st.integers(1, 40), halo=st.integers(0, 6),
    multiple=st.sampled_from([1, 2, 4, 8]),
)  # fmt: skip
def test_a_filter_on_tiles_is_the_filter_on_the_whole(height, width, side, halo, multiple):
    frame = -(-halo // multiple) * multiple
    assume(side // multiple * multiple > 2 * frame)
    image = np.arange(height * width, dtype=np.int64).reshape(height, width) % 97

    def spread(a):  # the sum of the pixels up to `halo` away, zeros beyond the image
        padded = np.pad(a, halo)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * halo + 1, 2 * halo + 1))
        return windows.sum((2, 3))

    found = np.full((height, width), -1)
    for tile in tiles(height, width, side, halo=halo, multiple=multiple):
        assert (found[tile.target] == -1).all()
        for part, length in zip(tile.source, (height, width), strict=True):
            assert part.start % multiple == 0
            assert part.stop % multiple == 0 or part.stop == length
            assert part.stop - part.start <= side
        found[tile.target] = spread(image[tile.source])[tile.inner]
    np.testing.assert_array_equal(found, spread(image))


def test_an_image_that_fits_is_one_tile():
    (tile,) = tiles(8, 6, 8, halo=100)
    assert tile.source == tile.target == tile.inner == (slice(0, 8), slice(0, 6))


def test_a_crop_without_room_is_refused():
    with pytest.raises(ValueError, match=r"side expects at least 20 \(halo 5, multiple 4\) but got 16"):
        list(tiles(100, 10, 16, halo=5, multiple=4))
