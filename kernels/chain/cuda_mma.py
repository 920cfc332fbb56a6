"""An input gradient through a normalisation, "mma" and "mma_bf16" on CUDA: a convolution on tensor cores, and sums.

Three launches: the convolution multiplies what it has in registers by the activation's derivative, writes that, g, and
leaves for each of its warps what it adds to the sums over each channel; a second adds these up; a third reads g and x
and writes gx in the place of g. The gradients apart would write what arrives here and have another launch read it with
x, to add: 8 of 24 bytes for each number, where the convolution reads 4. The kernels are cuda_mma.cu of the convolution,
cuda_fused_finish.cu and cuda_fused.cu of the normalisation. Factors are rounded as the convolution's own variants do.
"""

from typing import Any

import numpy as np

from ..arrays import new_like
from ..convolution.cuda_mma import launches_for, rejects_input_grad
from ..convolution.cuda_mma import rejects as rejects_convolution
from ..machine import cuda
from ..normalization.cuda_fused import Pass, finish
from ..operation import Run
from .input_grad_geometry import InputGradient


def rejects(g: InputGradient) -> str | None:
    """Why this variant cannot take a gradient, or None."""
    return rejects_convolution(g.convolution) if g.transposed else rejects_input_grad(g.convolution)


def rejects_tf32(g: InputGradient) -> str | None:
    """As `rejects`, for products of tf32, which are not for what was rounded to less."""
    return rejects(g) or ("takes no bfloat16" if g.stored else None)


def build(g: InputGradient, *, bf16: bool = False) -> Run:
    """Prepare the three launches."""
    n = g.normalization
    convolving, parts = launches_for(
        g.convolution, input_gradient=not g.transposed, bf16=bf16, sums=True, z_stored=g.stored
    )
    finishing = finish(n, parts, grad=True)
    writing = Pass(n, "gradient", None)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, w, x, mean, inverse_std, weight, affine), (gx, gweight, gbias) = arrays, outputs
        sums = new_like(x, (parts, 2, n.channels), np.float64)
        if parts:
            convolving.run([gy, w, None, None, None, x, mean, inverse_std, affine], [gx, sums])
        finishing.run([sums], [gweight, gbias])
        if n.rows:
            given = {"gy": gx, "x": x, "mean": mean, "spread": inverse_std, "weight": weight}
            writing.write(gx, **given, gweight=gweight, gbias=gbias)

    return cuda.aligning(run)


def build_bf16(g: InputGradient) -> Run:
    """As `build`, with bfloat16 products."""
    return build(g, bf16=True)
