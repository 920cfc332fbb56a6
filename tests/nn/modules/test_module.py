"""Modules: what they are made of, their state, their text, their errors."""

import numpy as np
import pytest

from tilegrad import nn


class Pair(nn.Module):
    def __init__(self):
        self.first = nn.Linear(2, 3)
        self.second = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm2d(2))
        self.scale = nn.Parameter(np.ones(1, np.float32))

    def forward(self, x):
        return self.second(self.first(x)) * self.scale


NAMES = ["first.weight", "first.bias", "second.0.weight", "second.0.bias", "second.1.weight", "second.1.bias", "scale"]
BUFFERS = ["second.1.running_mean", "second.1.running_var"]


def test_parameters_and_buffers_by_name():
    model = Pair()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert [name for name, _ in model.named_buffers()] == BUFFERS
    assert len(list(model.parameters())) == 7
    assert len(list(model.buffers())) == 2
    assert [name for name, _ in model.named_modules()] == ["", "first", "second", "second.0", "second.1"]


def test_shared_parameters_come_once_but_stay_in_the_state():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    assert [name for name, _ in model.named_parameters()] == ["0.weight"]
    assert list(model.state_dict()) == ["0.weight", "1.weight"]


def test_state_makes_a_round_trip():
    model, other = Pair(), Pair()
    model(nn.randn((5, 2)))
    other.load_state_dict(model.state_dict())
    for (name, ours), (_, theirs) in zip(model._named_tensors(), other._named_tensors(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data, err_msg=name)


def test_state_is_a_snapshot():
    model = Pair()
    state = model.state_dict()
    nn.init.zeros_(model.scale)
    assert state["scale"] == 1.0


def test_loading_refuses_what_does_not_state_its_layout():
    model = Pair()
    with pytest.raises(ValueError, match=r"Pair\.load_state_dict: expects weights that state layout=OHWI"):
        model.load_state_dict(dict(model.state_dict()))
    model.load_state_dict(nn.StateDict(dict(model.state_dict())))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("scale"), ValueError, r"missing names \['scale'\], unexpected names \[\]"),
        (lambda s: s.update(other=np.ones(1)), ValueError, r"missing names \[\], unexpected names \['other'\]"),
        (lambda s: s.update(scale=np.ones(2)), ValueError, r"scale expects shape \(1,\) but got \(2,\)"),
        (lambda s: s.update(scale=np.ones(1, int)), TypeError, "scale expects floating-point numbers but got int64"),
    ],
)
def test_loading_checks_everything_before_it_writes(change, error, message):
    model = Pair()
    before, state = model.state_dict(), model.state_dict()
    for value in state.values():
        value += 1
    change(state)
    with pytest.raises(error, match=message):
        model.load_state_dict(state)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_loading_in_part():
    model = Pair()
    model.load_state_dict(nn.StateDict(scale=np.full(1, 7.0), other=np.ones(3)), strict=False)
    assert model.scale.item() == 7.0


def test_train_and_eval_reach_every_module():
    model = Pair()
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert all(module.training for module in model.train().modules())


def test_evaluation_uses_running_statistics_and_leaves_them():
    norm = nn.BatchNorm2d(2).eval()
    x = nn.randn((3, 4, 4, 2))
    np.testing.assert_allclose(norm(x).detach(), x, rtol=1e-4)
    np.testing.assert_array_equal(norm.running_mean, [0, 0])


def test_zero_grad():
    model = Pair()
    model(nn.randn((5, 2))).sum().backward()
    model.zero_grad(set_to_none=False)
    assert all(not np.asarray(parameter.grad).any() for parameter in model.parameters())
    model.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_apply_visits_children_first():
    seen = []
    Pair().apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "Linear", "BatchNorm2d", "Sequential", "Pair"]


def test_frozen_modules_are_not_recorded():
    model = nn.Linear(2, 2).requires_grad_(False)
    assert not model(nn.randn((1, 2))).requires_grad


def test_to_float64():
    model = Pair().to(np.float64)
    assert {tensor.dtype for _, tensor in model._named_tensors()} == {np.dtype(np.float64)}
    assert model(nn.randn((4, 2), dtype=np.float64)).dtype == np.float64


def test_repr():
    assert repr(Pair()) == (
        "Pair(\n"
        "  (first): Linear(2, 3)\n"
        "  (second): Sequential(\n"
        "    (0): Linear(3, 2)\n"
        "    (1): BatchNorm2d(2, eps=1e-05, momentum=0.1)\n"
        "  )\n"
        ")"
    )
    assert repr(nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2, bias=False, activation="relu")) == (
        "Conv2d(4, 8, kernel_size=(3, 3), stride=2, padding=1, groups=2, bias=False, activation='relu')"
    )
    assert repr(nn.ConvTranspose2d(4, 8, 4, 2)) == "ConvTranspose2d(4, 8, kernel_size=(4, 4), stride=2)"
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(0.2)"


