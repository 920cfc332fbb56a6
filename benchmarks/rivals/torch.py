"""PyTorch: its channels_last layout, which is tilegrad's own order in memory, and its default layout, NCHW.

Everything is eager and float32. Images and weights are permuted before anything is timed.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ..contestant import Arrays, Contestant, Prepared
from ..dense_kinds import Linear, Matmul, Sum
from ..image_kinds import ImageMove
from ..kinds import AdamStep, BatchNorm, Convolution, Elementwise, FreshProcess, SmallCall
from ..network_kinds import Network
from . import torch_networks
from .torch_arrays import adam, to_array, to_tensor, without_graph

aten = torch.ops.aten


def contestants(threads: int, compiled: bool) -> list[Contestant]:
    """PyTorch in both layouts, with this many threads, and whole networks through ``torch.compile`` if ``compiled``."""
    torch.set_num_threads(threads)
    library = f"torch {torch.__version__}"
    found = [
        Contestant("channels_last", library, functools.partial(prepare, layout=torch.channels_last), program),
        Contestant("NCHW", library, functools.partial(prepare, layout=torch.contiguous_format), lambda work: None),
    ]
    if compiled:
        torch_networks.check_compiler()
        found.append(Contestant("compile", library, torch_networks.prepare_compiled, lambda work: None))
    return found


@functools.singledispatch
def prepare(work: Any, arrays: Arrays, layout: Any) -> Prepared | None:
    """Make a workload ready; see `Contestant`."""
    raise TypeError(f"prepare: expects a workload but got {type(work).__name__}")


@prepare.register
def _(work: Convolution, arrays: Arrays, layout: Any) -> Prepared:
    x, w, bias, gy = (to_tensor(arrays[name], layout) for name in ("x", "w", "bias", "gy"))
    return without_graph(convolution_calls(work, x, w, bias, gy)[work.run])


def convolution_calls(
    work: Convolution, x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None, gy: torch.Tensor
) -> dict[str, Callable[[], torch.Tensor]]:
    """The convolution and its gradients, by what they run."""
    stride, padding, channels = [work.stride] * 2, [work.padding] * 2, [work.out_channels]
    convolve: Callable[[], torch.Tensor] = (
        functools.partial(functional.conv_transpose2d, x, w, bias, stride, padding, 0, work.groups)
        if work.transposed
        else functools.partial(functional.conv2d, x, w, bias, stride, padding, 1, work.groups)
    )

    def gradient(which: int) -> torch.Tensor:
        wanted = [which == 0, which == 1, False]
        return aten.convolution_backward(
            gy, x, w, channels, stride, padding, [1, 1], work.transposed, [0, 0], work.groups, wanted
        )[which]  # fmt: skip

    return {
        "forward": convolve,
        "input gradient": lambda: gradient(0),
        "weight gradient": lambda: gradient(1),
    }


@prepare.register
def _(work: Network, arrays: Arrays, layout: Any) -> Prepared | None:
    return torch_networks.prepare(work, arrays, layout)


@prepare.register
def _(work: Elementwise, arrays: Arrays, layout: Any) -> Prepared | None:
    if layout is not torch.channels_last:
        return None
    operands = [to_tensor(array, layout) for array in arrays.values()]
    return without_graph(functools.partial(getattr(torch, work.function), *operands))


@prepare.register
def _(work: Matmul, arrays: Arrays, layout: Any) -> Prepared | None:
    if layout is not torch.channels_last:
        return None
    return without_graph(functools.partial(torch.mm, *map(torch.from_numpy, arrays.values())))


@prepare.register
def _(work: Linear, arrays: Arrays, layout: Any) -> Prepared | None:
    if layout is not torch.channels_last:
        return None
    x, w, bias, gy = (torch.from_numpy(arrays[name]) for name in ("x", "w", "bias", "gy"))
    calls = {
        "forward": lambda: functional.linear(x, w, bias),
        "input gradient": lambda: gy.mm(w),
        "weight gradient": lambda: gy.t().mm(x),
    }
    return without_graph(calls[work.run])


@prepare.register
def _(work: Sum, arrays: Arrays, layout: Any) -> Prepared | None:
    if layout is not torch.channels_last:
        return None
    # The same array, as it lies in memory: what channels_last calls N, C, H, W are these axes in another order.
    return without_graph(functools.partial(torch.sum, torch.from_numpy(arrays["x"]), work.axes))


@prepare.register
def _(work: BatchNorm, arrays: Arrays, layout: Any) -> Prepared:
    x, gy, weight, bias = (to_tensor(arrays[name], layout) for name in ("x", "gy", "weight", "bias"))
    running_mean, running_var = torch.zeros_like(weight), torch.ones_like(weight)

    def call() -> tuple[torch.Tensor, ...]:
        z, mean, inverse_std = aten.native_batch_norm(x, weight, bias, running_mean, running_var, True, 0.1, 1e-5)
        y = torch.relu_(z)
        gz = aten.threshold_backward(gy, y, 0)
        return y, *aten.native_batch_norm_backward(
            gz, x, weight, running_mean, running_var, mean, inverse_std, True, 1e-5, [True, True, True]
        )

    return without_graph(call)


@prepare.register
def _(work: ImageMove, arrays: Arrays, layout: Any) -> Prepared:
    x, gy = (to_tensor(arrays[name], layout) if name in arrays else None for name in ("x", "gy"))
    assert x is not None
    size, doubled = list(x.shape), [2 * side for side in x.shape[2:]]
    indices = functional.max_pool2d(x, 2, return_indices=True)[1]
    window = ([2, 2], [2, 2], [0, 0])
    forward = {
        "max pool 2x2": lambda: functional.max_pool2d(x, 2, return_indices=True),
        "avg pool 2x2": lambda: functional.avg_pool2d(x, 2),
        "nearest x2": lambda: functional.interpolate(x, scale_factor=2),
        "bilinear x2": lambda: functional.interpolate(x, scale_factor=2, mode="bilinear"),
        "pad 1 reflect": lambda: functional.pad(x, (1, 1, 1, 1), mode="reflect"),
        "pixel shuffle x2": lambda: functional.pixel_shuffle(x, 2),
    }
    gradient = {
        "max pool 2x2": lambda: aten.max_pool2d_with_indices_backward(gy, x, *window, [1, 1], False, indices),
        "avg pool 2x2": lambda: aten.avg_pool2d_backward(gy, x, *window, False, True, None),
        "nearest x2": lambda: aten.upsample_nearest2d_backward(gy, doubled, size),
        "bilinear x2": lambda: aten.upsample_bilinear2d_backward(gy, doubled, size, False),
        "pad 1 reflect": lambda: aten.reflection_pad2d_backward(gy, x, [1, 1, 1, 1]),
        "pixel shuffle x2": lambda: functional.pixel_unshuffle(gy, 2),
    }
    return without_graph((gradient if work.gradient else forward)[work.move])


@prepare.register
def _(work: AdamStep, arrays: Arrays, layout: Any) -> Prepared | None:
    if layout is not torch.channels_last:
        return None
    count = len(work.parameters)
    parameters = [torch.nn.Parameter(torch.from_numpy(arrays[f"parameter{i}"].copy())) for i in range(count)]
    for i, parameter in enumerate(parameters):
        parameter.grad = torch.from_numpy(arrays[f"gradient{i}"])
    optimizer = adam(parameters)

    def result() -> tuple[np.ndarray, ...]:
        optimizer.step()
        return tuple(parameter.detach().numpy().copy() for parameter in parameters)

    return Prepared(optimizer.step, result)


@prepare.register
def _(work: SmallCall, arrays: Arrays, layout: Any) -> Prepared | None:
    if layout is not torch.channels_last:
        return None
    x, w, gy = (to_tensor(arrays[name], layout) for name in ("x", "w", "gy"))
    a, b = (torch.from_numpy(arrays[name]) for name in ("a", "b"))
    recorded_x, recorded_w = x.clone().requires_grad_(), w.clone().requires_grad_()
    geometry = ([0], [1, 1], [0, 0], [1, 1], False, [0, 0], 1)

    def backward() -> tuple[torch.Tensor, ...]:
        return torch.autograd.grad(functional.conv2d(recorded_x, recorded_w), (recorded_x, recorded_w), gy)

    calls = {
        "add": lambda: torch.add(a, b),
        "relu": lambda: torch.relu(a),
        "matmul": lambda: torch.matmul(a, b),
        "conv2d": lambda: functional.conv2d(x, w),
        "conv2d weight grad": lambda: aten.convolution_backward(gy, x, w, *geometry, [False, True, False])[1],
        "conv2d, recorded": lambda: functional.conv2d(recorded_x, recorded_w),
        "conv2d, backward": backward,
    }
    call = calls[work.function]

    def result() -> tuple[np.ndarray, ...]:
        found = call()
        return tuple(to_array(each) for each in (found if isinstance(found, tuple) else (found,)))

    return Prepared(call, result)


_MODEL = """
import torch
def block():
    return torch.nn.Conv2d(64, 64, 3, padding=1, bias=False), torch.nn.BatchNorm2d(64), torch.nn.ReLU(inplace=True)
model = torch.nn.Sequential(
    torch.nn.Conv2d(1, 64, 3, padding=1), torch.nn.ReLU(inplace=True),
    *(layer for _ in range(15) for layer in block()),
    torch.nn.Conv2d(64, 1, 3, padding=1),
).to(memory_format=torch.channels_last)
"""

_INFERENCE = """
model.eval()
with torch.inference_mode():
    images = torch.zeros((1, 1, 64, 64))
    images - model(images)
print("ready", flush=True)
"""

_TRAINING = """
optimizer = torch.optim.Adam(model.parameters())
images = torch.zeros((16, 1, 40, 40))
torch.nn.functional.mse_loss(images - model(images), images).backward()
optimizer.step()
print("ready", flush=True)
"""


def program(work: FreshProcess) -> str | None:
    """The source of the program that does this in a fresh process; a first process is like any other."""
    return _MODEL + (_TRAINING if work.training else _INFERENCE)
