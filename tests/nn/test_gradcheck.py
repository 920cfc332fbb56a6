"""The gradient checker, held to gradients that are wrong on purpose."""

import numpy as np
import pytest
from tilegrad.nn.primitive import PRIMITIVES, primitive

from tilegrad import nn


@pytest.fixture
def declare():
    """Declare a square of one's own, with a gradient of one's choice."""
    before = set(PRIMITIVES)

    def declared(rule):
        @primitive()
        def own_square(x):
            return x * x

        own_square.gradients(x=rule)
        return own_square

    yield declared
    for name in set(PRIMITIVES) - before:
        del PRIMITIVES[name]


@pytest.fixture
def x():
    return nn.Tensor(np.random.default_rng(1).uniform(0.5, 2.0, (3, 4)), True)


def test_the_right_gradient_passes(declare, x):
    square = declare(lambda gy, x: gy * (x * 2.0))
    assert nn.gradcheck(square, [x])
    assert nn.gradgradcheck(square, [x])


@pytest.mark.parametrize(
    "rule",
    [
        lambda gy, x: gy * x,
        lambda gy, x: gy * x * -2.0,
        lambda gy, x: gy * (x * 2.0 + 1e-4),
        lambda gy, x: gy * x.mean() * 2.0,
        lambda gy, x: x * 2.0,
    ],
    ids=["half", "sign", "slightly off", "averaged", "without the incoming gradient"],
)
def test_a_wrong_first_gradient_is_found(declare, x, rule):
    with pytest.raises(AssertionError, match="finite differences give"):
        nn.gradcheck(declare(rule), [x])


@pytest.mark.parametrize(
    "rule",
    [
        lambda gy, x: gy * (x.detach() * 2.0),
        lambda gy, x: gy.detach() * (x * 2.0),
        lambda gy, x: gy * (x * 2.0) + (x - x.detach()) * gy,
    ],
    ids=["detached argument", "detached gradient", "right value, wrong slope"],
)
def test_a_wrong_second_gradient_is_found_only_by_the_second_check(declare, x, rule):
    square = declare(rule)
    assert nn.gradcheck(square, [x])
    with pytest.raises((AssertionError, RuntimeError)):
        nn.gradgradcheck(square, [x])


def test_an_error_in_one_element_is_found(declare, x):
    mask = np.ones((3, 4))
    mask[1, 2] = 1.001
    with pytest.raises(AssertionError):
        nn.gradcheck(declare(lambda gy, x: gy * (x * 2.0) * mask), [x])


def test_float32_is_refused():
    with pytest.raises(TypeError, match="expect float64 but got float32"):
        nn.gradcheck(lambda x: x, [nn.Tensor([1.0], True)])
