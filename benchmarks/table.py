"""Rows as aligned plain text, a line as soon as it is known: at most 120 columns wide beside two rivals."""

from collections.abc import Sequence
from typing import Any

from .ours import OURS
from .rows import Row

LABEL = 24  # widths of columns
_TIME, _RATIO, _ONE_THREAD, _GOAL, _VERDICT, _RATE, _ERROR = 12, 6, 10, 10, 14, 18, 6

LEGEND = """\
ms: median of one call; us and s likewise. +-: width of the middle half of the samples, relative to the median.
ratio: the rival's time over ours; above 1, tilegrad is faster. must/aim: the ratio to channels_last that must be
reached, and the one that is aimed at; for calls and starts, the time. rate: by the definition's operations, some of
which a fast algorithm saves, or by the least bytes; and its share of what the machine can do by multiply-adds (GFLOP/s)
or by copying (GB/s), whichever takes longer. error: of our result, the largest, relative to the rival's largest value;
no row is timed before it is small enough. !: others took over 5 % of the processors meanwhile."""

FILTER_LEGEND = """\
ms: median of one call. +-: width of the middle half of the samples, relative to the median.
ratio: the rival's time over ours; above 1, tilegrad is faster. 1 thread: the same where each side has one thread.
must/aim: the ratio that must be reached, and the one that is aimed at. rate: by the definition's operations, some of
which a fast algorithm saves, or by the least bytes; and its share of what the machine can do by multiply-adds (GFLOP/s)
or by copying (GB/s), whichever takes longer. error: of our result, the largest, relative to the rival's largest value;
0 is bit for bit; no row is timed before it is small enough. !: others took over 5 % of the processors meanwhile."""

LEGENDS = {"networks": LEGEND, "filters": FILTER_LEGEND}
"""By the name of the table."""


class Table:
    """Formats rows beside rivals; `lines` gives a section's heading too, when the section is new.

    A section has columns for those rivals that take part in its first row.
    """

    def __init__(self, rivals: Sequence[str]) -> None:
        self.all_rivals = rivals
        self.rivals: Sequence[str] = rivals
        self.section: str | None = None
        self.one_thread = False

    def lines(self, row: Row) -> str:
        """The row, below its heading if it is the first of its section."""
        if row.section == self.section:
            return self._line(row)
        self.section = row.section
        self.rivals = [name for name in self.all_rivals if name in row.timings or name in row.errors]
        self.one_thread = bool(row.one_thread)
        return f"\n{row.section}\n{self._head(row)}\n{self._line(row)}"

    def _head(self, row: Row) -> str:
        unit = _unit(row)[1]
        width = _TIME + _RATIO + (_ONE_THREAD if self.one_thread else 0)
        ratios = f"{'ratio':>{_RATIO}}" + (f"{'1 thread':>{_ONE_THREAD}}" if self.one_thread else "")
        names = f"{'':{LABEL}}{OURS.name:>{_TIME}}" + "".join(f"{name:>{width}}" for name in self.rivals)
        cells = [
            f"{'':{LABEL}}",
            _times_head(unit),
            *(_times_head(unit) + ratios for _ in self.rivals),
            f"{'must/aim':>{_GOAL}}{'':{_VERDICT}}",
        ]
        if unit == "ms":
            cells.append(f"{'rate':>{_RATE}}")
        if row.errors:
            cells.append(f"{'error':>{_ERROR}}")
        return f"{names}\n{''.join(cells).rstrip()}"

    def _line(self, row: Row) -> str:
        start = f"{'  ' + row.label:{LABEL - 1}}" + ("!" if row.noisy else " ")
        if not row.equal:
            wrong = ", ".join(f"from {name} by {error:.1e}" for name, error in row.errors.items())
            return f"{start} RESULTS DIFFER, not timed: {wrong} (allowed: {row.tolerance:.0e})"
        scale, unit = _unit(row)
        cells = [start, _times(row, OURS.name, scale)]
        for rival in self.rivals:
            cells += [_times(row, rival, scale), _times_ours(row.ratio(rival), _RATIO)]
            if self.one_thread:
                cells.append(_times_ours(row.ratio_on_one_thread(rival), _ONE_THREAD))
        goal = row.goal.words(scale) if row.goal else ""
        cells.append(f"{goal:>{_GOAL}}{row.verdict():>{_VERDICT}}")
        if unit == "ms":
            cells.append(f"{_rate(row):>{_RATE}}")
        if row.errors:
            cells.append(f"{max(row.errors.values()):{_ERROR}.0e}")
        below = [note for note in (row.notes, _costs(row)) if note]
        return "".join(cells).rstrip() + "".join(f"\n      {note}" for note in below)


