"""Optimiser steps: all parameters of a model updated in place by one launch.

reference.py    the definition for one parameter, in loops
in_place.py     lists of arrays: checks, the table of addresses, how work is cut
norm.py         the norm of a list of arrays
cpu_fused.py    "fused": one pass over the table
cuda_naive.py   "naive" on CUDA: one thread, one number, a launch for each parameter
cuda_table.cu   "table" on CUDA: one launch for all parameters, whose addresses come with it; and the norm's squares
cuda_table_root.cu   the root of their sum
cuda_table.py   their launches
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arrays import is_on_cuda
from ..changing import Changing, asked, changing
from ..operation import Variant
from . import reference
from .in_place import InPlaceOperation, Invocation
from .norm import norm_of_all

__all__ = ["adam_step", "average_step", "norm_of_all", "sgd_step"]

_CASES = (
    {"shapes": [(1,), (3, 5), (0,), (64, 3, 3, 64)], "lr": 0.01},
    {"shapes": [(7,)], "lr": 0.01, "weight_decay": 0.1},
)
_NONE, _ADDED, _DECOUPLED = 0, 1, 2  # weight decay


def _operation(
    name: str,
    roles: tuple[str, ...],
    build: str,
    definition: Callable[..., None],
    flops_each: int,
    cases: tuple[dict[str, Any], ...] = _CASES,
    public: str = "",
) -> InPlaceOperation:
    numbers_moved = 2 * len(roles) - 1  # gradients are read, the others read and written

    def bytes_moved(call: Invocation) -> float:
        return numbers_moved * call.group.size * call.group.dtype.itemsize

    return InPlaceOperation(
        name,
        roles,
        package=__name__,
        variants=(
            Variant("fused", "cpu_fused", build=build),
            Variant("table", "cuda_table", device="cuda", build=build),
            Variant("naive", "cuda_naive", device="cuda", build=build, teaching=True),
        ),
        reference=definition,
        reference_args=lambda call: call.args,
        flops=lambda call: flops_each * call.group.size,
        bytes_moved=bytes_moved,
        cases=cases,
        public=public,
    )


ADAM = _operation(
    "adam_step", ("parameters", "grads", "exp_avgs", "exp_avg_sqs"), "build_adam", reference.adam, 13,
    tuple({**case, "step": 1} for case in (*_CASES, {**_CASES[1], "decoupled": True})),
)  # fmt: skip
SGD = _operation("sgd_step", ("parameters", "grads"), "build_sgd", reference.sgd, 2)
SGD_MOMENTUM = _operation(
    "sgd_momentum_step", ("parameters", "grads", "momentum_buffers"), "build_sgd_momentum", reference.sgd_momentum, 5,
    tuple({**case, "momentum": 0.9, "nesterov": nesterov} for case in _CASES for nesterov in (False, True)),
    public="sgd_step",
)  # fmt: skip
AVERAGE = _operation(
    "average_step", ("averages", "arrays"), "build_average", reference.average, 3,
    ({"shapes": [(1,), (3, 5), (0,), (64, 3, 3, 64)], "decay": 0.9}, {"shapes": [(7,), (2, 3)], "decay": 0.25}),
)  # fmt: skip


def _scalars(parameters: Sequence[Any], make: Callable[[], tuple[float, ...]]) -> Any:
    """The float64 numbers of a step, beside the parameters where a captured graph reads them."""
    on_cuda = len(parameters) > 0 and is_on_cuda(parameters[0])
    return changing(lambda: np.array(make(), np.float64), on_cuda=on_cuda, by_value=True)


def _check_range(name: str, argument: str, value: float, below: float = math.inf) -> None:
    if not 0 <= value < below:
        raise ValueError(f"{name}: {argument} expects 0 <= {argument} < {below} but got {value}")


def adam_step(
    parameters: Sequence[np.ndarray],
    grads: Sequence[np.ndarray],
    exp_avgs: Sequence[np.ndarray],
    exp_avg_sqs: Sequence[np.ndarray],
    *,
    step: Changing[int],
    lr: Changing[float],
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled: bool = False,
    variant: str | None = None,
) -> None:
    """One step of Adam or AdamW on all parameters, in place.

    Parameters
    ----------
    parameters : list of arrays, all float32 or all float64
        Updated. Writeable, C-contiguous; no two of the updated arrays may share memory.
    grads : list of arrays of the same shapes and dtype
        A gradient that is not C-contiguous is copied first.
    exp_avgs, exp_avg_sqs : lists of arrays of the same shapes and dtype
        Running averages of the gradients and of their squares, updated; zeros before the first step.
    step : int
        The number of this step, from 1.
    lr, eps, weight_decay : float
        At least 0. Functions that give ``step`` and ``lr`` are asked again before each replay of a captured graph.
    betas : pair of float
        How much of either average is kept, in [0, 1).
    decoupled : bool
        Weight decay shrinks the parameters themselves (AdamW) instead of being added to the gradients.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Raises
    ------
    ValueError, TypeError
        Where lengths, shapes, dtypes or ranges do not fit; nothing is changed. Lists that were checked once are not
        checked again, but for the gradients, while their arrays live.

    Notes
    -----
    Equals ``torch.optim.Adam`` and ``torch.optim.AdamW``. Kingma and Ba, Adam: a method for stochastic optimization
    (ICLR 2015); Loshchilov and Hutter, Decoupled weight decay regularization (ICLR 2019).

    Examples
    --------
    >>> import numpy as np
    >>> w, m, v = np.ones(2), np.zeros(2), np.zeros(2)
    >>> adam_step([w], [np.array([3.0, -3.0])], [m], [v], step=1, lr=0.1)
    >>> w.round(6)
    array([0.9, 1.1])
    """
    name = "adam_step"
    beta1, beta2 = betas
    for argument, value in (("lr", asked(lr)), ("eps", eps), ("weight_decay", weight_decay)):
        _check_range(name, argument, value)
    _check_range(name, "betas[0]", beta1, 1.0)
    _check_range(name, "betas[1]", beta2, 1.0)
    if asked(step) < 1:
        raise ValueError(f"{name}: step expects at least 1 but got {asked(step)}")
    decay = (_DECOUPLED if decoupled else _ADDED) if weight_decay != 0 else _NONE

    def scalars() -> tuple[float, ...]:
        rate, count = asked(lr), asked(step)
        amount = rate * weight_decay if decoupled else weight_decay
        step_size, correction = rate / (1 - beta1**count), math.sqrt(1 - beta2**count)
        return 1 - beta1, beta2, 1 - beta2, step_size, correction, eps, amount

    arrays = (parameters, grads, exp_avgs, exp_avg_sqs, _scalars(parameters, scalars))
    ADAM.run(arrays, (decay,), variant=variant)


def sgd_step(
    parameters: Sequence[np.ndarray],
    grads: Sequence[np.ndarray],
    momentum_buffers: Sequence[np.ndarray] | None = None,
    *,
    lr: Changing[float],
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    first: bool = False,
    variant: str | None = None,
) -> None:
    """One step of gradient descent, with or without momentum, on all parameters, in place.

    Parameters
    ----------
    parameters, grads : lists of arrays
        As in `adam_step`.
    momentum_buffers : list of arrays of the same shapes and dtype
        Running sums of the gradients, updated; not used where ``momentum`` is 0.
    lr, momentum, weight_decay : float
        At least 0.
    dampening : float
        The part of each gradient that is kept out of the running sum.
    nesterov : bool
        Look ahead by one step; needs a momentum, and no dampening.
    first : bool
        Whether this is the first step, which fills the buffers with the gradients whatever they held.
    variant : str, optional
        The implementation to run. With momentum the operation's name, for `tilegrad.kernels.use_variant` and in
        traces, is ``sgd_momentum_step``.

    Raises
    ------
    ValueError, TypeError
        As in `adam_step`.

    Notes
    -----
    Equals ``torch.optim.SGD``. Sutskever et al., On the importance of initialization and momentum in deep learning
    (ICML 2013).

    Examples
    --------
    >>> import numpy as np
    >>> w = np.ones(2)
    >>> sgd_step([w], [np.array([3.0, -3.0])], lr=0.1)
    >>> w
    array([0.7, 1.3])
    """
    name = "sgd_step"
    for argument, value in (("lr", asked(lr)), ("momentum", momentum), ("weight_decay", weight_decay)):
        _check_range(name, argument, value)
    if nesterov and (momentum == 0 or dampening != 0):
        raise ValueError(
            f"{name}: nesterov expects a momentum and no dampening but got momentum = {momentum}, "
            f"dampening = {dampening}"
        )
    decay = _ADDED if weight_decay != 0 else _NONE
    if momentum == 0:
        scalars = _scalars(parameters, lambda: (asked(lr), weight_decay))
        SGD.run((parameters, grads, scalars), (decay,), variant=variant)
        return
    if momentum_buffers is None:
        raise TypeError(f"{name}: momentum_buffers expects a list of arrays where momentum = {momentum}")
    scalars = _scalars(parameters, lambda: (asked(lr), weight_decay, momentum, 1 - dampening))
    options = (decay, bool(nesterov), bool(first))
    SGD_MOMENTUM.run((parameters, grads, momentum_buffers, scalars), options, variant=variant)


def average_step(
    averages: Sequence[np.ndarray], arrays: Sequence[np.ndarray], *, decay: Changing[float], variant: str | None = None
) -> None:
    """Move running averages towards arrays, in place: ``average += (1 - decay) * (array - average)``.

    Parameters
    ----------
    averages : list of arrays, all float32 or all float64
        Updated. Writeable, C-contiguous; no two may share memory.
    arrays : list of arrays of the same shapes and dtype
        What is averaged.
    decay : float
        How much of each average is kept, in [0, 1]; a function that gives it is asked again before each replay.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Raises
    ------
    ValueError, TypeError
        As in `adam_step`.

    Examples
    --------
    >>> import numpy as np
    >>> average = np.array([1.0, 2.0])
    >>> average_step([average], [np.array([3.0, 2.0])], decay=0.75)
    >>> average
    array([1.5, 2. ])
    """
    if not 0 <= asked(decay) <= 1:
        raise ValueError(f"average_step: decay expects a number in [0, 1] but got {asked(decay)}")
    AVERAGE.run((averages, arrays, _scalars(averages, lambda: (1 - asked(decay),))), (), variant=variant)
