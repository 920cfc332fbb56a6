"""tilegrad's side of every workload."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilegrad import __version__, filters, kernels, nn

from . import networks
from .contestant import Arrays, Contestant, Prepared
from .dense_kinds import Linear, Matmul, Sum
from .filter_kinds import OPENCV, Filter
from .image_kinds import ImageMove
from .kinds import AdamStep, BatchNorm, Convolution, Elementwise, FreshProcess, SmallCall
from .network_kinds import Network


@functools.singledispatch
def prepare(work: Any, arrays: Arrays) -> Prepared | None:
    """Make a workload ready; see `Contestant`."""
    raise TypeError(f"prepare: expects a workload but got {type(work).__name__}")


@prepare.register
def _(work: Convolution, arrays: Arrays) -> Prepared:
    x, w, bias, gy = (arrays[name] for name in ("x", "w", "bias", "gy"))
    place: dict[str, Any] = {
        "stride": work.stride, "padding": work.padding, "groups": work.groups, "variant": work.variant,
    }  # fmt: skip
    calls = {
        "forward": lambda: kernels.conv2d(x, w, bias, **place),
        "input gradient": lambda: kernels.conv2d_input_grad(gy, w, x.shape, **place),
        "weight gradient": lambda: kernels.conv2d_weight_grad(gy, x, w.shape, **place),
    }
    transposed = {
        "forward": lambda: kernels.conv_transpose2d(x, w, bias, **place),
        "input gradient": lambda: kernels.conv2d(gy, w, **place),
        "weight gradient": lambda: kernels.conv2d_weight_grad(x, gy, w.shape, **place),
    }
    call = (transposed if work.transposed else calls)[work.run]
    return Prepared(call, lambda: (call(),))


@prepare.register
def _(work: Network, arrays: Arrays) -> Prepared:
    return networks.prepare(work, arrays)


@prepare.register
def _(work: Elementwise, arrays: Arrays) -> Prepared:
    function, operands = getattr(kernels, work.function), tuple(arrays.values())
    call = functools.partial(function, *operands)
    return Prepared(call, lambda: (call(),))


@prepare.register
def _(work: Matmul, arrays: Arrays) -> Prepared:
    call = functools.partial(kernels.matmul, arrays["a"], arrays["b"])
    return Prepared(call, lambda: (call(),))


@prepare.register
def _(work: Linear, arrays: Arrays) -> Prepared:
    x, w, bias, gy = (arrays[name] for name in ("x", "w", "bias", "gy"))
    calls = {
        "forward": lambda: kernels.linear(x, w, bias),
        "input gradient": lambda: kernels.matmul(gy, w),
        "weight gradient": lambda: kernels.matmul(gy, x, transpose_a=True),
    }
    call = calls[work.run]
    return Prepared(call, lambda: (call(),))


@prepare.register
def _(work: Sum, arrays: Arrays) -> Prepared:
    call = functools.partial(kernels.sum, arrays["x"], axis=work.axes)
    return Prepared(call, lambda: (call(),))


@prepare.register
def _(work: BatchNorm, arrays: Arrays) -> Prepared:
    x, gy, weight, bias = (arrays[name] for name in ("x", "gy", "weight", "bias"))
    running_mean, running_var = np.zeros_like(weight), np.ones_like(weight)

    def call() -> tuple[np.ndarray, ...]:
        y, mean, inverse_std, affine = kernels.batch_norm_train(
            x, weight, bias, running_mean=running_mean, running_var=running_var, activation="relu"
        )
        return y, *kernels.batch_norm_grad(gy, x, mean, inverse_std, weight, affine, activation="relu")

    return Prepared(call, call)


@prepare.register
def _(work: ImageMove, arrays: Arrays) -> Prepared:
    x = arrays["x"]
    gy = arrays.get("gy", x)
    indices = kernels.max_pool2d(x, 2, return_indices=True)[1]
    twice: dict[str, Any] = {"scale_factor": 2}
    forward: dict[str, Callable[[], Any]] = {
        "max pool 2x2": lambda: kernels.max_pool2d(x, 2, return_indices=True),
        "avg pool 2x2": lambda: kernels.avg_pool2d(x, 2),
        "nearest x2": lambda: kernels.interpolate(x, **twice),
        "bilinear x2": lambda: kernels.interpolate(x, **twice, mode="bilinear"),
        "pad 1 reflect": lambda: kernels.pad2d(x, 1, mode="reflect"),
        "pixel shuffle x2": lambda: kernels.pixel_shuffle(x, 2),
    }
    gradient: dict[str, Callable[[], Any]] = {
        "max pool 2x2": lambda: kernels.max_pool2d_grad(gy, indices, x.shape, 2),
        "avg pool 2x2": lambda: kernels.avg_pool2d_grad(gy, x.shape, 2),
        "nearest x2": lambda: kernels.interpolate_grad(gy, x.shape, **twice),
        "bilinear x2": lambda: kernels.interpolate_grad(gy, x.shape, **twice, mode="bilinear"),
        "pad 1 reflect": lambda: kernels.pad2d_grad(gy, x.shape, 1, mode="reflect"),
        "pixel shuffle x2": lambda: kernels.pixel_unshuffle(gy, 2),
    }
    call = (gradient if work.gradient else forward)[work.move]

    def result() -> tuple[np.ndarray, ...]:
        found = call()
        return found if isinstance(found, tuple) else (found,)

    return Prepared(call, result)


@prepare.register
def _(work: AdamStep, arrays: Arrays) -> Prepared:
    count = len(work.parameters)
    parameters = [nn.Parameter(arrays[f"parameter{i}"].copy()) for i in range(count)]
    for i, parameter in enumerate(parameters):
        parameter.grad = nn.Tensor(arrays[f"gradient{i}"])
    optimizer = nn.optim.Adam(parameters, lr=1e-3)

    def result() -> tuple[np.ndarray, ...]:
        optimizer.step()
        return tuple(parameter.data.copy() for parameter in parameters)

    return Prepared(optimizer.step, result)


@prepare.register
def _(work: Filter, arrays: Arrays) -> Prepared:
    return work.prepare_ours(filters.cv if work.rival == OPENCV else filters, arrays)


@prepare.register
def _(work: SmallCall, arrays: Arrays) -> Prepared:
    x, w, gy, a, b = (arrays[name] for name in ("x", "w", "gy", "a", "b"))
    recorded_x, recorded_w, start = nn.Tensor(x, requires_grad=True), nn.Parameter(w), nn.Tensor(gy)

    def backward() -> tuple[Any, ...]:
        return nn.grad(nn.functional.conv2d(recorded_x, recorded_w), (recorded_x, recorded_w), start)

    calls = {
        "add": lambda: kernels.add(a, b),
        "relu": lambda: kernels.relu(a),
        "matmul": lambda: kernels.matmul(a, b),
        "conv2d": lambda: kernels.conv2d(x, w),
        "conv2d weight grad": lambda: kernels.conv2d_weight_grad(gy, x, w.shape),
        "conv2d, recorded": lambda: nn.functional.conv2d(recorded_x, recorded_w),
        "conv2d, backward": backward,
    }
    call = calls[work.function]

    def result() -> tuple[np.ndarray, ...]:
        found = call()
        return tuple(_array(each) for each in (found if isinstance(found, tuple) else (found,)))

    return Prepared(call, result)


def _array(value: Any) -> np.ndarray:
    return value.data if isinstance(value, nn.Tensor) else value


_INFERENCE = """
import numpy as np
from tilegrad import nn
model = nn.models.DnCNN().eval()
with nn.no_grad():
    model(nn.Tensor(np.zeros((1, 64, 64, 1), np.float32)))
