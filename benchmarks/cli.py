"""The command: ``tilegrad bench``, ``python -m benchmarks``, ``python -m tilegrad.benchmarks``.

Only argparse is imported before something is measured, so that ``--help`` answers at once.
"""

import argparse
import fnmatch
import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilegrad.errors import INTERRUPTED, TilegradError, UsageError
from tilegrad.files import check_writable, replacing

if TYPE_CHECKING:
    from .kinds import Work
    from .rows import Row
    from .suites import Suite

Record = Mapping[str, Any]

DESCRIPTION = (
    "Measure tilegrad on this machine, beside PyTorch and ONNX Runtime where they are installed: whole training steps, "
    "inference, convolutions, elementwise functions, the cost of a call and of a start; or classical filters, beside "
    "OpenCV, scikit-image and Pillow. Results are compared before anything is timed; rows that fall short of what they "
    "must reach are named at the end."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to a parser."""
    parser.add_argument(
        "--filters", action="store_true", help="the classical filters, beside OpenCV, scikit-image and Pillow, instead"
    )
    parser.add_argument(
        "--ladder", choices=("conv2d", "conv2d_input_grad", "conv2d_weight_grad"),
        help="every variant of one operation instead, from the definition's loops to the fastest, on one layer",
    )  # fmt: skip
    parser.add_argument(
        "--gpu", action="store_true",
        help="training steps and convolutions on a CUDA GPU instead, beside PyTorch; goes with --only, --quick, --json",
    )  # fmt: skip
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN",
        help="rows whose name contains PATTERN, or matches it where it has * ? or []; may be given more than once",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="show the rows' names and measure nothing")
    parser.add_argument("--quick", action="store_true", help="few repetitions: a first impression, not a figure")
    parser.add_argument("--threads", type=int, metavar="N", help="threads for every library (default: all)")
    parser.add_argument("--retries", type=int, metavar="N", help="measure a noisy row up to N times more (default 3)")
    parser.add_argument(
        "--malloc", choices=("tuned", "default"), default="tuned",
        help="tuned (the default): glibc keeps freed memory, the best case for a rival that allocates its results with "
        "malloc; default: as the system has it",
    )  # fmt: skip
    parser.add_argument(
        "--compile", action="store_true",
        help="whole networks through torch.compile too: a column of its own, and some minutes of compilation",
    )  # fmt: skip
    parser.add_argument("--json", metavar="PATH", help="also write the rows to this file, a JSON record a line")
    parser.add_argument("--plot", metavar="PATH", help="also draw the ratios into this picture (needs matplotlib)")
    parser.add_argument(
        "--save", metavar="FOLDER",
        help="write text and records of the whole table into this folder, named by date, processor and threads",
    )  # fmt: skip


def suite_of(options: argparse.Namespace) -> "Suite":
    """The table that the options name."""
    from . import suites

    if options.ladder:
        return suites.ladder(options.ladder)
    return suites.filters() if options.filters else suites.networks()


def select(suite: "Suite", patterns: Sequence[str], quick: bool = False) -> "list[Work]":
    """The workloads that a pattern names, in the list's order; without patterns all.

    A quick look leaves out the slow ones, unless the patterns name no others.
    """
    chosen = [work for work in suite.works if not patterns or any(_matches(work.name, p) for p in patterns)]
    if not chosen:
        raise UsageError(f"no row matches {' or '.join(patterns)}; --list shows them")
    fast = [work for work in chosen if not any(_matches(work.name, p) for p in suite.slow)]
    return fast if quick and fast else chosen


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) if any(c in pattern for c in "*?[") else pattern in name


def run(options: argparse.Namespace) -> None:
    """Do what the options say; raises where results differ."""
    if options.gpu:
        if options.filters or options.ladder or options.compile or options.plot or options.save:
            raise UsageError("--gpu goes with --only, --list, --quick and --json alone")
        if options.json is not None:
            check_writable(options.json)
        from . import gpu

        gpu.run(options.only, quick=options.quick, json_file=options.json, listing=options.list)
        return
    suite = suite_of(options)
    works = select(suite, options.only, options.quick)
    if options.list:
        print("\n".join(work.name for work in works))
        return
    _check(options)
    records: list[Record] = []
    printed: list[str] = []
    rows: list[Row] = []

    def show(text: str) -> None:
        printed.append(text + "\n")
        print(text, flush=True)

    try:
        _measure_all(suite, works, options, show, records, rows)
    finally:
        if options.json is not None and records:
            with replacing(options.json) as temporary:
                temporary.write_text("".join(json.dumps(record) + "\n" for record in records))
    differ = [row.name for row in rows if not row.equal]
    if differ:
        raise TilegradError(f"results differ from a rival's in {', '.join(differ)}")
    if options.plot is not None:
        from .plot import draw

        draw(rows, Path(options.plot))
    if options.save is not None:
        from .results import save

        print("saved " + " and ".join(map(str, save(Path(options.save), "".join(printed), records))))


def _check(options: argparse.Namespace) -> None:
    """Refuse now what would fail after the work."""
    if options.retries is not None and options.retries < 0:
        raise UsageError(f"--retries expects at least 0 but is {options.retries}")
    if options.compile and options.filters:
        raise UsageError("--compile is for whole networks: it does not go with --filters")
    if options.ladder and (options.filters or options.compile or options.save):
        raise UsageError("--ladder goes with neither --filters nor --compile nor --save")
    for path in (options.json, options.plot):
        if path is not None:
            check_writable(path)
    if options.plot is not None:
        from .plot import pyplot

        pyplot()
    if options.save is not None:
        if options.only or options.quick:
            raise UsageError("--save is for the whole table: it goes with neither --only nor --quick")
        check_writable(Path(options.save) / "table.txt")


def _measure_all(
    suite: "Suite", works: "Sequence[Work]", options: argparse.Namespace, show: Callable[[str], None],
    records: "list[Record]", rows: "list[Row]",
) -> None:  # fmt: skip
    """Measure and show; ``records`` and ``rows`` grow row by row."""
    import dataclasses

    from . import machine, rivals, table, timing
    from .filter_kinds import Filter
    from .network_kinds import Network
    from .rows import measure

    settings = timing.QUICK if options.quick else timing.FULL
    if options.retries is not None:
        settings = dataclasses.replace(settings, retries=options.retries)
    # Rivals are loaded before our own threads start, so that each library has the OpenMP that it has when it is alone.
    missing = rivals.compiler_missing() if options.compile else None
    sides = functools.partial(suite.sides, compiled=options.compile and missing is None)
    sides(1)
    threads = machine.use_threads(options.threads)
    malloc = machine.keep_freed_memory() if options.malloc == "tuned" else machine.as_started()
    contestants = sides(threads)
    facts = machine.describe([c.library for c in contestants], threads, malloc, settings.patience)
    facts |= {"table": suite.name, "precision": suite.precision}
    records.append({"record": "machine", **facts, "left_out": missing, "settings": dataclasses.asdict(settings)})
    without = [rivals.missing(suite.rivals), missing and f"without torch.compile: {missing}"]
    above = "\n".join([machine.head(facts), *filter(None, without)])
    show(f"{above}\n\n{table.LEGENDS[suite.name]}")
    lines = table.Table([contestant.name for contestant in contestants])
    for work in works:
        count = min(threads, (work.threads if isinstance(work, Network) else None) or threads)
        row = measure(work, sides(machine.use_threads(count)), count, settings)
        if isinstance(work, Filter) and threads > 1 and row.equal:
            row.add_one_thread(measure(work, sides(machine.use_threads(1)), 1, settings))
        rows.append(row)
        records.append(row.record())
        show(lines.lines(row))
    show(f"\n{table.summary(rows)}")
    records.append({"record": "summary", **table.facts(rows)})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 1 results differ or a file is wrong, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=DESCRIPTION)
    add_arguments(parser)
    try:
        run(parser.parse_args(arguments))
    except TilegradError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("benchmarks: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0