def test_fused_block_computes_what_its_parts_compute():
    block = nn.Conv2dBatchNorm(3, 4, 3, padding=1, activation="relu").to(np.float64)
    parts = nn.Sequential(block.conv, nn.BatchNorm2d(4).to(np.float64), nn.ReLU())
    x = nn.randn((2, 5, 5, 3), dtype=np.float64)
    for _ in range(3):
        np.testing.assert_allclose(block(x).detach(), parts(x).detach(), atol=1e-12)
    np.testing.assert_allclose(block.norm.running_var, parts[1].running_var, rtol=1e-12)
    np.testing.assert_allclose(block.eval()(x).detach(), parts.eval()(x).detach(), atol=1e-12)


def test_flatten_records_the_shape_it_saw():
    flatten = nn.Flatten()
    flatten(nn.randn((2, 3, 4, 5)))
    assert flatten.shape == (3, 4, 5)
    with pytest.raises(ValueError, match=r"Flatten: expects .* \(3, 4, 5\) but got \(2, 4, 3, 5\)"):
        flatten(nn.randn((2, 4, 3, 5)))
    with pytest.raises(ValueError, match=r"Unflatten: expects \(N, 3 \* 4 \* 5\) but got \(2, 61\)"):
        nn.Unflatten((3, 4, 5))(nn.randn((2, 61)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: groups expects a divisor of both channel counts but got"),
        (lambda: nn.ConvTranspose2d(4, 3, 3, groups=2), "ConvTranspose2d: groups expects a divisor"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), "Conv2d: padding_mode expects .* but got 'mirror'"),
        (lambda: nn.BatchNorm2d(3)(nn.randn((1, 2, 2, 4))), r"BatchNorm2d: expects 3 channels on the last axis"),
        (lambda: nn.Conv2d(3, 4, 3)(nn.randn((1, 5, 5, 2))), "conv2d: weight expects .* = 3 but input has C = 2"),
        (lambda: nn.LeakyReLU(-0.5)(nn.randn((1,))), "leaky_relu: negative_slope expects at least 0 but got -0.5"),
    ],
)
def test_errors_name_layer_and_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_conversion_keeps_what_is_shared():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    model.to("f8")
    assert model[1].weight is model[0].weight
    assert model[0].weight.dtype == np.float64


def test_conversion_refuses_integers_before_it_converts():
    layer = nn.Linear(3, 3)
    weight = layer.weight
    with pytest.raises(TypeError, match="to: dtype expects float32 or float64 but got int32"):
        layer.to("i4")
    assert layer.weight is weight


def test_a_module_cannot_contain_itself():
    model = nn.Sequential(nn.Sequential())
    for inside in (model, model[0]):
        with pytest.raises(ValueError, match="expects a module that does not contain this one"):
            inside.again = model
    assert model.state_dict() == {}


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: nn.Conv2d(0, 4, 3), "in_channels"),
        (lambda: nn.Conv2d(4, -4, 3), "out_channels"),
        (lambda: nn.Conv2d(4, 4, (3, 0)), "kernel_size"),
        (lambda: nn.Conv2d(4, 4, 3, stride=0), "stride"),
        (lambda: nn.Conv2d(4, 4, 3, activation="swish"), "activation"),
        (lambda: nn.ConvTranspose2d(4, 4, 3, stride=0), "stride"),
        (lambda: nn.ConvTranspose2d(4, 4, 3, activation="swish"), "activation"),
        (lambda: nn.Linear(0, 3), "in_features"),
        (lambda: nn.Linear(3, 3, activation="swish"), "activation"),
        (lambda: nn.BatchNorm2d(0), "num_features"),
        (lambda: nn.Conv2dBatchNorm(3, 3, 3, activation="swish"), "activation"),
    ],
)
def test_layers_are_refused_when_they_are_made(make, argument):
    with pytest.raises(ValueError, match=f": {argument} expects"):
        make()


def test_sizes_may_be_numpys_integers():
    two, three = np.int64(2), np.int32(3)
    layer = nn.Conv2d(three, two, three, stride=two, padding=np.int64(1))
    assert layer(nn.randn((1, 6, 6, 3))).shape == (1, 3, 3, 2)
    assert repr(layer) == repr(nn.Conv2d(3, 2, 3, stride=2, padding=1))
