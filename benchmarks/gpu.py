"""``python -m benchmarks --gpu``: training steps and convolutions on a CUDA GPU, beside PyTorch where it has CUDA.

A training step is measured in each precision, as it is, where its launches are counted, and captured as one CUDA graph;
PyTorch's in both layouts, with its automatic mixed precision, captured too, and through torch.compile. Each row says
its precision: what has the same may be compared, and "3xtf32" with PyTorch's float32. A convolution and its gradients
are measured in every variant that takes them, and in cuDNN's through PyTorch, with their share of the largest rate of
products that was measured on this GPU. Kernels that memory bounds (moves.py) have their share of the rate at which it
copies: by the least bytes that they can move. Losses and results are compared before anything is timed.
"""

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tilegrad.kernels.contexts import PRECISIONS, operations
from tilegrad.kernels.machine import cuda

from tilegrad import kernels, nn
from tilegrad.errors import TilegradError, UsageError
from tilegrad.extras import require_device
from tilegrad.files import replacing

from .contestant import Arrays, Training
from .kinds import Convolution
from .moves import MOVES, Move
from .network_kinds import CNN, DCGAN, DnCNN
from .networks import trainer

NETWORKS = (DnCNN((128, 40, 40, 1)), DCGAN(batch=128, channels=128, size=64), DCGAN(batch=128), CNN())
LAYERS = (
    Convolution("dncnn-40", "DnCNN", (128, 40, 40, 64), 64, 3, padding=1),
    Convolution("dncnn-first-40", "DnCNN, first layer", (128, 40, 40, 1), 64, 3, padding=1),
    Convolution("dncnn-last-40", "DnCNN, last layer", (128, 40, 40, 64), 1, 3, padding=1),
    Convolution("dcgan-64-128", "DCGAN discriminator", (128, 14, 14, 64), 128, 4, stride=2, padding=1),
    Convolution("dcgan-256-512", "DCGAN discriminator", (128, 16, 16, 256), 512, 4, stride=2, padding=1),
)
# Of a loss after two steps, or of a result, relative to the largest: what rounding the factors of products allows.
TOLERANCE = {"float32": 1e-4, "3xtf32": 1e-4, "tf32": 1e-2, "bfloat16": 5e-2}
RIVALS = ("float32", "tf32", "bfloat16")  # the precisions that PyTorch has


class Timed(NamedTuple):
    """One row: who, how precise, how, and the median of its time in milliseconds.

    Of a step that is launched from Python also how many kernels in CUDA C++ that takes.
    """

    work: str
    side: str
    precision: str
    how: str
    milliseconds: float
    tera_flops: float | None = None
    launches: int | None = None
    tera_bytes: float | None = None


def run(patterns: Sequence[str], *, quick: bool = False, json_file: str | None = None, listing: bool = False) -> None:
    """Measure what the patterns name, and print it.

    Raises
    ------
    TilegradError
        Where there is no GPU, or results differ.
    """
    works = [w for w in (*NETWORKS, *LAYERS, *MOVES) if not patterns or any(p in w.name for p in patterns)]
    if not works:
        raise UsageError(f"no row matches {' or '.join(patterns)}; --list shows them")
    if listing:
        print("\n".join(work.name for work in works))
        return
    require_device("cuda")
    torch = _torch()
    facts = _facts(torch)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()), flush=True)
    rows: list[Timed] = []
    for work in works:
        print(f"\n{work.name}", flush=True)
        arrays = {name: _drawn(shape) for name, shape in work.shapes.items()}
        if isinstance(work, Convolution):
            found = _layers(work, arrays, torch, quick)
        else:
            found = _move(work, arrays, quick) if isinstance(work, Move) else _steps(work, arrays, torch, quick)
        for row in found:
            rows.append(row)
            rate = "" if row.tera_flops is None else f"{row.tera_flops:9.1f} TFLOP/s{_share(row, facts)}"
            rate += "" if row.tera_bytes is None else f"{row.tera_bytes:9.3f} TB/s{_share(row, facts)}"
            rate += "" if row.launches is None else f"{row.launches:9} launches"
            print(f"  {row.side:10} {row.precision:9} {row.how:32} {row.milliseconds:9.3f} ms{rate}", flush=True)
    if json_file is not None:
        lines = [json.dumps(facts), *[json.dumps(row._asdict()) for row in rows]]
        with replacing(Path(json_file)) as temporary:
            temporary.write_text("\n".join(lines) + "\n")


def _drawn(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.1, 1.0, shape).astype(np.float32)


def _torch() -> Any:
    """PyTorch, or None where it is missing or knows no GPU."""
    try:
        import torch
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


