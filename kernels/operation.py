"""What the package knows of an operation: its declaration, its variants, and the plan of a call.

An operation is declared once::

    CONV2D = Operation("conv2d", package=__name__, geometry=..., variants=(Variant("direct", "cpu_direct"), ...),
                       reference=..., flops=..., bytes_moved=..., cases=...)

and its public function ends in ``return CONV2D.run((x, w, bias), args, out, variant)``. A call is looked up by shapes,
strides, dtypes and arguments; the first such call checks everything (*geometry*), chooses the variant and lets it
prepare (*plan*); later ones go straight to the kernel. The choice follows declared order and stated preconditions and
never a timer, so that results do not depend on the moment.

Parity tests, benchmarks and `explain` are made from declarations.
"""

import importlib
import inspect
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import numpy as np

from .arrays import contiguous, device_of, empty_on_cuda, overlap
from .contexts import PRECISIONS, Event, Explained, arithmetic, chosen, explaining, operations, tracing
from .machine import cuda
from .machine.compile import compile_loops, rehearsal
from .machine.memory import empty


class Spec(NamedTuple):
    """What a plan may depend on of an array: never its values."""

    shape: tuple[int, ...]
    dtype: np.dtype
    strides: tuple[int, ...]


class Geometry(Protocol):
    """The checked shapes and arguments of one call. ``outputs`` lists the shape and dtype of each result."""

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]: ...


Run = Callable[[tuple[Any, ...], tuple[Any, ...]], None]
"""``run(arrays, outputs)`` computes a planned call into outputs."""


@dataclass(frozen=True)
class Variant:
    """One implementation of an operation on one device.

    ``module`` (in the operation's folder) has ``build(geometry) -> run`` and may have ``rejects(geometry)``, which
    returns why it cannot take a call, or None; of the GPU it says nothing, since launches that are made ready are held
    against that (`cuda.Stage`). A teaching variant runs only when it is named, and its module is not
    imported otherwise; one of a ``precision`` that is not "float32" also where `kernels.precision` allows that. A
    composed one calls other operations, which are what is traced, and prepared ahead.
    """

    name: str
    module: str
    device: str = "cpu"
    teaching: bool = False
    build: str = "build"
    rejects: str = "rejects"
    precision: str = "float32"
    composed: bool = False

    @property
    def is_too_coarse(self) -> bool:
        """Whether it rounds more than the surrounding `kernels.precision` allows."""
        return PRECISIONS.index(self.precision) > PRECISIONS.index(arithmetic.get())


class Plan(NamedTuple):
    """A call made ready: its geometry, the chosen variant, where its arrays lie and what runs it."""

    geometry: Any
    variant: Variant
    device: str
    run: Run


_PLANS_KEPT = 1024
_ABOUT_ARRAYS = ("shapes", "below", "integers")


