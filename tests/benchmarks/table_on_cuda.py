"""The table of a GPU, on one or on the stand-in, for tiny work; test_gpu_table.py runs this file."""

import json
from dataclasses import replace

import cupy
import pytest
from gpu import is_stand_in, launching_on
from tilegrad.benchmarks import cli, gpu
from tilegrad.benchmarks.kinds import Convolution
from tilegrad.benchmarks.network_kinds import DnCNN

from tilegrad.errors import TilegradError

is_stand_in(cupy)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setattr(gpu, "NETWORKS", (DnCNN((1, 4, 4, 1), depth=3, channels=2),))
    monkeypatch.setattr(gpu, "LAYERS", (Convolution("tiny", "", (1, 4, 4, 4), 4, 3, padding=1),))
    small = {64: 4, 512: 1, 40: 4, 8192: 16, 65536: 3, 1000: 7}
    moves = [replace(m, arrays=tuple(tuple(small[n] for n in shape) for shape in m.arrays)) for m in gpu.MOVES]
    monkeypatch.setattr(gpu, "MOVES", moves)
    monkeypatch.setattr(gpu, "milliseconds", lambda call, quick: call() is None or 1.0)
    with launching_on(cupy):
        yield


def test_every_precision_and_variant_has_a_row(tmp_path):
    path = tmp_path / "gpu.jsonl"
    assert cli.main(["--gpu", "--quick", "--json", str(path)]) == 0
    facts, *rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert facts["copy TB/s"] > 0
    ours = [(row["precision"], row["how"]) for row in rows if row["side"] == "tilegrad"]
    for precision in ("float32", "3xtf32", "tf32", "bfloat16"):
        assert (precision, "captured") in ours
    for row in rows:
        assert (row["launches"] or 0) > 20 if row["how"] == "as it is" else row["launches"] is None
    moved = {row["work"]: row for row in rows if row["tera_bytes"] is not None}
    assert set(moved) == {move.name for move in gpu.MOVES}
    assert all(row["tera_bytes"] > 0 and row["how"] for row in moved.values())
    for name in ("conv2d", "conv2d_input_grad", "conv2d_weight_grad"):
        assert ("float32", f"{name}, naive") in ours
        assert ("3xtf32", f"{name}, mma_3xtf32") in ours


def test_a_result_that_differs_is_an_error_and_is_not_timed(monkeypatch):
    monkeypatch.setitem(gpu.TOLERANCE, "float32", -1.0)
    with pytest.raises(TilegradError, match="results differ: "):
        gpu.run([], quick=True)
