"""What the tests of the command line share: tiny settings, and the types of their fixtures."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TINY = ("--epochs", "2", "--steps", "3", "--batch", "2", "--patch", "16", "--depth", "3", "--channels", "4")

Tilegrad = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Ended:
    """Status and output of a command that ran in this process."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Trained:
    """A finished run of `tilegrad train denoise` on the small pictures."""

    folder: Path
    output: str

    @property
    def model(self) -> Path:
        return self.folder / "model.safetensors"
