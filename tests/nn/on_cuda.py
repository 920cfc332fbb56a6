"""nn on arrays of CuPy, on a GPU or on the stand-in for one: test_on_cuda.py runs this file both ways.

For the stand-in the process has NUMBA_ENABLE_CUDASIM=1 and tests/stand_in first on its path. Shapes are tiny: the
simulator takes about a tenth of a millisecond for a thread.
"""

import cupy
import numpy as np
import pytest
from gpu import is_stand_in, launching_on, needs_tensor_cores
from on_emulator import GPUS
from tilegrad.kernels.machine import cuda

from tilegrad import kernels, nn

STAND_IN = is_stand_in(cupy)

F = nn.functional


@pytest.fixture(autouse=True)
def _emulated():
    with launching_on(cupy):
        yield


def drawn(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).uniform(0.2, 1.0, shape).astype(dtype)


def signed(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def close(found, expected, bound=1e-11):
    assert isinstance(found, cupy.ndarray), type(found)
    assert isinstance(expected, np.ndarray)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.get(), expected, rtol=bound, atol=bound)


# --- arrays and tensors ---


def test_a_tensor_goes_to_the_device_and_back():
    x = nn.Tensor(drawn(2, 3), requires_grad=True)
    y = x.to("cuda")
    assert (x.device, y.device) == ("cpu", "cuda")
    assert y.to("cuda") is y
    (y * 3.0).sum().backward()
    assert x.grad.device == "cpu"
    np.testing.assert_array_equal(x.grad.numpy(), np.full((2, 3), 3.0))
    np.testing.assert_array_equal(y.detach().to("cpu").numpy(), x.detach().numpy())
    assert 'device="cuda"' in repr(y)


def test_main_memory_is_never_mistaken_for_the_device():
    here, there = nn.Tensor(drawn(2, 3)), nn.Tensor(drawn(2, 3)).to("cuda")
    with pytest.raises(TypeError, match=r"add: arrays lie on different devices \(cpu, cuda\)"):
        here + there
    with pytest.raises(TypeError, match=r'numpy: the tensor lies on cuda; use tensor.to\("cpu"\)'):
        there.numpy()
    with pytest.raises(ValueError, match='device expects "cpu" or "cuda" but got \'cuda:1\''):
        here.to("cuda:1")


def test_a_gradient_to_start_from_lies_where_the_output_does():
    x = nn.Tensor(drawn(3), requires_grad=True, dtype=np.float32).to("cuda")
    p = nn.Parameter(x.data)
    (p * 2.0).backward([1.0, 2.0, 3.0])
    close(p.grad.data, np.array([2.0, 4.0, 6.0], np.float32))
    with pytest.raises(TypeError, match="backward: an output on cuda got a gradient on cpu"):
        (p * 2.0).backward(nn.Tensor([1.0, 2.0, 3.0]))


def test_random_numbers_have_the_bits_of_the_cpu():
    here, there = nn.Generator(5), nn.Generator(5)
    for draw in ("normal", "uniform"):
        np.testing.assert_array_equal(getattr(there, draw)((3, 5), device="cuda").get(), getattr(here, draw)((3, 5)))
    assert here.get_state() == there.get_state()
    assert nn.randn((2,), device="cuda").device == "cuda"


def test_a_model_moves_with_its_buffers_and_is_saved_from_there(tmp_path):
    nn.manual_seed(0)
    model = nn.models.DnCNN(depth=3, channels=4)
    before = model.state_dict()
    model.to("cuda")
    assert {p.device for p in [*model.parameters(), *model.buffers()]} == {"cuda"}
    nn.save(model, tmp_path / "m.safetensors")
    loaded = nn.load(tmp_path / "m.safetensors").to("cuda")
    loaded.load_state_dict(before)  # from main memory
    for name, array in loaded.state_dict().items():
        np.testing.assert_array_equal(array.get(), before[name])
    assert next(loaded.to("cpu").parameters()).device == "cpu"


def test_a_checkpoint_of_the_device_goes_on_there(tmp_path):
    model, x, y = networks(dropout=0.0)
    optimizer, average = nn.optim.Adam(model.parameters()), nn.EMA(model)
    train(model, optimizer, x, y)
    average.update()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "average": average.state_dict()}
    nn.save_checkpoint(state, tmp_path / "c.safetensors")
    expected = float(train(model, optimizer, x, y))
    state = nn.load_checkpoint(tmp_path / "c.safetensors")
    model.load_state_dict(state["model"])
    other = nn.optim.Adam(model.parameters())
    other.load_state_dict(state["optimizer"])
    average.load_state_dict(state["average"])
    average.update()
    assert float(train(model, other, x, y)) == expected


