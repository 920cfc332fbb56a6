"""The benchmark of inpainting: its damages, and its three figures on results that are known."""

import numpy as np
import pytest
from tilegrad.benchmarks import inpainting


@pytest.mark.parametrize("name", inpainting.DAMAGES)
def test_damages_leave_most_of_a_picture_and_are_the_same_every_time(name):
    for shape in ((256, 256), (191, 256)):
        mask = inpainting.DAMAGES[name](shape)
        assert mask.shape == shape
        assert 0.02 < mask.mean() < 0.35
        np.testing.assert_array_equal(mask, inpainting.DAMAGES[name](shape))


def test_figures_of_the_truth_of_a_blur_and_of_the_same_texture_elsewhere():
    truth = np.random.default_rng(0).integers(80, 176, (256, 256, 1)).astype(np.uint8)
    mask = inpainting.DAMAGES["holes"](truth.shape[:2])
    blur = np.where(mask[..., None], 128, truth).astype(np.uint8)
    elsewhere = np.where(mask[..., None], np.roll(truth, 64, 0), truth)
    same = inpainting.score(truth, truth, mask, square=True)
    smooth = inpainting.score(truth, blur, mask, square=True)
    rough = inpainting.score(truth, elsewhere, mask, square=True)
    assert same.psnr == np.inf
    assert same.gradients == same.spectrum == 0
    assert smooth.psnr > rough.psnr + 2
    assert smooth.gradients > 1.5 > 0.3 > rough.gradients
    assert smooth.spectrum > 20 > 3 > rough.spectrum


@pytest.mark.slow
def test_the_table_has_a_line_for_each_picture_and_damage():
    lines = []
    inpainting.table(("page",), ("scratches", "holes"), lines.append)
    assert [line[:22].split() for line in lines] == [
        [],
        ["picture", "damage"],
        ["page", "scratches"],
        ["page", "holes"],
    ]
    assert [len(line.split()) for line in lines[2:]] == [2 + 3 * 2, 2 + 3 * 3]


@pytest.mark.parametrize(
    ("name", "damage"), [("page", "holes"), ("camera", "tears"), ("coins", "holes"), ("gravel", "holes")]
)
def test_patches_are_nearest_to_the_truth(name, damage):
    """In PSNR where a picture has a structure, in roughness where it is random."""
    image = inpainting.picture(name)
    mask = inpainting.DAMAGES[damage](image.shape[:2])
    ours, *rivals = (
        inpainting.score(image, inpainting.restore(image, mask, method)[0], mask, damage == "holes")
        for method in inpainting.METHODS
    )
    if name == "gravel":
        assert ours.gradients < min(rival.gradients for rival in rivals)
        assert ours.spectrum < min(rival.spectrum for rival in rivals)
    else:
        assert ours.psnr > max(rival.psnr for rival in rivals)
