"""Files that are written whole or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from .errors import TilegradError


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to; when the block ends well, it takes the place of ``path``.

    Parameters
    ----------
    path : path
        The file to make. Its folder must exist. If it is a link, the file that it points at is replaced.

    Yields
    ------
    Path
        An empty file in the same folder with the same suffix (libraries choose a format by it).

    Raises
    ------
    TilegradError
        If the folder does not exist or cannot be written, or ``path`` is a folder. If the block itself raises, the
        temporary file is removed, ``path`` stays as it was and the exception goes on.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "note.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "note.txt").read_text()
    'whole'
    """
    final = Path(os.path.realpath(path))
    check_writable(path)
    temporary = final.with_name(f".{final.stem}.{secrets.token_hex(8)}{final.suffix}")
    # Made with os.open and not with tempfile, whose files nobody but the owner may read.
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield temporary
        os.replace(temporary, final)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise now what writing ``path`` would raise after the work: no such folder, no permission, a folder of that name.

    Examples
    --------
    >>> check_writable("/no/such/folder/a.png")
    Traceback (most recent call last):
    ...
    tilegrad.errors.TilegradError: /no/such/folder/a.png: the folder /no/such/folder does not exist
    """
    final = Path(os.path.realpath(path))
    folder = final.parent
    if not folder.exists():
        raise TilegradError(f"{path}: the folder {Path(path).parent} does not exist")
    if not folder.is_dir():
        raise TilegradError(f"{path}: {Path(path).parent} is not a folder")
    if final.is_dir():
        raise TilegradError(f"{path}: is a folder; name a file")
    if final.exists() and not final.is_file():
        raise TilegradError(f"{path}: is not an ordinary file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TilegradError(f"{path}: no permission to write in the folder {Path(path).parent}")


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder ``path`` and those above it, or say in one line why that cannot be.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_folder(Path(folder) / "runs" / "first").is_dir()
    True
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TilegradError(f"{folder}: cannot make this folder ({error.strerror})") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TilegradError(f"{folder}: no permission to write in this folder")
    return folder
