"""The wheel: what is in it is what is in the tree, and it works where nothing else of the tree is."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "tilegrad": "tilegrad",
    "benchmarks": "tilegrad/benchmarks",
    "filters": "tilegrad/filters",
    "kernels": "tilegrad/kernels",
    "nn": "tilegrad/nn",
}
CARRIED = {".py", ".cu", ".cuh", ".typed", ".safetensors"}


def packaged():
    """What a wheel must hold, by its name there: the sources of the package folders."""
    found = {}
    for folder, place in FOLDERS.items():
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in CARRIED and "__pycache__" not in file.parts:
                found[f"{place}/{file.relative_to(ROOT / folder).as_posix()}"] = file
    return found


def run(*command, cwd, **environment):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that nothing is written into the tree and nothing comes out of an earlier build."""
    copy, built = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    run("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", built, copy, cwd=built)
    (made,) = built.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the wheel's contents, to be put on a search path."""
    site = tmp_path_factory.mktemp("site")
    run("-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, wheel, cwd=site)
    return site


def test_the_wheel_holds_the_sources_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        expected = packaged()
        assert held == set(expected)
        for name, file in expected.items():
            assert archive.read(name) == file.read_bytes(), name
    assert "tilegrad/py.typed" in held
    assert "tilegrad/kernels/machine/cuda_ptx.cuh" in held


def test_metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        information = {Path(n).name: archive.read(n).decode() for n in archive.namelist() if ".dist-info/" in n}
    assert "tilegrad = tilegrad.cli:main" in information["entry_points.txt"]
    assert information["LICENSE"] == (ROOT / "LICENSE").read_text()
    metadata = information["METADATA"]
    assert "License-Expression: MIT" in metadata or "License: MIT" in metadata
    assert "Requires-Python: >=3.11" in metadata
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert {line.split()[1].split(">")[0] for line in needed} == {"numpy", "numba"}
    assert wheel.name.endswith("-py3-none-any.whl")


IMPORTS = """
import sys
import tilegrad
from tilegrad import benchmarks, filters, kernels, nn
for module in (tilegrad, benchmarks, filters, kernels, nn):
    print(module.__file__)
import numpy as np
print(kernels.conv2d(np.ones((1, 3, 3, 1), "f4"), np.ones((1, 3, 3, 1), "f4")).item())
"""


def test_the_wheel_works_in_an_empty_folder(installed, tmp_path):
    *files, nine = run("-c", IMPORTS, cwd=tmp_path, PYTHONPATH=str(installed)).split()
    assert nine == "9.0"
    assert [Path(file).parent for file in files] == [installed / "tilegrad"] + [
        installed / "tilegrad" / name for name in ("benchmarks", "filters", "kernels", "nn")
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_command_is_installed(installed, tmp_path):
    script = installed / "bin" / "tilegrad"
    if not script.exists():
        pytest.skip("scripts have another form on this system")
    shown = run(script, "--version", cwd=tmp_path, PYTHONPATH=str(installed))
    assert run("-c", "import tilegrad; print(tilegrad.__version__)", cwd=tmp_path).strip() in shown
