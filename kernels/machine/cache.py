"""The on-disk kernel cache: which folder, which file, and when a file is believed.

The cache folder is ``$TILEGRAD_CACHE_DIR``, else ``$XDG_CACHE_HOME/tilegrad`` or ``~/.cache/tilegrad``. In its folder
``kernels`` every *generation* has a folder of its own, named by a hash of all that machine code depends on: every
kernel source in the package, the versions of Numba, llvmlite, NumPy and Python, the processor, and the settings of
Numba that change what it compiles. What that leaves to say:

* A file begins with the hash of its generation, its name and its content. One that does not verify, because it is
  damaged, cut short, or was copied from another generation or processor, is compiled again; no byte of it is used.
* A file is written under another name and renamed, so processes may fill one cache at the same time: both may compile
  a kernel, and either's file serves both.
* A place that cannot be written, for good or because the disk is full, is done without: kernels live in memory.
* A process that begins a generation removes all but the `GENERATIONS_KEPT` last used. A process that runs on a removed
  one compiles again what it has not loaded yet.
"""

import contextlib
import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import llvmlite
import numba
import numpy as np
from numba.core import config

from .processor import target

GENERATIONS_KEPT = 8

_PACKAGE = Path(__file__).resolve().parent.parent
_GENERATION_NAME = re.compile("[0-9a-f]{20}")
_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """The folder of the on-disk kernel cache; it need not exist."""
    named = os.environ.get("TILEGRAD_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tilegrad"


@functools.cache
def generation_key() -> str:
    """Hash of everything but the kernel's own name that its machine code depends on."""
    digest = hashlib.sha256()
    for source in sorted(_PACKAGE.rglob("*.py")):
        digest.update(source.relative_to(_PACKAGE).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    versions = (numba.__version__, llvmlite.__version__, np.__version__, sys.version, platform.machine())
    settings = (str(config.OPT), config.LOOP_VECTORIZE, config.SLP_VECTORIZE, config.DEBUGINFO_DEFAULT)
    digest.update(repr((versions, settings, target())).encode())
    return digest.hexdigest()[:20]


def generation() -> Path:
    """The folder of the kernels that this process may use."""
    return cache_folder() / "kernels" / generation_key()


def _digest(name: str, payload: bytes) -> bytes:
    return hashlib.sha256(f"{generation_key()}/{name}\0".encode() + payload).digest()


def _path(name: str) -> Path:
    return generation() / f"{name}.bin"


def read(name: str) -> bytes | None:
    """What was written under this name, or None."""
    try:
        content = _path(name).read_bytes()
    except OSError:
        return None  # absent or unreadable
    payload = content[_DIGEST_BYTES:]
    if _digest(name, payload) != content[:_DIGEST_BYTES]:
        return None
    _mark_as_used(generation())
    return payload


def write(name: str, payload: bytes) -> None:
    """Store it under this name, whole or not at all, if the place allows."""
    folder = generation()
    # Readable to all whom the umask lets: an image's builder and its user are often two people.
    temporary = folder / f"{name}.{secrets.token_hex(6)}.part"
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _remove_old_generations(folder.parent)
        with temporary.open("xb") as file:
            file.write(_digest(name, payload) + payload)
        os.replace(temporary, _path(name))
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def holds(name: str) -> bool:
    """Whether there is a file of this name."""
    return _path(name).is_file()


def writable() -> bool:
    """Whether kernels can be stored: the folder's nearest existing ancestor is a folder that may be written."""
    existing = generation()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


@functools.cache
def _mark_as_used(folder: Path) -> None:
    """Once in a process: the time that `_remove_old_generations` goes by."""
    with contextlib.suppress(OSError):
        os.utime(folder)


def _generations(folder: Path) -> list[Path]:
    """The generations there, the last used first. Whatever else lies in the folder is not ours."""
    found = [entry for entry in folder.iterdir() if _GENERATION_NAME.fullmatch(entry.name) and entry.is_dir()]
    return sorted(found, key=lambda entry: entry.stat().st_mtime, reverse=True)


def _remove_old_generations(folder: Path) -> None:
    with contextlib.suppress(OSError):  # another process may be at it too
        for old in _generations(folder)[GENERATIONS_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)


class Usage(NamedTuple):
    """Kernels of this generation, how many generations there are, and the bytes of all files under the folder."""

    kernels: int
    generations: int
    total_bytes: int


def usage() -> Usage:
    """What the cache folder holds now."""
    folder, generations = cache_folder(), 0
    with contextlib.suppress(OSError):
        generations = len(_generations(folder / "kernels"))
    sizes = []
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            sizes.append(file.stat().st_size if file.is_file() else 0)
    return Usage(len(list(generation().glob("*.bin"))), generations, sum(sizes))
