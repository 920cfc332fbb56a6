"""The on-disk cache: which files are believed, what becomes of old ones, and places that cannot be written."""

import os
import resource
import stat
import subprocess
import sys
import time

import pytest
from tilegrad.kernels.machine import cache


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path))
    return tmp_path


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_which_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_folder() == tmp_path
    monkeypatch.delenv("TILEGRAD_CACHE_DIR")
    assert cache.cache_folder() == tmp_path / "xdg" / "tilegrad"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / ".cache" / "tilegrad"


def test_what_was_written_is_read(folder):
    assert cache.read("k") is None
    assert not cache.holds("k")
    cache.write("k", b"machine code")
    assert cache.read("k") == b"machine code"
    assert cache.holds("k")
    assert [path.name for path in files(folder)] == ["k.bin"]
    assert cache.usage() == (1, 1, 32 + len(b"machine code"))


def test_every_damage_is_seen(folder):
    cache.write("k", b"machine code")
    (path,) = files(folder)
    content = path.read_bytes()
    cuts = [content[:length] for length in range(len(content))]
    flips = [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in range(len(content))]
    for damaged in [*cuts, *flips, content + b"x"]:
        path.write_bytes(damaged)
        assert cache.read("k") is None
    path.write_bytes(content)
    assert cache.read("k") is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target", lambda: ("x86_64-unknown-linux-gnu", "i486", "")),
        ("numba", type("", (), {"__version__": "0.0"})),
        ("config", type("", (), {"OPT": "0", "LOOP_VECTORIZE": 1, "SLP_VECTORIZE": 0, "DEBUGINFO_DEFAULT": 0})),
    ],
)
def test_code_for_another_processor_or_version_is_never_loaded(monkeypatch, name, value):
    """Neither is it looked for, nor believed where somebody copied it to the place that is looked at."""
    cache.write("k", b"machine code")
    ours, key = cache.generation(), cache.generation_key()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(cache, name, value)
        other = cache.generation_key.__wrapped__()
    assert other != key
    monkeypatch.setattr(cache, "generation_key", lambda: other)
    assert cache.read("k") is None
    cache.generation().mkdir()
    (cache.generation() / "k.bin").write_bytes((ours / "k.bin").read_bytes())
    assert cache.holds("k")
    assert cache.read("k") is None


def test_a_file_under_another_kernels_name_is_not_believed(folder):
    cache.write("k", b"machine code")
    (path,) = files(folder)
    path.rename(path.with_name("other.bin"))
    assert cache.read("other") is None


def test_others_may_read(folder):
    """An image is often built by root and run by somebody else."""
    before = os.umask(0o022)
    try:
        cache.write("k", b"machine code")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(folder)] == [0o644]


def test_a_place_that_cannot_be_written(monkeypatch, folder):
    """A plain file stands where the folder should be: nobody, not even root, can make it."""
    (folder / "file").write_text("not a folder")
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(folder / "file" / "cache"))
    assert not cache.writable()
    cache.write("k", b"machine code")
    assert cache.read("k") is None
    assert cache.usage() == (0, 0, 0)
    assert [path.name for path in files(folder)] == ["file"]


def test_a_full_disk_leaves_nothing(folder):
    """The system refuses files of more than 100 bytes, as a full disk does."""
    program = (
        "from tilegrad.kernels.machine import cache\n"
        "cache.write('small', bytes(10))\n"
        "cache.write('large', bytes(1000))\n"
        "print(cache.read('small') == bytes(10), cache.read('large'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))  # fmt: skip
    assert done.stdout == "True None\n"
    assert [path.name for path in files(folder)] == ["small.bin"]


def test_the_last_used_generations_are_kept(monkeypatch, folder):
    """And nothing is touched that is not a generation: the folder may be anybody's."""
    (folder / "kernels").mkdir()
    (folder / "kernels" / "mine.py").write_text("")
    (folder / "kernels" / "convolution").mkdir()
    now, keys = time.time(), [f"{i:020x}" for i in range(cache.GENERATIONS_KEPT + 2)]
    for age, key in enumerate(keys):
        monkeypatch.setattr(cache, "generation_key", lambda key=key: key)
        cache.write("k", b"machine code")
        if key != keys[-1]:
            os.utime(cache.generation(), (now - 1000 * (100 - age),) * 2)
        if age == 3:
            monkeypatch.setattr(cache, "generation_key", lambda: keys[0])
            cache._mark_as_used.cache_clear()
            cache.read("k")  # the oldest is in use
    left = sorted(path.name for path in (folder / "kernels").iterdir())
    assert left == sorted([keys[0], *keys[3:], "convolution", "mine.py"])
    assert cache.usage().generations == cache.GENERATIONS_KEPT
