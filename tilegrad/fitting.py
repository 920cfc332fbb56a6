"""Going through a training's steps and epochs: progress, records, checkpoints, Ctrl-C, and going on after any of them.

A recipe gives a `Learner`, whose step is a function of its state and of the step's number alone. So a run that was
interrupted, or killed, goes on from its checkpoint to the same bits as one that never stopped.
"""

import math
import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from . import nn
from .errors import TilegradError, TrainingInterruptedError
from .kernels.machine.ahead import compile_ahead
from .kernels.warmup import missing_kernels
from .training import CtrlC, RunLog, progress, say

CHECKPOINT = "checkpoint.safetensors"
_SECONDS_BETWEEN = 120.0  # checkpoints within an epoch
_STEPS_BETWEEN_READINGS = 64  # of losses that lie on a GPU


class Learner(Protocol):
    """What a recipe trains."""

    def step(self, number: int) -> dict[str, nn.Tensor]:
        """Train on batch ``number``, counted from 0; the losses, by name. The next step may write over them."""

    def epoch_ended(self, record: dict[str, Any]) -> dict[str, Any]:
        """Measure and save what has been learnt; more facts for the record. Called again after a resumption."""

    def line(self, record: Mapping[str, Any]) -> str:
        """A record in words."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Settings(Protocol):
    """The dataclass of a recipe's settings has at least these."""

    @property
    def epochs(self) -> int: ...
    @property
    def steps(self) -> int:
        """Batches in an epoch."""

    @property
    def batch(self) -> int:
        """Images in a batch."""


class Fit:
    """A training on its way: how far it is, what it has recorded, and its checkpoint in ``folder``.

    Parameters
    ----------
    learner : Learner
    folder : path
        Where the checkpoint is written: after each epoch, now and then within one, and on Ctrl-C.
    facts : dict
        JSON that says what run this is. A checkpoint of other facts is not resumed.
    settings : dataclass
        Of the recipe. They are kept in the checkpoint, so that `resumed_settings` gives them back.
    """

    def __init__(self, learner: Learner, folder: Path, facts: dict[str, Any], settings: Settings) -> None:
        self.learner, self.folder, self.facts, self.settings = learner, folder, facts, settings
        self.epochs, self.steps = settings.epochs, settings.steps
        self.records: list[dict[str, Any]] = []
        self.losses: list[dict[str, float]] = []
        """Of the steps of the epoch that is on its way."""
        self._unread: list[dict[str, nn.Tensor]] = []
        """Losses of the last steps that still lie on a GPU, which nobody has waited for."""
        self.seconds = 0.0
        """That it has taken."""

    def resume(self) -> None:
        """Go back to the checkpoint in the folder.

        Raises
        ------
        TilegradError
            If there is none, it cannot be read, or it is of another run.
        """
        state = read_checkpoint(self.folder)
        if state["facts"] != self.facts:
            known = [name for name in self.facts if state["facts"].get(name) != self.facts[name]]
            raise TilegradError(f"{self.folder / CHECKPOINT}: is of a run with other {', '.join(known) or 'settings'}")
        for half in self.folder.glob(".*.safetensors.*"):  # left by a run that was killed while it wrote
            half.unlink()
        self.records, self.losses, self.seconds = state["records"], state["losses"], state["seconds"]
        self.learner.load_state_dict(state["learner"])
        nn.default_generator.set_state(state["random"])

    def run(self, log: RunLog, ctrl_c: CtrlC) -> list[dict[str, Any]]:
        """Train to the end; return the records of all epochs.

        Raises
        ------
        TrainingInterruptedError
            After Ctrl-C, when the checkpoint is written.
        """
        for record in self.records:
            log.write(record)
        while len(self.records) < self.epochs:
            self._epoch(ctrl_c)
            losses = {name: float(np.mean([loss[name] for loss in self.losses])) for name in self.losses[0]}
            rate = self.steps * self.settings.batch / max(self.seconds, 1e-9)
            record = {"epoch": len(self.records) + 1, **losses, "images_per_second": rate, "seconds": self.seconds}
            record |= self.learner.epoch_ended(record)
            self.records.append(record)
            self.losses, self.seconds = [], 0.0
            log.write(record)
            say(self.learner.line(record))
            self.save()
            if ctrl_c.pressed and len(self.records) < self.epochs:
                self._stop()
        return self.records

    def _epoch(self, ctrl_c: CtrlC) -> None:
        """The steps that this epoch lacks."""
        number = len(self.records)
        first, last = number * self.steps + len(self.losses), (number + 1) * self.steps
        began = saved = time.perf_counter()
        before = self.seconds
        for step in progress(range(first, last), total=last - first, label=f"epoch {number + 1}/{self.epochs}"):
            self._keep(self.learner.step(step))
            now = time.perf_counter()
            self.seconds = before + now - began
            if ctrl_c.pressed and step + 1 < last:
                self.save()
                self._stop()
            if now - saved > _SECONDS_BETWEEN:
                self.save()
                saved = time.perf_counter()
        self._read()
        self.seconds = before + time.perf_counter() - began

    def _keep(self, losses: dict[str, nn.Tensor]) -> None:
        """Note the losses of a step: those in main memory now, those on a GPU when some have gathered."""
        on_cuda = any(loss.device == "cuda" for loss in losses.values())
        self._unread.append({name: loss.clone() for name, loss in losses.items()} if on_cuda else losses)
        if not on_cuda or len(self._unread) == _STEPS_BETWEEN_READINGS:
            self._read()

    def _read(self) -> None:
        """Read the losses that lie on a GPU, which waits for it."""
        for losses in self._unread:
            found = {name: float(loss.item()) for name, loss in losses.items()}
            if not all(math.isfinite(value) for value in found.values()):
                seen = ", ".join(f"{name} {value}" for name, value in found.items())
                batch = len(self.records) * self.steps + len(self.losses) + 1
                raise TilegradError(f"a loss is no longer finite in batch {batch} ({seen}); a smaller --lr may help")
            self.losses.append(found)
        self._unread = []

    def save(self) -> None:
        """Write the checkpoint; where that fails, the one before stays."""
        self._read()
        path = self.folder / CHECKPOINT
        state = {
            "facts": self.facts,
            "settings": asdict(self.settings),  # type: ignore[call-overload]  # a protocol cannot say "a dataclass"
            "records": self.records,
            "losses": self.losses,
            "seconds": self.seconds,
            "random": nn.default_generator.get_state(),
            "learner": self.learner.state_dict(),
        }
        try:
            nn.save_checkpoint(state, path)
        except OSError as error:
            kept = "; the one before is whole" if path.exists() else ""
            raise TilegradError(f"{path}: cannot be written ({error.strerror}){kept}") from error

    def _stop(self) -> None:
        done, more = len(self.records), len(self.losses)
        steps = f" and {more} of {self.steps} batches" if more else ""
        raise TrainingInterruptedError(
            f"interrupted after {done} of {self.epochs} epochs{steps}; the same command with --resume goes on from "
            f"{self.folder / CHECKPOINT}"
        )


