"""The graph: what is recorded, how it is walked, what it keeps and when it lets go."""

import gc
import threading
import weakref

import numpy as np
import pytest
from tilegrad.nn import functional

from tilegrad import kernels, nn


def tensor(*values, requires_grad=True):
    return nn.Tensor(np.array(values), requires_grad)


# --- backward and grad ------------------------------------------------------------------------------------------------


def test_gradients_add_up_in_leaves():
    x = tensor(1.0, 2.0)
    (x * x + x * 3.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [5.0, 7.0])
    (x * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [7.0, 9.0])


def test_leaves_own_their_gradients():
    a, b, start = tensor(1.0, 2.0), tensor(3.0, 4.0), np.ones(2)
    (a + b).backward(start)
    a.grad *= 5.0
    np.testing.assert_array_equal(a.grad, [5.0, 5.0])
    np.testing.assert_array_equal(b.grad, [1.0, 1.0])
    np.testing.assert_array_equal(start, [1.0, 1.0])


def test_gradient_of_a_broadcast_sum_can_be_written():
    x = tensor(1.0, 2.0)
    x.sum().backward()
    x.grad *= 2.0
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


def test_grad_returns_and_does_not_accumulate():
    x = tensor(3.0)
    (g,) = nn.grad(x * x, x)
    assert g.item() == 6.0
    assert x.grad is None
    assert not g.requires_grad


def test_grad_by_an_intermediate_result_and_by_what_it_came_from():
    x = tensor(2.0)
    y = x * x
    by_y, by_x = nn.grad(y * y * x, [y, x])
    assert by_y.item() == 2 * 4 * 2
    assert by_x.item() == 5 * 2**4


def test_grad_of_several_outputs():
    x = tensor(1.0, 2.0)
    (g,) = nn.grad([x * 2.0, (x * x).sum()], x, [nn.Tensor(np.array([1.0, 10.0])), None])
    np.testing.assert_array_equal(g, [4.0, 24.0])


def test_derivatives_of_any_order():
    y = x = tensor(2.0)
    y = x**5.0
    for expected in (5 * 2**4, 20 * 2**3, 60 * 2**2, 120 * 2, 120):
        (y,) = nn.grad(y, x, create_graph=True)
        assert y.item() == expected


def test_backward_with_create_graph_leaves_a_gradient_that_can_be_differentiated():
    x = tensor(3.0)
    (x * x * x).backward(create_graph=True)
    assert x.grad.item() == 27.0
    (second,) = nn.grad(x.grad, x)
    assert second.item() == 18.0


def test_a_graph_of_ten_thousand_nodes_does_not_overflow():
    y = x = tensor(1.0)
    for _ in range(10_000):
        y = y + 0.5
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_a_graph_with_exponentially_many_paths_takes_each_node_once():
    y = x = tensor(1.0)
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_first_layer_gets_no_input_gradient(monkeypatch):
    def refuse(*args, **settings):
        raise AssertionError("no one asked for this gradient")

    monkeypatch.setattr(kernels, "conv2d_input_grad", refuse)
    x, w = nn.randn((1, 5, 5, 2)), nn.randn((3, 3, 3, 2)).requires_grad_()
    functional.conv2d(x, w).sum().backward()
    assert w.grad.shape == w.shape


def test_grad_by_one_input_computes_no_other(monkeypatch):
    def refuse(*args, **settings):
        raise AssertionError("no one asked for this gradient")

    monkeypatch.setattr(kernels, "conv2d_weight_grad", refuse)
    x, w = nn.randn((1, 5, 5, 2)).requires_grad_(), nn.randn((3, 3, 3, 2)).requires_grad_()
    (g,) = nn.grad(functional.conv2d(x, w).sum(), x)
    assert g.shape == x.shape


def test_fused_block_differentiates_by_its_own_arguments_alone():
    # The scale is computed from the image: the gradient by the image through the scale must not count twice.
    x = nn.Tensor(np.random.default_rng(0).standard_normal((3, 4, 4, 2)), True)

    def function(x):
        return functional.batch_norm(x * x, None, None, x.sum((0, 1, 2)), None, True)

    assert nn.gradgradcheck(function, [x])


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_second_backward_over_a_freed_graph_says_so():
    x = tensor(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"mul: .* freed by an earlier backward; pass retain_graph=True"):
        y.backward()


def test_retain_graph_keeps_it():
    x = tensor(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_array_equal(x.grad, [4.0, 8.0])


def test_backward_frees_saved_arrays_while_the_result_lives():
    x = tensor(1.0, 2.0)
    y = x * 2.0
    array = weakref.ref(y.data)
    z = (y * y).sum()
    del y
    assert array() is not None
    z.backward()
    assert array() is None


def test_a_node_saves_only_what_its_rules_name():
    x, w = tensor(1.0, 2.0), tensor(3.0, 4.0, requires_grad=False)
    assert set((x * w).node.saved) == {"b"}
    assert set((x + w).node.saved) == set()
    assert set(functional.relu(x).node.saved) == {"y"}
    image, kernel = nn.randn((1, 4, 4, 1)), nn.randn((2, 3, 3, 1)).requires_grad_()
    assert set(functional.conv2d(image, kernel).node.saved) == {"x"}


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_training_step_leaves_nothing_to_the_garbage_collector(without_collector):
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, activation="tanh"),
        nn.Conv2dBatchNorm(4, 4, 3, padding=1, activation="relu"),
        nn.Conv2d(4, 1, 3, padding=1),
        nn.Sigmoid(),
    )
    optimizer = nn.optim.Adam(model.parameters())
    x = nn.randn((2, 6, 6, 1))
    alive = []

    def step():
        y = model(x)
        (gx,) = nn.grad(y.sum(), next(model.parameters()), create_graph=True)
        loss = functional.mse_loss(y, x) + gx.square().sum()
        alive.extend(weakref.ref(t) for t in (y, y.data, gx, gx.data, loss, loss.data))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    step()
    assert [reference() for reference in alive] == [None] * len(alive)


