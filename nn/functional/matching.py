"""Normalised cross-correlation as a composition of primitives: gradients of any order by the image and the template."""

from ..tensor import Tensor
from .arithmetic import sqrt, square
from .convolution import conv2d
from .pooling import avg_pool2d
from .shape import mean, reshape, sum


def match_template(x: Tensor, template: Tensor, eps: float = 1e-6) -> Tensor:
    """How like a template each window of an image is, whatever its brightness and contrast.

    Parameters
    ----------
    x : (N, H, W, C)
    template : (R, S, C), R <= H and S <= W
    eps : float
        Added to the squared lengths of windows and template, so that the gradient stays finite where there is no
        contrast; the score is 0 there.

    Returns
    -------
    (N, H - R + 1, W - S + 1, 1) Tensor of scores in (-1, 1)

    Notes
    -----
    Each channel's mean is taken off, as in ``kernels.match_template``, which has no ``eps`` and sums in float64 where
    this needs it: here everything is in the working type, after the image's own level is taken off.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.randn((1, 8, 9, 3))
    >>> scores = nn.functional.match_template(x, x[0, 2:5, 3:7])
    >>> scores.shape, round(float(scores.data[0, 2, 3, 0]), 3)
    ((1, 6, 6, 1), 1.0)
    """
    if x.ndim != 4 or template.ndim != 3 or x.shape[3] != template.shape[2]:
        raise ValueError(
            "match_template: x expects (N, H, W, C) and template (R, S, C) of the same channels "
            f"but got {x.shape} and {template.shape}"
        )
    if not eps > 0:
        raise ValueError(f"match_template: eps expects a positive number but got {eps!r}")
    r, s, c = template.shape
    # Scores do not change with the level, so no gradient flows through it.
    moved = x - mean(x.detach(), (1, 2), keepdim=True)
    pattern = template - mean(template, (0, 1), keepdim=True)
    products = conv2d(moved, reshape(pattern, (1, r, s, c)))
    means = avg_pool2d(moved, (r, s), stride=1)
    deviations = sum(avg_pool2d(square(moved), (r, s), stride=1) - square(means), 3, keepdim=True) * float(r * s)
    return products / (sqrt(deviations + eps) * sqrt(sum(square(pattern)) + eps))
