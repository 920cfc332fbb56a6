"""The steps that `tilegrad degrade` can be told: plain data that imports nothing, so that `--help` is quick."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step, as it was written: ``jpeg`` ``10:4:4:4``."""

    kind: str
    text: str


STEPS = {
    "noise": "KIND:AMOUNT: gaussian:25 or speckle:25 (deviation, of 255), poisson, s&p:0.05, salt:0.05 or pepper:0.05",
    "jpeg": "QUALITY[:SUBSAMPLING]: 10, or 10:4:4:4 (4:2:2, 4:2:0)",
    "blocks": "SIDE:SHARE of lost blocks, such as 16:0.05",
    "scratches": "COUNT[:WIDTH], such as 10:1.5",
    "tears": "COUNT[:WIDTH], such as 2:6",
    "motion": "LENGTH[:DEGREES] of a motion's blur, such as 9:30",
    "blur": "SIGMA of a Gaussian, in pixels",
    "downsample": "FACTOR by which the picture becomes smaller, such as 2",
}
