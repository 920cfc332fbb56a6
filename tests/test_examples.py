"""The examples in docstrings run and show what they say."""

import doctest
import importlib
import pkgutil

import pytest

import tilegrad

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
OPTIONAL = (
    "cupy",
    "cv2",
    "numba_cuda",
    "onnx",
    "onnxruntime",
    "scipy",
    "skimage",
    "torch",
)  # a module that is about one of these imports it


def modules():
    """Names of all modules of the package but the one that runs it as a command."""
    for name in ("benchmarks", "filters", "kernels", "nn"):
        importlib.import_module(f"tilegrad.{name}")
    found = ["tilegrad"]
    for part in ("", ".benchmarks", ".filters", ".kernels", ".nn"):
        package = importlib.import_module(f"tilegrad{part}")
        found += [m.name for m in pkgutil.walk_packages(package.__path__, f"tilegrad{part}.")]
    return sorted({name for name in found if not name.endswith("__main__")})


@pytest.mark.parametrize("name", modules())
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        module = importlib.import_module(name)
    except ImportError as missing:
        if missing.name in OPTIONAL:
            pytest.skip(f"needs {missing.name}")
        raise
    failed, _ = doctest.testmod(module, optionflags=FLAGS)
    assert not failed, "the report is in the captured output"


def test_there_are_examples_to_run():
    finder = doctest.DocTestFinder(exclude_empty=True)
    counted = sum(len(test.examples) for test in finder.find(tilegrad.kernels.convolution))
    assert counted > 10
