"""Kernels are compiled once, by whoever comes first, and loaded from then on."""

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from tilegrad.kernels.machine import compile as compilation
from tilegrad.kernels.machine.compile import compile_loops, compiled_kernels, kernel
from tilegrad.kernels.machine.pointers import pointer

from tilegrad import kernels

PROGRAM = """
import json
import numpy as np
from tilegrad import kernels
from tilegrad.kernels.machine.compile import compiled_kernels
values = [kernels.random_uniform(5, seed=1).tolist()]
weight = np.ones(3)
kernels.sgd_step([weight], [np.ones(3)], lr=0.5)
kernels.sgd_step([weight], [np.ones(3)], lr=0.5, variant="naive")
print(json.dumps([compiled_kernels, values + [weight.tolist()]]))
"""


def start(folder):
    environment = {**os.environ, "TILEGRAD_CACHE_DIR": str(folder)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, **pipes)


def finish(process):
    """Names of what the process compiled, and its results."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output)


def cache_files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache folder that one process filled, and what that process reported."""
    folder = tmp_path_factory.mktemp("cache")
    return folder, *finish(start(folder))


def test_a_second_process_compiles_nothing(filled):
    folder, compiled, values = filled
    assert len(compiled) == len(set(compiled)) == 3
    assert len(cache_files(folder)) == 3
    assert finish(start(folder)) == [[], values]


def test_damaged_files_are_compiled_again(filled, tmp_path):
    folder, compiled, values = filled
    files = cache_files(folder)
    contents = [path.read_bytes() for path in files]
    flipped = bytearray(contents[1])
    flipped[len(flipped) // 2] ^= 1
    for path, damaged in zip(files, (b"", bytes(flipped), contents[2][:-100]), strict=True):
        path.write_bytes(damaged)
    again, same_values = finish(start(folder))
    assert sorted(again) == sorted(compiled)
    assert same_values == values
    assert finish(start(folder)) == [[], values]


def test_every_damage_is_seen(tmp_path, monkeypatch):
    """No flipped byte and no cut gets past the check, wherever it is; nothing of a damaged file is unpickled."""
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path))

    def twice(x):
        return 2 * x

    compile_loops(twice)(1)
    (path,) = cache_files(tmp_path)
    content = path.read_bytes()
    monkeypatch.setattr(compilation.pickle, "loads", lambda _: pytest.fail("unpickled a damaged file"))
    for damage in [content[:cut] for cut in (0, 1, 31, 32, 33, len(content) - 1)] + [
        content[:at] + bytes([content[at] ^ 0x80]) + content[at + 1 :] for at in (0, 31, 32, len(content) - 1)
    ]:
        path.write_bytes(damage)
        assert compile_loops(twice)(3) == 6


def test_a_folder_that_cannot_be_written_is_done_without(filled, tmp_path):
    """A plain file stands where the folder should be: nobody, not even root, can make it."""
    obstacle = tmp_path / "file"
    obstacle.write_text("not a folder")
    compiled, values = finish(start(obstacle / "cache"))
    assert (sorted(compiled), values) == (sorted(filled[1]), filled[2])
    assert obstacle.read_text() == "not a folder"


def test_two_processes_fill_one_cache(filled, tmp_path):
    both = [start(tmp_path), start(tmp_path)]
    for process in both:
        assert finish(process)[1] == filled[2]
    assert [path.suffix for path in cache_files(tmp_path)] == [".bin"] * 3  # and no temporary file
    assert finish(start(tmp_path)) == [[], filled[2]]


def test_threads_compile_a_kernel_once(monkeypatch, tmp_path):
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path))

    @kernel()
    def store(value):
        def work(begin, end, slot, block):
            pointer(block[0], np.int64)[0] = value

        return work

    before, addresses = len(compiled_kernels), []
    threads = [threading.Thread(target=lambda: addresses.append(store.address(7))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(addresses) == 8
    assert len(set(addresses)) == 1
    assert len(compiled_kernels) == before + 1
    assert compiled_kernels[-1].endswith("store-7")


def test_no_shape_is_compiled_for():
    kernels.random_normal(200_000, seed=0)  # enough for threads, so that their driver is compiled too
    kernels.adam_step(*[[np.ones(3, np.float32)] for _ in range(4)], step=1, lr=0.1)
    before = list(compiled_kernels)
    for n in (1, 17, 5000, 100_000):
        kernels.random_normal((n, 2), seed=0)
        kernels.adam_step(*[[np.ones(n, np.float32), np.ones((n, 3), np.float32)] for _ in range(4)], step=1, lr=0.1)
    assert compiled_kernels == before


NEEDS_NO_COMPILER = """
import sys
import numpy as np
from tilegrad import kernels
kernels.random_normal((300, 300), seed=1)
kernels.sum(np.ones((40, 50), np.float32), axis=0)
print("numba.np.arrayobj" in sys.modules)
"""


def test_what_is_loaded_needs_no_compiler(tmp_path):
    """A warm process does without the half second that Numba's compiler takes to load."""
    environment = {**os.environ, "TILEGRAD_CACHE_DIR": str(tmp_path)}
    said = [subprocess.run([sys.executable, "-c", NEEDS_NO_COMPILER], env=environment, capture_output=True, text=True,
                           check=True).stdout for _ in range(2)]  # fmt: skip
    assert said == ["True\n", "False\n"]


ONE_OF_TWO = """
import sys
import numpy as np
from numba import njit
from tilegrad.kernels.machine.blocks import address_of
from tilegrad.kernels.machine.compile import kernel
from tilegrad.kernels.machine.threads import launch


@kernel()
def store(value):
    @njit
    def inner(x):
STEPS
        return x

    def work(begin, end, slot, block):
        block[0] = inner(inner(inner(block[1])))

    return work


for value in map(int, sys.argv[1:]):
    words = np.zeros(2, np.int64)
    launch(store.address(value), 1, address_of(words), 0.0)
    print(words[0])
""".replace("STEPS", "        x = (x * 3 + value) ^ (x >> 7)\n" * 200)  # too long to be inlined


def test_kernels_of_several_processes_keep_their_inner_functions(tmp_path):
    """Numba gives the inner functions of these two kernels one name, since each is its process's first."""
    program, environment = (
        tmp_path / "program.py",
        {**os.environ, "TILEGRAD_CACHE_DIR": str(tmp_path / "cache"), "PYTHONHASHSEED": "0"},
    )
    program.write_text(ONE_OF_TWO)
    (seven,), (nine,), both = [
        subprocess.run([sys.executable, program, *values], env=environment, capture_output=True, text=True,
                       check=True).stdout.split() for values in (["7"], ["9"], ["7", "9"])
    ]  # fmt: skip
    assert seven != nine
    assert both == [seven, nine]
