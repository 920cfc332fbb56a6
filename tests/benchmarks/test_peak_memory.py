"""The most memory that a whole network takes is that of its own process."""

from pathlib import Path

import pytest
from brief import ONCE
from tilegrad.benchmarks import memory
from tilegrad.benchmarks.network_kinds import DnCNN
from tilegrad.benchmarks.rows import measure

needs_proc = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")


@pytest.mark.slow
@needs_proc
def test_larger_images_take_more() -> None:
    small, large = (DnCNN((1, side, side, 1), depth=3, channels=8) for side in (8, 512))
    (less,), (more,) = (memory.peaks(work, ["tilegrad"], 1).values() for work in (small, large))
    image = 512 * 512 * 8 * 4
    assert more - less > 3 * image


@pytest.mark.slow
@needs_proc
def test_a_whole_network_is_measured_where_it_is_asked() -> None:
    import dataclasses

    work = DnCNN((1, 8, 8, 1), depth=3, channels=4)
    row = measure(work, [], 1, dataclasses.replace(ONCE, memory=True))
    assert row.peak_bytes.keys() == {"tilegrad"}
    assert row.mappings == 0
    assert measure(dataclasses.replace(work, threads=1), [], 1, ONCE).peak_bytes == {}


def test_without_proc_nothing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "_RESET", tmp_path / "absent")
    assert memory.peaks(DnCNN((1, 8, 8, 1)), ["tilegrad"], 1) == {}
