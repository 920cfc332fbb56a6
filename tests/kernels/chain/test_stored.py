"""Blocks in a row whose z is stored as bfloat16: beside float32 images of the same numbers, and in the emulator."""

import emulator
import numpy as np
import pytest
import tolerances
from hypothesis import given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, WITH_TENSOR_CORES, compiled, emulated
from tilegrad.kernels.bfloat16 import from_bfloat16, to_bfloat16, widened
from tilegrad.kernels.convolution import cuda_mma, cuda_mma_weight_grad
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.normalization import cuda_fused

from tilegrad import kernels

ACTIVATIONS = st.sampled_from([None, "relu", "leaky_relu", "tanh"])


def drawn(shape, seed):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def bfloat16(shape, seed):
    """An array of uint16, and the same numbers."""
    stored = to_bfloat16(drawn(shape, seed))
    return stored, from_bfloat16(stored)


def through(channels, activation):
    """What a block before left beside its z, for the arguments of another one."""
    mean, *affine = drawn((3, channels), 7)
    return {"x_mean": mean, "x_affine": np.stack(affine), "x_activation": activation, "x_negative_slope": 0.2}


def on_emulator(function, *arrays, **how):
    with cuda.launching(emulator.launch):
        return function(*arrays, variant="cuda.mma_bf16", **how)


