"""What the tests of CUDA C++ kernels share: the emulator's marks, and compiling by NVRTC."""

from pathlib import Path
from typing import Any

import emulator
import pytest
from tilegrad.kernels.machine import cuda, nvrtc

SHARED_BYTES = {"sm_80": 163 * 1024, "sm_86": 99 * 1024, "sm_90": 227 * 1024}  # of a block, CUDA C++ guide, table 28


def emulated(test: Any) -> Any:
    """Mark a test that runs kernels in the emulator."""
    missing = pytest.mark.skipif(emulator.compiler() is None, reason="the emulator needs a C++ compiler (g++)")
    return pytest.mark.emulator(missing(test))


def broken(source: Path, folder: Path, right: str, wrong: str) -> Path:
    """A copy of a source and of the headers beside it, with ``wrong`` for all that is ``right``."""
    texts = {path.name: path.read_text() for path in (source, *source.parent.glob("*.cuh"))}
    assert any(right in text for text in texts.values())
    for name, text in texts.items():
        (folder / name).write_text(text.replace(right, wrong))
    return folder / source.name


def compiled(kernel: cuda.Kernel, architecture: str, record_property: Any) -> nvrtc.Resources:
    """What the kernel takes of an architecture; it keeps all its numbers in registers."""
    try:
        nvrtc.version()
    except RuntimeError as missing:
        pytest.skip(str(missing))
    resources = cuda.compile_kernel(kernel, architecture).resources[kernel.name]
    record_property("registers", resources.registers)
    assert resources.spill_bytes == 0
    assert resources.stack_bytes == 0
    return resources
