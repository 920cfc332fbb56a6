"""The limits' probes do the work that they are said to do."""

import numpy as np
import pytest
from tilegrad.benchmarks import machine, probe
from tilegrad.kernels.machine.processor import lanes


def test_the_multiply_add_loop_does_every_multiply_add() -> None:
    rounds = 1000
    expected = sum(place + 0.25 * rounds for place in range(probe._sums())) * lanes(4)
    assert probe._loop()(rounds, np.float32(0.5)) == expected


def test_all_threads_work_between_the_start_and_the_end() -> None:
    seen: list[int] = []
    assert probe._fastest(seen.append, 3) > 0
    assert sorted(seen) == sorted([0, 1, 2] * (len(seen) // 3))


def test_limits_are_rates() -> None:
    assert np.isfinite(probe.multiply_add_peak(1))
    assert probe.multiply_add_peak(1) > 1e9  # slower than any processor that Numba supports
    assert np.isfinite(probe.copy_bandwidth(0.0, 1))
    assert probe.copy_bandwidth(1e6, 1) == probe.copy_bandwidth(1.1e6, 1)  # one probe for about that size


def test_malloc_settings_of_the_user_are_stated_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "123456")
    assert machine.keep_freed_memory() == machine.as_started() == "MALLOC_TRIM_THRESHOLD_=123456"
