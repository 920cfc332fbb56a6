"""What the tests of CUDA C++ kernels share: the emulator's marks, and compiling by NVRTC."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import emulator
import pytest
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.machine import cuda, nvrtc

# Of a block, CUDA C++ guide, table 28.
SHARED_BYTES = {"sm_75": 64 * 1024, "sm_80": 163 * 1024, "sm_86": 99 * 1024, "sm_90": 227 * 1024}
GPUS = {name: cuda.Gpu(int(name.removeprefix("sm_")), shared_bytes) for name, shared_bytes in SHARED_BYTES.items()}
WITH_TENSOR_CORES = [name for name, gpu in GPUS.items() if gpu.architecture >= cuda.TENSOR_CORES]


def emulated(test: Any) -> Any:
    """Mark a test that runs kernels in the emulator."""
    missing = pytest.mark.skipif(emulator.compiler() is None, reason="the emulator needs a C++ compiler (g++)")
    return pytest.mark.emulator(missing(test))


@contextlib.contextmanager
def broken(module: ModuleType, mutant: tuple[str, ...], folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Break the kernels of a module until the test ends; what runs inside notices it, or the test fails.

    ``mutant`` is what is right in the source or in a header beside it, otherwise in one that all share, what is written
    instead, and perhaps a pattern of the complaint. The emulator may notice, or a comparison, but not the compiler.
    """
    right, wrong, *complaint = mutant
    files = [module._SOURCE, *module._SOURCE.parent.glob("*.cuh")]
    if not any(right in path.read_text() for path in files):
        files += [path for path in cuda.HEADERS if path != cuda.PTX_HEADER]  # the emulator has its own
    texts = {path.name: path.read_text() for path in files}
    assert any(right in text for text in texts.values())
    for name, text in texts.items():
        (folder / name).write_text(text.replace(right, wrong))
    patch.setattr(module, "_SOURCE", folder / module._SOURCE.name)
    for name, function in list(vars(module).items()):
        if hasattr(function, "cache_clear"):  # kernels that were made before
            patch.setattr(module, name, function.__wrapped__)
    for operation in operations.values():
        patch.setattr(operation, "_plans", {})
    with pytest.raises((emulator.EmulationError, AssertionError), match=next(iter(complaint), None)) as noticed:
        yield
    assert "g++" not in str(noticed.value), "the broken kernel compiles"


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
