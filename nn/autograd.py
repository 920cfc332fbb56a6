"""Reverse-mode differentiation over a graph that is recorded while the program runs.

An operation on tensors leaves a node behind; a node points to the nodes of its inputs, never to the tensor it made, so
that a graph is freed with the last tensor that needs it and nothing waits for the garbage collector. Leaves (tensors
made by the user, parameters) are the nodes with no inputs.

Nodes are numbered as they are made. An input is always older than what is computed from it, so visiting nodes from the
newest to the oldest meets each one after all of its consumers: that is the whole of the topological sort.

Gradients are themselves computed with recorded operations when ``create_graph`` is set, which is how gradients of any
order come about.
"""

import itertools
import weakref
from collections.abc import Iterable, Sequence
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .tensor import Tensor

_numbers = itertools.count()
next_number = _numbers.__next__

# --- whether operations are recorded ----------------------------------------------------------------------------------

_recording: ContextVar[bool] = ContextVar("recording", default=True)
is_grad_enabled = _recording.get


class _GradMode(ContextDecorator):
    recording: bool

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def _recreate_cm(self) -> "_GradMode":
        return type(self)()  # a decorated function may run in several threads: each call has tokens of its own

    def __enter__(self) -> None:
        self._tokens.append(_recording.set(self.recording))

    def __exit__(self, *_: object) -> None:
        _recording.reset(self._tokens.pop())


class no_grad(_GradMode):  # noqa: N801 (PyTorch's name)
    """Context or decorator in which operations are not recorded, in this thread or task only.

    >>> from tilegrad import nn
    >>> x = nn.Tensor([1.0, 2.0], requires_grad=True)
    >>> with nn.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    recording = False


class enable_grad(_GradMode):  # noqa: N801 (PyTorch's name)
    """Context or decorator in which operations are recorded, inside `no_grad` too."""

    recording = True


class _set_grad(_GradMode):  # noqa: N801
    def __init__(self, recording: bool) -> None:
        super().__init__()
        self.recording = recording


# --- the graph --------------------------------------------------------------------------------------------------------


class Version:
    """How often the memory of a tensor and of its views was written in place."""

    __slots__ = ("count", "has_views")

    def __init__(self) -> None:
        self.count = 0
        self.has_views = False


class GraphNode(Protocol):
    """What the walk over the graph asks of a node."""

    number: int
    edges: tuple["GraphNode | None", ...]

    def gradients(self, gy: "Tensor", wants: tuple[bool, ...]) -> Sequence["Tensor | None"]:
        """The gradients by the inputs that want one, from the gradient by the output."""

    def release(self) -> None:
        """Let go of what was saved for `gradients`."""


class Leaf:
    """The end of the graph at a tensor that requires a gradient.

    It knows the tensor weakly: a tensor's ``grad`` may have a graph that ends at the tensor itself, and that must not
    be a cycle.
    """

    __slots__ = ("__weakref__", "number", "tensor")
    edges: tuple[GraphNode | None, ...] = ()

    def __init__(self, tensor: "Tensor") -> None:
        self.number = next_number()
        self.tensor = weakref.ref(tensor)

    def gradients(self, gy: "Tensor", wants: tuple[bool, ...]) -> Sequence["Tensor | None"]:
        return ()

    def release(self) -> None:
        pass

    def accumulate(self, gy: "Tensor", owned: bool) -> None:
        """Add ``gy`` to the tensor's ``grad``; ``owned`` says that no one else holds the memory of ``gy``."""
        tensor = self.tensor()
        if tensor is None:
            return
        if tensor.grad is None:
            tensor.grad = gy if owned or gy.requires_grad else gy.clone()
        elif gy.requires_grad or tensor.grad.requires_grad:
            tensor.grad = tensor.grad + gy
        else:
            tensor.grad += gy


def _leading_to(targets: set[GraphNode], outputs: Iterable[GraphNode]) -> set[GraphNode]:
    """The nodes from which a target can be reached, found without recursion."""
    oldest = min(node.number for node in targets)
    seen: set[GraphNode] = set()
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node not in seen and node.number >= oldest:
            seen.add(node)
            stack.extend(edge for edge in node.edges if edge is not None)
    useful = set(targets)
    for node in sorted(seen, key=lambda node: node.number):
        if any(edge in useful for edge in node.edges):
            useful.add(node)
    return useful


