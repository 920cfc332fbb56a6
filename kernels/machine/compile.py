"""Kernels compiled once, kept on disk, and called by address.

A *worker* is a Numba function ``(begin, end, slot, block)`` of four 64-bit words that does tasks ``begin .. end - 1``:
``block`` is the address of its argument block (see pointers.py) and ``slot`` numbers the thread, so that a worker can
pick its own scratch. Workers allocate nothing, raise nothing and hold no lock; because all have one signature, one
parallel driver runs them all, and none is ever compiled again for another shape.

`kernel` decorates a *family* of workers: a function that takes the parameters worth compiling for (a dtype, a tile)
and returns the Python function to compile. Compilation happens on first use, under a lock, and the machine code is
stored in the on-disk cache (cache.py), one file per kernel. Machine code that is found there is handed to LLVM's
linker as it is: Numba's compiler, half a second's worth of modules, is loaded only where something is compiled.
"""

import contextlib
import hashlib
import os
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import numba
from llvmlite import binding as llvm
from numba import types
from numba.core import serialize
from numba.core.ccallback import CFunc
from numba.core.registry import cpu_target
from numba.core.runtime import _nrt_python

from . import cache

_COMPILING = threading.RLock()
# A child that is forked while another thread compiles would find this lock, and Numba's own, held for ever.
os.register_at_fork(before=_COMPILING.acquire, after_in_parent=_COMPILING.release, after_in_child=_COMPILING.release)

# NaN and infinity must propagate and comparisons must mean what they say, so of LLVM's fast-math flags only these.
FAST_MATH = {"contract", "reassoc", "nsz"}

compiled_kernels: list[str] = []
"""Names of the kernels that this process compiled (not those it loaded from disk), in order: tests count them."""


class Code(NamedTuple):
    """Machine code in memory: the address of its entry point, and the object that keeps it there."""

    address: int
    owner: Any


def _file_name(name: str, signature: Any) -> str:
    return f"{name}-{hashlib.sha256(str(signature).encode()).hexdigest()[:10]}"


class _Saving:
    """Stands in a callback's place for a cache: it stores what was compiled and has nothing to offer."""

    def __init__(self, file_name: str) -> None:
        self.file_name = file_name

    def load_overload(self, signature: Any, target_context: Any) -> None:
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        _, _, (machine_code, bitcode) = result.library.serialize_using_object_code()
        module = llvm.parse_bitcode(bitcode)
        outside = [v.name for v in (*module.functions, *module.global_variables) if v.is_declaration]
        symbols = [name for name in outside if not name.startswith("llvm.")]
        entry = (machine_code, result.fndesc.llvm_cfunc_wrapper_name, symbols, result.reload_init)
        cache.write(self.file_name, serialize.dumps(entry))


def compile_function(function: Callable[..., Any], signature: Any, name: str, **options: Any) -> Code:
    """Compile ``function`` for one signature and store it; ``name`` is its name in the cache."""
    settings = {"nopython": True, "fastmath": FAST_MATH, "error_model": "numpy", "boundscheck": False, **options}
    with _COMPILING:
        compiled: Any = CFunc(function, (signature.args, signature.return_type), {}, settings)
        compiled._cache = _Saving(_file_name(name, signature))
        compiled.compile()
        compiled_kernels.append(name)
    return Code(compiled.address, compiled)


def load_function(signature: Any, name: str) -> Code | None:
    """The machine code of that name from disk, or None.

    Each lies in an engine of its own. In a common one, inner functions of the same name would be taken for one another:
    Numba numbers them anew in every process, and processes share the cache.
    """
    with _COMPILING:
        payload = cache.read(_file_name(name, signature))
        if payload is None:
            return None
        machine_code, entry, symbols, initializers = pickle.loads(payload)
        for initialize in initializers:
            initialize()
        if not _present(symbols):
            return None
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True, codemodel="jitdefault")
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.ObjectFileRef.from_data(machine_code))
        engine.finalize_object()
        return Code(engine.get_function_address(entry), engine)