def _facts(torch: Any) -> dict[str, Any]:
    """What the figures depend on; the limits are measured."""
    import cupy

    device = cupy.cuda.Device()
    facts: dict[str, Any] = {
        "GPU": cupy.cuda.runtime.getDeviceProperties(device.id)["name"].decode(),
        "architecture": f"sm_{device.compute_capability}",
        "driver": cupy.cuda.runtime.driverGetVersion(),
        "tilegrad": version("tilegrad"),
        "cupy": cupy.__version__,
        "numpy": np.__version__,
    }
    big = cupy.empty(1 << 26, np.float32)
    facts["copy TB/s"] = round(2 * big.nbytes / milliseconds(lambda: big.copy(), quick=True) / 1e9, 3)
    if torch is None:
        return {**facts, "rival": "PyTorch with CUDA is not installed"}
    facts |= {"torch": torch.__version__, "cudnn": torch.backends.cudnn.version()}
    for precision, dtype in zip(RIVALS, (torch.float32, torch.float32, torch.bfloat16), strict=True):
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        a = torch.rand(8192, 8192, device="cuda", dtype=dtype)
        time = milliseconds(lambda a=a: a @ a, quick=True)  # type: ignore[misc]  # mypy: "cannot infer"
        facts[f"largest {precision} TFLOP/s"] = round(2 * 8192**3 / time / 1e9, 1)
    return facts


def _share(row: Timed, facts: dict[str, Any]) -> str:
    peak, rate = facts.get(f"largest {row.precision} TFLOP/s"), row.tera_flops
    if row.tera_bytes is not None:
        peak, rate = facts["copy TB/s"], row.tera_bytes
    return "" if peak is None or rate is None else f" {100 * rate / peak:5.1f} %"


def milliseconds(call: Callable[[], Any], *, quick: bool) -> float:
    """The median time of a call on the GPU, between two events."""
    from cupy.cuda import Event, get_elapsed_time

    warm, repeats = (2, 5) if quick else (10, 50)
    for _ in range(warm):
        call()
    times = []
    for _ in range(repeats):
        start, end = Event(), Event()
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(get_elapsed_time(start, end))
    return float(np.median(times))


def _check(what: str, found: Any, expected: Any, precision: str) -> None:
    error, largest = float(np.abs(found - expected).max()), float(np.abs(expected).max())
    if not error <= TOLERANCE[precision] * largest:
        raise TilegradError(f"results differ: {what} is {error:.3g} off, where the largest number is {largest:.3g}")


def _steps(work: Any, arrays: Arrays, torch: Any, quick: bool) -> Iterator[Timed]:
    """A training step: ours and PyTorch's, in every precision and way."""
    reference = trainer(work, arrays)
    expected = [reference(), reference()][-1]
    for precision in PRECISIONS:
        for how in ("as it is", "captured"):
            with kernels.precision(precision):
                training = trainer(work, arrays, np.float32, "cuda")
                if how == "captured":
                    training = replace(training, step=nn.capture(training.step))
                _check(f"tilegrad, {precision}, {how}", [training(), training()][-1], expected, precision)
                with cuda.noting() as launched:
                    training()  # captured by now
                time = milliseconds(lambda t=training: t.step(*t.inputs), quick=quick)  # type: ignore[misc]
            count = None if how == "captured" else len(launched)
            yield Timed(work.name, "tilegrad", precision, how, time, launches=count)
    if torch is not None:
        yield from _torch_steps(work, arrays, torch, expected, quick)


def _torch_steps(work: Any, arrays: Arrays, torch: Any, expected: float, quick: bool) -> Iterator[Timed]:
    from .rivals.torch_networks import STEPS

    compiled = functools.partial(torch.compile, dynamic=False)
    for precision in RIVALS:
        _allow(precision, torch)
        for label, layout in _layouts(torch).items():
            for way, through in (("eager", lambda model: model), ("torch.compile", compiled)):
                for captured in (False, True):
                    if quick and (way, captured) != ("eager", False):
                        continue
                    how = f"{label}, {way}{', captured' if captured else ''}"
                    training = STEPS[type(work)](work, arrays, layout, through, np.float32, "cuda")
                    if precision == "bfloat16":
                        training = mixed(training, torch, "cuda")
                    found = [training(), training()][-1]
                    _check(f"PyTorch, {precision}, {how}", found, expected, precision)
                    call = _captured(training, torch) if captured else lambda t=training: t.step(*t.inputs)
                    yield Timed(work.name, "PyTorch", precision, how, milliseconds(call, quick=quick))


