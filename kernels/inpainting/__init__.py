"""x"""
import numpy as np
from ..operation import Operation, Variant
from . import reference
from .geometry import biharmonic_geometry, marching_geometry

INPAINT_BIHARMONIC = Operation(
    "inpaint_biharmonic", package=__name__, geometry=biharmonic_geometry,
    variants=(Variant("cholesky", "cpu_cholesky"),), reference=reference.inpaint_biharmonic,
    reference_args=lambda g: (g.n, g.d, g.h, g.w, g.c, g.tension),
    flops=lambda g: g.flops, bytes_moved=lambda g: g.bytes_moved,
    cases=({"shapes": [(1, 2, 3, 1), (1, 2, 3)], "below": {1: 2}, "integers": "uint8"},))
INPAINT_MARCHING = Operation(
    "inpaint_marching", package=__name__, geometry=marching_geometry,
    variants=(Variant("heap", "cpu_heap"),), reference=reference.inpaint_biharmonic,
    reference_args=lambda g: (),
    flops=lambda g: g.flops, bytes_moved=lambda g: g.bytes_moved,
    cases=({"shapes": [(1, 2, 3, 1), (1, 2, 3)], "below": {1: 2}, "integers": "uint8"},))

def inpaint_biharmonic(x, mask, *, tension=0.0, out=None, variant=None):
    return INPAINT_BIHARMONIC.run((x, mask), (tension,), out, variant)
def inpaint_marching(x, mask, *, radius=3, method="telea", out=None, variant=None):
    return INPAINT_MARCHING.run((x, mask), (radius, method), out, variant)