# --- operations ---

IMAGE, PIXELS = (1, 5, 4, 2), (2, 3, 3, 2)
LABELS = np.array([2, 0])
CALLS = {
    "arithmetic": (lambda a, b: (a * b - a / b + 2.0) ** 2.0 - (-a).abs().sqrt().exp().log(), [(3, 4), (4,)]),
    "maximum": (lambda a, b: F.maximum(a, b) * F.minimum(a, b), [(3, 4), (3, 4)]),
    "matmul": (lambda a, b: a @ b, [(3, 4), (4, 2)]),
    "sums": (lambda a: a.sum(0) * a.mean((0, 1)).reshape(1), [(3, 4)]),
    "shape": (lambda a: a.T.reshape(2, 6)[:, 1:4].broadcast_to((2, 2, 3)) * 2.0, [(3, 4)]),
    "linear": (lambda x, w, b: F.linear(x, w, b, activation="tanh"), [(3, 4), (2, 4), (2,)]),
    "conv2d": (lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, activation="relu"),
               [IMAGE, (3, 3, 3, 2), (3,)]),
    "conv_transpose2d": (lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1), [(1, 3, 2, 2), (2, 4, 4, 1)]),
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), [IMAGE]),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 3, stride=2, padding=1), [IMAGE]),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, (2, 3)), [IMAGE]),
    "interpolate": (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), [(1, 3, 2, 1)]),
    "pad2d": (lambda x: F.pad2d(x, 1, "reflect"), [IMAGE]),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), [(1, 2, 2, 4)]),
    "activations": (lambda x: F.leaky_relu(x - 0.5) + F.sigmoid(x) + F.softplus(x) + F.silu(x), [(3, 4)]),
    "softmax": (lambda x: F.softmax(x) * F.log_softmax(x), [(3, 4)]),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True, activation="relu"), [PIXELS, (2,), (2,)]),
    "mse_loss": (lambda x, t: F.mse_loss(x, t), [(3, 4), (3, 4)]),
    "l1_loss": (lambda x: F.l1_loss(x, 0.5), [(3, 4)]),
    "huber_loss": (lambda x, t: F.huber_loss(x, t), [(3, 4), (3, 4)]),
    "charbonnier_loss": (lambda x, t: F.charbonnier_loss(x, t), [(3, 4), (3, 4)]),
    "bce": (lambda x: F.binary_cross_entropy_with_logits(x, 1.0), [(3, 1)]),
    "cross_entropy": (lambda x: F.cross_entropy(x, (LABELS if x.device == "cpu" else cupy.array(LABELS))), [(2, 3)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_and_its_gradients_stay_on_the_device(name):
    function, shapes = CALLS[name]
    arrays = [drawn(*shape, seed=i) for i, shape in enumerate(shapes)]
    here = [nn.Tensor(a, requires_grad=True) for a in arrays]
    there = [nn.Tensor(cupy.array(a), requires_grad=True) for a in arrays]
    results = []
    for inputs in (here, there):
        y = function(*inputs)
        (y * y).sum().backward()
        results.append((y, *[x.grad for x in inputs]))
    for ours, theirs in zip(*results, strict=True):
        close(theirs.data, ours.data)


@pytest.mark.parametrize("name", ["conv2d", "batch_norm", "linear", "bce", "cross_entropy", "mse_loss"])
def test_second_derivatives_stay_on_the_device(name):
    function, shapes = CALLS[name]
    results = []
    for place in (np.asarray, cupy.array):
        inputs = [nn.Tensor(place(drawn(*shape, seed=i)), requires_grad=True) for i, shape in enumerate(shapes)]
        y = (function(*inputs) ** 2.0).sum()
        slopes = nn.grad(y, inputs, create_graph=True)
        total = slopes[0].square().sum()
        results.append([total, *nn.grad(total, inputs, allow_unused=True)])
    for ours, theirs in zip(*results, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            close(theirs.data, ours.data, 1e-9)


def test_running_statistics_move_on_the_device():
    states = []
    for device in ("cpu", "cuda"):
        norm = nn.BatchNorm2d(2).to(device)
        norm(nn.Tensor(signed(*PIXELS, dtype=np.float32)).to(device))
        states.append(norm.state_dict())
    for name, array in states[0].items():
        close(states[1][name], array, 1e-6)


@pytest.mark.parametrize("largest", [0.5, 100.0])
def test_gradients_are_clipped_on_the_device(largest):
    gradients = [signed(3, 2), signed(4, seed=1)]
    clipped = []
    for place in (np.asarray, cupy.array):
        parameters = [nn.Parameter(place(np.zeros(g.shape))) for g in gradients]
        for parameter, g in zip(parameters, gradients, strict=True):
            parameter.grad = nn.Tensor(place(g.copy()))
        norm = nn.clip_grad_norm_(parameters, largest)
        clipped.append((float(norm), [parameter.grad.data for parameter in parameters]))
    assert clipped[1][0] == pytest.approx(clipped[0][0], rel=1e-12)
    for ours, theirs in zip(clipped[0][1], clipped[1][1], strict=True):
        close(theirs, ours)


# --- training ---


def networks(dropout=0.25, device="cuda", dtype=np.float32):
    """A small network with everything that a captured step must mind, and a batch for it."""
    nn.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, bias=False),
        nn.BatchNorm2d(3, activation="relu"),
        nn.Dropout(dropout),
        nn.Flatten(),
        nn.Linear(3 * 4 * 4, 1),
    ).to(dtype)
    x, y = nn.Tensor(signed(2, 4, 4, 1, dtype=dtype)), nn.Tensor(signed(2, 1, seed=1, dtype=dtype))
    return model.to(device), x.to(device), y.to(device)


def train(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach()


def test_training_follows_the_cpu():
    losses = {}
    for device in ("cpu", "cuda"):
        model, x, y = networks(device=device, dtype=np.float64)
        optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
        losses[device] = [float(train(model, optimizer, x, y)) for _ in range(4)]
    np.testing.assert_allclose(losses["cuda"], losses["cpu"], rtol=1e-9)


@needs_tensor_cores
@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_blocks_in_a_row_are_read_through_their_normalisations(precision):
    """On tensor cores: the images between blocks are not written, and gradients are the CPU's within their rounding."""
    results = []
    for device in ("cpu", "cuda"):
        nn.manual_seed(0)
        model = nn.models.DnCNN(depth=5, channels=8).to(device)
        x = nn.Tensor(signed(1, 6, 9, 1, dtype=np.float32)).to(device)
        with kernels.precision(precision), kernels.trace() as events:
            loss = model(x).square().mean()
            loss.backward()
        arrays = [loss.data, *(p.grad.data for p in model.parameters()), *(b.data for b in model.buffers())]
        results.append([kernels.to_device(array, "cpu") for array in arrays])
    end = "mma" if precision == "tf32" else "mma_bf16"
    ran = [(event.operation, event.variant) for event in events]
    assert ran.count(("conv2d_batch_norm_train", end)) == 3
    assert ran.count(("normalized_conv2d_input_grad", end)) == 2
    assert ran.count(("normalized_conv2d_weight_grad", end)) == 2
    assert ran.count(("batch_norm_apply", "fused")) == 1
    assert not any(operation == "batch_norm_train" for operation, _ in ran)
    bound = {"tf32": 2.0**-10, "bfloat16": 2.0**-7}[precision] * 20  # of factors, through five layers and back
    for here, there in zip(*results, strict=True):
        np.testing.assert_allclose(there, here, rtol=0, atol=bound * max(np.abs(here).max(), 1e-3))


@needs_tensor_cores
def test_blocks_are_apart_where_products_are_of_float32():
    """On tensor cores or not: gradients are the CPU's within float32's rounding."""
    results = []
    for device in ("cpu", "cuda"):
        nn.manual_seed(0)
        model = nn.models.DnCNN(depth=3, channels=8).to(device)
        x = nn.Tensor(signed(1, 6, 9, 1, dtype=np.float32)).to(device)
        with kernels.precision("3xtf32"), kernels.trace() as events:
            loss = model(x).square().mean()
            loss.backward()
        arrays = [loss.data, *(p.grad.data for p in model.parameters()), *(b.data for b in model.buffers())]
        results.append([kernels.to_device(array, "cpu") for array in arrays])
    ran = [(event.operation, event.variant) for event in events]
    assert ran.count(("conv2d", "mma_3xtf32")) == 1
    assert ran.count(("conv2d", "mma_gemm_3xtf32")) == 2  # one channel at either end
    assert ran.count(("conv2d_weight_grad", "mma_3xtf32")) == 1
    assert not any(operation.startswith("normalized") for operation, _ in ran)
    for here, there in zip(*results, strict=True):
        np.testing.assert_allclose(there, here, rtol=0, atol=1e-5 * max(np.abs(here).max(), 1e-3))


@needs_tensor_cores
def test_a_block_that_tensor_cores_do_not_take_is_in_no_row():
    """What it reads is normalised before, by the block there, and what it writes by itself."""
    results = []
    for device in ("cpu", "cuda"):
        nn.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2dBatchNorm(4, 4, 3, padding=1, activation="relu"),
            nn.Conv2dBatchNorm(4, 8, 3, padding=2, dilation=2, activation="relu"),
            nn.Conv2dBatchNorm(8, 6, 3, padding=1, activation="relu"),  # its weight's gradient is not taken
            nn.ConvTranspose2dBatchNorm(6, 4, 2, stride=2, activation="relu"),
            nn.Conv2dBatchNorm(4, 4, 1, activation="relu"),
        ).to(device)
        x = nn.Tensor(signed(1, 5, 6, 4, dtype=np.float32)).to(device)
        with kernels.precision("bfloat16"), kernels.trace() as events:
            loss = model(x).square().mean()
            loss.backward()
        results.append([kernels.to_device(a.data, "cpu") for a in (loss, *(p.grad for p in model.parameters()))])
    ran = [event.operation for event in events]
    assert ran.count("batch_norm_apply") == 1  # of the first block, the only one that is taken and has one behind it
    assert ran.count("conv2d_batch_norm_train") == 3
    assert not any(name.startswith("normalized") for name in ran)
    for here, there in zip(*results, strict=True):
        np.testing.assert_allclose(there, here, rtol=0, atol=2.0**-7 * 20 * max(np.abs(here).max(), 1e-3))


@needs_tensor_cores
def test_images_between_blocks_are_stored_as_bfloat16():
    """Half the bytes; and what is composed of primitives, for second derivatives, reads them too."""
    nn.manual_seed(0)
    first, second = (nn.Conv2dBatchNorm(8, 8, 3, padding=1, activation="tanh").to("cuda") for _ in range(2))
    x = nn.Tensor(signed(1, 6, 9, 8, dtype=np.float32)).to("cuda").requires_grad_()
    parameters = [x, *first.parameters(), *second.parameters()]
    with kernels.precision("bfloat16"):
        held = first.link(x)
        assert held.z.dtype == np.uint16
        loss = second.link(held).applied().square().mean()
        once = nn.grad(loss, parameters)
        loss = second.link(first.link(x)).applied().square().mean()
        recorded = nn.grad(loss, parameters, create_graph=True)
        penalty = sum((g.square().sum() for g in recorded[1:]), recorded[0].square().sum())
        twice = nn.grad(penalty, parameters, allow_unused=True)
    bound = 2.0**-7 * 10  # of factors and of what is stored, through two layers and back
    for ours, theirs in zip(once, recorded, strict=True):
        here, there = ours.data.get(), theirs.data.get()
        np.testing.assert_allclose(here, there, rtol=0, atol=bound * max(np.abs(there).max(), 1e-3))
    assert all(g is None or np.isfinite(g.data.get()).all() for g in twice)


@pytest.mark.skipif(not STAND_IN, reason="a GPU is of one architecture")
def test_before_sm_80_every_precision_is_float32():
    """To the last bit, forward and back, and nothing is stored as bfloat16."""
    results = []
    for precision in ("float32", "tf32", "bfloat16"):
        nn.manual_seed(0)
        model = nn.models.DnCNN(depth=4, channels=8).to("cuda")
        x = nn.Tensor(signed(1, 5, 7, 1, dtype=np.float32)).to("cuda")
        with (
            cuda.launching(cupy.launch, GPUS["sm_75"]),
            kernels.precision(precision),
            cuda.noting() as launched,
            kernels.trace() as events,
        ):
            loss = model(x).square().mean()
            loss.backward()
        ran = [(event.operation, event.variant) for event in events]
        results.append((launched, ran, [loss.data.get(), *(p.grad.data.get() for p in model.parameters())]))
    (launched, ran, bits), *others = results
    assert ("conv2d", "register") in ran
    assert not any("stored" in name or "mma" in name for name in launched)
    for other_launched, other_ran, other_bits in others:
        assert (other_launched, other_ran) == (launched, ran)
        for ours, theirs in zip(other_bits, bits, strict=True):
            np.testing.assert_array_equal(ours, theirs)


# --- capture ---


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_a_captured_step_of_blocks_in_a_row_has_the_bits_of_the_step(precision):
    states = []
    for wrap in (nn.capture, lambda step: step):
        nn.manual_seed(0)
        model = nn.models.DnCNN(depth=4, channels=8).to("cuda")
        optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
        x, y = (nn.Tensor(signed(1, 5, 7, 1, seed=seed, dtype=np.float32)).to("cuda") for seed in (0, 1))
        step = wrap(lambda x, y, model=model, optimizer=optimizer: train(model, optimizer, x, y))
        with kernels.precision(precision):
            losses = [float(step(x, y)) for _ in range(4)]
        states.append((losses, [p.data.get() for p in model.parameters()]))
    assert states[0][0] == states[1][0]
    for ours, theirs in zip(states[0][1], states[1][1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def everything(optimizer_class=nn.optim.Adam, **settings):
    """A step with an optimiser, a schedule, an average and dropout; and what can be asked of them afterwards."""
    model, x, y = networks()
    optimizer = optimizer_class(model.parameters(), lr=0.05, **settings)
    schedule = nn.optim.StepLR(optimizer, step_size=2, gamma=0.5)
    average = nn.EMA(model, 0.9, warm_up=True)
    nn.manual_seed(3)

    def step(x, y):
        loss = train(model, optimizer, x, y)
        schedule.step()
        average.update()
        return {"loss": loss}

    def state():
        arrays = [*model.state_dict().values(), *average.averages.values()]
        arrays += [v for s in optimizer.state.values() for v in s.values() if isinstance(v, cupy.ndarray)]
        counts = [s["step"] for s in optimizer.state.values()]
        python = (
            counts,
            schedule.state_dict(),
            schedule.get_last_lr(),
            average.updates,
            nn.default_generator.get_state(),
        )
        return [array.get() for array in arrays], python

    return step, state, x, y


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [
        (nn.optim.Adam, {}),
        (nn.optim.SGD, {"momentum": 0.9, "dampening": 0.1}),
    ],
)
def test_a_captured_step_has_the_bits_of_the_step(optimizer, settings):
    runs = []
    for wrap in (lambda step: step, nn.capture):
        step, state, x, y = everything(optimizer, **settings)
        step = wrap(step)
        losses = [float(step(x, y)["loss"]) for _ in range(6)]
        runs.append((losses, *state()))
    assert runs[1][0] == runs[0][0]
    assert runs[1][2] == runs[0][2]
    for ours, theirs in zip(runs[1][1], runs[0][1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(set(runs[0][0])) == 6  # dropout and learning differ from step to step


def test_the_graph_is_captured_at_the_second_call_and_then_launched():
    step, _, x, y = everything()
    captured = nn.capture(step)
    captured(x, y)
    assert list(captured.graphs.values()) == [None]
    for calls in (1, 2, 3):
        captured(x, y)
        (graph,) = captured.graphs.values()
        assert graph is not None
        if STAND_IN:
            assert graph.graph.launches == calls
            assert len(graph.graph.nodes) > 20
    if STAND_IN:
        assert graph.pool.allocated > 0


def test_inputs_are_those_of_the_call_from_either_memory():
    captured = nn.capture(lambda x: x * 2.0)
    for value in (1.0, 2.0, 3.0, 4.0):
        for place in (cupy.array, np.asarray):
            x = nn.Tensor(place(np.full(3, value)))
            wanted = captured(x) if place is cupy.array else captured.graphs and captured(nn.Tensor(cupy.array(x.data)))
            np.testing.assert_array_equal(wanted.data.get(), np.full(3, 2 * value))


def test_other_shapes_and_other_python_values_have_graphs_of_their_own():
    captured = nn.capture(lambda x, factor: x * factor)
    for shape, factor in [((3,), 2.0), ((4,), 2.0), ((3,), 5.0)] * 3:
        found = captured(nn.Tensor(cupy.array(np.ones(shape))), factor)
        np.testing.assert_array_equal(found.data.get(), np.full(shape, factor))
    assert len(captured.graphs) == 3
    with pytest.raises(
        TypeError, match="capture: arguments expect arrays and values that can key a dictionary but got"
    ):
        captured(nn.Tensor(cupy.array(np.ones(3))), [2.0])


def test_two_networks_and_a_penalty_of_second_order_in_one_step():
    """The critic of a WGAN-GP twice for each step of its generator."""
    runs = []
    for wrap in (lambda step: step, nn.capture):
        nn.manual_seed(2)
        generator, critic = nn.Linear(2, 3).to("cuda"), nn.Linear(3, 1, activation="tanh").to("cuda")
        optimizers = [nn.optim.Adam(m.parameters(), lr=0.02) for m in (generator, critic)]
        vectors = nn.Generator(9)

        def step(real, generator=generator, critic=critic, optimizers=optimizers, vectors=vectors):
            for _ in range(2):
                made = generator(nn.Tensor(vectors.normal((2, 2), device="cuda"))).detach()
                optimizers[1].zero_grad()
                between = nn.Tensor(((real + made) * 0.5).data, requires_grad=True)
                (slope,) = nn.grad(critic(between).sum(), between, create_graph=True)
                loss = critic(made).mean() - critic(real).mean() + (slope.square().sum(1).sqrt() - 1.0).square().mean()
                loss.backward()
                optimizers[1].step()
            optimizers[0].zero_grad()
            score = -critic(generator(nn.Tensor(vectors.normal((2, 2), device="cuda")))).mean()
            score.backward()
            optimizers[0].step()
            return loss.detach(), score.detach()

        step = wrap(step)
        real = nn.Tensor(signed(2, 3, dtype=np.float32)).to("cuda")
        runs.append([tuple(float(value) for value in step(real)) for _ in range(5)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 5


def test_gradients_that_are_forgotten_outside_of_the_step_are_refused():
    p = nn.Parameter(cupy.array(np.ones(2, np.float32)))
    optimizer = nn.optim.SGD([p], lr=0.1)

    @nn.capture
    def gradients(x):
        (p * x).sum().backward()

    x = nn.Tensor([1.0, 2.0]).to("cuda")
    gradients(x)
    optimizer.zero_grad()
    with pytest.raises(RuntimeError, match=r"writes other arrays when it runs again.*zero_grad in the step"):
        gradients(x)


def test_reading_a_number_back_cannot_be_captured():
    captured = nn.capture(lambda x: x * 2.0 if float(x.sum()) > 0 else x)
    x = nn.Tensor(cupy.array(np.ones(3)))
    captured(x)
    with pytest.raises(Exception, match=r"(?i)captur"):  # CuPy's own, of the driver's error
        captured(x)


def test_a_step_that_does_something_else_each_time_is_found_out():
    factors = iter((2.0, 2.0, 3.0))
    captured = nn.capture(lambda x: x * next(factors))
    x = nn.Tensor(cupy.array(np.ones(3)))
    captured(x)
    with pytest.raises(RuntimeError, match=r"capture: result 0 of shape \(3,\) has other bits after a replay"):
        captured(x)


@pytest.mark.parametrize(("counts", "message"), [((1, 1, 2), "does more"), ((1, 2, 1), "does less")])
def test_a_step_that_draws_more_or_fewer_numbers_each_time_is_found_out(counts, message):
    remaining, generator = iter(counts), nn.Generator(1)
    captured = nn.capture(lambda x: [generator.normal((2,), device="cuda") for _ in range(next(remaining))] and x * 2.0)
    x = nn.Tensor(cupy.array(np.ones(3)))
    captured(x)
    with pytest.raises(RuntimeError, match=f"capture: the step {message} when it runs again"):
        captured(x)


def test_settings_that_a_graph_cannot_see_are_refused_when_they_change():
    step, _, x, y = everything()
    captured = nn.capture(step)
    for _ in range(3):
        captured(x, y)
    optimizer = next(cell.cell_contents for cell in step.__closure__ if isinstance(cell.cell_contents, nn.optim.Adam))
    optimizer.param_groups[0]["betas"] = (0.5, 0.9)
    with pytest.raises(RuntimeError, match="Adam: settings other than lr, or the state, were replaced"):
        captured(x, y)


def test_what_is_written_through_a_view_is_put_back_before_the_first_replay():
    total = nn.Tensor(cupy.array(np.zeros(3)))

    def step(x):
        with nn.no_grad():
            half = total[1:]
            half += x
        return x * 1.0

    captured = nn.capture(step)
    for calls in range(1, 6):
        captured(nn.Tensor(cupy.array(np.ones(2))))
        np.testing.assert_array_equal(total.data.get(), [0.0, calls, calls])


def test_a_call_that_records_has_another_graph_than_one_that_does_not():
    captured = nn.capture(lambda x: x * 2.0)
    x = nn.Tensor(cupy.array(np.ones(3)), requires_grad=True)
    captured(x)
    with nn.no_grad():
        captured(x)
    assert len(captured.graphs) == 2


def test_what_is_frozen():
    """The documentation says so: Python of one's own is not repeated, a layer's mode is that of the capture."""
    seen, dropout = [], nn.Dropout(0.5)

    def step(x):
        seen.append(1)
        return dropout(x)

    captured = nn.capture(step)
    x = nn.Tensor(cupy.array(np.ones(64)))
    for _ in range(5):
        captured(x)
    assert len(seen) == 3  # as it is, captured, compared
    dropout.eval()
    assert not (captured(x).data.get() == 1).all()


def test_the_precision_is_part_of_what_a_graph_depends_on():
    captured = nn.capture(lambda x: x * 2.0)
    x = nn.Tensor(cupy.array(np.ones(3)))
    for name in ("float32", "tf32"):
        with kernels.precision(name):
            captured(x)
    assert len(captured.graphs) == 2


def test_numbers_that_a_graph_reads_stay_alive_when_others_take_their_place():
    captured = nn.capture(lambda x: x * 2.5)
    x = nn.Tensor(cupy.array(np.ones(3)))
    for _ in range(2):
        captured(x)
    (graph,) = captured.graphs.values()
    assert any(array.size == 1 and array.item() == 2.5 for array in graph.slots.kept)


_TURNED = np.array([[1, 0.1, 0], [0, 1, 0.3], [0, 0, 1]])
IMAGE_OPERATIONS = [
    lambda x: F.structural_similarity(x, x * 0.9, win_size=5),
    lambda x: F.warp2d(x, _TURNED[None]),
    lambda x: F.spline_filter2d(x),
    lambda x: F.bilateral_filter(x, 1, 0.1, 1.0),
    lambda x: F.max_filter(x, 3),
    lambda x: F.median_filter(x, 3),
    lambda x: F.min_filter(x, (1, 17), "wrap"),
    lambda x: F.gaussian_blur(x, 0.8),
    lambda x: F.box_blur(x, 3),
    lambda x: F.sobel_magnitude(x),
    lambda x: F.correlate2d(x, nn.Tensor(np.arange(6.0).reshape(2, 3)).to(x.device)),
    lambda x: F.match_template(x, x[0, 1:4, 2:4]),
]


@pytest.mark.parametrize("number", range(len(IMAGE_OPERATIONS)))
def test_operations_of_images_and_their_gradients(number):
    image, results = signed(1, 6, 7, 1), []
    for device in ("cpu", "cuda"):
        x = nn.Tensor(image).to(device).requires_grad_()
        y = IMAGE_OPERATIONS[number](x)
        (y * y).sum().backward()
        results.append([t.detach().to("cpu").numpy() for t in (y, x.grad)])
        assert x.grad.device == device
    for found, expected in zip(*reversed(results), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_values_are_written_from_either_memory():
    there = nn.Tensor(cupy.array(np.zeros((2, 3))))
    there.copy_([[1.0, 2.0, 3.0]])
    there[0] = np.array([4.0, 5.0, 6.0])
    there[1, 1:] = nn.Tensor([7.0, 8.0], dtype=np.float64)
    np.testing.assert_array_equal(there.data.get(), [[4.0, 5.0, 6.0], [1.0, 7.0, 8.0]])
    here = nn.Tensor(np.zeros(3))
    here[...] = there[0]
    np.testing.assert_array_equal(here.numpy(), [4.0, 5.0, 6.0])