@dataclass
class Operation:
    """The declaration of an operation.

    Parameters
    ----------
    name
        The operation's name in errors, in traces and for `use_variant`.
    package
        The operation's folder, ``__name__`` of its package: its public function and its variants' modules are there.
    geometry
        ``geometry(*specs, *args)`` checks a call and returns its geometry; it raises the errors that users see.
    variants
        In the order in which they are tried.
    reference
        The definition in loops, ``reference(*arrays, *outputs, *constants)`` with ``constants = reference_args(
        geometry)``: plain Python that Numba compiles as it stands. It makes the variants "reference" (interpreted,
        float64) and "naive" (compiled).
    flops, bytes_moved
        Floating-point operations and least bytes moved of a geometry.
    cases
        Sample calls of the public function, as plain data: the shapes of its arrays and its other arguments,
        ``{"shapes": [...], "stride": 2, ...}``; ``"below": {1: 10}`` makes array 1 one of integers below 10, of the
        type ``"integers"`` (int64). See `sample`.
    contiguous
        Whether arrays are made C-contiguous before the call is planned; otherwise variants take any strides.
    public
        The public function's name, where it is not the operation's.
    """

    name: str
    package: str
    geometry: Callable[..., Any]
    variants: tuple[Variant, ...]
    reference: Callable[..., None]
    reference_args: Callable[[Any], tuple[Any, ...]]
    flops: Callable[[Any], float]
    bytes_moved: Callable[[Any], float]
    cases: tuple[dict[str, Any], ...] = ()
    contiguous: bool = True
    public: str = ""
    _plans: dict[Any, Plan] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        if not any(variant.name == "naive" and variant.device == "cpu" for variant in self.variants):
            self.variants = (*self.variants, Variant("naive", "", teaching=True))
        self.variants = (*self.variants, Variant("reference", "", teaching=True))
        operations[self.name] = self

    @property
    def function(self) -> Callable[..., Any]:
        """The public function, which checks, plans and runs a call."""
        return getattr(importlib.import_module(self.package), self.public or self.name)

    def sample(self, case: Mapping[str, Any], dtype: str) -> tuple[list[Any], dict[str, Any]]:
        """Arrays and keywords with which a sample case calls the public function: positive numbers near 1."""
        draw = np.random.default_rng(0)
        below, arrays = case.get("below", {}), []
        for i, shape in enumerate(case.get("shapes", ())):
            if i in below:
                arrays.append(draw.integers(0, below[i], shape).astype(case.get("integers", "int64")))
            else:
                arrays.append(np.asarray(draw.uniform(0.5, 1.5, shape), dtype))
        keywords = {argument: value for argument, value in case.items() if argument not in _ABOUT_ARRAYS}
        if "dtype" in inspect.signature(self.function).parameters:
            keywords.setdefault("dtype", dtype)
        return arrays, keywords

    def run(self, arrays: Sequence[Any], args: tuple[Any, ...], out: Any = None, variant: str | None = None) -> Any:
        """Compute the operation; the end of every public function."""
        if explaining.get():
            raise Explained(self.explain(arrays, args))
        if self.contiguous:
            arrays = tuple([contiguous(self.name, a) for a in arrays])
        try:
            plan = self.plan(arrays, args, variant)
            if out is None:
                new = empty if plan.device == "cpu" else empty_on_cuda
                outputs = tuple([new(shape, dtype) for shape, dtype in plan.geometry.outputs])
            else:
                outputs = out if isinstance(out, tuple) else (out,)
                self._check_outputs(outputs, plan, arrays)
            if plan.variant.composed:
                plan.run(tuple(arrays), outputs)
            elif rehearsal.get() is not None:
                outputs = _rehearsed(outputs, out)
            elif tracing.get() is None:
                plan.run(tuple(arrays), outputs)
            else:
                self._run_traced(plan, tuple(arrays), outputs)
        except MemoryError as error:
            raise MemoryError(f"{self.name}: {error}") from None
        return outputs[0] if len(outputs) == 1 else outputs

    def plan(self, arrays: Sequence[Any], args: tuple[Any, ...], variant: str | None = None) -> Plan:
        """The plan of a call, from the cache or made now."""
        wanted = variant or chosen.get().get(self.name)  # `wanted`, without the call
        try:
            specs = tuple([None if a is None else (a.shape, a.dtype, a.strides, a.__class__) for a in arrays])
        except AttributeError:
            device_of(self.name, arrays)  # says which argument is no array
            raise
        # With the types, since 1 == 1.0 == True would let a plan answer for arguments that it was not checked for.
        key = (specs, args, tuple([a.__class__ for a in args]), wanted, arithmetic.get(), cuda.gpu_for(arrays))
        try:
            return self._plans[key]
        except KeyError:
            pass
        except TypeError:  # an argument that cannot key a plan: a list, or something of no use
            return self._plan_unhashable(arrays, args, variant)
        device = device_of(self.name, arrays)
        geometry = self.geometry(*[None if s is None else Spec(*s[:3]) for s in specs], *args)
        taken, run = self._choose(geometry, wanted, device)
        plan = Plan(geometry, taken, device, run)
        if rehearsal.get() is not None:
            return plan  # it may lack kernels
        with self._lock:
            while len(self._plans) >= _PLANS_KEPT:
                self._plans.pop(next(iter(self._plans)))
            self._plans[key] = plan
        return plan

    def _plan_unhashable(self, arrays: Sequence[Any], args: tuple[Any, ...], variant: str | None) -> Plan:
        frozen = _frozen(args)
        try:
            hash(frozen)
        except TypeError as reason:
            self.explain(arrays, args)  # the check says which argument is of no use, and what it expects
            raise TypeError(f"{self.name}: arguments expect numbers, strings and tuples of them ({reason})") from None
        return self.plan(arrays, frozen, variant)

    def wanted(self, variant: str | None) -> str | None:
        """The variant that a call or the surrounding `use_variant` names."""
        return variant or chosen.get().get(self.name)

    def _choose(self, geometry: Any, wanted: str | None, device: str) -> tuple[Variant, Run]:
        """The variant of a call, and what runs it."""
        if wanted is not None:
            named = self._named(wanted, device)
            run = self._attempt(named, geometry)
            if isinstance(run, str):
                raise ValueError(f'{self.name}: variant "{wanted}" {run}')
            return named, run
        for variant in self.variants:
            if variant.device != device or variant.teaching or variant.is_too_coarse:
                continue
            run = self._attempt(variant, geometry)
            if not isinstance(run, str):
                return variant, run
        raise ValueError(f"{self.name}: no variant on {device} takes this call\n{self._ladder(geometry, device)}")

    def _named(self, wanted: str, device: str) -> Variant:
        """``"tiled"`` on the arrays' device, or ``"cuda.tiled"`` on that one (for its simulator or emulator)."""
        if not isinstance(wanted, str):
            raise TypeError(f"{self.name}: variant expects a name but got {wanted!r}")
        prefix, _, name = wanted.rpartition(".")
        for variant in self.variants:
            if variant.name == name and variant.device == (prefix or device):
                return variant
        known = ", ".join(f"{v.device}.{v.name}" for v in self.variants)
        raise ValueError(f'{self.name}: no variant "{wanted}" for arrays on {device} (there are: {known})')

    def _attempt(self, variant: Variant, geometry: Any) -> Run | str:
        """What runs a call, or why the variant does not take it."""
        reason = self._rejection(variant, geometry)
        if reason is not None:
            return reason
        try:
            return self._build(variant, geometry)
        except cuda.LackingError as lacking:
            return str(lacking)

    def _rejection(self, variant: Variant, geometry: Any) -> str | None:
        if not variant.module:
            return "takes no bfloat16" if getattr(geometry, "stored", False) else None
        rejects = getattr(self._module(variant), variant.rejects, None)
        return None if rejects is None else rejects(geometry)

    def _reason_against(self, variant: Variant, geometry: Any) -> str | None:
        """Why a variant does not take a call. What a GPU lacks shows when launches are made ready for it."""
        if variant.device != "cuda":
            return self._rejection(variant, geometry)
        run = self._attempt(variant, geometry)
        return run if isinstance(run, str) else None

    def _module(self, variant: Variant) -> ModuleType:
        return importlib.import_module(f"{self.package}.{variant.module}")

    def _build(self, variant: Variant, geometry: Any) -> Run:
        if variant.module:
            return getattr(self._module(variant), variant.build)(geometry)
        constants = self.reference_args(geometry)
        if variant.name == "naive":
            compiled = _compiled_reference(self.reference)
            return lambda arrays, outputs: compiled(*arrays, *outputs, *constants)
        return lambda arrays, outputs: _run_reference(self.reference, arrays, outputs, constants)

    def _check_outputs(self, outputs: tuple[Any, ...], plan: Plan, arrays: Sequence[Any]) -> None:
        shapes = plan.geometry.outputs
        if len(outputs) != len(shapes):
            raise ValueError(f"{self.name}: out expects {len(shapes)} arrays but got {len(outputs)}")
        for output, (shape, dtype) in zip(outputs, shapes, strict=True):
            if device_of(self.name, (output,)) != plan.device:
                wanted = "numpy.ndarray" if plan.device == "cpu" else "cupy.ndarray"
                raise TypeError(f"{self.name}: out expects a {wanted} but got {type(output).__name__}")
            if output.shape != shape or output.dtype != dtype:
                raise ValueError(f"{self.name}: out expects {shape} {dtype} but got {output.shape} {output.dtype}")
            # CuPy arrays are always writeable and have no such flag.
            if not (output.flags.c_contiguous and getattr(output.flags, "writeable", True)):
                raise ValueError(f"{self.name}: out expects a writeable C-contiguous array")
            if self.contiguous and any(a is not None and overlap(a, output) for a in arrays):
                raise ValueError(f"{self.name}: out shares memory with an input")

    def _run_traced(self, plan: Plan, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        start = time.perf_counter()
        plan.run(arrays, outputs)
        seconds = time.perf_counter() - start
        events = tracing.get()
        assert events is not None
        events.append(
            Event(
                self.name,
                plan.variant.name,
                self._shapes(arrays),
                seconds,
                self.flops(plan.geometry),
                self.bytes_moved(plan.geometry),
            )
        )

    def _shapes(self, arrays: tuple[Any, ...]) -> tuple[tuple[int, ...], ...]:
        """What a trace says of the arguments."""
        return tuple(a.shape for a in arrays if a is not None)

    def _ladder(self, geometry: Any, device: str) -> str:
        """A line per variant: taken, passed over and why, or only when named."""
        lines, taken = [], False
        for variant in self.variants:
            label = f"  {variant.device}.{variant.name:<10}"
            if variant.device != device:
                lines.append(f"{label} for arrays on {variant.device}")
                continue
            reason = self._reason_against(variant, geometry)
            if reason is not None:
                lines.append(f"{label} {reason}")
            elif variant.teaching:
                lines.append(f"{label} runs when named")
            elif variant.is_too_coarse:
                lines.append(f'{label} runs when named, or under precision("{variant.precision}")')
            elif taken:
                lines.append(f"{label} would do")
            else:
                taken = True
                lines.append(f"{label} taken")
        return "\n".join(lines)

    def explain(self, arrays: Sequence[Any], args: tuple[Any, ...]) -> str:
        """What a call would run and why: see `explain`."""
        device = device_of(self.name, arrays)
        specs = [None if a is None else Spec(a.shape, a.dtype, a.strides) for a in arrays]
        return self._explanation(self.geometry(*specs, *args), device)

    def takers(self, arrays: Sequence[Any], args: tuple[Any, ...]) -> list[str]:
        """The names of the variants that take a call, in the order in which they are tried; the definition is last."""
        device = device_of(self.name, arrays)
        geometry = self.geometry(*[None if a is None else Spec(a.shape, a.dtype, a.strides) for a in arrays], *args)
        return [v.name for v in self.variants if v.device == device and self._reason_against(v, geometry) is None]

    def _explanation(self, geometry: Any, device: str) -> str:
        work = f"{self.flops(geometry):.3g} FLOP, at least {self.bytes_moved(geometry):.3g} bytes"
        return f"{self.name}: {work}\n{self._ladder(geometry, device)}"


def _rehearsed(outputs: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
    """What a call gives that computes nothing: zeros, of which the system makes no page before it is read."""
    if out is not None:
        return outputs
    return tuple([np.zeros(o.shape, o.dtype) if isinstance(o, np.ndarray) else o for o in outputs])


_references: dict[Callable[..., None], Callable[..., Any]] = {}


def _compiled_reference(reference: Callable[..., None]) -> Callable[..., Any]:
    if reference not in _references:
        _references[reference] = compile_loops(reference)
    return _references[reference]


def _run_reference(
    reference: Callable[..., None], arrays: tuple[Any, ...], outputs: tuple[Any, ...], constants: tuple[Any, ...]
) -> None:
    """Interpret the definition in float64 and round once, at the end."""
    wide = [a.astype(np.float64) if a is not None and a.dtype.kind == "f" else a for a in arrays]
    results = [np.zeros(o.shape, np.float64 if o.dtype.kind == "f" else o.dtype) for o in outputs]
    reference(*wide, *results, *constants)
    for output, result in zip(outputs, results, strict=True):
        output[...] = result


def _frozen(value: Any) -> Any:
    """Lists inside the arguments as tuples, so that they can key a plan."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
