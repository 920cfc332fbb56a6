"""The shortest possible measurement, and rows made by hand."""

from tilegrad.benchmarks.rows import Row
from tilegrad.benchmarks.timing import Settings, Timing

ONCE = Settings(
    seconds=0.0, rounds=1, settle=0.0, retries=0, processes=1, first_processes=1, patience=0.0, memory=False
)


def row(name: str = "dncnn-40/forward", **facts: object) -> Row:
    """A row as if measured: ours 2 ms, PyTorch 3 and 8 ms."""
    times = {"tilegrad": 2e-3, "channels_last": 3e-3, "NCHW": 8e-3}
    known: dict[str, object] = {
        "section": "A layer", "label": "forward", "tolerance": 1e-4, "errors": {"channels_last": 1e-6, "NCHW": 2e-6},
        "timings": {side: Timing(t, 0.9 * t, 1.1 * t, 9) for side, t in times.items()},
        "operations": 1, "flops": 1e9, "bytes_moved": 1e6, "variants": ("direct",), "limit": "fma", "share": 0.5,
        "others": 0.0, "attempts": 1,
    }  # fmt: skip
    return Row(name, **{**known, **facts})  # type: ignore[arg-type]
