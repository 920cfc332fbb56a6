"""Rows as aligned plain text, at most 120 columns wide, a line as soon as it is known."""

from collections.abc import Sequence

from .ours import OURS
from .rows import Row

_LABEL, _TIME, _RATIO = 26, 14, 7  # widths of columns; the whole is at most 120 wide

LEGEND = """\
ms: median of one call; us and s likewise. +-: width of the middle half of the samples, relative to the median.
ratio: the rival's time over ours; above 1, tilegrad is faster. error: of our result, the largest, relative to the
rival's largest value; no row is timed before it is small enough. GFLOP/s: by the definition's operations, some of which
a fast algorithm saves, so that it may pass the limit. limit: share of what the machine can do, by multiply-adds (fma)
or by copying as many bytes (copy), whichever takes longer. !: others took over 5 % of the processors meanwhile."""


class Table:
    """Formats rows beside these rivals; `lines` gives a section's heading too, when the section is new."""

    def __init__(self, rivals: Sequence[str]) -> None:
        self.rivals = rivals
        self.section: str | None = None

    def lines(self, row: Row) -> str:
        """The row, below its heading if it is the first of its section."""
        if row.section == self.section:
            return self._line(row)
        self.section = row.section
        return f"\n{row.section}\n{self._head(row)}\n{self._line(row)}"

    def _head(self, row: Row) -> str:
        unit = _unit(row)[1]
        names = f"{'':{_LABEL}}{OURS.name:>{_TIME}}" + "".join(f"{name:>{_TIME + _RATIO}}" for name in self.rivals)
        cells = [
            f"{'':{_LABEL}}",
            _times_head(unit),
            *(_times_head(unit) + f"{'ratio':>{_RATIO}}" for _ in self.rivals),
        ]
        if unit == "ms":
            cells.append(f"{'GFLOP/s':>9}{'GB/s':>7}{'limit':>10}")
        if row.errors:
            cells.append(f"{'error':>8}")
        return f"{names}\n{''.join(cells)}"

    def _line(self, row: Row) -> str:
        start = f"{'  ' + row.label:{_LABEL - 1}}" + ("!" if row.noisy else " ")
        if not row.equal:
            wrong = ", ".join(f"from {name} by {error:.1e}" for name, error in row.errors.items())
            return f"{start} RESULTS DIFFER, not timed: {wrong} (allowed: {row.tolerance:.0e})"
        scale, unit = _unit(row)
        cells = [start, _times(row, OURS.name, scale)]
        for rival in self.rivals:
            ratio = row.ratio(rival)
            cells += [_times(row, rival, scale), f"{'-' if ratio is None else f'{ratio:.2f}':>{_RATIO}}"]
        if unit == "ms":
            seconds = row.timings[OURS.name].median
            cells.append(f"{row.flops / seconds / 1e9:9.1f}{row.bytes_moved / seconds / 1e9:7.1f}")
            cells.append(f"{f'{100 * (row.share or 0.0):.0f}% {row.limit}':>10}")
        if row.errors:
            cells.append(f"{max(row.errors.values()):8.0e}")
        if row.notes:
            cells.append(f"  {row.notes}")
        return "".join(cells).rstrip()


def _unit(row: Row) -> tuple[float, str]:
    """By what to multiply seconds, and what that gives."""
    group = row.name.partition("/")[0]
    return {"call": (1e6, "us"), "start": (1.0, "s")}.get(group, (1e3, "ms"))


def _times_head(unit: str) -> str:
    return f"{unit:>{_TIME - 5}}{'+-':>5}"


def _times(row: Row, contestant: str, scale: float) -> str:
    """Median and spread."""
    timing = row.timings.get(contestant)
    if timing is None:
        return f"{'-':>{_TIME - 5}}{'':5}"
    value = timing.median * scale
    digits = 1 if value >= 1000 else 2 if value >= 100 else 3
    return f"{value:{_TIME - 5}.{digits}f}{min(999.0, 100 * timing.spread):4.0f}%"


def summary(rows: Sequence[Row]) -> str:
    """The last line: how many rows, and what is wrong with how many."""
    differ, noisy = sum(not row.equal for row in rows), sum(row.noisy for row in rows)
    return f"{len(rows)} rows; results differ in {differ}, noisy {noisy}"
