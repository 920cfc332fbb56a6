"""A block "mma" and "mma_bf16" on CUDA: a convolution on tensor cores that leaves its moments, and what follows.

Three launches: the convolution writes z and, for each of its warps, what it can say of the channels of its pixels; a
second puts that together; a third reads z and writes y. Batch normalisation for itself would have to read z once more,
to add it up: 4 of 16 bytes for each number of z. Without y there is no third, and the convolution that follows reads z
through the normalisation: 8 bytes for each number of z, written once and read once. The kernels are cuda_mma.cu of the
convolution, cuda_fused_finish.cu and cuda_fused.cu of the normalisation. Factors are rounded as the convolution's own
variants do.
"""

from typing import Any

import numpy as np

from ..arrays import new_like
from ..convolution.cuda_mma import launches_for, rejects_input_grad
from ..convolution.cuda_mma import rejects as rejects_convolution
from ..machine import cuda
from ..normalization.cuda_fused import Pass, finish
from ..operation import Run
from .geometry import BlockGeometry


def rejects(g: BlockGeometry) -> str | None:
    """Why this variant cannot take a block with a convolution, or None."""
    return rejects_convolution(g.convolution)


def rejects_transposed(g: BlockGeometry) -> str | None:
    """Why this variant cannot take a block with a transposed convolution, or None."""
    return rejects_input_grad(g.convolution)


def _rejects_stored(g: BlockGeometry) -> str | None:
    return "takes no bfloat16" if g.stored else None


def rejects_tf32(g: BlockGeometry) -> str | None:
    """As `rejects`, for products of tf32, which are not for what was rounded to less."""
    return rejects(g) or _rejects_stored(g)


def rejects_tf32_transposed(g: BlockGeometry) -> str | None:
    """As `rejects_transposed`, likewise."""
    return rejects_transposed(g) or _rejects_stored(g)


def build(g: BlockGeometry, *, bf16: bool = False) -> Run:
    """Prepare the launches."""
    convolving, parts = launches_for(
        g.convolution, input_gradient=g.transposed, bf16=bf16, moments=True, reading=g.reading,
        z_stored=g.z_stored,
    )  # fmt: skip
    finishing = finish(g.normalization, parts, centered=True)
    writing = Pass(g.normalization, "training", g.normalization.activation)
    moments_shape = (parts, g.normalization.channels, 4)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, w, weight, bias, *through), (y, z, *statistics) = arrays, outputs
        moments = new_like(z, moments_shape, np.float32)
        convolving.run([x, w, None, *through], [z, moments])
        finishing.run([moments, z, weight, bias], statistics)
        mean, _, affine, _ = statistics
        if g.apply:
            writing.write(y, x=z, mean=mean, affine=affine)

    return cuda.aligning(run)


def build_bf16(g: BlockGeometry) -> Run:
    """As `build`, with bfloat16 products."""
    return build(g, bf16=True)
