"""A weight gradient through a normalisation "mma" and "mma_bf16" on CUDA: the convolution's kernel normalises.

The launches are those of the convolution's "mma" (cuda_mma_weight_grad.cu there holds the idea): what is normalised is
read as it lies, and rewritten in shared memory. Batch normalisation for itself would write 4 bytes for each of its
numbers, and the gradient read them, where it now reads what was normalised. Factors are rounded as the convolution's
own variants do.
"""

from ..convolution.cuda_mma_weight_grad import Reading, prepare
from ..convolution.cuda_mma_weight_grad import rejects as rejects_convolution
from ..operation import Run
from .weight_grad_geometry import WeightGradient


def rejects(g: WeightGradient) -> str | None:
    """Why this variant cannot take a call, or None."""
    return rejects_convolution(g.convolution)


def rejects_tf32(g: WeightGradient) -> str | None:
    """As `rejects`, for products of tf32, which are not for what was rounded to less."""
    return rejects(g) or ("takes no bfloat16" if g.stored else None)


def build(g: WeightGradient, *, bf16: bool = False) -> Run:
    """Prepare the launches."""
    n = g.normalization
    return prepare(g.convolution, bf16=bf16, reading=Reading(g.normalized, n.activation, n.negative_slope, n.stored))


def build_bf16(g: WeightGradient) -> Run:
    """As `build`, with bfloat16 products."""
    return build(g, bf16=True)
