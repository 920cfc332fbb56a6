"""NVRTC's wrapper, the disk cache of machine code, and the replaceable launch."""

import functools
import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from on_emulator import GPUS
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.machine import cuda, nvrtc

ARGUMENTS = np.dtype([("x", np.uint64)])
LACKS_TENSOR_CORES = "needs sm_80 for tensor cores of tf32 and bfloat16 but the GPU is sm_75"
SOURCE = """#include "cuda_ptx.cuh"
struct Arguments { float* x; };
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "layout");
extern "C" __global__ void KERNEL(const Arguments a) { store_pair(a.x, VALUE, VALUE); }
"""


def _nvrtc_is_missing() -> str | None:
    try:
        nvrtc.version()
    except RuntimeError as missing:
        return str(missing)
    return None


needs_nvrtc = pytest.mark.skipif(_nvrtc_is_missing() is not None, reason=str(_nvrtc_is_missing()))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cuda"


@pytest.fixture
def kernel(tmp_path: Path) -> cuda.Kernel:
    return _kernel(tmp_path, 1)


def _kernel(folder: Path, value: int) -> cuda.Kernel:
    source = folder / "store.cu"
    source.write_text(SOURCE)
    return cuda.Kernel(source, "store", 32, ARGUMENTS, (("VALUE", value),))


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what NVRTC is asked to compile from now on."""
    asked: list[str] = []
    real = nvrtc.compile_source

    def counted(source: str, **options: Any) -> nvrtc.Compiled:
        asked.append(options["name"])
        return real(source, **options)

    monkeypatch.setattr(nvrtc, "compile_source", counted)
    return asked


@pytest.mark.nvrtc
@needs_nvrtc
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_86", "sm_90"])
def test_compiles_to_machine_code_without_a_gpu(architecture: str, kernel: cuda.Kernel, cache: Path) -> None:
    compiled = cuda.compile_kernel(kernel, architecture)
    assert compiled.cubin.startswith(b"\x7fELF")
    assert compiled.resources["store"].spill_bytes == 0
    assert 0 < compiled.resources["store"].registers < 32


@pytest.mark.nvrtc
@needs_nvrtc
def test_an_error_shows_file_line_and_reason(tmp_path: Path, cache: Path) -> None:
    source = tmp_path / "wrong.cu"
    source.write_text('#include "cuda_ptx.cuh"\n\nextern "C" __global__ void KERNEL(float* x) { x[0] = y; }\n')
    with pytest.raises(nvrtc.CompileError, match=r'wrong.cu\(3\): error: identifier "y" is undefined'):
        cuda.compile_kernel(cuda.Kernel(source, "wrong", 32, ARGUMENTS), "sm_80")
    assert not cache.exists()


@pytest.mark.nvrtc
@needs_nvrtc
def test_a_struct_of_another_size_is_an_error(tmp_path: Path, cache: Path) -> None:
    source = tmp_path / "store.cu"
    source.write_text(SOURCE)
    other = np.dtype([("x", np.uint64), ("n", np.int64)])
    with pytest.raises(nvrtc.CompileError, match="layout"):
        cuda.compile_kernel(cuda.Kernel(source, "store", 32, other, (("VALUE", 1),)), "sm_80")


@pytest.mark.nvrtc
@needs_nvrtc
def test_an_unknown_architecture_is_an_error(kernel: cuda.Kernel, cache: Path) -> None:
    with pytest.raises(nvrtc.CompileError, match="for sm_999 "):
        cuda.compile_kernel(kernel, "sm_999")


def test_an_older_gpu_is_told_what_the_kernel_needs(kernel: cuda.Kernel) -> None:
    with pytest.raises(cuda.LackingError, match="store: needs sm_75 but the GPU is sm_70"):
        cuda.compile_kernel(kernel, "sm_70")
    with pytest.raises(cuda.LackingError, match=f"store: {LACKS_TENSOR_CORES}"):
        cuda.compile_kernel(replace(kernel, least_architecture=cuda.TENSOR_CORES), "sm_75")


def test_a_launch_is_held_against_the_gpu_when_it_is_made(kernel: cuda.Kernel) -> None:
    wants = replace(kernel, least_architecture=cuda.TENSOR_CORES)

    def make(kernel: cuda.Kernel, shared_bytes: int, gpu: cuda.Gpu) -> cuda.Stage:
        with cuda.launching(lambda *_: None, gpu):
            return cuda.Stage(kernel, (1, 1, 1), shared_bytes, np.zeros(1, ARGUMENTS))

    make(kernel, 64 << 10, GPUS["sm_75"])
    make(wants, 99 << 10, cuda.SM_80)
    with pytest.raises(cuda.LackingError, match="needs 65537 bytes of shared memory for a block but the GPU has 65536"):
        make(kernel, (64 << 10) + 1, GPUS["sm_75"])
    with pytest.raises(cuda.LackingError, match=LACKS_TENSOR_CORES):
        make(wants, 0, GPUS["sm_75"])


def test_kernels_are_planned_for_the_current_device(monkeypatch: pytest.MonkeyPatch) -> None:
    class Device:
        current = 0

        def __init__(self, number: int | None = None) -> None:
            self.id = self.current if number is None else number
            self.compute_capability = ("90", "75")[self.id]
            self.attributes = {"MaxSharedMemoryPerBlockOptin": (227 << 10, 64 << 10)[self.id]}

    devices = SimpleNamespace(Device=Device, is_available=lambda: True)
    monkeypatch.setattr(cuda, "_gpu_of", functools.cache(cuda._gpu_of.__wrapped__))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=devices))
    assert cuda.gpu() == GPUS["sm_90"]
    Device.current = 1
    assert cuda.gpu() == GPUS["sm_75"]
    with cuda.noting():
        assert cuda.gpu() == GPUS["sm_75"]
    assert cuda.gpu_for([None, np.zeros(1)]) == GPUS["sm_75"]
    assert cuda.gpu_for([np.zeros(1)]) is None, "of main memory no GPU is asked"
    with cuda.launching(lambda *_: None, GPUS["sm_86"]):
        assert cuda.gpu() == cuda.gpu_for([np.zeros(1)]) == GPUS["sm_86"]
    devices.is_available = lambda: False
    assert cuda.gpu() == cuda.SM_80
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert cuda.gpu() == cuda.SM_80


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvrtc, "candidates", lambda: iter(["/nowhere/libnvrtc.so"]))
    monkeypatch.setattr(nvrtc, "_library", nvrtc._library.__wrapped__)
    expected = r"NVRTC.* is not installed: pip install nvidia-cuda-nvrtc .*\(tried /nowhere/libnvrtc.so\)"
    with pytest.raises(RuntimeError, match=expected):
        nvrtc.compile_source("", name="empty.cu", architecture="sm_80")


@pytest.mark.nvrtc
@needs_nvrtc
def test_a_library_that_is_later_than_the_driver_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    major, _ = nvrtc.version()
    monkeypatch.setattr(nvrtc, "_library", nvrtc._library.__wrapped__)
    monkeypatch.setattr(nvrtc, "driver_version", lambda: (major, 0))
    assert nvrtc.version.__wrapped__()[0] == major  # minor versions are compatible
    monkeypatch.setattr(nvrtc, "driver_version", lambda: (10, 2))
    with pytest.raises(RuntimeError, match=r"NVRTC.*, which is later than the driver's CUDA 10\.2"):
        nvrtc.version.__wrapped__()


def test_the_library_is_looked_for_where_cuda_home_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "lib64" / ("nvrtc64_130_0.dll" if nvrtc.sys.platform == "win32" else "libnvrtc.so.13")
    library.parent.mkdir()
    library.touch()
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    assert str(library) in list(nvrtc.candidates())


@pytest.mark.nvrtc
@needs_nvrtc
def test_a_kernel_is_compiled_once(kernel: cuda.Kernel, cache: Path, compilations: list[str]) -> None:
    first = cuda.compile_kernel(kernel, "sm_80")
    assert cuda.compile_kernel(kernel, "sm_80") == first
    assert compilations == ["store.cu"]
    assert [path.name.rsplit("-", 1)[0] for path in cache.iterdir()] == ["store-sm_80"]


@pytest.mark.nvrtc
@needs_nvrtc
def test_the_key_holds_source_options_and_architecture(
    kernel: cuda.Kernel, cache: Path, compilations: list[str]
) -> None:
    cuda.compile_kernel(kernel, "sm_80")
    cuda.compile_kernel(kernel, "sm_90")
    cuda.compile_kernel(_kernel(kernel.source.parent, 2), "sm_80")
    kernel.source.write_text(SOURCE + "// changed\n")
    cuda.compile_kernel(kernel, "sm_80")
    kernel.source.with_name("beside.cuh").write_text("// a header that it may include\n")
    cuda.compile_kernel(kernel, "sm_80")
    assert len(compilations) == len(list(cache.iterdir())) == 5


@pytest.mark.nvrtc
@needs_nvrtc
@pytest.mark.parametrize("damage", [b"", b"{}", b"{}\nELF", b"\xff\xfe\n", b"[1]\n", None], ids=repr)
def test_a_damaged_entry_is_compiled_again(
    damage: bytes | None, kernel: cuda.Kernel, cache: Path, compilations: list[str]
) -> None:
    first = cuda.compile_kernel(kernel, "sm_80")
    (entry,) = cache.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole[:-1] if damage is None else damage)
    assert cuda.compile_kernel(kernel, "sm_80").resources == first.resources
    assert len(compilations) == 2
    cuda.compile_kernel(kernel, "sm_80")
    assert len(compilations) == 2, "the entry was written over"


@pytest.mark.nvrtc
@needs_nvrtc
def test_a_place_that_cannot_be_written_is_done_without(
    kernel: cuda.Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path / "file"))
    assert cuda.compile_kernel(kernel, "sm_80").cubin


@pytest.fixture
def launched() -> Iterator[list[tuple[Any, ...]]]:
    calls: list[tuple[Any, ...]] = []
    with cuda.launching(lambda *call: calls.append(call)):
        yield calls


def test_what_launches_can_be_replaced_inside_a_block(kernel: cuda.Kernel, launched: list[tuple[Any, ...]]) -> None:
    inner: list[tuple[Any, ...]] = []
    call = (kernel, (1, 1, 1), 0, np.zeros(1, ARGUMENTS), [], [])
    with cuda.launching(lambda *call: inner.append(call)):
        cuda.launch(*call)
    cuda.launch(*call)
    assert (len(inner), len(launched)) == (1, 1)
    assert launched[0][0] is kernel


def test_numpy_arrays_are_refused_by_the_device(kernel: cuda.Kernel) -> None:
    with pytest.raises(TypeError, match=r"store: expects cupy.ndarray arguments but got numpy.ndarray"):
        cuda.launch(kernel, (1, 1, 1), 0, np.zeros(1, ARGUMENTS), [], [np.zeros(2, np.float32)])


@pytest.mark.parametrize(
    ("operation", "module", "case"),
    [
        ("correlate_separable2d", "cuda_blocks", {"shapes": [(4, 4), (3,), (3,)]}),
        ("smoothed_edges", "cuda_blocks", {"shapes": [(1, 4, 4), (3,), (3,)]}),
        ("structural_similarity", "cuda_blocks", {"shapes": [(4, 4), (4, 4), (3,)], "c1": 0.1, "c2": 0.1}),
        ("rank_filter2d", "cuda_median", {"shapes": [(1, 4, 4, 1)], "footprint": (3, 3), "rank": 4}),
    ],
)
def test_lines_that_a_border_is_counted_on_end_below_2_to_the_30(
    operation: str, module: str, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond, twice their length is no number of 32 bits."""
    declared = operations[operation]
    monkeypatch.setattr(declared, "_plans", {})
    arrays, keywords = declared.sample(case, "float32")
    declared.function(*arrays, variant="reference", **keywords)
    (plan,) = declared._plans.values()
    geometry, check = plan.geometry, importlib.import_module(f"{declared.package}.{module}").rejects
    for longest, refused in ((cuda.LONGEST_LINE - 1024, False), (cuda.LONGEST_LINE, True)):
        shape = {"shape": (1, 4, longest, 1)} if hasattr(geometry, "shape") else {"w": longest}
        reason = check(geometry._replace(**shape))
        assert reason is None or "less than 2^30" in reason
        assert (reason is not None) == refused


def test_small_grids_are_launched_without_a_warning() -> None:
    warning = "Grid size 1 will likely result in GPU under-utilization due to low occupancy."  # numba-cuda's text
    program = f"import warnings, tilegrad.kernels.machine.cuda_numba; warnings.warn({warning!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
