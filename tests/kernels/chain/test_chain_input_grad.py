"""Input gradients through a normalisation, beside the two operations."""

from typing import Any

import numpy as np
import pytest
from chain_calls import GRADIENTS, PLAIN, arguments, arriving, drawn

from tilegrad import kernels


def apart(name: str, arrays: list[Any], activation: str | None, slope: float, **place: Any) -> Any:
    """What the two operations give."""
    gy, w, x, mean, inverse_std, weight, affine = arrays
    vectors = (mean, inverse_std, weight, affine if activation else None)
    return kernels.batch_norm_grad(
        arriving(name, gy, w, x, **place), x, *vectors, activation=activation, negative_slope=slope
    )


@pytest.mark.parametrize("activation", [None, "leaky_relu", "sigmoid"])
@pytest.mark.parametrize("name", GRADIENTS)
def test_equals_the_two_operations(name: str, activation: str | None) -> None:
    place: dict[str, Any] = {"stride": 2, "padding": ((1, 0), (0, 1)), "dilation": (1, 2), "groups": 2}
    arrays = arguments(name, (2, 9, 8), (4, 6), 3, 0, **place)
    ours = GRADIENTS[name](*arrays, activation=activation, negative_slope=0.2, **place)
    for mine, theirs in zip(ours, apart(name, arrays, activation, 0.2, **place), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", GRADIENTS)
def test_without_a_weight(name: str) -> None:
    arrays = arguments(name, (1, 5, 4), (3, 2), 3, 1)
    arrays[5] = None
    for mine, theirs in zip(GRADIENTS[name](*arrays), apart(name, arrays, None, 0.01), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    # Without an activation the affine map does not count.
    for mine, theirs in zip(GRADIENTS[name](*arrays), GRADIENTS[name](*arrays[:6]), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", GRADIENTS)
def test_it_is_the_gradient(name: str) -> None:
    """Along one random direction of x, weight and bias at once, in float64; sigmoid has no kink."""
    place = {"stride": 2, "padding": 1}
    gy, w, x, _, _, weight, _ = (a.astype(np.float64) for a in arguments(name, (2, 5, 7), (3, 4), 3, 2, **place))
    points = [x, weight, drawn(weight.shape, 5).astype(np.float64)]
    steps = [drawn(a.shape, 6 + i).astype(np.float64) for i, a in enumerate(points)]

    def loss(step: float) -> float:
        moved = [a + step * s for a, s in zip(points, steps, strict=True)]
        y, *_ = kernels.batch_norm_train(*moved, activation="sigmoid")
        return float((PLAIN[name](y, w, **place) * gy).sum())

    _, mean, inverse_std, affine = kernels.batch_norm_train(*points, activation="sigmoid")
    found = GRADIENTS[name](gy, w, x, mean, inverse_std, weight, affine, activation="sigmoid", **place)
    slope = sum(float((gradient * s).sum()) for gradient, s in zip(found, steps, strict=True))
    np.testing.assert_allclose(slope, (loss(1e-5) - loss(-1e-5)) / 2e-5, rtol=1e-7)


@pytest.mark.parametrize("name", GRADIENTS)
def test_bad_calls_are_refused(name: str) -> None:
    arrays = arguments(name, (1, 5, 4), (3, 2), 3, 1)
    gy, w, x, mean, inverse_std, weight, affine = arrays
    for wrong, how, message in (
        ((gy, w, x[:, 1:], mean, inverse_std, weight, affine), {}, "expects shape"),
        ((gy, w, x[0], mean, inverse_std, weight, affine), {}, f"normalized_{name}_input_grad: x expects 4 axes"),
        ((gy, w, None, mean, inverse_std, weight, affine), {}, f"normalized_{name}_input_grad: x expects an array"),
        ((gy, w, x.astype("f8"), mean, inverse_std, weight, affine), {}, "expects float64 as x has"),
        ((gy, w, x, mean[1:], inverse_std, weight, affine), {}, r"mean expects \(3,\) but got \(2,\)"),
        (arrays, {"activation": "gelu"}, "activation expects one of"),
        (arrays[:6], {"activation": "relu"}, "expects affine and activation together"),
        ((*arrays[:6], affine[:1]), {"activation": "relu"}, r"affine expects shape \(2, 3\)"),
        (arrays, {"activation": "leaky_relu", "negative_slope": -1.0}, "negative_slope expects at least 0"),
        (arrays, {"stride": 0}, "stride expects values of at least 1"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            GRADIENTS[name](*wrong, **how)


def test_its_parts_are_traced_and_it_is_explained() -> None:
    arrays = arguments("conv2d", (1, 4, 4), (3, 2), 3, 1)
    with kernels.trace() as events:
        kernels.normalized_conv2d_input_grad(*arrays)
    assert [event.operation for event in events] == ["conv2d_input_grad", "batch_norm_grad"]
    text = kernels.explain(kernels.normalized_conv2d_input_grad, *arrays)
    assert "cpu.apart      taken" in text
