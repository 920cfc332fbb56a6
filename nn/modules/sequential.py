"""Modules one after another."""

from collections.abc import Iterator
from itertools import zip_longest

from ..functional.chain import Unapplied
from ..tensor import Tensor
from .module import Module
from .normalization import Block


class Sequential(Module):
    """Modules one after another, named by their places.

    Blocks of convolution, batch normalisation and activation that follow each other, and that tensor cores take, hand
    on what they have not normalised, and the next does that as it reads; the numbers are the same within rounding.

    >>> from tilegrad import nn
    >>> nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    Sequential(
      (0): Conv2d(3, 8, kernel_size=(3, 3))
      (1): ReLU()
    )
    """

    def __init__(self, *modules: Module) -> None:
        for index, module in enumerate(modules):
            setattr(self, str(index), module)

    def forward(self, x: Tensor) -> Tensor:
        modules = list(self)
        held: Tensor | Unapplied = x
        for module, following in zip_longest(modules, modules[1:]):
            in_a_row = isinstance(held, Unapplied) or isinstance(following, Block)
            if in_a_row and isinstance(module, Block) and module.links(held):
                held = module.link(held)
            else:
                held = module(_applied(held))
        return _applied(held)

    def __len__(self) -> int:
        return sum(1 for _ in self.named_children())

    def __getitem__(self, index: int) -> Module:
        return [module for _, module in self.named_children()][index]

    def __iter__(self) -> Iterator[Module]:
        return (module for _, module in self.named_children())


def _applied(x: Tensor | Unapplied) -> Tensor:
    return x.applied() if isinstance(x, Unapplied) else x
