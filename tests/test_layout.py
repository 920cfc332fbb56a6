"""The house: which folder may import which, one parallel loop, nothing unfinished, nothing loaded before its time."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("kernels", "nn", "filters", "tilegrad", "benchmarks")
SOURCES = sorted(
    file for folder in (*FOLDERS, "tests") for file in (ROOT / folder).rglob("*.py") if "__pycache__" not in file.parts
)
# Whom a folder may import of the others.
MAY_IMPORT = {
    "kernels": {"kernels"},
    "nn": {"kernels", "nn"},
    "filters": {"kernels", "filters"},
    "tilegrad": {"kernels", "nn", "filters", "tilegrad", "benchmarks"},
}
OPTIONAL = (
    "torch", "cupy", "numba_cuda", "scipy", "skimage", "matplotlib", "tqdm", "PIL", "imageio", "tifffile",
    "safetensors",
)  # fmt: skip


def name_of(file):
    return file.relative_to(ROOT).as_posix()


def imports(file):
    """(line, level, module, names) of every import statement, also of those inside functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, 0, alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.level, node.module or "", tuple(alias.name for alias in node.names)


def folders_imported(file):
    """The folders of the package that a file's relative imports reach."""
    inside = file.relative_to(ROOT).parts
    package = [*([] if inside[0] == "tilegrad" else ["tilegrad"]), *inside[:-1]]
    for line, level, module, names in imports(file):
        if not level:
            continue
        base = package[: len(package) - level + 1]
        assert base, f"{name_of(file)}:{line}: leaves the package"
        target = [*base, *filter(None, module.split("."))]
        # `from .. import kernels` names the folder itself.
        reached = [[*target, name] for name in names] if len(target) == 1 else [target]
        for path in reached:
            yield line, path[1] if len(path) > 1 and path[1] in FOLDERS else "tilegrad"


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_arrows_run_one_way(folder):
    for file in SOURCES:
        if file.relative_to(ROOT).parts[0] == folder:
            for line, reached in folders_imported(file):
                assert reached in MAY_IMPORT[folder], f"{name_of(file)}:{line}: {folder} imports {reached}"


def test_imports_are_relative_inside_the_package_and_never_bare():
    """`import kernels` would make a second copy of every module."""
    for file in SOURCES:
        inside = file.relative_to(ROOT).parts[0]
        for line, level, module, _ in imports(file):
            top = module.partition(".")[0]
            assert level or top not in FOLDERS[:3] + FOLDERS[4:], f"{name_of(file)}:{line}: import {module}"
            if inside in MAY_IMPORT:
                assert level or top != "tilegrad", f"{name_of(file)}:{line}: an absolute import of {module}"
            if inside == "tests":
                assert not level, f"{name_of(file)}:{line}: a relative import in tests"


def test_there_is_one_parallel_loop():
    """A second one would compile for seconds, and abort where Numba has only its workqueue layer."""
    loops = []
    for file in SOURCES:
        if file.parts[-2] != "tests" and "tests" not in file.relative_to(ROOT).parts:
            loops += [
                name_of(file)
                for node in ast.walk(ast.parse(file.read_text()))
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "prange"
            ]
    assert loops == ["kernels/machine/threads.py"]


def test_nothing_is_unfinished():
    mark = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|NotImplemented\(\))\b")
    found = []
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in (".py", ".cu", ".cuh"):
                found += [
                    f"{name_of(file)}:{number}: {line.strip()}"
                    for number, line in enumerate(file.read_text().splitlines(), 1)
                    if mark.search(line)
                ]
    assert not found, "\n".join(found)


def test_sources_of_cuda_fit_the_line():
    """As ruff holds Python's to it."""
    sources = sorted(file for kind in ("cu", "cuh") for file in (ROOT / "kernels").rglob(f"*.{kind}"))
    lines = [(name_of(file), n, len(line)) for file in sources for n, line in enumerate(file.open(), 1)]
    assert lines
    assert not [place for *place, length in lines if length > 121]  # 120 and the line's end


def test_there_is_no_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core"}
    assert [name_of(f) for f in SOURCES if f.stem in drawers or f.parent.name in drawers] == []


def test_every_folder_of_sources_is_a_package():
    """A folder without __init__.py would be missing from the wheel."""
    for file in SOURCES:
        if file.relative_to(ROOT).parts[0] in FOLDERS:
            assert (file.parent / "__init__.py").exists(), name_of(file)


def loaded_by(statement):
    """Names of the modules in a fresh process after a statement."""
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_by("import tilegrad")
    assert not loaded & {"numpy", "numba", "llvmlite", *OPTIONAL}
    assert not any(name.startswith(("tilegrad.kernels", "tilegrad.nn", "tilegrad.filters")) for name in loaded)


@pytest.mark.parametrize("name", ["kernels", "nn", "filters", "benchmarks"])
def test_a_core_install_is_enough_to_import(name):
    """Beyond what Numba itself loads, which is SciPy where there is one."""
    loaded = loaded_by(f"import tilegrad.{name}") - loaded_by("import numba")
    assert loaded & set(OPTIONAL) == set()


def test_teaching_variants_and_other_devices_are_not_imported_before_they_run():
    loaded = loaded_by("import tilegrad.kernels")
    variants = [n for n in loaded if n.startswith("tilegrad.") and n.rpartition(".")[2].startswith(("cpu_", "cuda_"))]
    assert [name for name in variants if not name.startswith("tilegrad.kernels.machine")] == []
