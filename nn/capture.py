"""A whole training step as one CUDA graph: captured once, compared with the step itself, and replayed.

Launched one by one from Python, the hundreds of small kernels of a step wait for Python. A CUDA graph holds them all,
and one launch starts them with the arguments that they had when the graph was captured. What must be right for that:

* Memory. Inputs are copied to where the graph reads them; what the step allocates comes from a pool of its own, which
  nobody else uses while the graph lives.
* Numbers that change. They lie in device memory and are written before each replay (kernels/changing.py).
* What the step does in Python: it is done again before each replay (replay.py).
* Everything else is frozen. So the graph is run once beside the step, and what they write must have the same bits.
"""

import contextlib
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.arrays import asarray, is_on_cuda, to_device
from ..kernels.changing import Slots, changing_in
from ..kernels.contexts import arithmetic, chosen
from .autograd import is_grad_enabled
from .replay import Rerun, Script, Written, recorded_by, watched_by
from .tensor import Tensor


def capture(step: Callable[..., Any]) -> "Captured":
    """Make a training step that is captured as a CUDA graph when its arrays lie on a GPU.

    Parameters
    ----------
    step : function
        Forward, backward and the optimiser, say. Its arguments are tensors or arrays, and values that can key a
        dictionary; its result is None, a tensor, or a tuple, list or dictionary of tensors.

    Returns
    -------
    function
        It takes the same arguments. With arrays in main memory it is the step itself. With arrays on a GPU the first
        call for their shapes, dtypes and the other arguments runs the step as it is, which compiles and loads what it
        needs; the second captures it; and from then on it is replayed.

    Raises
    ------
    RuntimeError
        By a call: where the step reads a number back from the GPU (``item()``, ``if loss > 1``), a replay gives
        other bits than the step, or the step writes other arrays when it runs again.

    Notes
    -----
    Results of a replay lie in memory that the next replay writes: read them, or ``clone()`` them, before that.

    A replay repeats what the captured call did on the GPU, and what optimisers, their learning rates and schedules,
    `nn.EMA` and random generators did in Python. It does not repeat any other Python: a counter of your own, ``if
    step_number % 5``, ``print``, ``model.train()``, a parameter replaced by another tensor or ``requires_grad_`` after
    the capture are not seen. What may differ between calls must be an argument: of each value there is then a graph.
    Optimiser settings other than ``lr`` that were changed are an error. A captured step is for one thread. If the step
    raises while it is captured, counters of optimisers and generators have moved on and nothing was computed.

    Nor does it set ``grad``: ``zero_grad`` and the optimiser's step belong into the step, with ``backward``.

    Examples
    --------
    >>> from tilegrad import nn
    >>> model = nn.Linear(2, 1)
    >>> optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    >>> @nn.capture
    ... def step(x, y):
    ...     optimizer.zero_grad()
    ...     loss = nn.functional.mse_loss(model(x), y)
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss.detach()
    >>> x, y = nn.Tensor([[1.0, 2.0]]), nn.Tensor([[3.0]])
    >>> first = step(x, y).item()
    >>> step(x, y).item() < first
    True
    """
    return Captured(step)


class Captured:
    """A step and its graphs, one for each kind of arguments; made by `capture`."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self.step = step
        self.graphs: dict[Any, _Graph | None] = {}
        """None where the step ran once as it is, and is captured when it is called again."""

    def __call__(self, *arguments: Any) -> Any:
        if not any(is_on_cuda(_array(argument)) for argument in arguments):
            return self.step(*arguments)
        around = arithmetic.get(), tuple(sorted(chosen.get().items())), is_grad_enabled()
        key = (around, tuple(_kind(a) for a in arguments))
        if key not in self.graphs:
            result = self.step(*arguments)
            self.graphs[key] = None
            return result
        graph = self.graphs[key]
        if graph is None:
            graph = _Graph(self.step, arguments)
            result = graph.check_first_replay(self.step, arguments)
            self.graphs[key] = graph
            return result
        return graph.replay(arguments)


def _array(argument: Any) -> Any:
    return argument.data if isinstance(argument, Tensor) else argument


def _kind(argument: Any) -> Any:
    """What a graph depends on of an argument: all of a Python value, and nothing of an array's numbers."""
    array = _array(argument)
    if isinstance(array, np.ndarray) or is_on_cuda(array):
        trained = isinstance(argument, Tensor) and argument.requires_grad
        return type(argument), array.shape, array.dtype, trained
    try:
        hash(argument)
    except TypeError:
        name = type(argument).__name__
        raise TypeError(
            f"capture: arguments expect arrays and values that can key a dictionary but got {name}"
        ) from None
    return type(argument), argument


