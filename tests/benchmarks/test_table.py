"""Rows as text and as JSON."""

import json
import math

from brief import row
from tilegrad.benchmarks.table import LEGEND, Table, summary
from tilegrad.benchmarks.timing import Timing

RIVALS = ["channels_last", "NCHW"]


def test_a_row_shows_times_ratios_rates_and_error() -> None:
    line = Table(RIVALS).lines(row()).splitlines()[-1]
    assert line.split() == [
        "forward", "2.000", "20%", "3.000", "20%", "1.50", "8.000", "20%", "4.00",
        "2/3", "short", "by", "25", "%", "500", "GFLOP/s", "50%", "2e-06",
    ]  # fmt: skip


def test_columns_are_aligned_below_their_heads_and_narrow() -> None:
    table = Table(RIVALS)
    text = "\n".join([table.lines(row()), table.lines(row(label="weight gradient", others=0.5)), LEGEND])
    _, section, names, heads, *lines = text.splitlines()
    assert section == "A layer"
    assert max(map(len, text.splitlines())) <= 120
    ends = {head: heads.index(head) + len(head) for head in ("must/aim", "rate", "error")}
    for line in lines[:2]:
        for head, value in (("must/aim", "2/3"), ("rate", "500 GFLOP/s  50%"), ("error", "2e-06")):
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
    assert text.splitlines()[-1].split() == ["forward", "2.000", "20%", "2/3", "500", "GFLOP/s", "50%"]


def test_a_rival_that_sits_out_has_no_column_or_a_dash() -> None:
    known = row()
    alone = row(timings={name: known.timings[name] for name in ("tilegrad", "channels_last")}, errors={})
    assert "NCHW" not in Table(RIVALS).lines(alone)
    table = Table(RIVALS)
    assert "NCHW" in table.lines(known)
    assert table.lines(alone).split()[6:8] == ["-", "-"]


def test_what_limits_a_row_gives_its_rate() -> None:
    assert Table(RIVALS).lines(row(limit="copy")).splitlines()[-1].split()[-4:] == ["0.5", "GB/s", "50%", "2e-06"]


def test_memory_stands_below_its_row() -> None:
    whole = row("dncnn-17/training", peak_bytes={"tilegrad": 3 << 20, "channels_last": 5 << 20}, mappings=2)
    below = Table(RIVALS).lines(whole).splitlines()[-1]
    assert below == "      1 operations, 2 new allocations; memory at most: tilegrad 3 MiB, channels_last 5 MiB"


def test_rows_that_fall_short_are_named_at_the_end() -> None:
    times = {"tilegrad": Timing(20e-6, 20e-6, 20e-6, 9)}
    said = summary([row(), row("adam/dncnn-17"), row("call/add", timings=times, errors={}), row("elementwise-40/add")])
    assert said.splitlines()[1] == "of 3 rows that must reach something, 1 do and 2 fall short"
    assert [line.split() for line in said.splitlines()[2:]] == [
        ["dncnn-40/forward", "1.50", "of", "2", "short", "by", "25", "%"],
        ["call/add", "20.00", "us", "of", "15", "short", "by", "25", "%"],
    ]
    assert "word between" not in said
    assert "in 50 to 300 ns" in summary([row(round_trip=5e-8), row(round_trip=3e-7), row()])


def test_units_follow_the_group() -> None:
    assert "2000.0" in Table(RIVALS).lines(row("call/add"))
    assert "0.002" in Table(RIVALS).lines(row("start/warm-inference", notes="3 kernels compiled", errors={}))


def test_results_that_differ_are_said_and_have_no_times() -> None:
    wrong = row(errors={"channels_last": 0.5, "NCHW": math.inf}, timings={})
    line = Table(RIVALS).lines(wrong).splitlines()[-1]
    assert "RESULTS DIFFER" in line
    assert "from channels_last by 5.0e-01, from NCHW by inf" in line
    assert len(line) <= 120
    assert summary([row(), wrong, row(others=0.3)]).splitlines()[0] == "3 rows; results differ in 1, noisy 1"


def test_a_record_is_plain_json() -> None:
    for each in (row(), row(errors={"NCHW": math.inf}, timings={}), row(tolerance=math.inf, others=None)):
        record = json.loads(json.dumps(each.record(), allow_nan=False))
        assert record["record"] == "row"
        assert record["equal"] == each.equal
    record = row().record()
    assert record["ratios"] == {"channels_last": 1.5, "NCHW": 4.0}
    assert record["timings"]["tilegrad"]["median"] == 2e-3
    assert record["variants"] == ("direct",)
    assert record["goal"] == {"must": 2.0, "aim": 3.0, "rival": "channels_last"}
    assert (record["share_of_goal"], record["verdict"]) == (0.75, "short by 25 %")
