"""Operations that update equally long lists of arrays in place, with one launch for them all.

The lists are laid end to end: element e of the whole belongs to the row (parameter) whose end is the first beyond e.
Work is cut into tasks of `CHUNK` elements of the whole, so that many small biases and one large weight are shared out
evenly, by shapes alone. Workers find arrays through a *table*: the rows' ends, then a line of addresses for every list.

An optimiser steps on the same arrays again and again, and to check 150 of them takes about as long as to update them.
So arrays that were checked are remembered by their identity, in a `Group`, until one of them dies. Gradients are new
at every step and are checked at every step.
"""

import itertools
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import device_of
from ..machine.blocks import address_of
from ..machine.compile import rehearsal
from ..operation import Operation, Plan, Run, Variant

CHUNK = 8192
GRADS = 1  # place of the gradients among the lists; all other lists are updated


class Group:
    """Arrays that were checked: their shapes, dtype and the table of their addresses.

    It keeps no array alive.
    """

    def __init__(self, lists: Sequence[Sequence[np.ndarray]]) -> None:
        parameters = lists[0]
        self.dtype = parameters[0].dtype if parameters else np.dtype(np.float32)
        self.kind = _kind_of(parameters)
        self.device = "cpu" if self.kind is np.ndarray else "cuda"
        self.shapes = [a.shape for a in parameters]
        self.ends = np.cumsum([a.size for a in parameters], dtype=np.int64)
        self.size = int(self.ends[-1]) if parameters else 0
        self.tasks = -(-self.size // CHUNK)
        self.first_rows = np.searchsorted(self.ends, np.arange(self.tasks) * CHUNK, side="right")
        self.table = np.array(
            [self.ends, *([0] * len(parameters) if i == GRADS else addresses(a) for i, a in enumerate(lists))],
            np.int64,
        )

    def table_with(self, grads: Sequence[np.ndarray]) -> np.ndarray:
        """The table of one call."""
        table = self.table.copy()
        table[1 + GRADS] = addresses(grads)
        return table


def addresses(arrays: Sequence[np.ndarray]) -> list[int]:
    """The addresses of several arrays."""
    return [_address_of(a) for a in arrays]


def _kind_of(parameters: Sequence[Any]) -> type:
    """The class that the arrays of all lists must have: that of the first parameter."""
    return type(parameters[0]) if parameters and not isinstance(parameters[0], np.ndarray) else np.ndarray


def _address_of(array: Any) -> int:
    return address_of(array) if isinstance(array, np.ndarray) else int(array.data.ptr)


def _is_writeable(array: Any) -> bool:
    """Whether an array is C-contiguous and may be written; those of CuPy always may."""
    return bool(array.flags.carray if isinstance(array, np.ndarray) else array.flags.c_contiguous)


class Invocation(NamedTuple):
    """What a variant's ``build`` gets: the arrays' group and the arguments that choose a kernel."""

    group: Group
    args: tuple[Any, ...]
    outputs: tuple[()] = ()


class InPlaceOperation(Operation):
    """The declaration of an operation on lists of arrays; ``roles`` are the lists' names.

    ``run((*lists, scalars), args)`` updates all lists but the gradients; a variant's run gets the same arrays. The
    reference takes the arrays of one row, flat, and gives its results in the order of the updated lists.
    """

    def __init__(self, name: str, roles: tuple[str, ...], **declaration: Any) -> None:
        super().__init__(name, geometry=Invocation, contiguous=False, **declaration)
        self.roles = roles
        self._groups: dict[Any, tuple[Group, dict[Any, Plan], list[weakref.ref[np.ndarray]]]] = {}

    def sample(self, case: Mapping[str, Any], dtype: str) -> tuple[list[Any], dict[str, Any]]:
        """Lists of arrays, one list for each role, and keywords: a sample call."""
        arrays, keywords = super().sample(case, dtype)
        return [[a.copy() for a in arrays] for _ in self.roles], keywords

    def plan(self, arrays: Sequence[Any], args: tuple[Any, ...], variant: str | None = None) -> Plan:
        """The plan of a call on these lists, all of them checked."""
        group, plans = self._checked(arrays[:-1])
        key = (args, self.wanted(variant))
        found = plans.get(key)
        if found is None:
            geometry = Invocation(group, args)
            chosen, run = self._choose(geometry, key[1], group.device)
            found = Plan(geometry, chosen, group.device, run)
            if rehearsal.get() is None:  # else it may lack kernels
                plans[key] = found
        return found

    def explain(self, arrays: Sequence[Any], args: tuple[Any, ...]) -> str:
        """What a call would run and why."""
        group, _ = self._checked(arrays[:-1])
        return self._explanation(Invocation(group, args), group.device)

    def _shapes(self, arrays: tuple[Any, ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(a.shape for a in arrays[0])

    def _build(self, variant: Variant, geometry: Invocation) -> Run:
        run = super()._build(variant, geometry)
        if variant.module:
            return run

        def by_rows(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
            *lists, scalars = arrays
            for row in zip(*lists, strict=True):
                flat = [a.reshape(-1) for a in row]
                run((*flat, scalars), tuple(a for i, a in enumerate(flat) if i != GRADS))

        return by_rows

    def _checked(self, lists: Sequence[Sequence[np.ndarray]]) -> tuple[Group, dict[Any, Plan]]:
        key = tuple([tuple(map(id, arrays)) for i, arrays in enumerate(lists) if i != GRADS])
        entry = self._groups.get(key)
        if entry is None:
            self._check_lists(lists)
            forget = self._groups.pop
            deaths = [
                weakref.ref(a, lambda _: forget(key, None))
                for i, arrays in enumerate(lists)
                if i != GRADS
                for a in arrays
            ]
            entry = self._groups[key] = (Group(lists), {}, deaths)
        group, plans, _ = entry
        self._check_grads(group, lists[GRADS])
        return group, plans

    def _check_lists(self, lists: Sequence[Sequence[np.ndarray]]) -> None:
        """Lengths, shapes, dtypes, contiguity, and that no two arrays overlap."""
        parameters, spans = lists[0], []
        kind = _kind_of(parameters)
        for role, arrays in zip(self.roles, lists, strict=True):
            if len(arrays) != len(parameters):
                wanted = f"as many as {self.roles[0]}, {len(parameters)},"
                raise ValueError(f"{self.name}: {role} expects {wanted} but got {len(arrays)} arrays")
            if role == self.roles[GRADS]:
                continue
            device_of(self.name, arrays)
            for i, (a, p) in enumerate(zip(arrays, parameters, strict=True)):
                self._check_one(f"{role}[{i}]", a, p.shape, parameters[0].dtype, kind)
                if not _is_writeable(a):
                    raise ValueError(f"{self.name}: {role}[{i}] expects a writeable C-contiguous array")
                if a.size:
                    spans.append((_address_of(a), a.nbytes, f"{role}[{i}]"))
        spans.sort()
        for (start, size, one), (other_start, _, other) in itertools.pairwise(spans):
            if start + size > other_start:
                raise ValueError(f"{self.name}: {one} and {other} share memory")

    def _check_one(self, label: str, array: Any, shape: tuple[int, ...], dtype: np.dtype, kind: Any) -> None:
        if not isinstance(array, kind):
            wanted = "numpy.ndarray" if kind is np.ndarray else "cupy.ndarray"
            raise TypeError(f"{self.name}: {label} expects a {wanted} but got {type(array).__name__}")
        if array.dtype.char not in "fd" or array.dtype != dtype:
            wanted = f"{dtype}, as parameters[0] has," if dtype.char in "fd" else "float32 or float64"
            raise TypeError(f"{self.name}: {label} expects {wanted} but got {array.dtype}")
        if array.shape != shape:
            raise ValueError(f"{self.name}: {label} expects shape {shape} but got {array.shape}")

    def _check_grads(self, group: Group, grads: Sequence[np.ndarray]) -> None:
        try:
            fit = (
                [type(g) for g in grads] == [group.kind] * len(group.shapes)
                and [g.shape for g in grads] == group.shapes
                and [g.dtype for g in grads] == [group.dtype] * len(group.shapes)
            )
        except AttributeError:
            fit = False
        if fit:
            return
        role = self.roles[GRADS]
        if len(grads) != len(group.shapes):
            wanted = f"as many as {self.roles[0]}, {len(group.shapes)},"
            raise ValueError(f"{self.name}: {role} expects {wanted} but got {len(grads)} arrays")
        for i, (g, shape) in enumerate(zip(grads, group.shapes, strict=True)):
            self._check_one(f"{role}[{i}]", g, shape, group.dtype, group.kind)
