"""tilegrad: hand-written image kernels, and the smallest autograd that trains GANs and image restorers on them.

The package is lazy: ``import tilegrad`` loads nothing heavy, and ``tilegrad.nn``, ``tilegrad.kernels`` and
``tilegrad.filters`` are imported when they are first named.

>>> import tilegrad
>>> isinstance(tilegrad.__version__, str)
True
"""

import importlib
from types import ModuleType

from ._version import __version__

_SUBPACKAGES = ("benchmarks", "filters", "kernels", "nn")

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
