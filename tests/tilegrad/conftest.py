"""The command line run as a user runs it, and a small trained model that many tests share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import TINY, Ended, Tilegrad, Trained

from tilegrad.cli import main


@pytest.fixture(scope="session")
def tilegrad() -> Tilegrad:
    """Run the command with these arguments in this folder; its output is captured as text."""

    def run(
        *arguments: str | Path, cwd: Path, timeout: float = 300, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-P", "-m", "tilegrad", *map(str, arguments)],
            cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run the command in this process, in the test's folder: for the many ways in which it can fail."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Ended:
        capfd.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # argparse
            status = int(ended.code or 0)
        return Ended(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of four small gray and colour pictures: discs and stripes."""
    from tilegrad.images import write_image

    pytest.importorskip("PIL", reason="needs pillow")
    folder = tmp_path_factory.mktemp("pictures")
    y, x = np.mgrid[:40, :48]
    disc = np.where((y - 20) ** 2 + (x - 24) ** 2 < 150, 220, 60).astype(np.uint8)
    stripes = (128 + 90 * np.sin(x / 3 + y / 5)).astype(np.uint8)
    for name, image in {"disc": disc, "stripes": stripes, "turned": stripes.T.copy(), "dark": 255 - disc}.items():
        write_image(folder / f"{name}.png", image if name != "dark" else np.dstack([image] * 3))
    return folder


@pytest.fixture(scope="session")
def trained(tilegrad: Tilegrad, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    folder = tmp_path_factory.mktemp("trained")
    done = tilegrad("train", "denoise", "--data", pictures, "--out", "run", *TINY, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return Trained(folder / "run", done.stdout)
