"""What every training recipe shares: the progress bar, the log, Ctrl-C, and the learning rate over time."""

import json
import math
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from .errors import TilegradError


def say(line: str = "") -> None:
    """Print one line at once: somebody may be following it through a pipe."""
    print(line, flush=True)


def progress(steps: Iterable[int], *, total: int, label: str) -> Iterator[int]:
    """Go through ``steps``; on a terminal (and with tqdm installed) show a bar on stderr that leaves no trace."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield from steps
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield from steps
        return
    yield from tqdm(steps, total=total, desc=label, unit="batch", leave=False, file=sys.stderr, dynamic_ncols=True)


class CtrlC:
    """While this context lasts, the first Ctrl-C only sets ``pressed``, so that a step is never cut in two.

    A second Ctrl-C raises KeyboardInterrupt at once. Outside the main thread, where Python allows no signal handler,
    nothing is changed.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._before: Any = None

    def __enter__(self) -> "CtrlC":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _press(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True


class RunLog:
    """JSON lines in a file that is started anew, one flushed line for each record.

    JSON has no infinity, such as the PSNR of equal pictures: it is written as null. NaN is refused with a ValueError.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with RunLog(Path(folder) / "log.jsonl") as log:
    ...         log.write({"epoch": 1, "loss": 0.5})
    ...     (Path(folder) / "log.jsonl").read_text()
    '{"epoch": 1, "loss": 0.5}\\n'
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 (closed by __exit__)
        except OSError as error:
            raise TilegradError(f"{path}: cannot be written ({error.strerror})") from error

    def write(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(_without_infinity(record), allow_nan=False) + "\n")
        self._file.flush()

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _without_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_infinity(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isinf(value) else value


def cosine(step: int, steps: int, *, highest: float, warm_up: int = 0) -> float:
    """The learning rate of step ``step`` (from 0): a linear rise over ``warm_up`` steps, then half a cosine down to 0.

    Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017, without restarts.

    >>> [round(cosine(step, 4, highest=1.0), 3) for step in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if step < warm_up:
        return highest * (step + 1) / (warm_up + 1)
    return highest * 0.5 * (1.0 + math.cos(math.pi * (step - warm_up) / max(steps - warm_up, 1)))
