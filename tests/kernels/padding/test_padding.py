"""Padding against its definition, NumPy and PyTorch; its adjoint; bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.padding.reference import MODES
from tolerances import SEPARABLE

from tilegrad import kernels

NUMPY = {
    "constant": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
    "symmetric": "symmetric",
}


@st.composite
def paddings(draw):
    """An image, how it is padded, and a gradient by the padded one."""
    shape = draw(st.tuples(st.integers(0, 2), st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3, 16, 37])))
    mode = draw(st.sampled_from(MODES))
    most = [{"reflect": n - 1, "circular": n, "symmetric": n}.get(mode, 7) for n in shape[1:3]]
    padding = tuple(tuple(draw(st.integers(0, m)) for _ in range(2)) for m in most)
    random, dtype = np.random.default_rng(draw(st.integers(0, 99))), draw(st.sampled_from(["float32", "float64"]))
    n, h, w, c = shape
    padded = (n, h + sum(padding[0]), w + sum(padding[1]), c)
    return *(random.standard_normal(s).astype(dtype) for s in (shape, padded)), padding, mode


@given(call=paddings())
def test_equals_numpy(call):
    x, gy, padding, mode = call
    value = {"constant_values": 0.5} if mode == "constant" else {}
    expected = np.pad(x, ((0, 0), *padding, (0, 0)), mode=NUMPY[mode], **value)
    out = np.full_like(gy, 9)
    assert kernels.pad2d(x, padding, mode=mode, value=0.5, out=out) is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(kernels.pad2d(x, padding, mode=mode, value=0.5, variant="naive"), expected)
    tolerance = SEPARABLE[x.dtype.name]
    definition = kernels.pad2d_grad(gy, x.shape, padding, mode=mode, variant="naive")
    np.testing.assert_allclose(
        kernels.pad2d_grad(gy, x.shape, padding, mode=mode), definition, rtol=tolerance, atol=10 * tolerance
    )


@given(call=paddings())
def test_the_gradient_is_adjoint(call):
    x, gy, padding, mode = (a.astype("float64") if isinstance(a, np.ndarray) else a for a in call)
    gx = kernels.pad2d_grad(gy, x.shape, padding, mode=mode)
    assert np.vdot(kernels.pad2d(x, padding, mode=mode), gy) == pytest.approx(np.vdot(x, gx), abs=1e-10)


@pytest.mark.parity
@given(call=paddings())
def test_equals_pytorch(call):
    torch = pytest.importorskip("torch")
    x, gy, (rows, columns), mode = call
    if mode == "symmetric" or not len(x):
        return
    leaf = torch.from_numpy(x).permute(0, 3, 1, 2).clone().requires_grad_()
    y = torch.nn.functional.pad(leaf, (*columns, *rows), mode=mode)
    np.testing.assert_array_equal(kernels.pad2d(x, (rows, columns), mode=mode), y.detach().permute(0, 2, 3, 1).numpy())
    y.backward(torch.from_numpy(gy).permute(0, 3, 1, 2))
    tolerance = SEPARABLE[x.dtype.name]
    np.testing.assert_allclose(
        kernels.pad2d_grad(gy, x.shape, (rows, columns), mode=mode),
        leaf.grad.permute(0, 2, 3, 1).numpy(), rtol=tolerance, atol=10 * tolerance,
    )  # fmt: skip


def test_copies_keep_nan_and_infinity():
    x = np.array([np.nan, np.inf, -0.0], np.float32).reshape(1, 1, 3, 1)
    np.testing.assert_array_equal(
        kernels.pad2d(x, (0, 1), mode="circular").reshape(-1), [-0.0, np.nan, np.inf, 0, np.nan]
    )
    assert np.isnan(kernels.pad2d(x, 1, value=np.nan)[0, 0]).all()


X = np.ones((2, 4, 5, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: kernels.pad2d(X, 4, mode="reflect"),
            'pad2d: mode "reflect" expects padding of at most 3 for H = 4 but',
        ),
        (lambda: kernels.pad2d(X, (0, 6), mode="circular"), "expects padding of at most 5 for W = 5 but got"),
        (lambda: kernels.pad2d(X[:, :0], 1, mode="replicate"), "expects padding of at most 0 for H = 0 but got"),
        (lambda: kernels.pad2d(X, -1), "pad2d: padding expects values of at least 0 but got -1"),
        (lambda: kernels.pad2d(X, 1, mode="edge"), "pad2d: mode expects one of 'constant', 'reflect', 'replicate', "),
        (lambda: kernels.pad2d(X[0], 1), r"pad2d: x expects 4 axes \(N, H, W, C\)"),
        (lambda: kernels.pad2d_grad(X, X.shape, 1), r"pad2d_grad: gy expects \(2, 6, 7, 3\) but got \(2, 4, 5, 3\)"),
    ],
)
def test_wrong_sizes_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_types_are_refused():
    with pytest.raises(TypeError, match="pad2d: padding expects an integer or"):
        kernels.pad2d(X, (1, 1, 1, 1))
    with pytest.raises(TypeError, match="pad2d: value expects a number but got '0'"):
        kernels.pad2d(X, 1, value="0")
    with pytest.raises(TypeError, match="pad2d: x expects float32 or float64"):
        kernels.pad2d(X.astype("f2"), 1)
