"""How operations are declared and called."""

import numpy as np
import pytest
from tilegrad.nn import functional
from tilegrad.nn.functional.normalization import batch_norm_train
from tilegrad.nn.primitive import PRIMITIVES, WITHOUT_GRADIENT, primitive

from tilegrad import nn


def test_an_argument_without_a_gradient_says_so_when_the_graph_is_built():
    assert ("batch_norm_train", "running_mean") in WITHOUT_GRADIENT
    x, mean, var = nn.randn((3, 2)), nn.Tensor(np.zeros(2, np.float32), True), nn.Tensor(np.ones(2, np.float32))
    with pytest.raises(RuntimeError, match="batch_norm_train: argument running_mean requires a gradient, but this"):
        batch_norm_train(x, running_mean=mean, running_var=var)


def test_an_exponent_is_a_number():
    with pytest.raises(TypeError, match="pow: exponent expects a Python number but got Tensor"):
        nn.Tensor([1.0]) ** nn.Tensor([2.0])


def test_arguments_are_bound_by_place_or_name():
    x, w, b = nn.randn((1, 4, 4, 2)), nn.randn((3, 3, 3, 2)), nn.randn((3,))
    by_place = functional.conv2d(x, w, b, 1, 1)
    np.testing.assert_array_equal(by_place, functional.conv2d(padding=1, bias=b, w=w, x=x))


def test_wrong_calls():
    with pytest.raises(TypeError, match="relu: argument x is missing"):
        functional.relu()
    with pytest.raises(TypeError, match="add: takes 2 positional arguments but got 3"):
        functional.add(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'strides'"):
        functional.conv2d(nn.randn((1, 4, 4, 2)), nn.randn((3, 3, 3, 2)), strides=2)


def test_a_fused_activation_is_a_node_that_saves_the_output_alone():
    x, w = nn.randn((1, 4, 4, 2)), nn.randn((3, 3, 3, 2)).requires_grad_()
    y = functional.conv2d(x, w, activation="tanh")
    assert repr(y.node) == "<tanh>"
    assert set(y.node.saved) == {"y"}
    assert repr(y.node.edges[0]) == "<conv2d>"


@pytest.fixture
def summed():
    """``(a + b) * 2``, whose composed gradient is one array for both arguments."""

    @primitive()
    def doubled_sum(a, b):
        return (a + b) * 2

    doubled_sum.gradients(a=None, b=None, unfused=lambda a, b: (a + b) * 2.0)
    yield doubled_sum
    del PRIMITIVES["doubled_sum"]


def test_leaves_own_gradients_that_come_as_one_array(summed):
    a, b = nn.Tensor([1.0], True), nn.Tensor([2.0], True)
    summed(a, b).backward()
    a.grad *= 3.0
    assert a.grad.item() == 6.0
    assert b.grad.item() == 2.0


def test_out_writes_and_counts():
    x, out = nn.Tensor([1.0, 4.0]), nn.Tensor([0.0, 0.0])
    assert functional.sqrt(x, out=out) is out
    np.testing.assert_array_equal(out, [1.0, 2.0])
    assert out.version.count == 1


def test_batch_norm_in_evaluation_expects_statistics():
    with pytest.raises(ValueError, match="batch_norm: expects running_mean and running_var where it is not training"):
        functional.batch_norm(nn.randn((2, 3)), None, None)
    one = nn.Tensor([1.0])
    with pytest.raises(ValueError, match="conv2d_batch_norm: expects running_mean and running_var"):
        functional.conv2d_batch_norm(nn.randn((1, 3, 3, 1)), nn.randn((1, 3, 3, 1)), None, None, one, one)


def test_padding_expects_what_it_can_do():
    x = nn.randn((1, 3, 3, 1))
    with pytest.raises(ValueError, match=r"pad2d: mode expects one of .* but got 'wrap'"):
        functional.pad2d(x, ((1, 1), (1, 1)), "wrap")
    with pytest.raises(TypeError, match="pad2d: padding expects"):
        functional.pad2d(x, (1, 1, 1, 1))
    with pytest.raises(ValueError, match='pad2d: mode "reflect" expects padding of at most 2 for H = 3'):
        functional.pad2d(x, ((3, 0), (0, 0)), "reflect")
    with pytest.raises(ValueError, match=r"pad2d: x expects 4 axes \(N, H, W, C\)"):
        functional.pad2d(nn.randn((3, 3)), ((1, 1), (1, 1)))


def test_an_argument_is_given_once():
    x, w = nn.randn((1, 4, 4, 2)), nn.randn((2, 3, 3, 2))
    with pytest.raises(TypeError, match="conv2d: argument w is given twice"):
        functional.conv2d(x, w, w=w)