def _layouts(torch: Any) -> dict[str, Any]:
    return {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


def _allow(precision: str, torch: Any) -> None:
    """Let PyTorch round factors so far, and choose among cuDNN's algorithms by trying them."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"


def mixed(training: Training, torch: Any, device: str) -> Training:
    """PyTorch's step in its automatic mixed precision, which is left after each step: inside it keeps the weights that
    it has rounded, and would not see what the optimiser makes of them."""

    def step(*inputs: Any) -> Any:
        with torch.autocast(device, torch.bfloat16):
            return training.step(*inputs)

    return replace(training, step=step)


def _captured(training: Training, torch: Any) -> Callable[[], None]:
    """PyTorch's step as a CUDA graph, as its manual says: warmed up on a stream of its own."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            training.step(*training.inputs)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        training.step(*training.inputs)
    return graph.replay


def _layers(work: Convolution, arrays: Arrays, torch: Any, quick: bool) -> Iterator[Timed]:
    """A convolution and its gradients, in every variant that takes them and in PyTorch's."""
    import cupy

    x, w = (cupy.asarray(arrays[name]) for name in ("x", "w"))
    place: dict[str, Any] = {"stride": work.stride, "padding": work.padding}
    y = kernels.conv2d(x, w, variant="naive", **place)
    gy = cupy.asarray(_drawn(y.shape))
    flops = 2.0 * y.size * w.size / w.shape[0]
    index = (work.stride, work.padding, 1, 1)
    calls: dict[str, tuple[Callable[..., Any], tuple[Any, ...], tuple[Any, ...], dict[str, Any]]] = {
        "conv2d": (kernels.conv2d, (x, w, None), (*index, None, 0.0), {}),
        "conv2d_input_grad": (kernels.conv2d_input_grad, (gy, w, None), (x.shape, *index, None, 0.0),
                              {"input_shape": x.shape}),
        "conv2d_weight_grad": (kernels.conv2d_weight_grad, (gy, x), (w.shape, *index), {"weight_shape": w.shape}),
    }  # fmt: skip
    expected = {}
    for name, (function, operands, args, how) in calls.items():
        named = {v.name: v for v in operations[name].variants if v.device == "cuda"}
        first = [operand for operand in operands if operand is not None]
        expected[name] = function(*first, variant="naive", **how, **place).get()
        for variant in operations[name].takers(operands, args):
            precision = named[variant].precision
            ours = lambda v=variant, f=function, a=first, h=how: f(*a, variant=v, **h, **place)  # noqa: E731
            _check(f"{name}, {variant}", ours().get(), expected[name], precision)
            time = milliseconds(ours, quick=quick)
            yield Timed(work.name, "tilegrad", precision, f"{name}, {variant}", time, flops / time / 1e9)
    if torch is None:
        return
    from .rivals.torch_arrays import to_array

    given = {"x": arrays["x"], "w": arrays["w"], "gy": gy.get()}
    for precision, layout, name, call in torch_layers(work, given, torch, "cuda"):
        _check(f"PyTorch, {name}, {precision}, {layout}", to_array(call().float().cpu()), expected[name], precision)
        time = milliseconds(call, quick=quick)
        yield Timed(work.name, "PyTorch", precision, f"{name}, {layout}", time, flops / time / 1e9)


def _move(work: Move, arrays: Arrays, quick: bool) -> Iterator[Timed]:
    """A kernel that memory bounds, as it is chosen for arrays on the GPU."""
    import cupy

    def results(found: Any) -> list[Any]:
        return [each for each in (found if isinstance(found, tuple) else (found,)) if each.size]

    there = [cupy.asarray(array) for array in arrays.values()]
    with kernels.trace() as events:
        found = results(work.call(*there))
    for ours, expected in zip(found, results(work.call(*arrays.values())), strict=True):
        _check(work.name, ours.get(), expected, "float32")
    time = milliseconds(lambda: work.call(*there), quick=quick)
    how = ", ".join(event.variant for event in events)
    moved = sum(event.bytes_moved for event in events)
    yield Timed(work.name, "tilegrad", "float32", how, time, tera_bytes=moved / time / 1e9)


def torch_layers(
    work: Convolution, arrays: Arrays, torch: Any, device: str
) -> Iterator[tuple[str, str, str, Callable[[], Any]]]:
    """PyTorch's convolution and gradients: precision, layout, our name for it, and the call.

    Under "bfloat16" its operands are of that type before it is called: it rounds nothing on the way.
    """
    from .rivals.torch import convolution_calls
    from .rivals.torch_arrays import to_tensor

    for precision in RIVALS:
        _allow(precision, torch)
        kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
        for label, layout in _layouts(torch).items():
            x, w, gy = (to_tensor(arrays[n], layout).to(device, kind) for n in ("x", "w", "gy"))
            calls = convolution_calls(work, x, w, None, gy)
            yield precision, label, "conv2d", calls["forward"]
            yield precision, label, "conv2d_input_grad", calls["input gradient"]
            yield precision, label, "conv2d_weight_grad", calls["weight gradient"]
