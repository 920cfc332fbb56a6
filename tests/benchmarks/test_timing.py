"""The method of measurement, on a clock that only moves when a call says so."""

from collections.abc import Callable

import pytest
from tilegrad.benchmarks import timing
from tilegrad.benchmarks.timing import Settings, Timing


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    monotonic = perf_counter

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(timing, "time", fake)
    return fake


def test_what_a_side_pays_for_the_others_threads_is_not_counted(clock: Clock) -> None:
    last: list[str] = []

    def side(name: str, seconds: float) -> Callable[[], None]:
        def call() -> None:
            clock.now += seconds if last[-1:] == [name] else 50 * seconds  # just after the other: slow
            last.append(name)

        return call

    sides = [side("a", 0.001), side("b", 0.004)]
    a, b = timing.interleaved(sides, Settings(seconds=0.0, rounds=3, settle=0.01))
    assert (a.median, b.median) == pytest.approx((0.001, 0.004))
    assert (a.spread, b.spread) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_sides_take_turns(clock: Clock) -> None:
    order: list[str] = []

    def side(name: str) -> Callable[[], None]:
        def call() -> None:
            clock.now += 1.0
            order.append(name)

        return call

    timing.interleaved([side("a"), side("b")], Settings(seconds=0.0, rounds=3, settle=0.5))
    turns = [name for name, before in zip(order, ["", *order], strict=False) if name != before]
    assert turns == ["a", "b"] * 4  # warming up, then three rounds


def test_calls_shorter_than_the_clock_are_counted_together(clock: Clock) -> None:
    def call() -> None:
        clock.now += 1e-6

    (found,) = timing.interleaved([call], Settings(seconds=0.0, rounds=1, settle=1e-3))
    assert found.median == pytest.approx(1e-6)


def test_rounds_go_on_for_the_time_that_was_asked(clock: Clock) -> None:
    def call() -> None:
        clock.now += 1.0

    (found,) = timing.interleaved([call], Settings(seconds=100.0, rounds=1, settle=0.0))
    assert found.samples > 50


def test_a_slow_row_has_fewer_rounds(clock: Clock) -> None:
    def call() -> None:
        clock.now += 100.0

    (found,) = timing.interleaved([call], Settings(seconds=1.0, rounds=50, settle=0.0, most=450.0))
    assert found.samples == 5  # each call is one, the first too


def test_every_call_of_a_slow_row_counts(clock: Clock) -> None:
    order: list[str] = []

    def side(name: str) -> Callable[[], None]:
        def call() -> None:
            clock.now += 1.0
            order.append(name)

        return call

    found = timing.interleaved([side("a"), side("b")], Settings(seconds=0.0, rounds=2, settle=0.5, most=6.0))
    assert order == ["a", "b"] * 3
    assert [each.samples for each in found] == [3, 3]


def test_spread_is_the_middle_half_over_the_median() -> None:
    found = Timing.of([1.0, 2.0, 3.0, 4.0, 100.0])
    assert (found.median, found.spread) == (3.0, (4.0 - 2.0) / 3.0)
    assert Timing.of([5.0]).spread == 0.0


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What other processes will have taken of the processors, attempt by attempt."""
    shares: list[float | None] = []

    class Watch:
        def others(self) -> float | None:
            return shares.pop(0)

    monkeypatch.setattr(timing, "Watch", Watch)
    return shares


def attempts() -> Callable[[], list[Timing]]:
    """The first attempt takes 1 second, the second 2 and so on."""
    count = iter(range(1, 100))
    return lambda: [Timing.of([float(next(count))])]


PATIENT = Settings(retries=2, patience=0.0)


def test_a_quiet_attempt_is_the_last(others: list[float | None]) -> None:
    others += [0.5, 0.01]
    (found,), share, count = timing.quietly(attempts(), PATIENT)
    assert (found.median, share, count) == (2.0, 0.01, 2)


def test_of_noisy_attempts_the_quietest_counts(others: list[float | None]) -> None:
    others += [0.5, 0.2, 0.3]
    (found,), share, count = timing.quietly(attempts(), PATIENT)
    assert (found.median, share, count) == (2.0, 0.2, 3)


def test_where_the_system_does_not_say_one_attempt_is_made(others: list[float | None]) -> None:
    others += [None]
    (found,), share, count = timing.quietly(attempts(), PATIENT)
    assert (found.median, share, count) == (1.0, None, 1)


def test_own_work_is_not_other_work(monkeypatch: pytest.MonkeyPatch) -> None:
    processors, own = iter([(10.0, 100.0), (18.0, 120.0)]), iter([1.0, 6.0])
    monkeypatch.setattr(timing, "_processors_busy", lambda: next(processors))
    monkeypatch.setattr(timing, "_own_seconds", lambda: next(own))
    assert timing.Watch().others() == pytest.approx((8.0 - 5.0) / 20.0)


def test_without_proc_stat_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_processors_busy", lambda: None)
    assert timing.Watch().others() is None
