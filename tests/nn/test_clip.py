"""Gradient clipping beside PyTorch's, and what it refuses."""

import numpy as np
import pytest

from tilegrad import kernels, nn

SHAPES = [(3, 4), (5,), (), (2, 3, 3, 1)]


def parameters(scale=1.0, dtype=np.float64):
    random = np.random.default_rng(0)
    made = [nn.Parameter(np.ones(shape, dtype)) for shape in SHAPES]
    for parameter in made:
        parameter.grad = nn.Tensor(np.asarray(scale * random.standard_normal(parameter.shape), dtype))
    return [*made, nn.Parameter(np.ones(3, dtype))]  # the last has no gradient


def theirs(ours):
    import torch

    copies = [torch.nn.Parameter(torch.tensor(p.data)) for p in ours]
    for copy, parameter in zip(copies, ours, strict=True):
        copy.grad = None if parameter.grad is None else torch.tensor(parameter.grad.data)
    return copies


def assert_same(ours, copies, tolerance):
    for parameter, copy in zip(ours, copies, strict=True):
        assert (parameter.grad is None) == (copy.grad is None)
        if copy.grad is not None:
            np.testing.assert_allclose(parameter.grad, copy.grad.numpy(), rtol=tolerance)


@pytest.mark.parity
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 1e-6)])
@pytest.mark.parametrize(("scale", "bound"), [(1.0, 0.5), (1.0, 100.0), (1e-3, 0.0), (1.0, float("inf"))])
def test_clipping_is_pytorchs(scale, bound, dtype, tolerance):
    torch = pytest.importorskip("torch")
    ours = parameters(scale, dtype)
    copies = theirs(ours)
    norm = nn.clip_grad_norm_(ours, bound)
    expected = torch.nn.utils.clip_grad_norm_(copies, bound)
    np.testing.assert_allclose(norm, expected.item(), rtol=tolerance)
    assert_same(ours, copies, tolerance)
    nn.clip_grad_value_(ours, 0.1)
    torch.nn.utils.clip_grad_value_(copies, 0.1)
    assert_same(ours, copies, tolerance)


def test_the_norm_takes_one_launch_and_leaves_small_gradients_alone():
    ours = parameters()
    before = [p.grad for p in ours]
    with kernels.trace() as events:
        nn.clip_grad_norm_(ours, 1e6)
    assert [event.operation for event in events] == ["norm_of_all"]
    assert [p.grad for p in ours] == before
    assert nn.clip_grad_norm_(ours[-1], 1.0) == 0


def test_dtypes_may_differ():
    one, other = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1, np.float32))
    one.grad, other.grad = nn.Tensor(np.array([3.0])), nn.Tensor([4.0])
    assert nn.clip_grad_norm_([one, other], 2.5) == 5
    np.testing.assert_allclose([one.grad.item(), other.grad.item()], [1.5, 2], rtol=1e-6)


def test_gradients_that_are_views_are_replaced():
    x = nn.Parameter(np.ones((3, 4)))
    x.sum().backward()
    nn.clip_grad_value_(x, 0.5)
    np.testing.assert_array_equal(x.grad, np.full((3, 4), 0.5))
    x.grad = nn.Tensor(np.broadcast_to(1.0, (3, 4)))
    nn.clip_grad_norm_(x, 1.0)
    np.testing.assert_allclose(x.grad, np.full((3, 4), 12**-0.5), rtol=1e-5)


def test_not_a_number():
    ours = parameters()
    before = ours[0].grad.numpy().copy()
    ours[1].grad = nn.Tensor(np.full(5, np.nan))
    with pytest.raises(RuntimeError, match="clip_grad_norm_: the norm of the gradients is nan"):
        nn.clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(ours[0].grad, before)
    assert np.isnan(nn.clip_grad_norm_(ours, 1.0))
    assert np.isnan(ours[0].grad.numpy()).all()
    nn.clip_grad_value_(ours, 1.0)
    assert np.isnan(ours[0].grad.numpy()).all()


def test_bad_input_is_refused():
    ours = parameters()
    for bad in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="clip_grad_norm_: max_norm expects a number of at least 0 but got"):
            nn.clip_grad_norm_(ours, bad)
        with pytest.raises(ValueError, match="clip_grad_value_: clip_value expects a number of at least 0 but got"):
            nn.clip_grad_value_(ours, bad)
    with pytest.raises(TypeError, match="clip_grad_norm_: parameters expect tensors but got float"):
        nn.clip_grad_norm_([1.0], 1.0)
    x = nn.Parameter(np.ones(2))
    x.square().sum().backward(create_graph=True)
    with pytest.raises(RuntimeError, match="clip_grad_value_: expects gradients that are not recorded themselves"):
        nn.clip_grad_value_(x, 1.0)
