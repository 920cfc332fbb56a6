"""SRCNN."""

import numpy as np
import pytest

from tilegrad import nn


def test_size_and_configuration():
    model = nn.models.SRCNN(channels=(8, 4), kernel_sizes=(5, 3, 3), image_channels=3)
    assert model(nn.randn((1, 10, 12, 3))).shape == (1, 10, 12, 3)
    again = nn.models.SRCNN(**model.configuration())
    again.load_state_dict(model.state_dict())


def test_a_constant_image_stays_constant_up_to_its_border():
    y = nn.models.SRCNN(channels=(4, 4))(nn.Tensor(np.full((1, 12, 12, 1), 0.5, np.float32))).detach().numpy()
    np.testing.assert_allclose(y, y[0, 6, 6, 0], rtol=1e-4, atol=1e-6)


def test_errors():
    with pytest.raises(ValueError, match="SRCNN: expects two channel counts and three odd kernel sizes but got"):
        nn.models.SRCNN(kernel_sizes=(9, 2, 5))
