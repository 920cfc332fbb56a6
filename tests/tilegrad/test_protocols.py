"""What is done to pictures before they are measured."""

import numpy as np
import pytest

from tilegrad.protocols import at_lower_resolution, luminance, resize_bicubic, through_jpeg, with_noise

PICTURE = np.random.default_rng(0).integers(0, 256, (30, 47)).astype(np.float32) / np.float32(255)


def test_noise_is_numpys_of_seed_0_for_every_picture():
    np.random.seed(0)  # the protocol's own generator
    noise = np.random.normal(0, 25 / 255, PICTURE.shape)
    damaged = with_noise(PICTURE, 25).damaged
    np.testing.assert_array_equal(damaged, (PICTURE + noise).astype(np.float32))
    assert damaged.min() < 0
    assert damaged.max() > 1


def test_results_count_in_steps_of_8_bits():
    degraded = with_noise(PICTURE, 1)
    np.testing.assert_array_equal(degraded.counted(PICTURE + np.float32(0.3 / 255)), degraded.counted(PICTURE))


def test_bicubic_keeps_what_it_must():
    flat = np.full((7, 9), 100 / 255)
    np.testing.assert_allclose(resize_bicubic(flat, 3, 20), 100 / 255, rtol=1e-12)
    np.testing.assert_allclose(resize_bicubic(PICTURE, *PICTURE.shape), PICTURE, atol=1e-7)
    ramp = np.tile(np.arange(0, 64) / 255.0, (8, 1))
    inner = resize_bicubic(ramp, 8, 32)[:, 2:-2] * 255  # away from the mirrored ends a line stays a line
    np.testing.assert_allclose(inner, np.tile(np.arange(2, 30) * 2 + 0.5, (8, 1)), atol=0.5 + 1e-9)


@pytest.mark.parity
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_equals_pillows_inside(scale):
    """Pillow's bicubic has the same kernel and stretches it alike; it continues the image in another way."""
    pil = pytest.importorskip("PIL.Image")
    y, x = np.mgrid[:48, :60]
    smooth = np.rint(127 + 100 * np.sin(x / 5) * np.cos(y / 7)) / 255
    image = pil.fromarray((smooth * 255).astype(np.uint8))
    theirs = np.asarray(image.resize((60 // scale, 48 // scale), pil.Resampling.BICUBIC)).astype(float)
    ours = resize_bicubic(smooth, 48 // scale, 60 // scale) * 255
    assert np.abs(ours - theirs)[2:-2, 2:-2].max() <= 1


def test_super_resolution_is_of_the_luminance_of_a_multiple_of_the_scale():
    colour = np.dstack([PICTURE, PICTURE[::-1], PICTURE])
    degraded = at_lower_resolution(colour, 4)
    assert degraded.clean.shape == degraded.damaged.shape == (28, 44)
    np.testing.assert_allclose(degraded.clean, luminance(colour[:28, :44]), atol=1e-7)
    assert degraded.counted(degraded.clean).shape == (20, 36)
    white = np.ones((4, 4, 3))
    np.testing.assert_allclose(luminance(white) * 255, 235)
    np.testing.assert_allclose(luminance(0 * white) * 255, 16)
    np.testing.assert_array_equal(luminance(PICTURE), PICTURE)


def test_jpeg_damages_more_at_lower_quality():
    pytest.importorskip("PIL.Image")
    errors = [np.square(through_jpeg(PICTURE, quality).damaged - PICTURE).mean() for quality in (5, 40, 95)]
    assert errors[0] > errors[1] > errors[2] > 0
