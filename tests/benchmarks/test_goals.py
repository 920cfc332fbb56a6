"""What must be reached names rows that exist, and says how far off a row is."""

import fnmatch

import pytest
from brief import row
from tilegrad.benchmarks import filter_workloads, workloads
from tilegrad.benchmarks.goals import GOALS, Goal, goal_of
from tilegrad.benchmarks.timing import Timing

NAMES = [work.name for work in (*workloads.WORKLOADS, *filter_workloads.WORKLOADS)]


@pytest.mark.parametrize("pattern", GOALS)
def test_every_goal_is_some_rows(pattern: str) -> None:
    assert fnmatch.filter(NAMES, pattern), "no row has this goal"
    assert any(goal_of(name) is GOALS[pattern] for name in NAMES), "another pattern takes all of its rows"


def test_aims_lie_beyond_what_must_be_reached() -> None:
    for goal in GOALS.values():
        assert goal.aim > goal.must if goal.rival else goal.aim < goal.must


def test_a_ratio_is_judged_by_its_rival() -> None:
    assert goal_of("dncnn-40/forward") == Goal(2.0, 3.0)
    assert row().verdict() == "short by 25 %"  # 1.5 times channels_last, and 4 times NCHW
    assert row("adam/dncnn-17").verdict() == "met"
    assert row("adam/dncnn-17", timings={"tilegrad": Timing(1.0, 1.0, 1.0, 3)}).verdict() == ""
    assert row("elementwise-40/add").verdict() == ""


def test_a_time_is_judged_without_a_rival() -> None:
    def verdict(seconds: float) -> str:
        return row("start/warm-inference", timings={"tilegrad": Timing(seconds, seconds, seconds, 3)}).verdict()

    assert [verdict(0.8), verdict(0.9), verdict(0.803)] == ["met", "short by 11 %", "short by 1 %"]


def test_results_that_differ_are_not_judged() -> None:
    assert row(errors={"channels_last": 1.0}, timings={}).verdict() == ""
