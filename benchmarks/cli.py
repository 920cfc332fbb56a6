"""The command: ``tilegrad bench``, ``python -m benchmarks``, ``python -m tilegrad.benchmarks``.

Only argparse is imported before something is measured, so that ``--help`` answers at once.
"""

import argparse
import fnmatch
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tilegrad.errors import INTERRUPTED, TilegradError, UsageError
from tilegrad.files import check_writable, replacing

if TYPE_CHECKING:
    from .kinds import Work

DESCRIPTION = (
    "Measure tilegrad on this machine, beside PyTorch where it is installed: convolutions, whole training steps, "
    "elementwise functions, the cost of a call and of a start. Results are compared before anything is timed."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to a parser."""
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
    parser.add_argument("--json", metavar="PATH", help="also write the rows to this file, a JSON record a line")


def select(patterns: Sequence[str]) -> "list[Work]":
    """The workloads that a pattern names, in the list's order; all, where there are no patterns."""
    from .workloads import WORKLOADS

    chosen = [work for work in WORKLOADS if not patterns or any(_matches(work.name, p) for p in patterns)]
    if not chosen:
        raise UsageError(f"no row matches {' or '.join(patterns)}; --list shows them")
    return chosen


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) if any(c in pattern for c in "*?[") else pattern in name


def run(options: argparse.Namespace) -> None:
    """Do what the options say; raises where results differ."""
    works = select(options.only)
    if options.list:
        print("\n".join(work.name for work in works))
        return
    if options.retries is not None and options.retries < 0:
        raise UsageError(f"--retries expects at least 0 but is {options.retries}")
    if options.json is not None:
        check_writable(options.json)
    records: list[dict[str, Any]] = []
    try:
        differ = _measure_all(works, options, records)
    finally:
        if options.json is not None and records:
            with replacing(options.json) as temporary:
                temporary.write_text("".join(json.dumps(record) + "\n" for record in records))
    if differ:
        raise TilegradError(f"results differ from a rival's in {', '.join(differ)}")


def _measure_all(works: "Sequence[Work]", options: argparse.Namespace, records: list[dict[str, Any]]) -> list[str]:
    """Measure and print; ``records`` grows row by row. Returns the names of rows whose results differ."""
    import dataclasses

    from . import machine, rivals, timing
    from .rows import Row, measure
    from .table import LEGEND, Table, summary

    settings = timing.QUICK if options.quick else timing.FULL
    if options.retries is not None:
        settings = dataclasses.replace(settings, retries=options.retries)
    threads = machine.use_threads(options.threads)
    malloc = machine.keep_freed_memory() if options.malloc == "tuned" else machine.as_started()
    contestants = rivals.installed(threads)
    facts = machine.describe([c.library for c in contestants], threads, malloc, settings.patience)
    records.append({"record": "machine", **facts, "settings": dataclasses.asdict(settings)})
    print(f"{machine.head(facts)}\n\n{LEGEND}", flush=True)
    table, rows = Table([contestant.name for contestant in contestants]), list[Row]()
    for work in works:
        row = measure(work, contestants, threads, settings)
        rows.append(row)
        records.append(row.record())
        print(table.lines(row), flush=True)
    print(f"\n{summary(rows)}")
    return [row.name for row in rows if not row.equal]


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
