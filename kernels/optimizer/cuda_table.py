"""Optimiser steps "table" on CUDA: the host side of cuda_table.cu, which holds the idea, and of cuda_table_root.cu.

The addresses of all arrays travel by value with the launch; those of the gradients are filled in at every call. Takes
everything. The step's scalars are a NumPy array, which travels likewise, or a float64 array on the device.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run
from .in_place import GRADS, Invocation, addresses

if TYPE_CHECKING:
    from .norm import Arrays

_SOURCE = Path(__file__).with_suffix(".cu")
_ROOT_SOURCE = Path(__file__).with_name("cuda_table_root.cu")
_THREADS = 256
_MOST_BYTES = 4096  # of a launch's arguments

STEPS = {"adam": (4, 7), "sgd": (2, 2), "momentum": (3, 4), "average": (2, 1), "squares": (1, 0)}
"""How many lists and how many scalars each has, in the order of their numbers in cuda_table.cu."""
_EACH = {"squares": 16}  # numbers of a thread; 4 where several lists are to be loaded
_SHARED_BYTES = _THREADS // 32 * 8

# As struct Arguments in cuda_table_root.cu.
ROOT_ARGUMENTS = np.dtype([(name, np.uint64) for name in ("partials", "norm", "count")])


def arguments_of(lists: int) -> np.dtype:
    """As struct Arguments in cuda_table.cu, with as many rows as a launch takes."""
    row = np.dtype([("end", np.int64), ("size", np.int64), ("lists", np.uint64, (lists,))], align=True)
    head: list[Any] = [("partials", np.uint64), ("scalars", np.uint64), ("values", np.float64, (7,))]
    head += [(name, np.int32) for name in ("rows", "first", "decay", "nesterov", "starts")]
    rows = (_MOST_BYTES - np.dtype([*head, ("", row)], align=True).itemsize) // row.itemsize + 1
    return np.dtype([*head, ("table", row, (rows,))], align=True)


@functools.cache
def kernel_for(step: str, dtype: str) -> cuda.Kernel:
    """The kernel of cuda_table.cu for one step and type."""
    lists, scalars = STEPS[step]
    arguments = arguments_of(lists)
    macros = (
        ("THREADS", _THREADS), ("DOUBLE", int(dtype == "float64")), ("STEP", list(STEPS).index(step)),
        ("LISTS", lists), ("SCALARS", scalars), ("ROWS", arguments["table"].shape[0]), ("EACH", _EACH.get(step, 4)),
    )  # fmt: skip
    return cuda.Kernel(_SOURCE, f"{step}_table_{dtype}", _THREADS, arguments, macros)


@functools.cache
def root_kernel(dtype: str) -> cuda.Kernel:
    """The kernel of cuda_table_root.cu."""
    macros = (("THREADS", _THREADS), ("DOUBLE", int(dtype == "float64")))
    return cuda.Kernel(_ROOT_SOURCE, f"root_of_sum_{dtype}", _THREADS, ROOT_ARGUMENTS, macros)


class _Launch(NamedTuple):
    """Some of the arrays of each list: which, how many tasks they are, and all of the arguments that is known."""

    places: tuple[int, ...]
    tasks: int
    arguments: np.ndarray


def _launches(kernel: cuda.Kernel, each: int, sizes: Sequence[int]) -> Iterator[_Launch]:
    """As many arrays to a launch as its table holds; those without numbers take no part."""
    most, first = kernel.arguments["table"].shape[0], 0
    filled = [i for i, size in enumerate(sizes) if size]
    for begin in range(0, len(filled), most):
        places = tuple(filled[begin : begin + most])
        arguments = np.zeros(1, kernel.arguments)
        table = arguments["table"][0, : len(places)]
        table["size"] = [sizes[i] for i in places]
        table["end"] = np.cumsum(-(-table["size"] // (_THREADS * each)))
        tasks = int(table["end"][-1])
        arguments["rows"], arguments["first"] = len(places), first
        first += tasks
        yield _Launch(places, tasks, arguments)


def _builder(step: str) -> Callable[[Invocation], Run]:
    def build(call: Invocation) -> Run:
        group, options = call.group, dict(zip(("decay", "nesterov", "starts"), call.args, strict=False))
        kernel = kernel_for(step, group.dtype.name)
        launches = list(_launches(kernel, _EACH.get(step, 4), np.diff(group.ends, prepend=0).tolist()))
        for launch in launches:
            launch.arguments["table"]["lists"][0, : len(launch.places)] = group.table[1:, list(launch.places)].T
            for name, value in options.items():
                launch.arguments[name] = value

        def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
            *lists, scalars = arrays
            lists[GRADS] = [g if g.flags.c_contiguous else g.copy(order="C") for g in lists[GRADS]]
            by_value = isinstance(scalars, np.ndarray)
            for places, tasks, prepared in launches:
                arguments, used = prepared.copy(), [[arrays[i] for i in places] for arrays in lists]
                arguments["table"]["lists"][0, : len(places), GRADS] = addresses(used[GRADS])
                if by_value:
                    arguments["values"][0, : scalars.size] = scalars
                else:
                    arguments["scalars"] = cuda.address(scalars)
                read = [a for some in used for a in some] + ([] if by_value else [scalars])
                written = [a for i, some in enumerate(used) if i != GRADS for a in some]
                cuda.launch(kernel, (tasks, 1, 1), 0, arguments, read, written)

        return run

    return build


build_adam, build_sgd, build_sgd_momentum = _builder("adam"), _builder("sgd"), _builder("momentum")
build_average = _builder("average")


def build_norm(g: "Arrays") -> Run:
    """Prepare the launches of `norm_of_all`."""
    kernel, root = kernel_for("squares", g.dtype.name), root_kernel(g.dtype.name)
    launches = list(_launches(kernel, _EACH["squares"], g.sizes))
    count = sum(launch.tasks for launch in launches)
    prepared = np.zeros(1, ROOT_ARGUMENTS)
    prepared["count"] = count
    adding = cuda.Stage(root, (1, 1, 1), _SHARED_BYTES, prepared)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        partials = new_like(outputs[0], (count,), np.float64)
        for places, tasks, prepared in launches:
            arguments, used = prepared.copy(), [arrays[i] for i in places]
            arguments["table"]["lists"][0, : len(places), 0] = addresses(used)
            arguments["partials"] = cuda.address(partials)
            cuda.launch(kernel, (tasks, 1, 1), _SHARED_BYTES, arguments, used, [partials])
        adding.run([partials], outputs)

    return run
