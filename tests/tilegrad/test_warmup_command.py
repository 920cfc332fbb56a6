"""`tilegrad warmup`: what it compiles is all that is needed later, and it says when there is nothing to do."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Ended, Tilegrad, Trained
from tilegrad.kernels.machine.ahead import Outcome
from tilegrad.kernels.machine.compile import kernel

from tilegrad import warmup
from tilegrad.errors import TilegradError
from tilegrad.images import write_image

TRAIN = """
import sys
from tilegrad.kernels.machine.compile import compiled_kernels
from tilegrad.recipes.denoise import run
from tilegrad.recipes.settings import DenoiseSettings
run(DenoiseSettings(data=sys.argv[1], out=sys.argv[2], epochs=1, steps=2))
print(compiled_kernels)
"""


def test_the_recipe_then_compiles_nothing(tilegrad: Tilegrad, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    pytest.importorskip("PIL", reason="needs pillow")
    (tmp_path / "pictures").mkdir()
    for name in "abc":
        write_image(tmp_path / "pictures" / f"{name}.png", np.full((64, 72), ord(name), np.uint8))
    cache = {"TILEGRAD_CACHE_DIR": str(tmp_path / "cache")}
    first = tilegrad("warmup", "--recipe", "denoise", "--jobs", "2", cwd=tmp_path, **cache)
    assert (first.returncode, first.stderr) == (0, "")
    assert re.fullmatch(
        r"(\d+) kernels compiled in .* s by 2 processes; .*/cache holds \1 kernels, .* MiB\n", first.stdout
    )
    second = tilegrad("warmup", "--recipe", "denoise", cwd=tmp_path, **cache)
    assert re.fullmatch(r"nothing to do; .*/cache holds \d+ kernels, .* MiB\n", second.stdout)
    done = subprocess.run([sys.executable, "-P", "-c", TRAIN, tmp_path / "pictures", tmp_path / "run"],
                          capture_output=True, text=True, check=False, env={**os.environ, **cache})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert "compiling" not in done.stdout


def test_a_model(tilegrad: Tilegrad, trained: Trained, tmp_path: Path) -> None:
    done = tilegrad("warmup", "--model", trained.model, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    again = tilegrad("warmup", "--model", trained.model, cwd=tmp_path)
    assert again.stdout.startswith("nothing to do; ")


def test_a_file_that_is_no_model(here: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    done = here("warmup", "--model", "model.safetensors")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tilegrad: model.safetensors: cannot be read as a model")


def test_a_cache_that_cannot_be_written(
    here: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path / "file" / "cache"))
    done = here("warmup")
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("arguments", [("--jobs", "0"), ("--recipe", "none"), ("--all", "--model", "x")])
def test_wrong_usage(here: Callable[..., Ended], arguments: tuple[str, ...]) -> None:
    done = here("warmup", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_what_is_not_compiled_or_not_stored_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path))

    @kernel()
    def family(number: int) -> None:
        pass

    with pytest.raises(TilegradError, match=r"1 of 1 kernels could not be written"):
        warmup._check([(family, (1,))], Outcome(1, 1, {}))
    with pytest.raises(TilegradError, match=r"1 of 1 kernels not compiled; name: reason"):
        warmup._check([(family, (1,))], Outcome(0, 1, {"name": "reason"}))
