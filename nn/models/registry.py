"""The list of models that a file may name."""

from collections.abc import Iterator
from typing import Any, TypeVar

from ..modules import Module


class Model(Module):
    """A module that can say what it was made with, so that a file can make another one."""

    def configuration(self) -> dict[str, Any]:
        """The keyword arguments, plain JSON, that make a model like this one."""
        raise TypeError(f"{type(self).__name__} does not define configuration")

    @classmethod
    def shapes(cls, **configuration: Any) -> Iterator[tuple[str, tuple[int, ...]]] | None:
        """Names and shapes of what a model of this configuration holds, told one by one without making it.

        `load` goes through them before it makes a model, so that a file cannot ask for more than it holds. None, the
        default, leaves that check out.
        """
        return None


MODELS: dict[str, type[Model]] = {}

M = TypeVar("M", bound=Model)


def register_model(model: type[M]) -> type[M]:
    """Put a subclass of `Model` on the list (a decorator)."""
    if MODELS.setdefault(model.__name__, model) is not model:
        raise ValueError(f"register_model: another model is named {model.__name__}")
    return model
