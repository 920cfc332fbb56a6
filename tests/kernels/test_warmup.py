"""warmup: everything is compiled ahead, and a rehearsal finds out what without computing anything."""

import os
import subprocess
import sys

import numpy as np
import pytest
from tilegrad.kernels.machine.compile import rehearse

from tilegrad import kernels, nn

WARM = """
from tilegrad import kernels
print(kernels.warmup())
print(kernels.warmup())
"""
NETWORK = """
import numpy as np
from tilegrad import kernels, nn
from tilegrad.kernels.machine.compile import compiled_kernels

rng = np.random.default_rng(0)


def train(width, size):
    net = nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width), nn.LeakyReLU(0.2), nn.Conv2d(width, width, 4, stride=2, padding=1), nn.Tanh(),
        nn.ConvTranspose2d(width, 2, 4, stride=2, padding=1), nn.Sigmoid(), nn.Flatten(), nn.Linear(2 * size * size, 3),
    )
    optimizer = nn.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(2):
        x = nn.Tensor(rng.standard_normal((4, size, size, 1)).astype(np.float32))
        loss = nn.functional.mse_loss(net(x), nn.Tensor(np.zeros((4, 3), np.float32)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


train(8, 12)
print(compiled_kernels)
train(64, 40)
print(compiled_kernels)
"""


def run(code, folder, **environment):
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "TILEGRAD_CACHE_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_after_warmup_nothing_is_compiled(tmp_path):
    """Neither by a second warmup, nor in another process, nor by a network that trains there."""
    first, second = map(int, run(WARM, tmp_path))
    assert first > 30
    assert second == 0
    assert run(WARM, tmp_path) == ["0", "0"]
    assert run(NETWORK, tmp_path) == ["[]", "[]"]


def test_warmup_refuses_other_dtypes():
    for dtype in ("float16", "int32", ">f4"):
        with pytest.raises(TypeError, match="warmup: dtype expects float32 or float64"):
            kernels.warmup(dtype)


def test_a_rehearsal_computes_nothing():
    x, w, out = np.ones((1, 9, 9, 2), np.float32), np.ones((3, 3, 3, 2), np.float32), np.full((1, 7, 7, 3), 5, "f4")
    parameter, gradient = np.ones(4), np.ones(4)
    with rehearse():
        y = kernels.conv2d(x, w)
        assert kernels.conv2d(x, w, out=out) is out
        kernels.sgd_step([parameter], [gradient], lr=0.5)
        with pytest.raises(ValueError, match="conv2d: weight expects"):
            kernels.conv2d(x, np.ones((3, 3, 3, 5), np.float32))
    assert (y.shape, y.dtype) == ((1, 7, 7, 3), np.float32)
    assert not y.any()
    assert (out == 5).all()
    assert (parameter == 1).all()
    kernels.sgd_step([parameter], [gradient], lr=0.5)
    assert (parameter == 0.5).all()
    np.testing.assert_allclose(kernels.conv2d(x, w), 18, rtol=1e-6)


def test_a_rehearsed_training_step_changes_no_weight():
    net = nn.Sequential(nn.Conv2dBatchNorm(1, 4, 3), nn.Conv2d(4, 1, 3))
    before = {name: value.copy() for name, value in net.state_dict().items()}
    optimizer = nn.optim.Adam(net.parameters())

    def step():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(nn.randn((2, 8, 8, 1))), nn.randn((2, 4, 4, 1)))
        loss.backward()
        optimizer.step()

    kernels.warmup(run=step)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    with rehearse() as missing:
        step()
    assert missing == {}


def test_warmup_refuses_no_jobs():
    with pytest.raises(ValueError, match="warmup: jobs expects at least 1 but got 0"):
        kernels.warmup(jobs=0)


def test_an_error_in_what_is_rehearsed_comes_through():
    with pytest.raises(ZeroDivisionError):
        kernels.warmup(run=lambda: 1 / 0)
    assert kernels.add(np.ones(3), 1).tolist() == [2, 2, 2]  # and ends the rehearsal
