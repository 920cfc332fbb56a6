"""Rows as text and as JSON."""

import json
import math

from brief import row
from tilegrad.benchmarks.table import LEGEND, Table, summary

RIVALS = ["channels_last", "NCHW"]


def test_a_row_shows_times_ratios_rates_and_error() -> None:
    line = Table(RIVALS).lines(row()).splitlines()[-1]
    assert line.split() == [
        "forward", "2.000", "20%", "3.000", "20%", "1.50", "8.000", "20%", "4.00",
        "500.0", "0.5", "50%", "fma", "2e-06",
    ]  # fmt: skip


def test_columns_are_aligned_below_their_heads_and_narrow() -> None:
    table = Table(RIVALS)
    text = "\n".join([table.lines(row()), table.lines(row(label="weight gradient", others=0.5)), LEGEND])
    _, section, names, heads, *lines = text.splitlines()
    assert section == "A layer"
    assert max(map(len, text.splitlines())) <= 120
    ends = {head: heads.index(head) + len(head) for head in ("GFLOP/s", "GB/s", "limit", "error")}
    for line in lines[:2]:
        for head, value in (("GFLOP/s", "500.0"), ("GB/s", " 0.5"), ("limit", "fma"), ("error", "2e-06")):
            assert line[: ends[head]].endswith(value)
        assert len(line) == len(heads)
    for name, median in (("tilegrad", "2.000"), ("channels_last", "3.000"), ("NCHW", "8.000")):
        assert lines[0].index(median) < names.index(name) + len(name)
    assert ("!" in lines[0], "!" in lines[1]) == (False, True)


def test_a_heading_stands_once_over_its_section() -> None:
    table = Table(RIVALS)
    text = "\n".join(table.lines(row(section=section)) for section in ("A", "A", "B", "B"))
    assert [line for line in text.splitlines() if line in ("A", "B")] == ["A", "B"]


def test_without_rivals_ours_stands_alone() -> None:
    ours = {"tilegrad": row().timings["tilegrad"]}
    text = Table([]).lines(row(timings=ours, errors={}))
    assert "ratio" not in text
    assert "error" not in text
    assert text.splitlines()[-1].split() == ["forward", "2.000", "20%", "500.0", "0.5", "50%", "fma"]


def test_a_rival_that_sits_out_leaves_a_dash() -> None:
    known = row()
    timings = {name: known.timings[name] for name in ("tilegrad", "channels_last")}
    assert Table(RIVALS).lines(row(timings=timings)).splitlines()[-1].split()[6:8] == ["-", "-"]


def test_units_follow_the_group() -> None:
    assert "2000.0" in Table(RIVALS).lines(row("call/add"))
    assert "0.002" in Table(RIVALS).lines(row("start/warm-inference", notes="3 kernels compiled", errors={}))


def test_results_that_differ_are_said_and_have_no_times() -> None:
    wrong = row(errors={"channels_last": 0.5, "NCHW": math.inf}, timings={})
    line = Table(RIVALS).lines(wrong).splitlines()[-1]
    assert "RESULTS DIFFER" in line
    assert "from channels_last by 5.0e-01, from NCHW by inf" in line
    assert len(line) <= 120
    assert summary([row(), wrong, row(others=0.3)]) == "3 rows; results differ in 1, noisy 1"


def test_a_record_is_plain_json() -> None:
    for each in (row(), row(errors={"NCHW": math.inf}, timings={}), row(tolerance=math.inf, others=None)):
        record = json.loads(json.dumps(each.record(), allow_nan=False))
        assert record["record"] == "row"
        assert record["equal"] == each.equal
    record = row().record()
    assert record["ratios"] == {"channels_last": 1.5, "NCHW": 4.0}
    assert record["timings"]["tilegrad"]["median"] == 2e-3
    assert record["variants"] == ("direct",)
