"""What each recipe can be told, with its defaults: plain data that imports nothing, so that `--help` is quick."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DenoiseSettings:
    """Of `tilegrad train denoise`; the defaults take about five minutes on two processor cores."""

    data: str | None = None
    out: str = "runs/denoise"
    sigma: float = 25.0
    epochs: int = 18
    steps: int = 360
    batch: int = 8
    patch: int = 48
    depth: int = 8
    channels: int = 48
    batch_norm: bool = False
    lr: float = 2e-3
    seed: int = 0
