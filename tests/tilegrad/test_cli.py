"""The command as a user meets it: help, wrong usage, missing packages, a reader that goes away."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import Ended, Tilegrad

import tilegrad as package
from tilegrad import doctor


def test_version(tilegrad: Tilegrad, tmp_path: Path) -> None:
    done = tilegrad("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"tilegrad {package.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["train", "restore", "doctor"]),
        (["train", "--help"], ["denoise"]),
        (["train", "denoise", "--help"], ["--data", "--sigma", "default 25", "model.safetensors", "Ctrl-C"]),
        (["restore", "--help"], ["IN", "OUT", "--model", "16 bit"]),
        (["doctor", "--help"], ["versions"]),
    ],
)
def test_help(tilegrad: Tilegrad, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    done = tilegrad(*arguments, cwd=tmp_path)
    assert done.returncode == 0
    assert [word for word in words if word not in " ".join(done.stdout.split())] == []


def test_help_imports_no_numba() -> None:
    program = "import sys, tilegrad.cli\ntry: tilegrad.cli.main(['--help'])\nfinally: print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["paint"], "invalid choice: 'paint'"),
        (["train"], "RECIPE"),
        (["train", "denoise", "--sigma", "-1"], "--sigma: expects a number above 0 and of at most 1000 but is '-1'"),
        (["train", "denoise", "--sigma", "nan"], "--sigma: expects a number above 0"),
        (["train", "denoise", "--sigma", "1e300"], "--sigma: expects a number above 0 and of at most 1000 but is"),
        (["train", "denoise", "--lr", "0"], "--lr: expects a number above 0 but is '0'"),
        (["train", "denoise", "--epochs", "0"], "--epochs: expects a whole number of at least 1 but is '0'"),
        (["train", "denoise", "--depth", "1"], "--depth: expects a whole number of at least 2"),
        (["train", "denoise", "--channels", "1" + 24 * "0"], "--channels: expects a whole number from 1 to 65536"),
        (["train", "denoise", "--seed", "-1"], "--seed: expects a whole number from 0"),
        (["train", "denoise", "extra"], "unrecognized arguments: extra"),
        (["restore", "a.png"], "OUT"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    here: Callable[..., Ended], tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = here(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_doctor_names_everything(tilegrad: Tilegrad, tmp_path: Path) -> None:
    done = tilegrad("doctor", cwd=tmp_path, TILEGRAD_CACHE_DIR=str(tmp_path / "cache"))
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    subjects = ["python", "numpy", "numba", "llvmlite", "processor", "vectors", "threads", "kernel cache", "memory"]
    subjects += ["CUDA driver", "CuPy", "numba-cuda", "pillow", "scikit-image", "matplotlib", "tqdm"]
    assert [subject for subject in subjects if subject not in rows] == []
    assert package.__version__ in rows["tilegrad"]
    assert str(tmp_path / "cache") in rows["kernel cache"]
    assert re.search(r"writable, \d+ kernels, [\d.]+ MiB used", rows["kernel cache"])
    assert re.search(r"at most \d+ MiB kept for reuse .*; this process took \d+ MiB at its peak", rows["memory"])


def test_doctor_with_a_cache_that_cannot_be_written(tilegrad: Tilegrad, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = tilegrad("doctor", cwd=tmp_path, TILEGRAD_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert done.returncode == 0
    assert "not writable" in done.stdout


def test_doctor_with_a_pool_size_that_is_no_number(tilegrad: Tilegrad, tmp_path: Path) -> None:
    done = tilegrad("doctor", cwd=tmp_path, TILEGRAD_POOL_MB="abc")
    assert (done.returncode, done.stderr) == (0, "")


def test_doctor_says_why_kernels_of_cuda_cannot_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.nvrtc, "version", lambda: (13, 0))
    assert dict(doctor.report())["NVRTC"] == "CUDA 13.0"
    monkeypatch.setattr(doctor.nvrtc, "candidates", lambda: iter(["/nowhere/libnvrtc.so"]))
    monkeypatch.setattr(doctor.nvrtc, "version", lambda: doctor.nvrtc._library.__wrapped__())
    assert "is not installed: pip install nvidia-cuda-nvrtc" in dict(doctor.report())["NVRTC"]


def test_doctor_says_what_gpus_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a machine with several, as the driver's library answers."""
    places = {75: 1, 76: 2, 97: 3}
    gpus = ((b"Tesla T4", 7, 5, 64 << 10), (b"H100", 9, 0, 227 << 10), (b"V100", 7, 0, 96 << 10))

    def give(pointer: Any, number: int) -> int:
        pointer._obj.value = number
        return 0

    driver = SimpleNamespace(
        cuInit=lambda flags: 0,
        cuDriverGetVersion=lambda version: give(version, 13010),
        cuDeviceGetCount=lambda count: give(count, len(gpus)),
        cuDeviceGet=give,
        cuDeviceGetName=lambda name, size, device: setattr(name, "value", gpus[device.value][0]),
        cuDeviceGetAttribute=lambda number, which, device: give(number, gpus[device.value][places[which]]),
    )
    monkeypatch.setattr(doctor.ctypes, "CDLL", lambda name: driver)
    found = dict(doctor._driver())
    assert found["CUDA driver"] == "CUDA 13.1, 3 devices"
    assert found["GPU 0"].startswith("Tesla T4, sm_75, 64 KB of shared memory for a block; no tensor cores of tf32")
    assert found["GPU 1"] == "H100, sm_90, 227 KB of shared memory for a block"
    assert "too old" in found["GPU 2"]


