"""Learning rates that change from step to step. A schedule is a function of how many steps were taken, and no more."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .replay import again

if TYPE_CHECKING:
    from .optim import Optimizer


class Schedule(ABC):
    """Sets the learning rates of an optimiser's groups; a subclass defines ``rate(base, step)``.

    Parameters
    ----------
    optimizer : Optimizer
        The learning rates that its groups have now are the bases.
    warm_up : int
        Steps over which each rate first rises evenly, from ``base / (warm_up + 1)``; the schedule begins behind them.

    Notes
    -----
    ``step()`` is called after the optimiser's, once a batch or once an epoch, as the numbers are meant. Its state is
    the number of steps and the bases, so a resumed run goes on with the same bits.
    """

    def __init__(self, optimizer: "Optimizer", *, warm_up: int = 0) -> None:
        _check_steps(type(self).__name__, "warm_up", warm_up, 0)
        self.optimizer, self.warm_up = optimizer, warm_up
        self.bases: list[float] = [group["lr"] for group in optimizer.param_groups]
        self.steps = 0
        self._set()

    @abstractmethod
    def rate(self, base: float, step: int) -> float:
        """The learning rate of step ``step``, counted from 0 behind the warm-up."""

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.bases, strict=True):
            if self.steps < self.warm_up:
                group["lr"] = base * (self.steps + 1) / (self.warm_up + 1)
            else:
                group["lr"] = self.rate(base, self.steps - self.warm_up)

    def step(self) -> None:
        """Set the rates of the next step."""
        again(self._step)

    def _step(self) -> dict[str, Any]:
        self.steps += 1
        self._set()
        return {}

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group, as it is now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The number of steps, and the bases."""
        return {"steps": self.steps, "bases": list(self.bases)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state, with this schedule's own settings. After an error nothing has changed."""
        name = f"{type(self).__name__}.load_state_dict"
        if state_dict.keys() != {"steps", "bases"}:
            raise ValueError(f"{name}: expects ['bases', 'steps'] but got {sorted(state_dict)}")
        bases = [float(base) for base in state_dict["bases"]]
        if len(bases) != len(self.bases):
            raise ValueError(f"{name}: expects {len(self.bases)} learning rates but got {len(bases)}")
        _check_steps(name, "steps", state_dict["steps"], 0)
        self.steps, self.bases = int(state_dict["steps"]), bases
        self._set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(steps={self.steps}, lr={self.get_last_lr()})"


def _check_steps(name: str, argument: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    if value < least:
        raise ValueError(f"{name}: {argument} expects at least {least} but got {value}")


class WarmUpLR(Schedule):
    """Rises over ``warm_up`` steps and stays there.

    Examples
    --------
    >>> from tilegrad import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter([1.0])], lr=0.4)
    >>> schedule = nn.optim.WarmUpLR(optimizer, warm_up=3)
    >>> for _ in range(4):
    ...     print(round(optimizer.param_groups[0]["lr"], 3), end=" ")
    ...     schedule.step()
    0.1 0.2 0.3 0.4
    """

    def rate(self, base: float, step: int) -> float:
        return base


class StepLR(Schedule):
    """Multiplied by ``gamma`` every ``step_size`` steps; PyTorch's ``StepLR``.

    Examples
    --------
    >>> from tilegrad import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter([1.0])], lr=0.4)
    >>> schedule = nn.optim.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     print(round(optimizer.param_groups[0]["lr"], 3), end=" ")
    ...     schedule.step()
    0.4 0.4 0.2 0.2 0.1
    """

    def __init__(self, optimizer: "Optimizer", step_size: int, gamma: float = 0.1, *, warm_up: int = 0) -> None:
        _check_steps("StepLR", "step_size", step_size, 1)
        if not 0 <= gamma < math.inf:
            raise ValueError(f"StepLR: gamma expects a number of at least 0 but got {gamma}")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, warm_up=warm_up)

    def rate(self, base: float, step: int) -> float:
        return base * self.gamma ** (step // self.step_size)


class CosineAnnealingLR(Schedule):
    """Half a cosine down to ``eta_min`` at step ``T_max``, and that from there on; until then PyTorch's.

    Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (ICLR 2017), without restarts.

    Examples
    --------
    >>> from tilegrad import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter([1.0])], lr=0.4)
    >>> schedule = nn.optim.CosineAnnealingLR(optimizer, T_max=4)
    >>> for _ in range(6):
    ...     print(round(optimizer.param_groups[0]["lr"], 3), end=" ")
    ...     schedule.step()
    0.4 0.341 0.2 0.059 0.0 0.0
    """

    def __init__(self, optimizer: "Optimizer", T_max: int, eta_min: float = 0.0, *, warm_up: int = 0) -> None:
        _check_steps("CosineAnnealingLR", "T_max", T_max, 1)
        if not 0 <= eta_min < math.inf:
            raise ValueError(f"CosineAnnealingLR: eta_min expects a number of at least 0 but got {eta_min}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, warm_up=warm_up)

    def rate(self, base: float, step: int) -> float:
        done = min(step, self.T_max) / self.T_max
        return self.eta_min + (base - self.eta_min) * 0.5 * (1.0 + math.cos(math.pi * done))
