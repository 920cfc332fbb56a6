"""The weight gradient through a normalisation: beside the two operations."""

from typing import Any

import numpy as np
import pytest
import tolerances
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

PLACES: tuple[dict[str, Any], ...] = (
    {"padding": 1},
    {"stride": 2, "padding": ((1, 0), (0, 1))},
    {"stride": (1, 2), "padding": (0, 2), "dilation": (2, 1), "groups": 2},
)


def drawn(shape: tuple[int, ...], seed: int, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(dtype)


Arrays = tuple[Any, Any, Any, Any, Any]  # gy, x, mean, affine and the weight's shape


def call_of(normalized: str, place: dict[str, Any], seed: int, dtype: str = "float64") -> Arrays:
    x, shape = drawn((2, 9, 8, 4), seed, dtype), (6, 3, 3, 4 // place.get("groups", 1))
    gy = drawn(kernels.conv2d(x, np.zeros(shape, dtype), **place).shape, seed + 1, dtype)
    channels = 4 if normalized == "x" else 6
    return gy, x, drawn((channels,), seed + 2, dtype), drawn((2, channels), seed + 3, dtype), shape


def apart(
    gy: Any, x: Any, mean: Any, affine: Any, shape: Any, normalized: str, end: Any, place: Any, **how: Any
) -> np.ndarray:
    """The same by the two operations."""
    if normalized == "x":
        x = kernels.batch_norm_apply(x, mean, affine, **end, **how)
    else:
        gy = kernels.batch_norm_apply(gy, mean, affine, **end, **how)
    return kernels.conv2d_weight_grad(gy, x, shape, **place, **how)


@given(
    st.sampled_from(("x", "gy")),
    st.sampled_from(PLACES),
    st.sampled_from((None, "leaky_relu", "tanh")),
    st.sampled_from(("float32", "float64")),
    st.integers(0, 2**31),
)
def test_equals_the_two_operations(
    normalized: str, place: dict[str, Any], activation: str | None, dtype: str, seed: int
) -> None:
    call, end = call_of(normalized, place, seed, dtype), {"activation": activation, "negative_slope": 0.2}
    out = np.full(call[-1], np.nan, dtype)
    assert kernels.normalized_conv2d_weight_grad(*call, normalized=normalized, out=out, **end, **place) is out
    np.testing.assert_array_equal(out, apart(*call, normalized, end, place))


@pytest.mark.parametrize("variant", ["reference", "naive"])
@pytest.mark.parametrize("normalized", ["x", "gy"])
def test_the_definition_is_that_of_the_two_operations(normalized: str, variant: str) -> None:
    place = {"stride": 2, "padding": 2}
    call, end = call_of(normalized, place, 0), {"activation": "leaky_relu", "negative_slope": 0.2}
    found = kernels.normalized_conv2d_weight_grad(*call, normalized=normalized, variant=variant, **end, **place)
    expected = apart(*call, normalized, end, place, variant="reference")
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=100 * tolerances.EPS["float64"])


def test_zeros_outside_the_image_are_not_normalised() -> None:
    """Every pixel is normalised to 1, so that a tap counts the pixels that it meets inside."""
    gy, x = np.ones((1, 3, 3, 1)), np.zeros((1, 3, 3, 1))
    mean, affine = np.array([2.0]), np.array([[3.0], [7.0]])
    inside = np.array([[4.0, 6, 4], [6, 9, 6], [4, 6, 4]])
    for variant in (None, "naive", "reference"):
        found = kernels.normalized_conv2d_weight_grad(
            gy, x, mean, affine, (1, 3, 3, 1), padding=1, variant=variant, activation="relu"
        )
        np.testing.assert_array_equal(found[0, :, :, 0], inside)


def test_it_is_the_derivative_by_the_weight() -> None:
    """``<gw, dw>`` is the change of ``<gy, conv2d(act(batch_norm(x)), w)>``, and of a transposed convolution's."""
    x, gy, end = drawn((2, 7, 6, 4), 0), drawn((2, 4, 3, 6), 1), {"activation": "tanh"}
    place: dict[str, Any] = {"stride": 2, "padding": 1}
    dw = drawn((6, 3, 3, 4), 2)
    y, mean, _, affine = kernels.batch_norm_train(x, *drawn((2, 4), 3), **end)
    gw = kernels.normalized_conv2d_weight_grad(gy, x, mean, affine, dw.shape, **end, **place)
    np.testing.assert_allclose((gw * dw).sum(), (gy * kernels.conv2d(y, dw, **place)).sum(), rtol=1e-12)
    y, mean, _, affine = kernels.batch_norm_train(gy, *drawn((2, 6), 3), **end)
    gw = kernels.normalized_conv2d_weight_grad(gy, x, mean, affine, dw.shape, normalized="gy", **end, **place)
    transposed = kernels.conv_transpose2d(y, dw, output_padding=(0, 1), **place)
    np.testing.assert_allclose((gw * dw).sum(), (x * transposed).sum(), rtol=1e-12)


def test_its_parts_are_traced_and_it_is_explained() -> None:
    call = call_of("x", {}, 0)
    with kernels.trace() as events:
        kernels.normalized_conv2d_weight_grad(*call)
    assert [event.operation for event in events] == ["batch_norm_apply", "conv2d_weight_grad"]
    text = kernels.explain(kernels.normalized_conv2d_weight_grad, *call)
    assert "cpu.apart      taken" in text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"normalized": "w"}, 'normalized_conv2d_weight_grad: normalized expects "x" or "gy" but got \'w\''),
        ({"normalized": "gy"}, r"mean expects \(6,\) but got \(4,\)"),
        ({"activation": "gelu"}, "activation expects one of"),
        ({"stride": 0}, "stride expects values of at least 1"),
        ({"padding": 3}, r"gy expects shape \(2, 13, 12, 6\) but got \(2, 7, 6, 6\)"),
    ],
)
def test_bad_calls_are_refused(wrong: dict[str, Any], message: str) -> None:
    out = np.zeros((6, 3, 3, 4))
    with pytest.raises(ValueError, match=message):
        kernels.normalized_conv2d_weight_grad(*call_of("x", {}, 0), out=out, **wrong)
    assert not out.any()
