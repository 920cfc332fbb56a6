"""Gradients against finite differences, along random directions.

A directional derivative is one number that all partial derivatives go into, so one comparison checks them all; a few
directions make it next to impossible for errors to cancel. Inputs must be float64, and away from kinks and ties.
"""

from collections.abc import Callable, Sequence

import numpy as np

from .autograd import enable_grad, grad
from .tensor import Tensor


def gradcheck(
    function: Callable[..., Tensor | Sequence[Tensor]],
    inputs: Sequence[Tensor],
    *,
    eps: float = 1e-5,
    rtol: float = 1e-6,
    directions: int = 2,
    seed: int = 0,
) -> bool:
    """Compare the gradient of ``function`` with central differences; all inputs are perturbed at once.

    Parameters
    ----------
    function : function of the inputs
        Returns a tensor or several.
    inputs : sequence of float64 Tensor
        Those that require a gradient are perturbed.
    eps : float
        Length of the step, relative to that of the inputs where that is over 1.
    rtol : float
        Allowed difference, relative to the sum of the magnitudes that went into the derivative.
    directions, seed : int
        How many random directions, and where they come from.

    Returns
    -------
    True

    Raises
    ------
    AssertionError
        With both derivatives, where they differ.
    TypeError
        Where an input that is perturbed is not float64.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([0.5, 2.0], dtype="float64", requires_grad=True)
    >>> nn.gradcheck(lambda x: x.square(), [x])
    True
    """
    random = np.random.default_rng(seed)
    moving = [tensor for tensor in inputs if tensor.requires_grad]
    for tensor in moving:
        if tensor.dtype != np.float64:
            raise TypeError(f"gradcheck: inputs that require a gradient expect float64 but got {tensor.dtype}")
    with enable_grad():
        outputs = _tuple(function(*inputs))
        weights = [random.standard_normal(output.shape) for output in outputs]
        recorded = [(o, Tensor(w)) for o, w in zip(outputs, weights, strict=True) if o.requires_grad]
        gradients = grad([o for o, _ in recorded], moving, [w for _, w in recorded], allow_unused=True)

    def moved(direction: list[np.ndarray], step: float) -> list[np.ndarray]:
        shifts = iter(direction)
        shifted = [Tensor(t.data + step * next(shifts), True) if t.requires_grad else t for t in inputs]
        with enable_grad():  # the function may differentiate
            return [output.detach().numpy() for output in _tuple(function(*shifted))]

    for number in range(directions):
        direction = [random.standard_normal(tensor.shape) for tensor in moving]
        length = np.sqrt(sum(np.sum(d * d) for d in direction)) or 1.0
        step = eps * max(1.0, np.sqrt(sum(np.sum(t.data**2) for t in moving))) / length
        ahead, behind = moved(direction, step), moved(direction, -step)
        terms = [w * (a - b) / (2 * step) for w, a, b in zip(weights, ahead, behind, strict=True)]
        numeric = sum(float(np.sum(term)) for term in terms)
        parts = [g.detach().numpy() * d for g, d in zip(gradients, direction, strict=True) if g is not None]
        analytic = sum(float(np.sum(part)) for part in parts)
        scale = sum(float(np.sum(np.abs(term))) for term in (*terms, *parts))
        if not abs(numeric - analytic) <= rtol * max(scale, 1e-3):
            raise AssertionError(
                f"gradcheck: along direction {number} of seed {seed} finite differences give {numeric!r} but the "
                f"gradient gives {analytic!r} (inputs {[tensor.shape for tensor in inputs]})"
            )
    return True


def gradgradcheck(
    function: Callable[..., Tensor | Sequence[Tensor]],
    inputs: Sequence[Tensor],
    *,
    eps: float = 1e-5,
    rtol: float = 1e-6,
    directions: int = 2,
    seed: int = 0,
) -> bool:
    """Compare the second derivatives of ``function`` with central differences of its gradient.

    The gradient is checked as a function of the inputs and of the gradient by the output, all perturbed at once.
    Parameters, result and errors are those of `gradcheck`.
    """
    random = np.random.default_rng(seed + 1)
    with enable_grad():
        outputs = [output for output in _tuple(function(*inputs)) if output.requires_grad]
    seeds = [Tensor(random.standard_normal(output.shape), True) for output in outputs]
    count = len(inputs)

    def gradient(*arguments: Tensor) -> list[Tensor]:
        own = arguments[:count]
        found = [output for output in _tuple(function(*own)) if output.requires_grad]
        moving = [tensor for tensor in own if tensor.requires_grad]
        gradients = grad(found, moving, arguments[count:], create_graph=True, allow_unused=True)
        return [g for g in gradients if g is not None]

    return gradcheck(gradient, [*inputs, *seeds], eps=eps, rtol=rtol, directions=directions, seed=seed)


def _tuple(outputs: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
