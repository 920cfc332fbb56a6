"""The importer of PyTorch weights, on mappings that need no PyTorch; beside PyTorch it is tested with the layers."""

import numpy as np
import pytest

from tilegrad import nn


def pytorch_like(model):
    """Arrays in the shapes that PyTorch has for ``model``: four axes as OIHW, the others as they are."""
    random = np.random.default_rng(0)
    state = {}
    for name, array in model.state_dict().items():
        shape = array.shape
        shape = (shape[0], shape[3], shape[1], shape[2]) if len(shape) == 4 else shape
        state[name] = random.standard_normal(shape).astype(np.float32)
    return state


def test_convolutions_are_permuted():
    model = nn.Sequential(nn.Conv2d(2, 3, (4, 5)), nn.ConvTranspose2d(3, 4, 2))
    state = pytorch_like(model)
    read = nn.pytorch.state_dict_from_pytorch(state, model)
    np.testing.assert_array_equal(read["0.weight"][1, 2, 3, 0], state["0.weight"][1, 0, 2, 3])
    np.testing.assert_array_equal(read["1.weight"][2, 1, 0, 3], state["1.weight"][2, 3, 1, 0])
    model.load_state_dict(read)


def test_linear_layers_beside_images_are_permuted():
    model = nn.Sequential(
        nn.Flatten((2, 3, 4)), nn.Linear(24, 30), nn.ReLU(), nn.BatchNorm2d(30), nn.Unflatten((5, 2, 3))
    )
    state = pytorch_like(model)
    read = nn.pytorch.state_dict_from_pytorch(state, model)
    ours = read["1.weight"].reshape(5, 2, 3, 2, 3, 4)
    theirs = state["1.weight"].reshape(3, 5, 2, 4, 2, 3)
    np.testing.assert_array_equal(ours, theirs.transpose(1, 2, 0, 4, 5, 3))
    for name in ("1.bias", "3.weight", "3.running_var"):
        np.testing.assert_array_equal(read[name].reshape(5, 2, 3), state[name].reshape(3, 5, 2).transpose(1, 2, 0))


def test_linear_layers_elsewhere_are_not():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    state = pytorch_like(model)
    for name, array in nn.pytorch.state_dict_from_pytorch(state, model).items():
        np.testing.assert_array_equal(array, state[name])


def test_an_npz_file_is_read_and_counters_are_left_out(tmp_path):
    model = nn.BatchNorm2d(3)
    np.savez(tmp_path / "weights.npz", **pytorch_like(model), num_batches_tracked=np.array(7))
    with np.load(tmp_path / "weights.npz") as file:
        assert list(nn.pytorch.state_dict_from_pytorch(file, model)) == [
            "weight",
            "bias",
            "running_mean",
            "running_var",
        ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("0.bias"), r"missing names \['0.bias'\], unexpected names \[\]"),
        (lambda s: s.update(extra=np.ones(1)), r"missing names \[\], unexpected names \['extra'\]"),
        (lambda s: s.update({"0.weight": np.ones((3, 2))}), r"0.weight expects 4 axes but got shape \(3, 2\)"),
        (
            lambda s: s.update({"0.weight": np.ones((3, 3, 3, 2))}),
            "0.weight expects, in our layout,",
        ),
        (
            lambda s: s.update({"2.weight": np.ones((4, 11))}),
            r"2.weight expects 2 \* 2 \* 3 on axis 1 but got",
        ),
    ],
)
def test_what_does_not_fit(change, message):
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten((2, 2, 3)), nn.Linear(12, 4))
    state = pytorch_like(model)
    change(state)
    with pytest.raises(ValueError, match=message):
        nn.pytorch.state_dict_from_pytorch(state, model)


def test_a_flatten_without_a_shape():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(12, 4))
    state = pytorch_like(model)
    with pytest.raises(ValueError, match=r"the Flatten 1 does not know its \(H, W, C\); give it, or run"):
        nn.pytorch.state_dict_from_pytorch(state, model)
    model(nn.randn((1, 4, 4, 2)))
    model.load_state_dict(nn.pytorch.state_dict_from_pytorch(state, model))
