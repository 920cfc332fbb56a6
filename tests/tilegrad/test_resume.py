"""A training that was stopped, killed or could not write goes on to the bits of one that was not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import TINY, Ended, Tilegrad

from tilegrad import nn

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of processes")
RUN = (*TINY, "--epochs", "4", "--steps", "12", "--batch-norm")


def start(pictures: Path, folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "tilegrad", "train", "denoise", *map(str, arguments)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def log(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: v for key, v in line.items() if key not in ("seconds", "images_per_second")} for line in lines]


@pytest.fixture(scope="module")
def whole(tilegrad: Tilegrad, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing happened to."""
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    folder = tmp_path_factory.mktemp("whole")
    done = tilegrad("train", "denoise", "--data", pictures, "--out", "run", *RUN, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def check_equal(run: Path, whole: Path) -> None:
    assert sorted(p.name for p in run.iterdir()) == sorted(p.name for p in whole.iterdir())
    for name in ("model.safetensors", "curves.png", "before-after.png"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()
    assert log(run) == log(whole)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_goes_on_to_the_same_bits(
    stop: signal.Signals, tilegrad: Tilegrad, pictures: Path, whole: Path, tmp_path: Path
) -> None:
    process = start(pictures, tmp_path, "--data", pictures, "--out", "run", *RUN)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 2/4"):
            break
    process.send_signal(stop)
    process.communicate(timeout=60)
    assert process.returncode == (130 if stop is signal.SIGINT else -signal.SIGKILL)
    (tmp_path / "run" / ".checkpoint.safetensors.0123456789abcdef").touch()  # as if it had been writing
    done = tilegrad("train", "denoise", "--out", "run", "--resume", cwd=tmp_path, NUMBA_NUM_THREADS="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "epoch 1/4" not in done.stdout
    check_equal(tmp_path / "run", whole)


def test_a_run_that_is_stopped_within_an_epoch_goes_on_within_it(
    pictures: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tilegrad.cli import main
    from tilegrad.recipes.denoise import Training

    step = Training.step

    def interrupted(self: Training, number: int) -> dict[str, float]:
        if number == 17 and stops.pop():
            signal.raise_signal(signal.SIGINT)
        return step(self, number)

    stops = [False, True]
    monkeypatch.setattr(Training, "step", interrupted)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "denoise", "--data", str(pictures), "--out", "run", *RUN]) == 130
    losses = nn.load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")["losses"]
    assert len(losses) == 17 - 12 + 1
    assert main(["train", "denoise", "--out", "run", "--resume"]) == 0
    check_equal(tmp_path / "run", whole)


def test_a_full_disk_leaves_the_last_whole_checkpoint(
    tilegrad: Tilegrad, pictures: Path, whole: Path, tmp_path: Path
) -> None:
    # The limit on the length of a file stands for the full disk: it lets the text of the log pass, and no checkpoint.
    program = (
        "import resource, signal, sys\n"
        "from tilegrad import cli, fitting\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "save = fitting.Fit.save\n"
        "def limited(fit):\n"
        "    if len(fit.records) == 3:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        save(fit)\n"
        "    finally:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "fitting.Fit.save = limited\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-P", "-c", program, "train", "denoise", "--data", str(pictures), "--out", "run", *RUN]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "checkpoint.safetensors: cannot be written (File too large); the one before is whole" in ended.stderr
    assert len(nn.load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")["records"]) == 2
    done = tilegrad("train", "denoise", "--out", "run", "--resume", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    check_equal(tmp_path / "run", whole)


def test_what_cannot_be_resumed_is_said(here: Callable[..., Ended], pictures: Path, tmp_path: Path) -> None:
    from tilegrad.recipes import denoise

    done = here("train", "denoise", "--data", pictures, "--out", "run", "--resume")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "tilegrad: run/checkpoint.safetensors: no such file: run holds no training that could go on\n"

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"cut")
    done = here("train", "denoise", "--data", pictures, "--out", "run", "--resume")
    assert done.returncode == 1
    assert done.stderr.startswith("tilegrad: run/checkpoint.safetensors: cannot be read as a checkpoint (")

    step = denoise.Training.step

    def press(self: denoise.Training, number: int) -> dict[str, float]:
        if number == 1:
            signal.raise_signal(signal.SIGINT)
        return step(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(denoise.Training, "step", press)
        assert here("train", "denoise", "--data", pictures, "--out", "run", *RUN).returncode == 130
    done = here("train", "denoise", "--out", "run", "--resume", "--sigma", "15")
    assert done.returncode == 1
    assert done.stderr == "tilegrad: run/checkpoint.safetensors: is of a run with other sigma\n"
