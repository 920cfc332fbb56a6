"""Programs in fresh processes, timed from their start until they say that they are ready."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

from tilegrad.errors import TilegradError

from .timing import Settings, Timing

_PEAK = """
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


class Process(NamedTuple):
    """One run: seconds until "ready", the most memory it held in bytes, and what else it printed."""

    seconds: float
    peak_bytes: int
    said: str


def run(program: str, folder: str, environment: dict[str, str]) -> Process:
    """Run a Python program in ``folder``, which is not on its import path."""
    with tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-P", "-c", program + _PEAK],
            cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds = time.perf_counter() - start
            rest = process.stdout.read()
        errors.seek(0)
        complaint = errors.read().strip() or "no message"
    if line != "ready\n" or process.returncode != 0:
        last = complaint.splitlines()[-1]
        raise TilegradError(f"a fresh process failed with status {process.returncode}: {last}")
    *said, peak = rest.split("\n")[:-1]
    return Process(seconds, int(peak) * 1024, " ".join(said))


def times(programs: Sequence[str], warm: bool, threads: int, settings: Settings) -> tuple[list[Timing], list[Process]]:
    """Run the programs in turns, in an empty folder with a kernel cache of its own; the last run of each is returned.

    ``warm``: one run of each goes first and is not counted, so that kernel cache and file cache are filled. Otherwise
    every run starts with an empty kernel cache (while the system may still remember the files of the libraries).
    """
    with tempfile.TemporaryDirectory(prefix="tilegrad-bench-") as folder:
        threads_of_both = {"NUMBA_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        count = (settings.processes if warm else settings.first_processes) + warm
        runs: list[list[Process]] = [[] for _ in programs]
        for turn in range(count):
            cache = {"TILEGRAD_CACHE_DIR": os.path.join(folder, "warm" if warm else f"first-{turn}")}
            for program, found in zip(programs, runs, strict=True):
                found.append(run(program, folder, {**threads_of_both, **cache}))
    return [Timing.of([r.seconds for r in found[warm:]]) for found in runs], [found[-1] for found in runs]