def compile_kernels(rehearse: Callable[[], None]) -> None:
    """Compile what ``rehearse`` calls, all at once by several processes; training would do it one after the other."""
    missing = missing_kernels(rehearse)
    if missing:
        say(f"compiling {len(missing)} kernels, which later runs find on disk")
        compile_ahead(missing)  # what fails here is compiled, or explained, by what needs it


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """The checkpoint that a run left in its folder.

    Raises
    ------
    TilegradError
        If there is none, or it cannot be read.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise TilegradError(f"{path}: no such file: {folder} holds no training that could go on")
    try:
        state = nn.load_checkpoint(path)
        missing = {"facts", "settings", "records", "losses", "seconds", "random", "learner"} - state.keys()
        if missing:
            raise ValueError(f"{', '.join(sorted(missing))} missing")
    except (OSError, ValueError) as error:
        raise TilegradError(f"{path}: cannot be read as a checkpoint ({error})") from error
    return state


def resumed_settings(
    recipe: str, folder: str | os.PathLike[str], given: Mapping[str, Any], known: Collection[str]
) -> dict[str, Any]:
    """The settings with which a recipe's run in a folder was begun, and over them those that were given now.

    Those that matter are compared by `Fit.resume`; others, such as where the data lie, may have changed.

    Raises
    ------
    TilegradError
        If there is no checkpoint, or it is of another recipe or has other settings than those ``known``.
    """
    state = read_checkpoint(Path(folder))
    begun = state["facts"].get("recipe")
    if begun != recipe or state["settings"].keys() != set(known):
        of = f"tilegrad train {begun}" if begun != recipe else "another version of tilegrad"
        raise TilegradError(f"{Path(folder) / CHECKPOINT}: is of {of}")
    return {**state["settings"], **given}