def test_doctor_tells_the_pools_bound(tilegrad: Tilegrad, tmp_path: Path) -> None:
    done = tilegrad("doctor", cwd=tmp_path, TILEGRAD_POOL_MB="77")
    assert "at most 77 MiB kept" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="a shell's >&-")
def test_output_may_be_closed(tmp_path: Path) -> None:
    command = f"{sys.executable} -P -m tilegrad doctor >&-"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "tilegrad: not enough memory\n"),
        (MemoryError(), "tilegrad: not enough memory\n"),
        (MemoryError("8 bytes"), "tilegrad: not enough memory (8 bytes)\n"),
    ],
)
def test_too_little_memory_is_one_line(
    here: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(doctor, "report", fail)
    done = here("doctor")
    assert (done.returncode, done.stderr) == (1, line)


WITHOUT = """
import sys
for package in {packages}:
    sys.modules[package] = None  # an import raises ModuleNotFoundError, as if it were not installed
from tilegrad.cli import main
sys.exit(main({arguments}))
"""


def without(packages: set[str], *arguments: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command where these packages are not installed."""
    program = WITHOUT.format(packages=packages, arguments=[str(a) for a in arguments])
    return subprocess.run([sys.executable, "-P", "-c", program], cwd=cwd, capture_output=True, text=True, timeout=120)


EXTRAS = {"PIL", "tifffile", "imageio", "skimage", "matplotlib", "tqdm", "safetensors", "scipy", "cupy"}


def test_a_core_install_says_what_is_missing(tmp_path: Path) -> None:
    for arguments, message in (
        (["train", "denoise"], 'tilegrad train needs matplotlib: python -m pip install "tilegrad[train]"'),
        (["restore", __file__, "b.png", "--model", "m"], 'needs pillow: python -m pip install "tilegrad[images]"'),
    ):
        done = without(EXTRAS, *arguments, cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert message in done.stderr
        assert list(tmp_path.iterdir()) == []


def test_without_scikit_image_the_photographs_are_missing(tmp_path: Path) -> None:
    done = without({"skimage"}, "train", "denoise", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "needs scikit-image" in done.stderr


def test_doctor_runs_on_a_core_install(tmp_path: Path) -> None:
    done = without(EXTRAS, "doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'missing: python -m pip install "tilegrad[train]"' in done.stdout


def test_a_reader_that_goes_away_causes_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -P -m tilegrad doctor | true"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
