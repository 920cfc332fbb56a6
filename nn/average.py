"""A model's weights averaged over the steps of its training."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from .. import kernels
from ..kernels.arrays import device_of
from .modules import Module
from .replay import again, will_write


class EMA:
    """An exponential moving average of a model's parameters: ``average += (1 - decay) * (parameter - average)``.

    Parameters
    ----------
    model : Module
        Its parameters now are the first averages. Buffers (running statistics) are averages already and are left alone.
    decay : float
        In [0, 1): how much of the average a step keeps.
    warm_up : bool
        Keep no more than ``(1 + n) / (10 + n)`` in step n, so that the first steps do not weigh for long.

    Examples
    --------
    >>> from tilegrad import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> nn.init.zeros_(model.weight).shape
    (1, 1)
    >>> average = nn.EMA(model, decay=0.75)
    >>> nn.init.ones_(model.weight).shape
    (1, 1)
    >>> average.update()
    >>> with average.applied():
    ...     model.weight.item()
    0.25
    >>> model.weight.item()
    1.0
    """

    def __init__(self, model: Module, decay: float = 0.999, *, warm_up: bool = False) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"EMA: decay expects a number in [0, 1) but got {decay}")
        self.decay, self.warm_up, self.updates = decay, warm_up, 0
        self.parameters = dict(model.named_parameters())
        self.averages = {name: parameter.data.copy() for name, parameter in self.parameters.items()}

    def update(self) -> None:
        """Take the parameters as they are now into the averages: one launch for each dtype."""
        now = again(lambda: {"decay": self._decay_now()})
        alike: dict[Any, list[str]] = {}
        for name, average in self.averages.items():
            alike.setdefault(average.dtype, []).append(name)
        for names in alike.values():
            arrays = [self.parameters[name].data for name in names]
            averages = [self.averages[name] for name in names]
            for average in averages:
                will_write(average)
            kernels.average_step(averages, arrays, decay=now["decay"])
        again(self._count)

    def _decay_now(self) -> float:
        return min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warm_up else self.decay

    def _count(self) -> dict[str, Any]:
        self.updates += 1
        return {}

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the model has the averages for parameters: for evaluation, and for saving."""
        kept = {name: parameter.data.copy() for name, parameter in self.parameters.items()}
        self._write(self.averages)
        try:
            yield
        finally:
            self._write(kept)

    def _write(self, arrays: Mapping[str, Any]) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(arrays[name])

    def state_dict(self) -> dict[str, Any]:
        """A snapshot (copies): the number of updates, and the averages by name."""
        return {"updates": self.updates, "averages": {name: array.copy() for name, array in self.averages.items()}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a snapshot. Everything is checked first: after an error nothing has changed."""
        name = "EMA.load_state_dict"
        if state_dict.keys() != {"updates", "averages"}:
            raise ValueError(f"{name}: expects ['averages', 'updates'] but got {sorted(state_dict)}")
        loaded, updates = state_dict["averages"], int(state_dict["updates"])
        if loaded.keys() != self.averages.keys():
            raise ValueError(f"{name}: expects {sorted(self.averages)} but got {sorted(loaded)}")
        if updates < 0:
            raise ValueError(f"{name}: updates expects at least 0 but got {updates}")
        for key, own in self.averages.items():
            if loaded[key].shape != own.shape or loaded[key].dtype != own.dtype:
                seen = f"{loaded[key].dtype} of shape {loaded[key].shape}"
                raise ValueError(f"{name}: {key} expects {own.dtype} of shape {own.shape} but got {seen}")
        for key, own in self.averages.items():
            own[...] = kernels.to_device(loaded[key], device_of("EMA", (own,)))
        self.updates = updates
