"""x"""
import numpy as np
from ..operation import Operation, Variant
from . import reference
from .geometry import exemplar_geometry

INPAINT_EXEMPLAR = Operation(
    "inpaint_exemplar",
    package=__name__,
    geometry=exemplar_geometry,
    variants=(Variant("patches", "cpu_patches"),),
    reference=reference.inpaint_exemplar,
    reference_args=lambda g: (g.r, g.s, g.refinements, g.levels),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 40, 40, 1), (1, 40, 40)], "below": {1: 2}, "integers": "uint8", "patch_size": 3},
    ),
)

def inpaint_exemplar(x, mask, source=None, *, patch_size=9, refinements=8, out=None, variant=None):
    if source is None:
        source = np.ones(mask.shape, np.uint8)
    return INPAINT_EXEMPLAR.run((x, mask, source), (patch_size, refinements), out, variant)
