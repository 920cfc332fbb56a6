"""Other libraries on the same work: one module for each, imported only where the library is installed."""

import importlib
import importlib.util

from ..contestant import Contestant

RIVALS = ("torch",)
"""Libraries; `tilegrad.benchmarks.rivals.<library>` has ``contestants(threads)``."""


def installed(threads: int) -> list[Contestant]:
    """The contestants of every library that can be imported, each set to use ``threads`` threads."""
    found: list[Contestant] = []
    for library in RIVALS:
        if _importable(library):
            module = importlib.import_module(f"{__name__}.{library}")
            found += module.contestants(threads)
    return found


def _importable(library: str) -> bool:
    try:
        importlib.import_module(library)
    except ImportError:
        return False
    return True
