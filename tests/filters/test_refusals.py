"""Arguments of no use are refused by the name of the function that was called, before anything is computed."""

import numpy as np
import pytest
from tilegrad.filters import cv

from tilegrad import filters

IMAGE = np.full((8, 9), 0.5)
BYTES = np.full((8, 9), 7, np.uint8)
BOX = np.ones((3, 3)) / 9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: filters.denoise_tv_chambolle(IMAGE, max_num_iter="x"), "denoise_tv_chambolle: max_num_iter expects"),
        (lambda: filters.drop_blocks(IMAGE, seed=-1), "drop_blocks: seed expects"),
        (lambda: filters.scratches(IMAGE, seed=0.5), "scratches: seed expects"),
        (lambda: filters.tears(IMAGE, seed=2**64), "tears: seed expects"),
        (lambda: filters.random_noise(IMAGE, "s&p", seed="x"), "random_noise: seed expects"),
        (lambda: filters.unsharp_mask(IMAGE, radius=(1, 2, 3)), "unsharp_mask: radius expects"),
        (lambda: filters.unsharp_mask(IMAGE, radius=-1), "unsharp_mask: radius expects"),
        (lambda: filters.rotate(IMAGE, 30, center=5), "rotate: center expects"),
        (lambda: filters.rotate(IMAGE, np.nan), "rotate: angle expects"),
        (lambda: filters.warp(IMAGE, np.eye(3), output_shape=5), "warp: output_shape expects"),
        (lambda: filters.warp(IMAGE, np.eye(3), output_shape=(4, np.nan)), "warp: output_shape expects"),
        (lambda: filters.pyramid_gaussian(IMAGE, max_layer="x"), "pyramid_gaussian: max_layer expects"),
        (lambda: filters.pyramid_laplacian(IMAGE, max_layer=-2), "pyramid_laplacian: max_layer expects"),
        (lambda: filters.richardson_lucy(IMAGE, BOX, filter_epsilon=3j), "richardson_lucy: filter_epsilon expects"),
        (lambda: filters.denoise_bilateral(IMAGE, 2**31), "denoise_bilateral: win_size expects at most 2047"),
        (lambda: filters.denoise_bilateral(IMAGE, sigma_spatial=1e9), "denoise_bilateral: the window of sigma_spatial"),
        (lambda: filters.denoise_nl_means(IMAGE, 2**31), "denoise_nl_means: patch_size expects at most 4095"),
        (lambda: filters.denoise_nl_means(IMAGE, 3, 2**31), "denoise_nl_means: patch_distance expects at most 2047"),
        (
            lambda: cv.bilateralFilter(BYTES, 2**31, 9, 9),
            "bilateralFilter: d and sigmaSpace expect a radius",
        ),
        (lambda: cv.bilateralFilter(BYTES, 0, 9, 1e9), "bilateralFilter: d and sigmaSpace expect a radius"),
        (lambda: cv.GaussianBlur(BYTES, (2**31 + 1, 3), 0), "GaussianBlur: ksize expects at most 134217729"),
        (lambda: cv.medianBlur(BYTES, 2**31 + 1), "medianBlur: footprint expects at most 16777216 pixels"),
        (lambda: cv.getStructuringElement(cv.MORPH_RECT, 5), "getStructuringElement: ksize expects"),
        (lambda: cv.getStructuringElement(cv.MORPH_RECT, (2.5, 3)), "getStructuringElement: ksize expects"),
    ],
)
def test_it_is_refused_by_name(call, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        call()
