"""The most memory that one side takes for a workload: a fresh process for each, with malloc as the system has it."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from .contestant import Arrays, Contestant
from .kinds import Work
from .network_kinds import Network
from .ours import OURS

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_CALLS = 3  # of a training step: from the second on, gradients and the optimiser's state are there

_PROGRAM = """
from tilegrad.benchmarks import memory, network_kinds
found = memory.measure(network_kinds.{work!r}, {side!r}, {threads})
print("ready")
print(found)
"""


def peaks(work: Network, sides: Sequence[str], threads: int) -> dict[str, int]:
    """Bytes by side; nothing where the system does not tell."""
    from . import processes

    if not _RESET.exists():
        return {}
    found: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="tilegrad-bench-") as folder:
        for side in sides:
            program = _PROGRAM.format(work=work, side=side, threads=threads)
            found[side] = int(processes.run(program, folder, {}).said)
    return found


def measure(work: Network, side: str, threads: int) -> int:
    """In this process: by how many bytes the work of one side raises what it holds, at most.

    A tiny network of the kind goes first and is not counted: it loads libraries and kernels. The network, packed
    weights, results and the optimiser's state count.
    """
    from . import machine, rows

    machine.use_threads(threads)
    arrays, contestant = rows.arrays_of(work), _find(side, threads)
    tiny = work.tiny()
    calls = _CALLS if work.training else 1
    _run(contestant, tiny, rows.arrays_of(tiny), calls)
    before = _peak()
    _run(contestant, work, arrays, calls)
    return _status("VmHWM") - before


def _run(contestant: Contestant, work: Work, arrays: Arrays, calls: int) -> None:
    prepared = contestant.prepare(work, arrays)
    assert prepared is not None
    for _ in range(calls):
        prepared.call()


def _find(side: str, threads: int) -> Contestant:
    from . import rivals

    if side == OURS.name:
        return OURS
    contestants = rivals.installed(threads, compiled=side == "compile")
    return next(contestant for contestant in contestants if contestant.name == side)


def _peak() -> int:
    """What the process holds now, from which on its peak is counted where the system lets us reset it."""
    try:
        _RESET.write_text("5")
    except OSError:
        return _status("VmHWM")
    return _status("VmRSS")


def _status(field: str) -> int:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
