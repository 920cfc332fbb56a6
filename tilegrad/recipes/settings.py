"""What each recipe can be told, with its defaults: plain data that imports nothing, so that `--help` is quick."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DenoiseSettings:
    """Of `tilegrad train denoise`; the defaults take about five minutes on two processor cores."""

    data: str | None = None
    out: str = "runs/denoise"
    sigma: float = 25.0
    blind: bool = False
    epochs: int = 18
    steps: int = 360
    batch: int = 8
    patch: int = 48
    depth: int = 8
    channels: int = 48
    batch_norm: bool = False
    lr: float = 2e-3
    seed: int = 0
    device: str = "cpu"
    precision: str = "float32"


@dataclass(frozen=True)
class GANSettings:
    """Of `tilegrad train gan`; ``steps`` 0 are as many as go through all images once."""

    data: str | None = None
    out: str = "runs/gan"
    epochs: int = 10
    steps: int = 0
    batch: int = 64
    size: int = 32
    colour: bool = False
    channels: int = 64
    hidden: int = 256
    latent: int = 100
    lr: float = 5e-4
    ema: float = 0.999
    seed: int = 0
    device: str = "cpu"
    precision: str = "float32"


@dataclass(frozen=True)
class ClassifySettings:
    """Of `tilegrad train classify`; ``steps`` 0 are as many as go through all images once."""

    data: str = "mnist"
    out: str = "runs/classify"
    epochs: int = 5
    steps: int = 0
    batch: int = 128
    size: int = 32
    colour: bool = False
    channels: int = 32
    lr: float = 2e-3
    seed: int = 0
    device: str = "cpu"
    precision: str = "float32"
