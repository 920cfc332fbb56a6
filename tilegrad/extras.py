"""The optional packages: which extra of tilegrad brings each, and one clear line where one is missing."""

import importlib
from types import ModuleType
from typing import Any

from .errors import TilegradError

# Import name -> extra. The extras stand in setup.cfg; `[train]` contains `[images]`.
EXTRA_OF = {
    "PIL": "images",
    "png": "images",
    "tifffile": "images",
    "skimage": "train",
    "matplotlib": "train",
    "tqdm": "train",
}
_DISTRIBUTION_OF = {"PIL": "pillow", "png": "pypng", "skimage": "scikit-image"}


def distribution_of(module: str) -> str:
    """The name under which an import is installed.

    >>> distribution_of("PIL.Image"), distribution_of("tqdm")
    ('pillow', 'tqdm')
    """
    top = module.partition(".")[0]
    return _DISTRIBUTION_OF.get(top, top)


def require(module: str, needed_by: str) -> Any:
    """Import ``module``, or raise a line that says who needs it and what installs it.

    Parameters
    ----------
    module : str
        Dotted import name, ``"PIL.Image"``; its first part stands in ``EXTRA_OF``.
    needed_by : str
        The subject of the sentence: ``"tilegrad train"``, ``"reading a.png"``.

    Raises
    ------
    TilegradError
        ``tilegrad train needs matplotlib: python -m pip install "tilegrad[train]"``.

    Examples
    --------
    >>> require("PIL.Image", "reading a.png").__name__
    'PIL.Image'
    """
    try:
        loaded: ModuleType = importlib.import_module(module)
    except ImportError as error:
        extra = EXTRA_OF[module.partition(".")[0]]
        raise TilegradError(
            f'{needed_by} needs {distribution_of(module)}: python -m pip install "tilegrad[{extra}]"'
        ) from error
    return loaded


def require_device(device: str) -> None:
    """Raise a line that says what is missing where arrays cannot be made on ``device``, "cpu" or "cuda".

    >>> require_device("cpu")
    """
    from .kernels.arrays import check_device

    try:
        check_device(device)
    except (RuntimeError, ValueError) as error:
        raise TilegradError(str(error)) from error
