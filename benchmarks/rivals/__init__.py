"""Other libraries on the same work: one module for each, imported only where the library is installed."""

import importlib
from collections.abc import Mapping

from ..contestant import Contestant, UnavailableError

Rivals = Mapping[str, tuple[str, ...]]

NETWORK_RIVALS: Rivals = {"torch": ("torch",), "onnxruntime": ("onnxruntime", "onnx")}
"""Modules of this package, which have ``contestants(threads, compiled)``, and the libraries that they need."""
FILTER_RIVALS: Rivals = {"opencv": ("cv2",), "skimage": ("skimage", "scipy"), "pillow": ("PIL",)}


def installed(threads: int, compiled: bool = False, rivals: Rivals = NETWORK_RIVALS) -> list[Contestant]:
    """The contestants of every library that can be imported, each set to use ``threads`` threads.

    ``compiled``: those that compile whole networks too, which takes minutes; `UnavailableError` says why they cannot.
    """
    found: list[Contestant] = []
    for name, libraries in rivals.items():
        if all(map(_importable, libraries)):
            module = importlib.import_module(f"{__name__}.{name}")
            found += module.contestants(threads, compiled)
    return found


def missing(rivals: Rivals) -> str | None:
    """Which libraries are missing, and what brings them, in one line; None where all are there."""
    absent = [library for libraries in rivals.values() for library in libraries if not _importable(library)]
    return f'without {" and ".join(absent)}: python -m pip install "tilegrad[bench]"' if absent else None


def compiler_missing() -> str | None:
    """Why whole networks cannot be compiled, in one line, or None where they can."""
    try:
        installed(1, compiled=True)
    except UnavailableError as reason:
        return str(reason)
    return None if _importable("torch") else "PyTorch is not installed"


def _importable(library: str) -> bool:
    try:
        importlib.import_module(library)
    except ImportError:
        return False
    return True
