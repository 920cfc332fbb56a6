"""Differentiable operations: a function on arrays, and its gradient as data.

A primitive is declared once, and its gradient rules stand beside it, one line for each argument::

    @primitive(broadcasts=True)
    def mul(a, b, *, out=None):
        return kernels.multiply(a, b, out=out)

    mul.gradients(
        a=lambda gy, b: gy * b,
        b=lambda gy, a: gy * a,
    )

The first parameter of a rule is the gradient by the output. The names of the others say what the rule needs: an
argument, ``x_shape`` (the shape of argument x), ``y`` (the output), a setting such as ``stride``, or ``settings`` (all
of them, as a dictionary). A node saves exactly what the rules for the inputs that want a gradient name, so the
declaration is also the memory plan. Rules are written with primitives, and so can be differentiated again.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .autograd import GraphNode, enable_grad, grad, is_grad_enabled
from .node import Node, save, save_output
from .replay import will_write
from .tensor import PRIMITIVES, Tensor

Array = Any
"""What the functions under a primitive take and return: an array of the device, never a tensor."""

ZERO = object()
"""In place of a rule: the gradient by this argument is zero wherever it exists."""

WITHOUT_GRADIENT: list[tuple[str, str]] = []
"""The (operation, argument) pairs that have no gradient; asking for one is an error when the graph is built."""


_TOLD = ("out", "recorded")
"""Parameters of a function under a primitive that are not settings of the call."""


class Rule(NamedTuple):
    """A gradient rule, and the names of what it needs besides the incoming gradient."""

    function: Callable[..., Any]
    needs: tuple[str, ...]


def _rule(function: Callable[..., Any]) -> Rule:
    return Rule(function, tuple(inspect.signature(function).parameters)[1:])


class Primitive:
    """A function on arrays that takes tensors, and is recorded where one of them requires a gradient.

    Made by the decorator `primitive`, which has the parameters.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        broadcasts: bool,
        views: bool,
        epilogue: bool,
        writes: tuple[str, ...],
    ) -> None:
        functools.update_wrapper(self, forward)
        self.forward = forward
        self.name = forward.__name__
        self.broadcasts, self.views, self.epilogue, self.writes = broadcasts, views, epilogue, writes
        parameters = inspect.signature(forward).parameters
        self.parameters = tuple(p for p in parameters if p not in _TOLD)
        self.positional = tuple(p for p in self.parameters if parameters[p].kind is not inspect.Parameter.KEYWORD_ONLY)
        self.defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty and n not in _TOLD}
        self.asks_if_recorded = "recorded" in parameters
        self.arguments: tuple[str, ...] = ()
        self.rules: dict[str, Any] = {}
        self.together: Rule | None = None
        self.unfused: Callable[..., Tensor] | None = None
        self._needed: dict[tuple[bool, ...], set[str]] = {}
        PRIMITIVES[self.name] = self

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    # --- declaration ---

    def gradients(
        self,
        *,
        together: Callable[..., Any] | None = None,
        unfused: Callable[..., Tensor] | None = None,
        without: Sequence[str] = (),
        **rules: Any,
    ) -> None:
        """Declare the gradient.

        Parameters
        ----------
        **rules
            A rule, or `ZERO`, for each tensor argument.
        unfused : function of tensors, optional
            The same operation composed of other primitives. Gradients then come from the composition, and so has each
            argument of ``rules`` the rule None.
        together : function, optional
            Hand-written gradients of an unfused composition, all at once and on arrays; taken when the gradients are
            not themselves recorded. It may name ``wants``, the set of arguments that want a gradient, and returns a
            dictionary, or None to leave a call to the composition.
        without : sequence of str
            Tensor arguments that have no gradient.
        """
        self.arguments = tuple(p for p in self.parameters if p in rules or p in without)
        self.rules = {name: rule if rule in (None, ZERO) else _rule(rule) for name, rule in rules.items()}
        self.unfused = unfused
        self.together = None if together is None else _rule(together)
        WITHOUT_GRADIENT.extend((self.name, name) for name in without)

    # --- forward ---

    def __call__(self, *values: Any, out: Tensor | None = None, **keywords: Any) -> Tensor:
        inputs, settings = self._bind(values, keywords)
        edges = self._edges(inputs) if is_grad_enabled() else None
        if out is not None:
            if edges is not None or (out.node is not None and is_grad_enabled()):
                raise RuntimeError(f"{self.name}: out= cannot be recorded, and an argument requires a gradient")
            will_write(out.data)
            self._run(inputs, {**settings, "out": out.data})
            out.version.count += 1
            return out
        told = {**settings, "recorded": edges is not None} if self.asks_if_recorded else settings
        result, extras = self._run(inputs, told)
        y = Tensor.wrap(np.asarray(result) if isinstance(result, np.generic | float) else result)
        if self.views:
            y.version = inputs[0].version if isinstance(inputs[0], Tensor) else y.version
            y.version.has_views = True
        if edges is not None:
            y.node = self._record(inputs, edges, settings, y, extras)
        return y

    def in_place(self, target: Tensor, *others: Any) -> Tensor:
        """Write the result over ``target``, the first argument; its version is counted up."""
        inputs, settings = self._bind((target, *others), {})
        edges = self._edges(inputs) if is_grad_enabled() else None
        if edges is not None:
            if target.is_leaf and target.requires_grad:
                raise RuntimeError(
                    f"{self.name}: a leaf that requires a gradient cannot be written in place while operations are "
                    "recorded; use no_grad()"
                )
            if target.version.has_views:
                raise RuntimeError(
                    f"{self.name}: a tensor that shares its memory with a view cannot be written in place while "
                    "operations are recorded, since the view would not know"
                )
            node = self._record(inputs, edges, settings, target, {})
        will_write(target.data)
        self._run(inputs, {**settings, "out": target.data})
        target.version.count += 1
        if edges is not None:
            if node.saved and "y" in node.saved:
                node.saved["y"] = save_output(target)
            target.node = node
        return target

    def _bind(self, values: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The tensor arguments in order, and the settings, with defaults filled in."""
        if len(values) > len(self.positional):
            raise TypeError(f"{self.name}: takes {len(self.positional)} positional arguments but got {len(values)}")
        twice = sorted(keywords.keys() & set(self.positional[: len(values)]))
        if twice:
            raise TypeError(f"{self.name}: argument {twice[0]} is given twice, by place and by name")
        settings = self.defaults | dict(zip(self.positional, values, strict=False))
        settings.update(keywords)
        try:
            inputs = [settings.pop(name) for name in self.arguments]
        except KeyError as missing:
            raise TypeError(f"{self.name}: argument {missing.args[0]} is missing") from None
        return inputs, settings

    def _run(self, inputs: list[Any], settings: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        arrays = {n: i.data if isinstance(i, Tensor) else i for n, i in zip(self.arguments, inputs, strict=True)}
        for name in self.writes:
            if arrays[name] is not None:
                will_write(arrays[name])
        result = self.forward(**arrays, **settings)
        for name in self.writes:
            written = inputs[self.arguments.index(name)]
            if isinstance(written, Tensor):
                written.version.count += 1
        return result if isinstance(result, tuple) else (result, {})

    def _edges(self, inputs: list[Any]) -> tuple[GraphNode | None, ...] | None:
        """The nodes of the inputs that a gradient flows to, or None if it flows to none."""
        edges: list[GraphNode | None] = []
        for name, value in zip(self.arguments, inputs, strict=True):
            node = value.node if isinstance(value, Tensor) else None
            if node is not None and name not in self.rules:
                raise RuntimeError(
                    f"{self.name}: argument {name} requires a gradient, but this operation has none by it"
                )
            edges.append(None if self.rules.get(name) is ZERO else node)
        return tuple(edges) if any(edge is not None for edge in edges) else None

    def _record(
        self,
        inputs: list[Any],
        edges: tuple[GraphNode | None, ...],
        settings: dict[str, Any],
        y: Tensor,
        extras: dict[str, Any],
    ) -> Node:
        """The node of a call. A fused activation is a second node, which saves the only array there is: its output."""
        shapes = tuple(getattr(value, "shape", ()) for value in inputs)
        end = None
        if self.epilogue:
            settings = dict(settings)
            end, slope = settings.pop("activation"), settings.pop("negative_slope")
            if end == "leaky_relu" and not slope >= 0:
                raise ValueError(f"{self.name}: negative_slope expects at least 0 but got {slope}")
        saved: dict[str, Any] = {}
        for name in self._needs(tuple(edge is not None for edge in edges)):
            if name in self.arguments:
                saved[name] = save(inputs[self.arguments.index(name)])
            elif name == "y":
                saved[name] = save_output(y)
            elif name in extras:
                kept = extras[name]
                saved[name] = save_output(y) if kept is y.data else kept
        node = Node(self, edges, shapes, settings, saved)
        if end is None:
            return node
        activation = PRIMITIVES[end]
        settings = {"negative_slope": slope} if "negative_slope" in activation.parameters else {}
        return Node(activation, (node,), (y.shape,), settings, {"y": save_output(y)})

    def _needs(self, wanted: tuple[bool, ...]) -> set[str]:
        """The names that the rules for the wanted arguments ask for."""
        needs = self._needed.get(wanted)
        if needs is None:
            if self.unfused is not None:
                needs = {*self.rules, *(self.together.needs if self.together is not None else ())}
            else:
                names = (name for name, want in zip(self.arguments, wanted, strict=True) if want)
                needs = {need for name in names for need in self.rules[name].needs}
            self._needed[wanted] = needs
        return needs

    # --- backward ---

    def pull_back(self, node: Node, gy: Tensor, wants: tuple[bool, ...]) -> Sequence[Tensor | None]:
        """The gradients by the inputs that want one."""
        if self.unfused is not None:
            found = self._pull_back_at_once(node, gy, {n for n, w in zip(self.arguments, wants, strict=True) if w})
        else:
            found = {}
            for name, want in zip(self.arguments, wants, strict=True):
                if want:
                    rule = self.rules[name]
                    found[name] = rule.function(gy, *[node[need] for need in rule.needs])
        gradients: list[Tensor | None] = []
        for name, want, shape in zip(self.arguments, wants, node.shapes, strict=True):
            g = found[name] if want else None
            if g is not None and g.shape != shape:
                if not self.broadcasts:
                    raise RuntimeError(f"{self.name}: the gradient by {name} has shape {g.shape} but expects {shape}")
                g = g.sum_to_size(shape)
            gradients.append(g)
        return gradients

    def _pull_back_at_once(self, node: Node, gy: Tensor, wants: set[str]) -> dict[str, Tensor]:
        recorded = is_grad_enabled()
        if self.together is not None and not recorded:
            found = self.together.function(gy, *[wants if n == "wants" else node[n] for n in self.together.needs])
            if found is not None:
                return found
        assert self.unfused is not None
        values = {name: node[name] for name in self.rules}
        with enable_grad():
            # Aliases: the gradient is by this call's arguments alone, even where one was computed from another.
            aliases = {name: PRIMITIVES["reshape"](values[name], values[name].shape) for name in sorted(wants)}
            y = self.unfused(**{**values, **aliases}, **node.settings)
        return dict(zip(aliases, grad(y, list(aliases.values()), gy, create_graph=recorded), strict=True))


def primitive(
    *, broadcasts: bool = False, views: bool = False, epilogue: bool = False, writes: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Primitive]:
    """Make a function on arrays differentiable.

    Parameters
    ----------
    broadcasts : bool
        The arguments broadcast against each other, so gradients are summed back to their shapes.
    views : bool
        The result may share the memory of the first argument.
    epilogue : bool
        The settings ``activation`` and ``negative_slope`` are those of an activation fused into the kernel.
    writes : tuple of str
        Arguments that the function writes in place.

    The function returns an array, or an array and a dictionary of further arrays that rules may name. If it has a
    parameter ``recorded``, it is told whether a gradient may be asked for, and can compute what that needs meanwhile.
    """
    return lambda forward: Primitive(forward, broadcasts, views, epilogue, writes)