def _unit(row: Row) -> tuple[float, str]:
    """By what to multiply seconds, and what that gives."""
    group = row.name.partition("/")[0]
    return {"call": (1e6, "us"), "start": (1.0, "s")}.get(group, (1e3, "ms"))


def _times_head(unit: str) -> str:
    return f"{unit:>{_TIME - 4}}{'+-':>4}"


def _times(row: Row, contestant: str, scale: float) -> str:
    """Median and spread."""
    timing = row.timings.get(contestant)
    if timing is None:
        return f"{'-':>{_TIME - 4}}{'':4}"
    value = timing.median * scale
    digits = 0 if value >= 10000 else 1 if value >= 1000 else 2 if value >= 100 else 3
    return f"{value:{_TIME - 4}.{digits}f}{min(99.0, 100 * timing.spread):3.0f}%"


def _times_ours(ratio: float | None, width: int) -> str:
    return f"{'-' if ratio is None else f'{ratio:.2f}':>{width}}"


def _rate(row: Row) -> str:
    """How fast the work was done, in the unit of what limits it, and the share of that limit."""
    seconds = row.timings[OURS.name].median
    amount, unit = (row.bytes_moved, "GB/s") if row.limit == "copy" else (row.flops, "GFLOP/s")
    rate = amount / seconds / 1e9
    return f"{rate:.{0 if rate >= 100 else 1}f} {unit}{100 * (row.share or 0.0):4.0f}%"


def _costs(row: Row) -> str:
    """What else a whole network costs."""
    if not row.peak_bytes:
        return ""
    peaks = ", ".join(f"{name} {peak / 2**20:.0f} MiB" for name, peak in row.peak_bytes.items())
    return f"{row.operations} operations, {row.mappings} new allocations; memory at most: {peaks}"


def summary(rows: Sequence[Row]) -> str:
    """The last lines: how many rows, what is wrong with how many, and which fall short of what they must reach."""
    found = facts(rows)
    lines = [f"{found['rows']} rows; results differ in {len(found['differ'])}, noisy {found['noisy']}"]
    if found["round_trip"]:
        least, most = (1e9 * seconds for seconds in found["round_trip"])
        lines.append(f"a word went between two threads and back in {least:.0f} to {most:.0f} ns")
    judged = found["met"] + len(found["short"])
    if judged:
        short = len(found["short"])
        lines.append(f"of {judged} rows that must reach something, {found['met']} do and {short} fall short")
    for row in rows:
        if row.goal and row.verdict().startswith("short"):
            must = row.goal.words(_unit(row)[0]).partition("/")[0]
            lines.append(f"  {row.name:38}{_reached(row):>10} of {must:6}{row.verdict()}")
    return "\n".join(lines)


def _reached(row: Row) -> str:
    assert row.goal is not None
    if row.goal.rival is None:
        scale, unit = _unit(row)
        return f"{row.timings[OURS.name].median * scale:.2f} {unit}"
    return f"{row.ratio(row.goal.rival):.2f}"


def facts(rows: Sequence[Row]) -> dict[str, Any]:
    """The summary as plain data."""
    trips = [row.round_trip for row in rows if row.round_trip]
    return {
        "rows": len(rows),
        "differ": [row.name for row in rows if not row.equal],
        "noisy": sum(row.noisy for row in rows),
        "met": sum(row.verdict() == "met" for row in rows),
        "short": [row.name for row in rows if row.verdict().startswith("short")],
        "round_trip": [min(trips), max(trips)] if trips else None,
    }