def test_a_graph_that_was_never_walked_is_freed_with_its_result(without_collector):
    x = tensor(1.0, 2.0)
    y = functional.tanh(functional.sigmoid(x * x) / x)
    references = [weakref.ref(y), weakref.ref(y.data)]
    del y
    assert [reference() for reference in references] == [None, None]


def test_a_gradient_with_a_graph_is_no_cycle(without_collector):
    x = tensor(1.0, 2.0)
    (x * x * x).sum().backward(create_graph=True)
    references = [weakref.ref(x), weakref.ref(x.data), weakref.ref(x.grad)]
    del x
    assert [reference() for reference in references] == [None] * 3


# --- errors -----------------------------------------------------------------------------------------------------------


def test_backward_without_a_graph():
    with pytest.raises(RuntimeError, match=r"backward: the output of shape \(2,\) does not require a gradient"):
        tensor(1.0, 2.0, requires_grad=False).backward()


def test_backward_of_an_image_expects_a_gradient():
    with pytest.raises(RuntimeError, match=r"backward: an output of shape \(2,\) expects a gradient to start from"):
        (tensor(1.0, 2.0) * 2.0).backward()


def test_starting_gradient_of_another_shape_or_dtype():
    y = tensor(1.0, 2.0) * 2.0
    with pytest.raises(ValueError, match=r"an output of shape \(2,\) got a gradient of shape \(3,\)"):
        y.backward(np.ones(3))
    with pytest.raises(TypeError, match="an output of float64 got a gradient of float32"):
        y.backward(nn.Tensor(np.ones(2, np.float32)))


def test_grad_by_what_was_not_used():
    x, other = tensor(1.0), tensor(2.0)
    with pytest.raises(RuntimeError, match=r"grad: input 1 of shape \(1,\) was not used"):
        nn.grad(x * x, [x, other])
    assert nn.grad(x * x, [x, other], allow_unused=True)[1] is None


def test_grad_by_what_does_not_require_one():
    with pytest.raises(RuntimeError, match=r"grad: input 0 of shape .* does not require a gradient"):
        nn.grad(tensor(1.0) * 2.0, tensor(1.0, requires_grad=False))


def test_grad_expects_one_gradient_for_each_output():
    y = tensor(1.0) * 2.0
    with pytest.raises(ValueError, match="grad: expects one gradient for each of 2 outputs but got 1"):
        nn.grad([y, y], y, [None])


# --- grad mode --------------------------------------------------------------------------------------------------------


def test_no_grad_and_enable_grad_nest():
    x = tensor(1.0)
    with nn.no_grad():
        assert not (x * x).requires_grad
        with nn.enable_grad():
            assert (x * x).requires_grad
        assert not nn.is_grad_enabled()
    assert nn.is_grad_enabled()


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), nn.no_grad():
        raise KeyError
    assert nn.is_grad_enabled()


def test_no_grad_decorates_recursive_functions():
    @nn.no_grad()
    def depth(n):
        return [nn.is_grad_enabled(), *(depth(n - 1) if n else [])]

    assert depth(3) == [False] * 4
    assert nn.is_grad_enabled()


def test_no_grad_is_of_its_thread_alone():
    seen = {}
    inside, done = threading.Event(), threading.Event()

    @nn.no_grad()
    def without():
        inside.set()
        done.wait(10)
        seen["without"] = nn.is_grad_enabled()

    def beside():
        inside.wait(10)
        x = tensor(2.0)
        (x * x).backward()
        seen["beside"] = x.grad.item()
        done.set()

    threads = [threading.Thread(target=f) for f in (without, beside)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"without": False, "beside": 4.0}


def test_graphs_of_several_threads_do_not_meet():
    shared = tensor(3.0)
    results = []

    def work(factor):
        for _ in range(200):
            (g,) = nn.grad(shared * shared * factor, shared)
            results.append(g.item() == 6.0 * factor)

    threads = [threading.Thread(target=work, args=(float(factor),)) for factor in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 800
    assert all(results)


def test_the_gradients_by_nothing_are_none():
    x = nn.Tensor([1.0], True)
    assert nn.grad(x.sum(), []) == ()


@pytest.mark.parametrize("gy", [3e38, np.inf])
def test_gradients_of_a_maximum_do_not_overflow(gy):
    a, b = nn.Tensor([1.0, 2.0, 3.0], True), nn.Tensor([2.0, 2.0, 2.0], True)
    seed = np.full(3, gy, np.float32)
    by_larger, by_smaller = np.array([[0, gy / 2, gy], [gy, gy / 2, 0]], np.float32)
    for name, expected in (("maximum", (by_larger, by_smaller)), ("minimum", (by_smaller, by_larger))):
        for g, e in zip(nn.grad(getattr(nn.functional, name)(a, b), [a, b], seed), expected, strict=True):
            np.testing.assert_array_equal(g.data, e)
    x = nn.Tensor([-1.0, 0.0, 2.0], True)
    np.testing.assert_array_equal(nn.grad(abs(x), x, seed)[0].data, np.array([-gy, 0, gy], np.float32))
