"""Kernels compiled ahead of their first use, by several processes at once.

Numba compiles under one lock and LLVM under another, so threads would not help; processes share the work through the
on-disk cache. The process that asks compiles too. Its helpers are plain child processes that read the name of a kernel
from their standard input and answer when its file is written; they end when their input does, so none outlives the
asker, however that ends. Nothing is forked that has threads, and the asker's ``__main__`` is not run again.

A helper that dies takes its kernel with it and no other; so does a kernel that does not compile. Both are named in the
outcome, and are compiled again by whoever uses them.
"""

import ast
import importlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from . import cache
from .compile import Family

Kernel = tuple[Family, tuple[Any, ...]]
Progress = Callable[[int, int, str], None]
"""``told(done, total, name)``: what has just been compiled, the how manieth it is, and of how many."""

_KERNELS_PER_PROCESS = 4  # a process takes as long to start as one kernel to compile


class Outcome(NamedTuple):
    """How many kernels were compiled, by how many processes, and why any others were not."""

    compiled: int
    processes: int
    failures: dict[str, str]


def compile_ahead(missing: Iterable[Kernel], jobs: int | None = None, told: Progress | None = None) -> Outcome:
    """Compile these kernels by at most ``jobs`` processes, as many as there are processors if None."""
    kernels = list(missing)
    most = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = max(1, min(jobs or most, -(-len(kernels) // _KERNELS_PER_PROCESS)))
    if not cache.writable() or not sys.executable:
        processes = 1  # nobody could hand over what it has compiled
    shared = [kernel for kernel in kernels if _address_in_source(kernel) is not None] if processes > 1 else []
    own = [kernel for kernel in kernels if kernel not in shared]
    work = _Work(shared, own, told)
    helpers = [_Helper(work) for _ in range(processes - 1)]
    try:
        for helper in helpers:
            helper.start()
        while (kernel := work.next(own)) is not None:
            work.done(kernel, _compile(kernel))
        for helper in helpers:
            helper.join()
    finally:
        for helper in helpers:
            helper.end()
    return Outcome(len(kernels) - len(work.failures), processes, work.failures)


class _Work:
    """What is left to do, and what became of the rest."""

    def __init__(self, shared: list[Kernel], own: list[Kernel], told: Progress | None) -> None:
        self.left, self.total, self.told = deque(shared), len(shared) + len(own), told
        self.count = 0
        self.failures: dict[str, str] = {}
        self.lock = threading.Lock()

    def next(self, own: list[Kernel]) -> Kernel | None:
        with self.lock:
            if own:
                return own.pop(0)
            return self.left.popleft() if self.left else None

    def done(self, kernel: Kernel, failure: str) -> None:
        family, parameters = kernel
        with self.lock:
            self.count += 1
            if failure:
                self.failures[family.label(*parameters)] = failure
            if self.told is not None:
                self.told(self.count, self.total, family.label(*parameters))


class _Helper(threading.Thread):
    """A child process, and the thread that hands it one kernel after another."""

    def __init__(self, work: _Work) -> None:
        super().__init__(daemon=True)
        self.work = work
        program = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip

    def run(self) -> None:
        while (kernel := self.work.next([])) is not None:
            self.work.done(kernel, self.compile(kernel))
            if self.process.poll() is not None:
                return

    def compile(self, kernel: Kernel) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(repr((cache.generation_key(), _address_in_source(kernel))), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            return f"the process that compiled it ended with status {self.process.wait()}"
        return str(ast.literal_eval(answer))

    def end(self) -> None:
        """Wait for the process to end; at once if it is still at work, since then the asker was interrupted."""
        if self.is_alive():
            self.process.kill()
        with self.process:  # closes the pipes and waits
            pass


def _address_in_source(kernel: Kernel) -> tuple[str, str, tuple[Any, ...]] | None:
    """The module, the name in it and the parameters by which another process finds a kernel, or None if none can."""
    family, parameters = kernel
    module, name = family.make.__module__, family.make.__qualname__
    if module == "__main__" or getattr(sys.modules.get(module), name, None) is not family:
        return None
    return (module, name, parameters) if all(type(p) in (str, int, bool, type(None)) for p in parameters) else None


def _compile(kernel: Kernel) -> str:
    family, parameters = kernel
    try:
        family.compiled(*parameters)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def serve() -> None:
    """What a helper does: compile what standard input names, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the asker decides
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # nothing that a library may print can be taken for an answer
        for line in sys.stdin:
            generation, (module, name, parameters) = ast.literal_eval(line)
            if generation != cache.generation_key():
                failure = "another process here would compile for other sources, versions or settings"
            else:
                failure = _compile((getattr(importlib.import_module(module), name), parameters))
            print(repr(failure), file=answers, flush=True)