def close(found, expected, products, size):
    """Within what bfloat16 factors of so many products leave, whose sizes add up to ``size``."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerances.BF16_PRODUCT * size * products, equal_nan=True)


@st.composite
def calls(draw):
    """Shapes of an image, of weights and of a result, and where the convolution lies."""
    n, h, w = draw(st.integers(1, 2)), draw(st.integers(3, 19)), draw(st.integers(3, 19))
    c, k = 4 * draw(st.integers(1, 10)), 4 * draw(st.integers(1, 10))
    size, stride = draw(st.sampled_from([1, 3])), draw(st.sampled_from([1, 2]))
    return (n, h, w, c), (k, size, size, c), {"stride": stride, "padding": size // 2}


@pytest.mark.parametrize("transposed", [False, True])
def test_what_is_stored_is_the_rounded_image_and_its_own_statistics(transposed):
    function = kernels.conv_transpose2d_batch_norm_train if transposed else kernels.conv2d_batch_norm_train
    x, w = drawn((2, 9, 7, 4), 0), drawn((4, 3, 3, 6) if transposed else (6, 3, 3, 4), 1)
    _, exact, *_ = function(x, w, apply=False)
    _, z, mean, inverse_std, affine = function(x, w, apply=False, stored=True)
    assert z.dtype == np.uint16
    np.testing.assert_array_equal(z, to_bfloat16(exact))
    _, *expected = kernels.batch_norm_train(from_bfloat16(z))
    for found, wanted in zip((mean, inverse_std, affine), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


# Of both signs: a payload that lies in the lower half alone, and one that a carry of the rounding would run through.
NANS = np.array([0x7F800001, 0xFF800001, 0x7FFFFFFF, 0xFFFFFFFF], np.uint32).view(np.float32)


def test_rounding_keeps_what_is_not_a_number_and_what_is_infinite():
    assert np.isnan(from_bfloat16(to_bfloat16(NANS))).all()
    large = np.array([np.inf, -np.inf, np.finfo(np.float32).max], np.float32)
    np.testing.assert_array_equal(from_bfloat16(to_bfloat16(large)), [np.inf, -np.inf, np.inf])


def check_what_is_not_a_number(run):
    """It is stored so, in a block and by what reads it there."""
    x, w = drawn((1, 9, 11, 4), 0), drawn((6, 1, 1, 4), 1)
    x[0, 1, 2:6, 3] = NANS
    _, z, *statistics = run(kernels.conv2d_batch_norm_train, x, w, apply=False, stored=True)
    np.testing.assert_array_equal(np.isnan(from_bfloat16(z)), np.isnan(x).any(-1, keepdims=True) & np.ones(6, bool))
    mean, inverse_std, (scale, offset) = statistics
    assert np.isnan([mean, inverse_std, scale]).all()
    np.testing.assert_array_equal(offset, np.zeros(6))  # as the definition has it
    z, _ = bfloat16((1, 7, 9, 4), 2)
    z[0, 3, 4, 2] = to_bfloat16(NANS[:1])[0]
    around = np.zeros((1, 7, 9, 1), bool)
    around[0, 2:5, 3:6] = True
    w = drawn((4, 3, 3, 4), 1)
    for stored in (False, True):
        how = {"padding": 1, **through(4, "relu"), "apply": False, "stored": stored}
        _, found, *_ = run(kernels.conv2d_batch_norm_train, z, w, **how)
        np.testing.assert_array_equal(np.isnan(widened(found)), around & np.ones(4, bool))
    mean, inverse_std, affine = how["x_mean"], np.ones(4, np.float32), how["x_affine"]
    gy = drawn((1, 7, 9, 4), 3)
    arrays, place = (gy, w, z, mean, inverse_std, None, affine), {"activation": "relu", "padding": 1}
    for found in run(kernels.normalized_conv2d_input_grad, *arrays, **place)[:2]:
        np.testing.assert_array_equal(np.isnan(found).reshape(-1, 4).any(0), np.arange(4) == 2)
    arrays = (gy, z, mean, affine, w.shape)
    found = run(kernels.normalized_conv2d_weight_grad, *arrays, normalized="x", **place)
    np.testing.assert_array_equal(np.isnan(found), np.broadcast_to(np.arange(4) == 2, w.shape))


def test_what_is_not_a_number_is_stored_so_and_read_so():
    check_what_is_not_a_number(lambda function, *arrays, **how: function(*arrays, **how))


@emulated
def test_tensor_cores_store_what_is_not_a_number_so_and_read_it_so():
    check_what_is_not_a_number(on_emulator)


@pytest.mark.parametrize("normalized", ["x", "gy"])
def test_apart_they_are_read_as_the_numbers_that_they_hold(normalized):
    x, wide = bfloat16((2, 9, 7, 4), 0)
    w, other = drawn((6, 3, 3, 4), 1), drawn((2, 9, 7, 6), 2)
    how = {"padding": 1, **through(4, "relu")}
    for found, expected in zip(
        kernels.conv2d_batch_norm_train(x, w, **how)[1:], kernels.conv2d_batch_norm_train(wide, w, **how)[1:],
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(found, expected)
    mean, inverse_std, affine = how["x_mean"], np.abs(how["x_mean"]), how["x_affine"]
    place = {"activation": "relu", "padding": 1}
    for z, wanted in ((x, None), (wide, "equal")):
        gradients = kernels.normalized_conv2d_input_grad(other, w, z, mean, inverse_std, None, affine, **place)
        pair = (other, z) if normalized == "x" else (z, other)
        shape = (6, 3, 3, 4) if normalized == "x" else (4, 3, 3, 6)
        weights = kernels.normalized_conv2d_weight_grad(*pair, mean, affine, shape, normalized=normalized, **place)
        if wanted is None:
            first = (*gradients, weights)
        else:
            for found, expected in zip(first, (*gradients, weights), strict=True):
                np.testing.assert_array_equal(found, expected)


@emulated
@settings(deadline=None, max_examples=15)
@given(call=calls(), activation=ACTIVATIONS, transposed=st.booleans(), stored=st.booleans())
def test_a_block_on_tensor_cores_reads_and_writes_it(call, activation, transposed, stored):
    shape, (k, size, _, c), place = call
    x, wide = bfloat16(shape, 0)
    w = drawn((c, size, size, k) if transposed else (k, size, size, c), 1)
    function = kernels.conv_transpose2d_batch_norm_train if transposed else kernels.conv2d_batch_norm_train
    how = {**place, **through(c, activation), "apply": False}
    _, z, mean, inverse_std, affine = on_emulator(function, x, w, **how, stored=stored)
    _, same, *_ = on_emulator(function, wide, w, **how)
    assert z.dtype == (np.uint16 if stored else np.float32)
    # The same products of the same numbers, added in the same order.
    np.testing.assert_array_equal(z, to_bfloat16(same) if stored else same)
    _, *expected = kernels.batch_norm_train(from_bfloat16(z) if stored else z)
    for found, wanted in zip((mean, inverse_std, affine), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max(initial=1))


@emulated
@settings(deadline=None, max_examples=15)
@given(call=calls(), activation=ACTIVATIONS, transposed=st.booleans())
def test_gradients_on_tensor_cores_read_it(call, activation, transposed):
    shape, (k, size, _, c), place = call
    x, wide = bfloat16(shape, 0)
    w = drawn((c, size, size, k) if transposed else (k, size, size, c), 1)
    convolve = kernels.conv_transpose2d if transposed else kernels.conv2d
    gy = drawn(convolve(wide, w, **place).shape, 2)
    mean, scale, offset, weight = drawn((4, c), 3)
    inverse_std, affine = np.abs(scale), np.stack([scale, offset])
    end = {"activation": activation, "negative_slope": 0.2, **place}
    by_input = kernels.normalized_conv_transpose2d_input_grad if transposed else kernels.normalized_conv2d_input_grad
    found, same = (on_emulator(by_input, gy, w, z, mean, inverse_std, weight, affine, **end) for z in (x, wide))
    for ours, theirs in zip(found, same, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs)
    pairs = [(z, gy) if transposed else (gy, z) for z in (x, wide)]
    how = {"normalized": "gy" if transposed else "x", **end}
    found, same = (
        on_emulator(kernels.normalized_conv2d_weight_grad, *pair, mean, affine, w.shape, **how) for pair in pairs
    )
    np.testing.assert_array_equal(found, same)


@emulated
@pytest.mark.parametrize("channels", [5, 8])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_the_normalisation_and_its_gradient_read_it(channels, activation):
    x, wide = bfloat16((2, 9, 7, channels), 0)
    gy, (mean, scale, offset, weight) = drawn(x.shape, 1), drawn((4, channels), 2)
    affine = np.stack([scale, offset])
    with cuda.launching(emulator.launch):
        for function, arrays in (
            (kernels.batch_norm_apply, (mean, affine)),
            (kernels.batch_norm_grad, (mean, np.abs(scale), weight)),
        ):
            end = {"activation": activation, "variant": "cuda.fused"}
            before = (gy,) if function is kernels.batch_norm_grad else ()
            if function is kernels.batch_norm_grad and activation:
                end["affine"] = affine
            found, same = (function(*before, z, *arrays, **end) for z in (x, wide))
            found, same = ((r,) if isinstance(r, np.ndarray) else r for r in (found, same))
            for ours, theirs in zip(found, same, strict=True):
                np.testing.assert_array_equal(ours, theirs)


def test_where_it_does_not_fit_is_said():
    x, _ = bfloat16((1, 5, 5, 4), 0)
    w = drawn((4, 3, 3, 4), 1)
    with pytest.raises(TypeError, match="input expects float32 or float64 but got uint16"):
        kernels.conv2d_batch_norm_train(x, w)
    with pytest.raises(ValueError, match="stored expects float32 and apply=False but got float32, apply=True"):
        kernels.conv2d_batch_norm_train(drawn((1, 5, 5, 4), 0), w, stored=True)
    with pytest.raises(TypeError, match="stored expects True or False but got 1"):
        kernels.conv2d_batch_norm_train(drawn((1, 5, 5, 4), 0), w, apply=False, stored=1)
    for variant in ("naive", "reference"):
        with pytest.raises(ValueError, match=f'variant "{variant}" takes no bfloat16'):
            kernels.batch_norm_apply(x, np.ones(4, np.float32), np.ones((2, 4), np.float32), variant=variant)
    with pytest.raises(ValueError, match=r'variant "cuda\.mma" takes no bfloat16'):
        kernels.conv2d_batch_norm_train(x, w, **through(4, None), variant="cuda.mma")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("end", [{"moments": True, "normalized": True, "x_stored": True}, {"sums": True}])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tile", cuda_mma.TILES)
@pytest.mark.parametrize("input_gradient", [False, True])
def test_convolutions_compile_without_spills(tile, stride, input_gradient, end, architecture, record_property):
    how = {"input_gradient": input_gradient, "bf16": True, "z_stored": True, "activation": "relu", **end}
    kernel = cuda_mma.kernel_for(tile, stride, **how)
    resources = compiled(kernel, architecture, record_property)
    assert 3 * kernel.threads * resources.registers <= 65536, "three blocks' registers fit a multiprocessor"
    largest = tile.shared_bytes(5 * stride, 5 * stride, stride, input_gradient=input_gradient, bf16=True, stored=True)
    assert largest <= SHARED_BYTES[architecture]


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("normalized", ["x", "gy"])
@pytest.mark.parametrize(
    ("tile", "taps", "stride"), [(cuda_mma_weight_grad.WIDE, 3, 1), (cuda_mma_weight_grad.NARROW, 4, 2)]
)
def test_weight_gradients_compile_without_spills(tile, taps, stride, normalized, architecture, record_property):
    how = {"bf16": True, "normalized": normalized, "stored": True, "activation": "relu"}
    compiled(cuda_mma_weight_grad.kernel_for(tile, taps, stride, **how), architecture, record_property)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
def test_normalisations_compile_without_spills(architecture, record_property):
    for mode in ("training", "grad_sums", "gradient"):
        for vector in (1, 4):
            compiled(cuda_fused.kernel_for(mode, "float32", vector, "relu", stored=True), architecture, record_property)
    compiled(cuda_fused.finish_kernel("float32", stored=True, centered=True), architecture, record_property)
