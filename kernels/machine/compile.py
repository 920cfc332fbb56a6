"""Kernels compiled once, kept on disk, and called by address.

A *worker* is a Numba function ``(begin, end, slot, block)`` of four 64-bit words that does tasks ``begin .. end - 1``:
``block`` is the address of its argument block (see pointers.py) and ``slot`` numbers the thread, so that a worker can
pick its own scratch. Workers allocate nothing, raise nothing and hold no lock; because all have one signature, one
parallel driver runs them all, and none is ever compiled again for another shape.

`kernel` decorates a *family* of workers: a function that takes the parameters worth compiling for (a dtype, a tile)
and returns the Python function to compile. Compilation happens on first use, under a lock, and the machine code is
stored in one file per kernel under the cache folder.

The cache folder is ``$TILEGRAD_CACHE_DIR``, else ``$XDG_CACHE_HOME/tilegrad`` or ``~/.cache/tilegrad``. The name of a
file holds a hash of every kernel source in the package, the versions of Numba, llvmlite, NumPy and Python and the
processor, so no stale code is ever run. A file is written under another name and renamed; a file that does not
verify is compiled again; a place that cannot be written is done without.
"""

import functools
import hashlib
import os
import pickle
import platform
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba import types
from numba.core import serialize
from numba.core.ccallback import CFunc

from .processor import target

_PACKAGE = Path(__file__).resolve().parent.parent
_COMPILING = threading.RLock()
# A child that is forked while another thread compiles would find this lock, and Numba's own, held for ever.
os.register_at_fork(before=_COMPILING.acquire, after_in_parent=_COMPILING.release, after_in_child=_COMPILING.release)
_DIGEST_BYTES = hashlib.sha256().digest_size

# NaN and infinity must propagate and comparisons must mean what they say, so of LLVM's fast-math flags only these.
FAST_MATH = {"contract", "reassoc", "nsz"}

compiled_kernels: list[str] = []
"""Names of the kernels that this process compiled (not those it loaded from disk), in order: tests count them."""


def cache_folder() -> Path:
    """The folder of the on-disk kernel cache; it need not exist."""
    named = os.environ.get("TILEGRAD_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tilegrad"


@functools.cache
def _environment_key() -> str:
    """Hash of everything but the kernel's own name that its machine code depends on."""
    digest = hashlib.sha256()
    for source in sorted(_PACKAGE.rglob("*.py")):
        digest.update(source.relative_to(_PACKAGE).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    versions = (numba.__version__, llvmlite.__version__, np.__version__, sys.version, platform.machine())
    digest.update(repr((versions, target())).encode())
    return digest.hexdigest()[:20]


class _DiskCache:
    """Each compiled function in a file of its own: what Numba's callbacks and dispatchers ask of a cache."""

    def __init__(self, name: str) -> None:
        self.name = name

    def _path(self, signature: Any) -> Path:
        types_key = hashlib.sha256(str(signature).encode()).hexdigest()[:10]
        return cache_folder() / "kernels" / _environment_key() / f"{self.name}-{types_key}.bin"

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        try:
            content = self._path(signature).read_bytes()
        except OSError:
            return None  # absent or unreadable
        digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(payload).digest() != digest:
            return None  # damaged: it is compiled again and written over; no byte of it was unpickled
        target_context.refresh()
        return numba.core.compiler.CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, signature: Any, result: Any) -> None:
        compiled_kernels.append(self.name)
        payload = serialize.dumps(result._reduce())
        path = self._path(signature)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=self.name)
        except OSError:
            return  # a read-only place: the kernel lives in memory
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(payload).digest() + payload)
            os.replace(temporary, path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)


def compile_function(function: Callable[..., Any], signature: Any, name: str, **options: Any) -> CFunc:
    """Compile ``function`` for one signature, or load it from disk; ``name`` is its file name in the cache."""
    settings = {"nopython": True, "fastmath": FAST_MATH, "error_model": "numpy", "boundscheck": False, **options}
    with _COMPILING:
        compiled: Any = CFunc(function, (signature.args, signature.return_type), {}, settings)
        compiled._cache = _DiskCache(name)
        compiled.compile()
    return compiled


def compile_loops(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a reference as it stands: the same text, for whatever array types it is called with, without threads.

    Floating-point arithmetic keeps the order of the text.
    """
    dispatcher = numba.njit(nogil=True, error_model="numpy")(function)
    dispatcher._cache = _DiskCache(f"{function.__module__.partition('kernels.')[2]}.{function.__qualname__}")
    return dispatcher


WORKER = types.void(types.int64, types.int64, types.int64, types.CPointer(types.int64))


class Family:
    """A family of kernels, one for each choice of the parameters that are worth compiling for."""

    def __init__(self, make: Callable[..., Callable[..., Any]], signature: Any, options: dict[str, Any]) -> None:
        self.make = make
        self.signature = signature
        self.options = options
        self.name = f"{make.__module__.partition('kernels.')[2] or make.__module__}.{make.__qualname__}"
        self._compiled: dict[tuple[Any, ...], CFunc] = {}
        self.__doc__ = make.__doc__

    def compiled(self, *parameters: Any) -> CFunc:
        """The compiled function for these parameters, compiled or loaded on first use."""
        found = self._compiled.get(parameters)
        if found is None:
            with _COMPILING:
                found = self._compiled.get(parameters)
                if found is None:
                    label = "-".join([self.name, *map(str, parameters)])
                    found = compile_function(self.make(*parameters), self.signature, label, **self.options)
                    self._compiled[parameters] = found
        return found

    def address(self, *parameters: Any) -> int:
        """The address of the compiled function for these parameters."""
        address: Any = self.compiled(*parameters).address
        return int(address)


def kernel(signature: Any = WORKER, **options: Any) -> Callable[[Callable[..., Callable[..., Any]]], Family]:
    """Decorator of a function that returns a worker for the parameters it is given.

    ``signature`` is the worker's unless another is named (functions that workers call by address have their own).
    """

    def decorate(make: Callable[..., Callable[..., Any]]) -> Family:
        return Family(make, signature, options)

    return decorate
