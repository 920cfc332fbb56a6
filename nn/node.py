"""A node of the graph: one recorded operation, and what was saved for its gradient."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .autograd import GraphNode, Version, next_number
from .tensor import Tensor

if TYPE_CHECKING:
    from .primitive import Primitive


class Saved(NamedTuple):
    """An array kept for backward, the version it had, and the node it came from."""

    array: Any
    version: Version
    saved_at: int
    node: GraphNode | None


def save(value: Any) -> Any:
    """An argument, kept as it is now; what is not a tensor is kept itself."""
    return Saved(value.data, value.version, value.version.count, value.node) if isinstance(value, Tensor) else value


def save_output(y: Tensor) -> Saved:
    """A result, kept without its node, which is the one that keeps it: that would be a cycle."""
    return Saved(y.data, y.version, y.version.count, None)


class Node:
    """One recorded operation: what it was called with, what its gradient rules need, and where its inputs came from."""

    __slots__ = ("edges", "number", "primitive", "saved", "settings", "shapes")

    def __init__(
        self,
        primitive: "Primitive",
        edges: tuple[GraphNode | None, ...],
        shapes: tuple[Any, ...],
        settings: dict[str, Any],
        saved: dict[str, Any],
    ) -> None:
        self.number = next_number()
        self.primitive = primitive
        self.edges = edges
        self.shapes = shapes
        self.settings = settings
        self.saved: dict[str, Any] | None = saved

    def __repr__(self) -> str:
        return f"<{self.primitive.name}>"

    def release(self) -> None:
        if self.saved:
            self.saved = None

    def __getitem__(self, name: str) -> Any:
        """What a rule asks for by ``name``; see `Primitive`."""
        if self.saved is None:
            raise RuntimeError(
                f"{self.primitive.name}: what its gradient needs was freed by an earlier backward; "
                "pass retain_graph=True to that one to go through the graph again"
            )
        if name in self.saved:
            value = self.saved[name]
            if not isinstance(value, Saved):
                return value
            if value.version.count != value.saved_at:
                raise RuntimeError(
                    f"{self.primitive.name}: {'its output' if name == 'y' else f'argument {name}'} was changed in "
                    f"place after it had been saved for backward (version {value.version.count}, saved at version "
                    f"{value.saved_at})"
                )
            node = self if name == "y" and name not in self.primitive.arguments else value.node
            return Tensor.wrap(value.array, node, value.version)
        if name in self.settings:
            return self.settings[name]
        if name == "settings":
            return self.settings
        return self.shapes[self.primitive.arguments.index(name.removesuffix("_shape"))]

    def gradients(self, gy: Tensor, wants: tuple[bool, ...]) -> Sequence[Tensor | None]:
        return self.primitive.pull_back(self, gy, wants)
