"""Arrays to PyTorch's tensors and back, and what its operations and networks share."""

from typing import Any

import numpy as np
import torch

from ..contestant import Prepared


def to_tensor(array: np.ndarray, layout: Any) -> torch.Tensor:
    """A copy of an NHWC image or an OHWI weight, NCHW or OIHW by its axes, in that layout; vectors as they are."""
    tensor = torch.from_numpy(array)
    if array.ndim != 4:
        return tensor.clone()
    return tensor.permute(0, 3, 1, 2).clone(memory_format=layout)


def to_array(tensor: torch.Tensor) -> np.ndarray:
    """Back to NHWC or OHWI."""
    tensor = tensor.detach()
    return (tensor.permute(0, 2, 3, 1) if tensor.ndim == 4 else tensor).numpy()


def without_graph(call: Any) -> Prepared:
    """What is computed without recording for gradients."""
    timed = torch.inference_mode()(call)

    def result() -> tuple[np.ndarray, ...]:
        found = timed()
        return tuple(to_array(each) for each in (found if isinstance(found, tuple) else (found,)))

    return Prepared(timed, result)


def adam(parameters: Any, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)) -> torch.optim.Optimizer:
    """The fused step where this PyTorch has it for the CPU: its fastest. On CUDA it is one that a graph can hold."""
    parameters = list(parameters)
    try:
        return torch.optim.Adam(parameters, lr=lr, betas=betas, fused=True, capturable=parameters[0].is_cuda)
    except (RuntimeError, TypeError):
        return torch.optim.Adam(parameters, lr=lr, betas=betas)