def _present(symbols: Iterable[str]) -> bool:
    """Whether LLVM's linker knows all these functions, of which it is told what Numba's runtime has."""
    missing = [name for name in symbols if llvm.address_of_symbol(name) is None]
    for name in missing:
        address = _nrt_python.c_helpers.get(name.removeprefix("NRT_"))
        if address is not None:
            llvm.add_symbol(name, address)
    if any(llvm.address_of_symbol(name) is None for name in missing):
        cpu_target.target_context.refresh()  # loads all of Numba's compiler, and with it all that it knows
    return all(llvm.address_of_symbol(name) is not None for name in missing)


class _DispatcherCache:
    """What a Numba dispatcher asks of a cache."""

    def __init__(self, name: str) -> None:
        self.name = name

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        payload = cache.read(_file_name(self.name, signature))
        if payload is None:
            return None
        target_context.refresh()
        return numba.core.compiler.CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, signature: Any, result: Any) -> None:
        compiled_kernels.append(self.name)
        cache.write(_file_name(self.name, signature), serialize.dumps(result._reduce()))


def compile_loops(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a reference as it stands: the same text, for whatever array types it is called with, without threads.

    Floating-point arithmetic keeps the order of the text.
    """
    dispatcher = numba.njit(nogil=True, error_model="numpy")(function)
    dispatcher._cache = _DispatcherCache(f"{function.__module__.partition('kernels.')[2]}.{function.__qualname__}")
    return dispatcher


WORKER = types.void(types.int64, types.int64, types.int64, types.CPointer(types.int64))


class Family:
    """A family of kernels, one for each choice of the parameters that are worth compiling for."""

    def __init__(self, make: Callable[..., Callable[..., Any]], signature: Any, options: dict[str, Any]) -> None:
        self.make = make
        self.signature = signature
        self.options = options
        self.name = f"{make.__module__.partition('kernels.')[2] or make.__module__}.{make.__qualname__}"
        self._codes: dict[tuple[Any, ...], Code] = {}
        self.__doc__ = make.__doc__

    def label(self, *parameters: Any) -> str:
        """The name of one kernel."""
        return "-".join([self.name, *map(str, parameters)])

    def loaded(self, *parameters: Any) -> Code | None:
        """The kernel for these parameters if this process or the disk has it."""
        found = self._codes.get(parameters)
        if found is None:
            with _COMPILING:
                found = self._codes.get(parameters) or load_function(self.signature, self.label(*parameters))
                if found is not None:
                    self._codes[parameters] = found
        return found

    def compiled(self, *parameters: Any) -> Code:
        """The kernel for these parameters, compiled or loaded on first use."""
        with _COMPILING:
            found = self.loaded(*parameters)
            if found is None:
                label = self.label(*parameters)
                found = compile_function(self.make(*parameters), self.signature, label, **self.options)
                self._codes[parameters] = found
        return found

    def stored(self, *parameters: Any) -> bool:
        """Whether the disk has the kernel for these parameters."""
        return cache.holds(_file_name(self.label(*parameters), self.signature))

    def address(self, *parameters: Any) -> int:
        """The address of the kernel for these parameters; in a rehearsal, 0 in place of one that is not there yet."""
        missing = rehearsal.get()
        if missing is not None and self.loaded(*parameters) is None:
            missing[self, parameters] = None
            return 0
        return self.compiled(*parameters).address


rehearsal: ContextVar[dict[tuple[Family, tuple[Any, ...]], None] | None] = ContextVar("rehearsal", default=None)
"""The kernels that were found missing, in order, while operations are planned and not run; otherwise None."""


@contextlib.contextmanager
def rehearse() -> Iterator[dict[tuple[Family, tuple[Any, ...]], None]]:
    """Inside the block, in this thread or task, operations are checked and planned but compute nothing.

    New arrays are zero, arrays that would be written keep their values, no kernel is compiled; those that are missing
    are collected.
    """
    missing: dict[tuple[Family, tuple[Any, ...]], None] = {}
    token = rehearsal.set(missing)
    try:
        yield missing
    finally:
        rehearsal.reset(token)


def kernel(signature: Any = WORKER, **options: Any) -> Callable[[Callable[..., Callable[..., Any]]], Family]:
    """Decorator of a function that returns a worker for the parameters it is given.

    ``signature`` is the worker's unless another is named (functions that workers call by address have their own).
    """

    def decorate(make: Callable[..., Callable[..., Any]]) -> Family:
        return Family(make, signature, options)

    return decorate