print("ready", flush=True)
"""

_TRAINING = """
import numpy as np
from tilegrad import nn
from tilegrad.kernels.machine.compile import compiled_kernels
model = nn.models.DnCNN()
optimizer = nn.optim.Adam(model.parameters())
images = nn.Tensor(np.zeros((16, 40, 40, 1), np.float32))
nn.functional.mse_loss(model(images), images).backward()
optimizer.step()
print("ready", flush=True)
print(f"{len(compiled_kernels)} kernels compiled")
"""


# As the recipes do: what the first step needs is compiled by several processes at once.
_FIRST_TRAINING = """
from tilegrad import kernels, nn
from tilegrad.kernels.machine.ahead import compile_ahead
from tilegrad.kernels.warmup import missing_kernels
import numpy as np
def step():
    model = nn.models.DnCNN()
    optimizer = nn.optim.Adam(model.parameters())
    images = nn.Tensor(np.zeros((16, 40, 40, 1), np.float32))
    nn.functional.mse_loss(model(images), images).backward()
    optimizer.step()
done = compile_ahead(missing_kernels(step))
step()
print("ready", flush=True)
print(f"{done.compiled} kernels compiled by {done.processes} processes")
"""


def program(work: FreshProcess) -> str:
    """The source of the program that does this in a fresh process."""
    if not work.training:
        return _INFERENCE
    return _TRAINING if work.warm else _FIRST_TRAINING


OURS = Contestant("tilegrad", f"tilegrad {__version__}", prepare, program)
