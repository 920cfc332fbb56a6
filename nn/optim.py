"""Optimisers, under PyTorch's names. A step is one kernel launch for all parameters of a group.

Schedules of their learning rates are in schedule.py.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.changing import Changing, asked
from .replay import again, will_write
from .schedule import CosineAnnealingLR, Schedule, StepLR, WarmUpLR
from .tensor import Tensor

__all__ = ["SGD", "Adam", "AdamW", "CosineAnnealingLR", "Optimizer", "Schedule", "StepLR", "WarmUpLR"]


class Optimizer(ABC):
    """Parameters in groups with settings of their own, and the state that each parameter has.

    A subclass defines ``_step(group, parameters, step, lr)`` for parameters of one group that have a gradient, a dtype
    and an age in common, ``_check(settings)`` for its settings, and ``state_names`` for the arrays that a parameter
    has.
    """

    state_names: tuple[str, ...] = ()

    def __init__(self, params: Iterable[Tensor] | Iterable[dict[str, Any]], defaults: dict[str, Any]) -> None:
        self._check(defaults)
        self.defaults = defaults
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: expects parameters but got none")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)  # type: ignore[arg-type]

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add ``{"params": parameters, setting: value, ...}``; settings not named are the defaults."""
        name = type(self).__name__
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        unknown = group.keys() - self.defaults.keys() - {"params"}
        if unknown:
            raise ValueError(f"{name}: a group takes {sorted(self.defaults)} but got {sorted(unknown)}")
        known = {id(parameter) for other in self.param_groups for parameter in other["params"]}
        for parameter in params:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{name}: parameters expect tensors but got {type(parameter).__name__}")
            if not parameter.is_leaf:
                raise ValueError(f"{name}: a parameter of shape {parameter.shape} is the result of an operation")
            if id(parameter) in known:
                raise ValueError(f"{name}: a parameter of shape {parameter.shape} is in more than one place")
            known.add(id(parameter))
        added = {**self.defaults, **group, "params": params}
        self._check(added)
        self.param_groups.append(added)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or set them to zero in place."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    parameter.grad = None
                elif parameter.grad is not None:
                    parameter.grad = parameter.grad.detach().copy_(0)

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            alike: dict[tuple[Any, int], list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    age = self.state.setdefault(parameter, {"step": 0})["step"]
                    alike.setdefault((parameter.dtype, age), []).append(parameter)
            for parameters in alike.values():
                for parameter in parameters:
                    will_write(parameter.data)
                now = partial(self._now, group, parameters, _all_but_lr(group), self.state)
                self._step(group, parameters, **again(now))
                again(partial(self._count, parameters))

    def _now(
        self, group: dict[str, Any], parameters: list[Tensor], settings: dict[str, Any], state: dict[Tensor, Any]
    ) -> dict[str, Any]:
        """The numbers of the step that comes, for parameters of one age; other settings and the state must be those."""
        if _all_but_lr(group) != settings or self.state is not state:
            name = type(self).__name__
            raise RuntimeError(
                f"{name}: settings other than lr, or the state, were replaced after the capture of a step"
            )
        return {"step": self.state[parameters[0]]["step"] + 1, "lr": group["lr"]}

    def _count(self, parameters: list[Tensor]) -> dict[str, Any]:
        for parameter in parameters:
            self.state[parameter]["step"] += 1
            parameter.version.count += 1
        return {}

    @abstractmethod
    def _step(self, group: dict[str, Any], parameters: list[Tensor], step: Changing[int], lr: Changing[float]) -> None:
        """Update parameters of one group and dtype, all of which take their step number ``step``, from 1."""

    def _check(self, settings: Mapping[str, Any]) -> None:  # noqa: B027 (a subclass may have nothing to refuse)
        """Refuse the settings of a group that cannot be."""

    def _arrays(self, name: str, parameters: list[Tensor]) -> list[Any]:
        """The arrays of a state, zero where they are new, which are about to be written."""
        arrays = []
        for parameter in parameters:
            state = self.state[parameter]
            if name not in state:
                state[name] = np.zeros_like(parameter.data)
            will_write(state[name])
            arrays.append(state[name])
        return arrays

    def state_dict(self) -> dict[str, Any]:
        """A snapshot (copies): ``state`` by the parameter's place, and ``param_groups`` with places for parameters."""
        places = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        state = {places[id(p)]: {n: _copy(value) for n, value in values.items()} for p, values in self.state.items()}
        groups = [{**group, "params": [places[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a snapshot. Everything is checked first: after an error nothing has changed."""
        name = f"{type(self).__name__}.load_state_dict"
        groups = state_dict["param_groups"]
        sizes, own = [len(g["params"]) for g in groups], [len(g["params"]) for g in self.param_groups]
        if sizes != own:
            raise ValueError(f"{name}: expects groups of {own} parameters but got {sizes}")
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        for group in groups:
            if group.keys() - {"params"} != self.defaults.keys():
                seen = sorted(group.keys() - {"params"})
                raise ValueError(f"{name}: a group expects the settings {sorted(self.defaults)} but got {seen}")
            self._check(group)
        state: dict[Tensor, dict[str, Any]] = {}
        for place, values in state_dict["state"].items():
            if not 0 <= int(place) < len(parameters):
                raise ValueError(f"{name}: state expects places below {len(parameters)} but got {place}")
            parameter = parameters[int(place)]
            self._check_state(f"{name}: state of parameter {place}", parameter, values)
            state[parameter] = {key: _beside(parameter, value) for key, value in values.items()}
        self.state = state
        for group, loaded in zip(self.param_groups, groups, strict=True):
            group.update({key: value for key, value in loaded.items() if key != "params"})

    def _check_state(self, name: str, parameter: Tensor, values: Mapping[str, Any]) -> None:
        arrays = values.keys() - {"step"}
        if "step" not in values or (arrays and arrays != set(self.state_names)):
            raise ValueError(f"{name} expects {['step', *self.state_names]} but got {list(values)}")
        step = values["step"]
        if not isinstance(step, int | np.integer) or step < 0:
            raise ValueError(f"{name} expects a step of at least 0 but got {step!r}")
        for key in arrays:
            shape, dtype = getattr(values[key], "shape", ()), getattr(values[key], "dtype", None)
            if shape != parameter.shape or dtype != parameter.dtype:
                seen = f"{dtype} of shape {shape}"
                raise ValueError(
                    f"{name} expects {key} of {parameter.dtype} and shape {parameter.shape} but got {seen}"
                )

    def __repr__(self) -> str:
        settings = (", ".join(f"{k}={v}" for k, v in g.items() if k != "params") for g in self.param_groups)
        lines = (f"{len(g['params'])} parameters: {s}" for g, s in zip(self.param_groups, settings, strict=True))
        return f"{type(self).__name__}({'; '.join(lines)})"


def _all_but_lr(group: Mapping[str, Any]) -> dict[str, Any]:
    """What a captured graph holds of a group's settings."""
    return {name: value for name, value in group.items() if name not in ("params", "lr")}


def _beside(parameter: Tensor, value: Any) -> Any:
    """A copy of a state's value, on the parameter's device if it is an array."""
    if isinstance(value, int | np.integer):
        return value
    moved = kernels.to_device(value, parameter.device)
    return value.copy() if moved is value else moved


def _copy(value: Any) -> Any:
    return value.copy() if hasattr(value, "copy") else value


def _check_at_least_zero(name: str, settings: Mapping[str, Any], *checked: str) -> None:
    for setting in checked:
        if not settings[setting] >= 0:
            raise ValueError(f"{name}: {setting} expects a number of at least 0 but got {settings[setting]}")


class SGD(Optimizer):
    """Stochastic gradient descent, with PyTorch's momentum, dampening, weight decay and Nesterov's variant.

    Examples
    --------
    >>> from tilegrad import nn
    >>> p = nn.Parameter([1.0])
    >>> optimizer = nn.optim.SGD([p], lr=0.1)
    >>> (p * 3.0).sum().backward()
    >>> optimizer.step()
    >>> round(p.item(), 6)
    0.7
    """

    state_names = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
            },
        )

    def _check(self, settings: Mapping[str, Any]) -> None:
        _check_at_least_zero("SGD", settings, "lr", "momentum", "weight_decay")
        if settings["nesterov"] and (settings["momentum"] <= 0 or settings["dampening"] != 0):
            raise ValueError("SGD: nesterov expects a momentum and no dampening")

    def _step(self, group: dict[str, Any], parameters: list[Tensor], step: Changing[int], lr: Changing[float]) -> None:
        buffers = self._arrays("momentum_buffer", parameters) if group["momentum"] else []
        kernels.sgd_step(
            [p.data for p in parameters], [_gradient(p) for p in parameters], buffers,
            lr=lr, momentum=group["momentum"], dampening=group["dampening"],
            weight_decay=group["weight_decay"], nesterov=group["nesterov"], first=asked(step) == 1,
        )  # fmt: skip


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015); weight decay is added to the gradient, as in PyTorch.

    Examples
    --------
    >>> from tilegrad import nn
    >>> p = nn.Parameter([1.0])
    >>> optimizer = nn.optim.Adam([p], lr=0.1)
    >>> (p * 3.0).sum().backward()
    >>> optimizer.step()
    >>> round(p.item(), 6)
    0.9
    """

    decoupled = False
    state_names = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay})

    def _check(self, settings: Mapping[str, Any]) -> None:
        name, betas = type(self).__name__, settings["betas"]
        _check_at_least_zero(name, settings, "lr", "eps", "weight_decay")
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"{name}: betas expect numbers in [0, 1) but got {betas}")

    def _step(self, group: dict[str, Any], parameters: list[Tensor], step: Changing[int], lr: Changing[float]) -> None:
        kernels.adam_step(
            [p.data for p in parameters], [_gradient(p) for p in parameters],
            self._arrays("exp_avg", parameters), self._arrays("exp_avg_sq", parameters),
            step=step, lr=lr, betas=group["betas"], eps=group["eps"],
            weight_decay=group["weight_decay"], decoupled=self.decoupled,
        )  # fmt: skip


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2019)."""

    decoupled = True

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)


def _gradient(parameter: Tensor) -> Any:
    assert parameter.grad is not None
    return parameter.grad.data
