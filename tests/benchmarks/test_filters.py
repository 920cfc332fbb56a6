"""The table of classical filters: every row on a tiny picture, beside its rival where that is installed."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from brief import ONCE, row
from tilegrad.benchmarks import cli, filter_workloads, machine, rivals, rows, timing
from tilegrad.benchmarks.contestant import Contestant, Prepared
from tilegrad.benchmarks.equality import difference
from tilegrad.benchmarks.filter_kinds import OPENCV, PILLOW, SKIMAGE, Filter, picture
from tilegrad.benchmarks.filter_workloads import WORKLOADS
from tilegrad.benchmarks.ours import OURS
from tilegrad.benchmarks.rows import arrays_of
from tilegrad.benchmarks.table import FILTER_LEGEND, LABEL, Table

LIBRARIES = {OPENCV: "cv2", SKIMAGE: "skimage", PILLOW: "PIL"}
SMALLEST = [work for work in WORKLOADS if isinstance(work, Filter) and (work.batch or work.size == (512, 512))]


def test_names_are_unique_and_headings_fit() -> None:
    assert len({work.name for work in WORKLOADS}) == len(WORKLOADS)
    assert [work.section for work in WORKLOADS if len(work.section) > 120] == []
    assert [work.label for work in WORKLOADS if len(work.label) > LABEL - 3] == []
    assert max(map(len, FILTER_LEGEND.splitlines())) <= 120


def test_pictures_have_plains_edges_and_all_greys() -> None:
    image = picture(96, 128)
    assert (image.shape, image.dtype) == ((96, 128), np.float32)
    assert image.min() < 0.1
    assert image.max() > 0.9
    steps = np.abs(np.diff(image))
    assert np.median(steps) < 0.03  # noise
    assert (steps > 0.2).mean() > 0.02
    np.testing.assert_array_equal(image, picture.__wrapped__(96, 128))


@pytest.mark.parity
@pytest.mark.parametrize("work", SMALLEST, ids=lambda work: work.name.partition("/")[0])
def test_its_rival_agrees(work: Filter) -> None:
    pytest.importorskip(LIBRARIES[work.rival])
    tiny = work.tiny()
    sides = rivals.installed(1, rivals=rivals.FILTER_RIVALS)
    ours, theirs = (p.result() for side in (OURS, *sides) if (p := side.prepare(tiny, arrays_of(tiny))))
    assert difference(ours, theirs) <= work.tolerance
    if not work.filter.startswith("components"):  # compared by places instead of labels
        assert [a.dtype for a in ours] == [a.dtype for a in theirs]


def test_components_are_compared_whatever_their_numbers() -> None:
    compared = next(work for work in SMALLEST if work.filter == "components").compared
    labels = np.array([[0, 1, 0], [2, 0, 1]])
    swapped, merged = np.array([0, 2, 1])[labels], np.minimum(labels, 1)
    assert all(np.array_equal(a, b) for a, b in zip(compared((3, labels)), compared((3, swapped)), strict=True))
    assert not np.array_equal(compared((3, labels))[1], compared((3, merged))[1])


def test_measures_of_components_are_compared_whatever_their_numbers() -> None:
    compared = next(work for work in SMALLEST if work.filter == "components-stats").compared
    labels, areas = np.array([[0, 1, 0], [2, 0, 1]]), np.array([3, 2, 1])
    order = np.array([0, 2, 1])
    ours, theirs = compared((3, labels, areas, areas / 7)), compared((3, order[labels], areas[order], areas[order] / 7))
    assert difference(ours, theirs) == 0
    assert difference(ours, compared((3, order[labels], areas, areas / 7))) > 0


def test_contours_of_another_length_or_place_differ() -> None:
    compared = next(work for work in SMALLEST if work.filter == "contours").compared
    first, second, tree = np.array([[[1, 1]], [[1, 2]]]), np.array([[[5, 1]]]), np.zeros((1, 2, 4))
    ours = compared(((first, second), tree))
    assert difference(ours, compared(((first, second), tree))) == 0
    assert difference(ours, compared(((first + 1, second), tree))) > 0
    assert difference(ours, compared(((first[:1], np.concatenate([first[1:], second])), tree))) > 0


def test_a_batch_is_one_call_of_ours_and_a_loop_over_the_rival() -> None:
    calls: list[tuple[tuple[int, ...], dict[str, int]]] = []

    def call(library: object, images: np.ndarray, **batch: int) -> np.ndarray:
        calls.append((images.shape, batch))
        return images + 1

    work = next(work for work in SMALLEST if work.batch)
    work = replace(work, call=call, size=(80, 96))
    arrays = arrays_of(work)
    ours, theirs = (prepare(None, arrays).result() for prepare in (work.prepare_ours, work.prepare))
    assert calls == [((32, 10, 24), {"batch_axes": 1})] + [((10, 24), {})] * 32
    assert difference(ours, theirs) == 0
    np.testing.assert_array_equal(ours[0][5], work.inputs(np.rint(arrays["picture"] * 255).astype(np.uint8))[0][5] + 1)


def test_a_quick_run_takes_the_smaller_pictures() -> None:
    options = cli.argparse.Namespace(filters=True, ladder=None)
    suite = cli.suite_of(options)
    quick = {work.name for work in cli.select(suite, [], quick=True)}
    assert {name.partition("/")[2] for name in quick} == {"512", "1080", "2048"}
    assert "skimage-median-15x15-uint16/1080" not in quick
    assert [work.name for work in cli.select(suite, ["canny-uint8"], quick=True)] == [
        "opencv-canny-uint8/512", "opencv-canny-uint8/1080",
    ]  # fmt: skip
    assert [work.name for work in cli.select(suite, ["canny-uint8/4"], quick=True)] == ["opencv-canny-uint8/4096"]


def _filter_row(**facts: object) -> rows.Row:
    times = {"tilegrad": 2e-3, OPENCV: 8e-3}
    timings = {side: timing.Timing(t, 0.9 * t, 1.1 * t, 9) for side, t in times.items()}
    return row("opencv-canny-uint8/1080", timings=timings, errors={OPENCV: 0.0}, tolerance=0.0, **facts)


def test_the_ratio_on_one_thread_stands_beside_the_other() -> None:
    found, alone = _filter_row(), _filter_row()
    alone.timings = {**alone.timings, "tilegrad": timing.Timing(4e-3, 4e-3, 4e-3, 9)}
    found.add_one_thread(alone)
    *_, names, heads, line = Table([OPENCV, SKIMAGE]).lines(found).splitlines()
    assert len(line) == len(heads) <= 120
    assert line.split()[5:9] == ["4.00", "2.00", "3/5", "met"]
    assert heads.index("1 thread") + len("1 thread") == line.index("2.00 ") + len("2.00") == names.index(OPENCV) + 6
    record = json.loads(json.dumps(found.record(), allow_nan=False))
    assert (record["ratios"], record["ratios_on_one_thread"]) == ({OPENCV: 4.0}, {OPENCV: 2.0})
    assert record["one_thread"]["tilegrad"]["median"] == 4e-3


def test_a_result_that_differs_on_one_thread_alone_is_wrong() -> None:
    found, alone = _filter_row(), _filter_row()
    alone.errors, alone.timings = {OPENCV: 0.5}, {}
    found.add_one_thread(alone)
    assert (found.equal, found.timings, found.one_thread) == (False, {}, {})


@pytest.fixture
def brief_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One tiny row beside tilegrad itself, measured as briefly as can be."""
    work = next(work for work in SMALLEST if work.name == "opencv-dilate-3x3-uint8/512")

    def prepare(work: Filter, arrays: dict[str, np.ndarray]) -> Prepared | None:
        return OURS.prepare(work, arrays)

    itself = Contestant(OPENCV, "opencv 1.0", prepare, lambda work: None)
    monkeypatch.setattr(filter_workloads, "WORKLOADS", (work.tiny(),))
    monkeypatch.setattr(rivals, "installed", lambda threads, compiled, rivals: [itself])
    monkeypatch.setattr(timing, "FULL", ONCE)
    facts = {"measured": "2026-01-02T03:04:05Z", "processor": "A", "threads": 2}
    monkeypatch.setattr(machine, "describe", lambda *known: dict(facts))
    monkeypatch.setattr(machine, "head", lambda facts: facts["precision"])
    monkeypatch.setattr(machine, "keep_freed_memory", lambda: "untouched")


@pytest.mark.usefixtures("brief_table")
def test_the_table_of_filters_is_saved_under_a_name_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int | None] = []
    monkeypatch.setattr(machine, "use_threads", lambda count: counts.append(count) or count or 2)
    assert cli.main(["--filters", "--save", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-01-02-a-2-threads-filters.jsonl", "2026-01-02-a-2-threads-filters.txt",
    ]  # fmt: skip
    assert counts == [None, 2, 1]
    said = capsys.readouterr().out
    assert said.startswith("uint8 and float32")
    assert "Dilation 3x3, uint8, as in OpenCV" in said
    assert "1 thread" in said
    facts, found, _ = map(json.loads, next(tmp_path.glob("*.jsonl")).read_text().splitlines())
    assert facts["table"] == "filters"
    assert found["ratios_on_one_thread"].keys() == {OPENCV}


@pytest.mark.usefixtures("brief_table")
def test_rivals_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert cli.main(["--filters", "--quick", "--threads", "1"]) == 0
    assert 'without cv2: python -m pip install "tilegrad[bench]"' in capsys.readouterr().out.splitlines()
