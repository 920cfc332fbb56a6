"""`tilegrad warmup`: kernels compiled ahead of their first use, and stored for all later processes."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import nn
from .errors import TilegradError
from .kernels.machine import cache
from .kernels.machine.ahead import Kernel, Outcome, compile_ahead
from .kernels.warmup import call_samples, missing_kernels

_SIZES = ((64, 64), (321, 481), (512, 512))  # small and large, odd and even: what is compiled may depend on it


def run(model: str | None = None, recipe: str | None = None, everything: bool = False, jobs: int | None = None) -> str:
    """Compile what a saved model, a recipe or, with ``everything``, any operation needs; say what was done.

    Raises
    ------
    TilegradError
        If the model cannot be read, or a kernel cannot be compiled or stored.
    """
    if not cache.writable():
        raise TilegradError(f"{cache.cache_folder()}: cannot be written, so that nothing compiled would last")
    began = time.perf_counter()
    missing = missing_kernels(_needs(model, recipe, everything))
    outcome = compile_ahead(missing, jobs, _show_progress if sys.stderr is not None and sys.stderr.isatty() else None)
    _check(missing, outcome)
    kernels, _, total_bytes = cache.usage()
    holds = f"{cache.cache_folder()} holds {kernels} kernels, {total_bytes / 2**20:.1f} MiB"
    if not missing:
        return f"nothing to do; {holds}"
    by = f"{outcome.processes} processes" if outcome.processes > 1 else "1 process"
    return f"{outcome.compiled} kernels compiled in {time.perf_counter() - began:.1f} s by {by}; {holds}"


def _needs(model: str | None, recipe: str | None, everything: bool) -> Callable[[], None]:
    """What calls all that is to be compiled."""
    if everything:
        return _call_everything
    if model is not None:
        return _restoring(Path(model))
    from .recipes import classify, denoise, gan, settings

    rehearsals: dict[str, Callable[[], None]] = {
        "denoise": lambda: denoise.rehearse(settings.DenoiseSettings()),
        "gan": lambda: gan.rehearse(settings.GANSettings()),
        "classify": lambda: classify.rehearse(settings.ClassifySettings()),
    }

    def rehearse() -> None:
        for name in rehearsals if recipe is None else [recipe]:
            rehearsals[name]()

    return rehearse


def _call_everything() -> None:
    for dtype in ("float32", "float64"):
        call_samples(np.dtype(dtype))


def _restoring(path: Path) -> Callable[[], None]:
    from .restore import load_model

    model: Any = load_model(path)
    channels = model.configuration().get("image_channels", 1)

    def call() -> None:
        for height, width in _SIZES:
            try:
                with nn.no_grad():
                    model(nn.Tensor(np.zeros((1, height, width, channels), np.float32)))
            except ValueError as error:
                raise TilegradError(f"{path}: does not take pictures ({error})") from error

    return call


def _show_progress(done: int, total: int, name: str) -> None:
    print(f"\rcompiling kernels: {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _check(missing: Sequence[Kernel], outcome: Outcome) -> None:
    for name, reason in outcome.failures.items():
        raise TilegradError(f"{len(outcome.failures)} of {len(missing)} kernels not compiled; {name}: {reason}")
    unwritten = sum(not family.stored(*parameters) for family, parameters in missing)
    if unwritten:
        raise TilegradError(f"{cache.generation()}: {unwritten} of {len(missing)} kernels could not be written")
