"""Writing in place: what is counted, what backward refuses, what is recorded."""

import numpy as np
import pytest
from tilegrad.nn import functional

from tilegrad import nn


def tensor(*values, requires_grad=True):
    return nn.Tensor(np.array(values), requires_grad)


def by_addition(t):
    with nn.no_grad():
        t += 1.0


def by_out(t):
    with nn.no_grad():
        functional.add(t, 1.0, out=t)


def by_copy(t):
    t.copy_(np.zeros(t.shape))


def by_optimizer(t):
    t.grad = t.detach().clone()
    nn.optim.SGD([t], lr=0.1).step()


def by_loading(t):
    module = nn.Module()
    module.weight = nn.Parameter(t)
    module.load_state_dict(module.state_dict())


def by_view(t):
    view = t.detach().reshape(-1)
    view *= 2.0


@pytest.mark.parametrize("write", [by_addition, by_out, by_copy, by_optimizer, by_loading, by_view])
def test_backward_refuses_a_saved_argument_that_was_written(write):
    x, w = tensor(1.0, 2.0), tensor(3.0, 4.0)
    y = (x * w).sum()
    write(w)
    with pytest.raises(RuntimeError, match=r"mul: argument b was changed in place .* \(version 1, saved at"):
        y.backward()


def test_backward_refuses_a_saved_output_that_was_written():
    x = tensor(1.0, 2.0)
    y = functional.exp(x)
    with nn.no_grad():
        y *= 2.0
    with pytest.raises(RuntimeError, match="exp: its output was changed in place"):
        y.sum().backward()


def test_backward_refuses_a_fused_activation_that_was_written():
    w = nn.randn((2, 3, 3, 1)).requires_grad_()
    y = functional.conv2d(nn.randn((1, 5, 5, 1)), w, activation="relu")
    with nn.no_grad():
        y += 1.0
    with pytest.raises(RuntimeError, match="relu: its output was changed in place"):
        y.sum().backward()


def test_what_is_not_saved_may_be_written():
    x, w = tensor(1.0, 2.0), tensor(3.0, 4.0)
    y = (x + w).sum()
    with nn.no_grad():
        w += 1.0
    y.backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])


def test_running_statistics_may_move_before_backward():
    norm, x = nn.BatchNorm2d(2), nn.randn((2, 3, 3, 2))
    (norm(x) + norm(x * 2.0)).sum().backward()
    assert norm.running_mean.version.count == 2


def test_in_place_operators_are_recorded_on_results():
    x = tensor(1.0, 2.0)
    y = x * 3.0
    y += x
    y *= 2.0
    y -= 1.0
    y /= 4.0
    y.sum().backward()
    np.testing.assert_array_equal(y.detach(), [1.75, 3.75])
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


def test_division_in_place_by_a_tensor_is_recorded():
    x, divisor = tensor(1.0, 2.0), tensor(2.0, 4.0)
    y = x * 1.0
    y /= divisor
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [0.5, 0.25])
    np.testing.assert_array_equal(divisor.grad, [-0.25, -0.125])


def test_multiplication_in_place_by_a_tensor_is_refused_by_backward():
    x, factor = tensor(1.0, 2.0), tensor(2.0, 4.0)
    y = x * 1.0
    y *= factor
    with pytest.raises(RuntimeError, match="mul: argument a was changed in place"):
        y.sum().backward()


def test_in_place_refuses_leaves_and_views_while_recording():
    x = tensor(1.0, 2.0)
    with pytest.raises(RuntimeError, match="add: a leaf that requires a gradient cannot be written in place"):
        x += 1.0
    y = x * 2.0
    y.reshape(2, 1)
    with pytest.raises(RuntimeError, match="mul: a tensor that shares its memory with a view"):
        y *= 2.0


def test_out_refuses_to_be_recorded():
    x = tensor(1.0, 2.0)
    with pytest.raises(RuntimeError, match="exp: out= cannot be recorded"):
        functional.exp(x, out=nn.Tensor(np.zeros(2)))


def test_assignment_to_a_part():
    x = nn.Tensor([[1.0, 2.0], [3.0, 4.0]])
    x[0] += 1
    x[1, 0] *= 10
    x[1, 1] = nn.Tensor(7.0)
    np.testing.assert_array_equal(x.data, [[2.0, 3.0], [30.0, 7.0]])
    assert x.version.count > 0


def test_assignment_to_a_part_is_not_recorded():
    x = nn.Tensor([1.0, 2.0], True)
    with pytest.raises(RuntimeError):
        x[0] += 1
    with pytest.raises(RuntimeError, match="setitem: an assignment cannot be recorded"):
        x[0] = 5.0
    np.testing.assert_array_equal(x.data, [1.0, 2.0])
    with nn.no_grad():
        x[0] += 1
    np.testing.assert_array_equal(x.data, [2.0, 2.0])