class _Graph:
    """One captured call."""

    def __init__(self, step: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        cupy = importlib.import_module("cupy")
        self.pool = cupy.cuda.MemoryPool()
        self.script, self.slots, self.written = Script(), Slots(), Written()
        self.inputs = [_static(argument, cupy) for argument in arguments]
        cupy.cuda.get_current_stream().synchronize()  # the graph's stream does not wait for what made the inputs
        stream = cupy.cuda.Stream(non_blocking=True)
        with stream, cupy.cuda.using_allocator(self.pool.malloc):
            stream.begin_capture()
            try:
                with changing_in(self.slots), recorded_by(self.script), watched_by(self.written):
                    self.result = step(*self.inputs)
            except BaseException:
                with contextlib.suppress(Exception):  # what the step raised says more
                    stream.end_capture()
                raise
            self.graph = stream.end_capture()

    def check_first_replay(self, step: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Run the step as it is, put back what it wrote, and let the graph do it: bits must be the same."""
        rerun, rewritten = Rerun(self.script), Written()
        before = [(array, array.copy()) for array in self.written.arrays.values()]
        with recorded_by(rerun), watched_by(rewritten):
            expected = _arrays_of(step(*arguments))
        if rerun.place != len(self.script.effects):
            raise RuntimeError("capture: the step does less when it runs again; it must do the same every time")
        if len(rewritten.arrays) != len(self.written.arrays):
            raise RuntimeError(
                "capture: the step writes other arrays when it runs again, as where gradients of the call before are "
                "left to add to; call zero_grad in the step"
            )
        # What only one of the two wrote, each made for itself.
        before = [(array, copy) for array, copy in before if id(array) in rewritten.arrays]
        self.written = Written()  # lets go of arrays that only the graph needs
        after = [(array, array.copy()) for array, _ in before]
        for array, copy in before:
            array[...] = copy
        self._launch(arguments)
        for place, (found, wanted) in enumerate(zip(_arrays_of(self.result), expected, strict=True)):
            _check_same(f"result {place} of shape {found.shape}", found, wanted)
        for array, wanted in after:
            _check_same(f"an array of shape {array.shape} that the step writes", array, wanted)
        return self.result

    def replay(self, arguments: tuple[Any, ...]) -> Any:
        """Do in Python what the step does there, and launch the graph."""
        self.script.run()
        self._launch(arguments)
        return self.result

    def _launch(self, arguments: tuple[Any, ...]) -> None:
        for place, argument in zip(self.inputs, arguments, strict=True):
            array = _array(place)
            if is_on_cuda(array):
                array[...] = to_device(_array(argument), "cuda")
        self.slots.fill()
        self.graph.launch(importlib.import_module("cupy").cuda.get_current_stream())


def _static(argument: Any, cupy: Any) -> Any:
    """An argument in memory of its own on the GPU, where each replay finds the numbers of its call."""
    array = _array(argument)
    if not (isinstance(array, np.ndarray) or is_on_cuda(array)):
        return argument
    copy = cupy.array(array, order="C")
    return Tensor(copy, requires_grad=argument.requires_grad) if isinstance(argument, Tensor) else copy


def _arrays_of(result: Any) -> list[Any]:
    """The arrays in a step's result."""
    if result is None:
        return []
    if isinstance(result, dict):
        return [array for value in result.values() for array in _arrays_of(value)]
    if isinstance(result, list | tuple):
        return [array for value in result for array in _arrays_of(value)]
    if isinstance(result, Tensor) or is_on_cuda(result) or isinstance(result, np.ndarray):
        return [_array(result)]
    raise TypeError(f"capture: the step's result expects tensors but got {type(result).__name__}")


def _check_same(what: str, found: Any, expected: Any) -> None:
    here, there = (np.ascontiguousarray(asarray(array.get())).view(np.uint8) for array in (found, expected))
    if not np.array_equal(here, there):
        raise RuntimeError(f"capture: {what} has other bits after a replay than after the step itself")