def _propagate(
    outputs: Sequence["Tensor"],
    gradients: Sequence["Tensor"],
    targets: set[GraphNode] | None,
    retain_graph: bool,
    create_graph: bool,
) -> dict[GraphNode, "Tensor"]:
    """Carry ``gradients`` from ``outputs`` to ``targets`` and return theirs, or into every leaf if targets is None."""
    pending: dict[GraphNode, tuple[Tensor, bool]] = {}
    queue: list[tuple[int, GraphNode]] = []
    found: dict[GraphNode, Tensor] = {}

    def receive(node: GraphNode, gy: "Tensor", owned: bool) -> None:
        if node in pending:
            pending[node] = pending[node][0] + gy, True
        else:
            pending[node] = gy, owned
            heappush(queue, (-node.number, node))

    starts: list[GraphNode] = [output.node for output in outputs if output.node is not None]
    useful = None if targets is None else _leading_to(targets, starts)
    with _set_grad(create_graph):
        for start, gradient in zip(starts, gradients, strict=True):
            receive(start, gradient, False)
        while queue:
            _, node = heappop(queue)
            gy, owned = pending.pop(node)
            if targets is not None and node in targets:
                found[node] = gy
            if isinstance(node, Leaf):
                if targets is None:
                    node.accumulate(gy, owned)
                continue
            wants = tuple(edge is not None and (useful is None or edge in useful) for edge in node.edges)
            if any(wants):
                computed = node.gradients(gy, wants)
                versions = [gy.version, *(g.version for g in computed if g is not None)]
                for edge, g in zip(node.edges, computed, strict=True):
                    if edge is not None and g is not None:
                        receive(edge, g, versions.count(g.version) == 1)
                if not retain_graph:
                    node.release()
    return found


def _seeds(name: str, outputs: Sequence["Tensor"], given: Sequence[Any]) -> list["Tensor"]:
    """The gradients to start from, one for each output."""
    if len(given) != len(outputs):
        raise ValueError(f"{name}: expects one gradient for each of {len(outputs)} outputs but got {len(given)}")
    return [output.starting_gradient(name, gradient) for output, gradient in zip(outputs, given, strict=True)]


def backward(
    tensor: "Tensor", gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Add the gradients of ``tensor`` to ``grad`` of every leaf that it depends on; see `Tensor.backward`."""
    retain = create_graph if retain_graph is None else retain_graph
    _propagate([tensor], _seeds("backward", [tensor], [gradient]), None, retain, create_graph)


def grad(
    outputs: "Tensor | Sequence[Tensor]",
    inputs: "Tensor | Sequence[Tensor]",
    grad_outputs: "Tensor | Sequence[Tensor | None] | None" = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> "tuple[Any, ...]":
    """Gradients of ``outputs`` by ``inputs``, returned and not accumulated.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
    inputs : Tensor or sequence of Tensor
        They need not be leaves, but must require a gradient.
    grad_outputs : Tensor or sequence of Tensor, optional
        The vector in the vector-Jacobian product, one of each output's shape; may be left out for single elements.
    retain_graph : bool, optional
        Keep what the graph saved, so that it can be walked again; default: as ``create_graph``.
    create_graph : bool
        Record the computation of the gradients, so that they can be differentiated in turn.
    allow_unused : bool
        Return None for an input on which no output depends, where otherwise that is an error.

    Returns
    -------
    tuple of Tensor (or None, with ``allow_unused``), one for each input

    Raises
    ------
    RuntimeError
        Where an output or an input does not require a gradient, an input was not used, the graph was freed, or what
        it saved was changed in place.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([3.0], requires_grad=True)
    >>> (slope,) = nn.grad(x**3.0, x, create_graph=True)
    >>> slope.item(), nn.grad(slope, x)[0].item()
    (27.0, 18.0)
    """
    sources, targets = _as_tuple(outputs), _as_tuple(inputs)
    seeds = _seeds("grad", sources, [None] * len(sources) if grad_outputs is None else _as_tuple(grad_outputs))
    nodes: list[GraphNode] = []
    for index, tensor in enumerate(targets):
        if tensor.node is None:
            raise RuntimeError(f"grad: input {index} of shape {tensor.shape} does not require a gradient")
        nodes.append(tensor.node)
    if not nodes:
        return ()
    retain = create_graph if retain_graph is None else retain_graph
    found = _propagate(sources, seeds, set(nodes), retain, create_graph)
    for index, node in enumerate(nodes):
        if node not in found and not allow_unused:
            raise RuntimeError(
                f"grad: input {index} of shape {targets[index].shape} was not used in computing the outputs; "
                "allow_unused=True returns None for it"
            )
    return tuple(found.get(node) for node in nodes)


def _as_tuple(tensors: Any) -> tuple[Any, ...]:
    return tuple(tensors) if isinstance(tensors, list | tuple) else (tensors,)
