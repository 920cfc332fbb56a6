"""Checkpoints: any nested state comes back with the same bits, and a training goes on as if it had not stopped."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tilegrad import nn

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    arrays.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.bool_]), arrays.array_shapes(min_dims=0)),
)
STATES = st.dictionaries(
    st.text(),
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(st.text(), inner)
        ),
        max_leaves=12,
    ),
    max_size=4,
)  # fmt: skip


def equal(a: object, b: object) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


@given(state=STATES)
def test_a_state_comes_back_with_the_same_bits(state, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "drawn.safetensors"
    nn.save_checkpoint(state, path)
    assert equal(nn.load_checkpoint(path), state)


def small():
    model = nn.models.DnCNN(depth=3, channels=4)
    return model, nn.optim.Adam(model.parameters(), lr=1e-2, betas=(0.5, 0.99))


def train(model, optimiser, steps):
    x = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.mse_loss(model(nn.Tensor(x) + 0.1 * nn.randn(x.shape)), nn.Tensor(x)).backward()
        optimiser.step()


def test_a_training_goes_on_with_the_same_bits(tmp_path):
    nn.manual_seed(3)
    model, optimiser = small()
    train(model, optimiser, 2)
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "random": nn.default_generator.get_state(),
    }
    nn.save_checkpoint(state, tmp_path / "a")
    train(model, optimiser, 3)
    expected = model.state_dict()

    nn.manual_seed(4)
    model, optimiser = small()
    loaded = nn.load_checkpoint(tmp_path / "a")
    model.load_state_dict(loaded["model"])
    optimiser.load_state_dict(loaded["optimiser"])
    nn.default_generator.set_state(loaded["random"])
    train(model, optimiser, 3)
    assert equal(dict(model.state_dict()), dict(expected))


def test_what_cannot_be_kept_is_refused_and_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a"
    nn.save_checkpoint({"step": 1}, path)
    with pytest.raises(TypeError, match="/made/0 expects arrays, numbers and strings but got object"):
        nn.save_checkpoint({"made": [object()]}, path)
    with pytest.raises(TypeError, match="uses a key that the format keeps for itself"):
        nn.save_checkpoint({"__tuple__": 1}, path)

    def no_room(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        nn.save_checkpoint({"step": 2}, path)
    assert nn.load_checkpoint(path) == {"step": 1}
    assert [p.name for p in Path(tmp_path).iterdir()] == ["a"]


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a"
    nn.save(nn.models.DnCNN(depth=2, channels=1), path)
    with pytest.raises(ValueError, match="a checkpoint expects format='tilegrad checkpoint' but got 'tilegrad'"):
        nn.load_checkpoint(path)
    facts = {"format": "tilegrad checkpoint", "format_version": "2", "state": "{}"}
    nn.save_file({}, path, facts)
    with pytest.raises(ValueError, match="reads checkpoints of version 1 but the file has '2'"):
        nn.load_checkpoint(path)
    nn.save_file({}, path, {**facts, "format_version": "1", "state": '{"a": {"__array__": "b"}}'})
    with pytest.raises(ValueError, match="the checkpoint is damaged"):
        nn.load_checkpoint(path)
    path.write_bytes(b"cut")
    with pytest.raises(ValueError, match="not a safetensors file"):
        nn.load_checkpoint(path)
