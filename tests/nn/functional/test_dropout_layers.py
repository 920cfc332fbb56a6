"""Dropout as a function and as a layer: places in the stream, modes, channels."""

import numpy as np
import pytest
from tilegrad.nn import functional

from tilegrad import nn


def test_a_place_in_the_stream_gives_one_mask():
    x, generator = nn.Tensor(np.ones((50, 3), np.float32)), nn.Generator(5)
    state = generator.get_state()
    first, second = (functional.dropout(x, 0.5, generator=generator).numpy() for _ in range(2))
    assert (first != second).any()
    generator.set_state(state)
    np.testing.assert_array_equal(functional.dropout(x, 0.5, generator=generator), first)


def test_backward_has_the_mask_of_forward():
    x = nn.Tensor(np.full((40, 40), 3.0), requires_grad=True)
    y = functional.dropout(x, 0.25)
    y.sum().backward()
    np.testing.assert_allclose(x.grad, y.detach().numpy() / 3)
    assert set(np.unique(x.grad.numpy())) == {0, 1 / 0.75}


def test_evaluation_leaves_the_input_and_the_stream_alone():
    x, generator = nn.Tensor([1.0, 2.0]), nn.Generator(5)
    assert functional.dropout(x, 0.5, False, generator=generator) is x
    assert functional.dropout2d(nn.Tensor(np.ones((1, 1, 1))), 0, generator=generator).shape == (1, 1, 1)
    assert generator.get_state() == {"seed": 5, "counter": 0}


def test_modules_have_modes():
    nn.manual_seed(1)
    x = nn.Tensor(np.ones((4, 5, 6, 64), np.float32))
    for layer in (nn.Dropout(0.5), nn.Dropout2d(0.5)):
        assert (layer(x).numpy() == 0).any()
        assert layer.eval()(x) is x
        assert repr(layer).endswith("(p=0.5)")


def test_two_dimensional_dropout_takes_whole_channels():
    x = nn.Tensor(np.ones((8, 5, 6, 16)), requires_grad=True)
    y = functional.dropout2d(x, 0.5, generator=nn.Generator(2))
    values = y.detach().numpy()
    np.testing.assert_array_equal(values, np.broadcast_to(values[:, :1, :1], values.shape))
    assert set(np.unique(values)) == {0, 2}
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, values)


def test_bad_input_is_refused():
    x = nn.Tensor([1.0])
    for p in (1.5, -0.5, float("nan"), "half"):
        with pytest.raises(ValueError, match=r"dropout: p expects a probability in \[0, 1\] but got"):
            functional.dropout(x, p)
        with pytest.raises(ValueError, match=r"Dropout2d: p expects a probability in \[0, 1\] but got"):
            nn.Dropout2d(p)
    with pytest.raises(ValueError, match=r"dropout2d: expects images \(N, H, W, C\) or \(H, W, C\) but got \(1,\)"):
        functional.dropout2d(x, 0.5)
