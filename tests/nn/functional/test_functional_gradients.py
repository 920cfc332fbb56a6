"""Every differentiable operation at first and second order, against finite differences along random directions.

``CASES`` has, for each primitive, a strategy for a call: a function and float64 inputs, kept away from kinks and ties.
"""

import filter_cases
import image_cases
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tilegrad.nn import functional
from tilegrad.nn.functional import block, chain, normalization
from tilegrad.nn.primitive import PRIMITIVES, WITHOUT_GRADIENT, ZERO

from tilegrad import kernels, nn

sizes = st.integers(1, 5)
shapes = st.lists(sizes, min_size=0, max_size=3).map(tuple)
seeds = st.integers(0, 2**32 - 1)
slopes = st.sampled_from([0.01, 0.2, 1.5])
activations = st.sampled_from([None, "relu", "leaky_relu", "tanh", "sigmoid"])

CASES = {**image_cases.CASES, **filter_cases.CASES}


def case(name):
    def keep(strategy):
        CASES[name] = strategy
        return strategy

    return keep


class Draw:
    """Random tensors of one seed; magnitudes lie in [low, high], so that 0 is not near."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def __call__(self, *shape, low=0.3, high=2.0, positive=False, requires_grad=True):
        values = self.random.uniform(low, high, shape)
        if not positive:
            values *= self.random.choice([-1.0, 1.0], shape)
        return nn.Tensor(values, requires_grad)


def broadcast_pair(draw):
    """Two shapes that broadcast against each other."""
    full = draw(shapes)
    shrunk = tuple(draw(st.sampled_from([1, n])) for n in full)
    other = shrunk[draw(st.integers(0, len(full))) :]
    return (full, other) if draw(st.booleans()) else (other, full)


def binary(name):
    @case(name)
    @st.composite
    def strategy(draw):
        tensor = Draw(draw(seeds))
        a, b = (tensor(*shape) for shape in broadcast_pair(draw))
        if name in ("maximum", "minimum"):
            gaps = np.abs(a.data - b.data)
            assume(gaps.size == 0 or gaps.min() > 1e-2)
        if draw(st.booleans()):
            number = draw(st.sampled_from([2.5, -3]))
            return (lambda a: PRIMITIVES[name](a, number)) if draw(st.booleans()) else (
                lambda a: PRIMITIVES[name](number, a)
            ), [a]
        return PRIMITIVES[name], [a, b]


def unary(name, positive=False, **settings):
    @case(name)
    @st.composite
    def strategy(draw):
        chosen = {key: draw(values) for key, values in settings.items()}
        x = Draw(draw(seeds))(*draw(shapes), positive=positive)
        return (lambda x: PRIMITIVES[name](x, **chosen)), [x]


def activation_gradient(name, **settings):
    """Gradients of the incoming gradient and of the output, which lies inside (-1, 1) for tanh and sigmoid."""

    @case(name)
    @st.composite
    def strategy(draw):
        chosen = {key: draw(values) for key, values in settings.items()}
        shape, tensor = draw(shapes), Draw(draw(seeds))
        gy, y = tensor(*shape), tensor(*shape, low=0.1, high=0.9, positive=name == "sigmoid_grad")
        return (lambda gy, y: PRIMITIVES[name](gy, y, **chosen)), [gy, y]


for name in ("add", "sub", "mul", "div", "maximum", "minimum"):
    binary(name)
for name in ("neg", "abs", "square", "exp", "relu", "tanh", "sigmoid", "softplus"):
    unary(name)
for name in ("sqrt", "log"):
    unary(name, positive=True)
unary("leaky_relu", negative_slope=slopes)
unary("pow", positive=True, exponent=st.sampled_from([0, 1, 2, 3.0, 0.5, -1.5]))
for name in ("relu_grad", "tanh_grad", "sigmoid_grad"):
    activation_gradient(name)
activation_gradient("leaky_relu_grad", negative_slope=slopes)


@st.composite
def axes(draw, shape):
    if not shape or draw(st.booleans()):
        return None
    chosen = draw(st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1))
    chosen = [axis - len(shape) if draw(st.booleans()) else axis for axis in chosen]
    return chosen[0] if len(chosen) == 1 and draw(st.booleans()) else tuple(chosen)


def reduction(name):
    @case(name)
    @st.composite
    def strategy(draw):
        shape = draw(shapes)
        dim, keepdim = draw(axes(shape)), draw(st.booleans())
        # Squared, so that the second order is not zero.
        return (lambda x: PRIMITIVES[name](x, dim, keepdim).square()), [Draw(draw(seeds))(*shape)]


reduction("sum")
reduction("mean")


@case("reshape")
@st.composite
def reshapes(draw):
    a, b, c = draw(sizes), draw(sizes), draw(sizes)
    new = draw(st.sampled_from([(a * b, c), (c, b, a), (-1,), (b, -1)]))
    return (lambda x: functional.reshape(x, new).square()), [Draw(draw(seeds))(a, b, c)]


@case("permute")
@st.composite
def permutations(draw):
    shape = draw(shapes)
    dims = draw(st.permutations(range(len(shape))))
    dims = tuple(d - len(shape) if draw(st.booleans()) else d for d in dims)
    other = Draw(draw(seeds))(*[shape[d] for d in dims])
    return (lambda x, other: functional.permute(x, dims) * other), [Draw(draw(seeds))(*shape), other]


@st.composite
def keys(draw, shape):
    """A basic index into ``shape``."""
    cuts = (st.slices(n) if draw(st.booleans()) else st.integers(-n, n - 1) for n in shape)
    key = [draw(cut) for cut in cuts][: draw(st.integers(0, len(shape)))]
    return draw(st.sampled_from([tuple(key), (..., *key[:0]), (None, *key)]))


@case("getitem")
@st.composite
def indexings(draw):
    shape = draw(shapes)
    key = draw(keys(shape))
    return (lambda x: x[key].square()), [Draw(draw(seeds))(*shape)]


@case("getitem_grad")
@st.composite
def placements(draw):
    shape = draw(shapes)
    key = draw(keys(shape))
    gy = Draw(draw(seeds))(*np.empty(shape)[key].shape)
    return (lambda gy: PRIMITIVES["getitem_grad"](gy, key, shape).square()), [gy]


@case("broadcast_to")
@st.composite
def broadcasts(draw):
    big, small = sorted(broadcast_pair(draw), key=np.prod, reverse=True)
    big = np.broadcast_shapes(big, small)
    return (lambda x: functional.broadcast_to(x, big).square()), [Draw(draw(seeds))(*small)]


@case("matmul")
@st.composite
def products(draw):
    m, k, n = draw(sizes), draw(sizes), draw(sizes)
    ta, tb = draw(st.booleans()), draw(st.booleans())
    tensor = Draw(draw(seeds))
    a, b = tensor(*((k, m) if ta else (m, k))), tensor(*((n, k) if tb else (k, n)))
    return (lambda a, b: functional.matmul(a, b, transpose_a=ta, transpose_b=tb)), [a, b]


def away_from_the_kink(activation, unfused):
    """Whether no element that a fused activation sees is next to its kink."""
    if activation not in ("relu", "leaky_relu"):
        return True
    with nn.no_grad():
        z = unfused()
    return z.size == 0 or np.abs(z.data).min() > 1e-2


def epilogue(draw):
    return {"activation": draw(activations), "negative_slope": draw(slopes)}


@case("linear")
@st.composite
def linears(draw):
    leading, c, k = draw(shapes), draw(sizes), draw(sizes)
    tensor, end = Draw(draw(seeds)), epilogue(draw)
    inputs = [tensor(*leading, c), tensor(k, c), *([tensor(k)] if draw(st.booleans()) else [])]
    assume(away_from_the_kink(end["activation"], lambda: functional.linear(*inputs)))
    return (lambda *inputs: functional.linear(*inputs, **end)), inputs


@st.composite
def geometries(draw):
    """Shapes of an image and a weight, and the settings of a convolution that fit them."""
    n, group_c, group_k = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    r, s = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    stride, dilation = (draw(st.integers(1, 3)), draw(st.integers(1, 2))), draw(st.integers(1, 2))
    pads = draw(st.sampled_from([0, 1, (2, 1), ((0, 1), (2, 0))]))
    h, w = dilation * (r - 1) + draw(st.integers(1, 4)), dilation * (s - 1) + draw(st.integers(1, 4))
    place = {"stride": stride, "padding": pads, "dilation": dilation, "groups": groups}
    return (n, h, w, group_c * groups), (group_k * groups, r, s, group_c), place


@case("conv2d")
@st.composite
def convolutions(draw):
    (x, w, place), tensor, end = draw(geometries()), Draw(draw(seeds)), epilogue(draw)
    inputs = [tensor(*x), tensor(*w), *([tensor(w[0])] if draw(st.booleans()) else [])]
    assume(away_from_the_kink(end["activation"], lambda: functional.conv2d(*inputs, **place)))
    return (lambda *inputs: functional.conv2d(*inputs, **place, **end)), inputs


@case("conv2d_input_grad")
@st.composite
def input_gradients(draw):
    (x, w, place), tensor = draw(geometries()), Draw(draw(seeds))
    gy = functional.conv2d(tensor(*x, requires_grad=False), tensor(*w, requires_grad=False), **place).shape
    return (lambda gy, w: functional.conv2d_input_grad(gy, w, x, **place)), [tensor(*gy), tensor(*w)]


@case("conv2d_weight_grad")
@st.composite
def weight_gradients(draw):
    (x, w, place), tensor = draw(geometries()), Draw(draw(seeds))
    gy = functional.conv2d(tensor(*x, requires_grad=False), tensor(*w, requires_grad=False), **place).shape
    return (lambda gy, x: functional.conv2d_weight_grad(gy, x, w, **place)), [tensor(*gy), tensor(*x)]


@case("conv_transpose2d")
@st.composite
def transposed_convolutions(draw):
    (x, w, place), tensor, end = draw(geometries()), Draw(draw(seeds)), epilogue(draw)
    place["padding"] = draw(st.sampled_from([0, (0, 1)])) if min(w[1:3]) > 1 else 0
    place["output_padding"] = tuple(draw(st.integers(0, s - 1)) for s in place["stride"])
    x = (*x[:3], w[0])
    inputs = [tensor(*x), tensor(*w), *([tensor(w[3] * place["groups"])] if draw(st.booleans()) else [])]
    assume(away_from_the_kink(end["activation"], lambda: functional.conv_transpose2d(*inputs, **place)))
    return (lambda *inputs: functional.conv_transpose2d(*inputs, **place, **end)), inputs


@case("normalize")
@st.composite
def normalizations(draw):
    leading, c = (draw(sizes), *draw(shapes)), draw(sizes)
    tensor, end = Draw(draw(seeds)), epilogue(draw)
    weight, bias = (tensor(c) if draw(st.booleans()) else None for _ in range(2))
    inputs = [tensor(*leading, c), tensor(c), tensor(c, positive=True), *(t for t in (weight, bias) if t is not None)]

    def function(x, mean, var, *affine, **end):
        affine = list(affine)
        w = affine.pop(0) if weight is not None else None
        return normalization.normalize(x, mean, var, w, affine.pop(0) if bias is not None else None, **end)

    assume(away_from_the_kink(end["activation"], lambda: function(*inputs)))
    return (lambda *inputs: function(*inputs, **end)), inputs


def well_spread(values):
    """A batch in which every channel has a variance worth dividing by."""
    return (values.reshape(-1, values.shape[-1]).std(0) > 0.3).all()


@case("batch_norm_train")
@st.composite
def batch_norms(draw):
    n, h, c = draw(st.integers(2, 4)), draw(sizes), draw(sizes)
    tensor, end = Draw(draw(seeds)), epilogue(draw)
    inputs = [tensor(n, h, c), *([tensor(c), tensor(c)] if draw(st.booleans()) else [])]
    assume(well_spread(inputs[0].data))
    assume(away_from_the_kink(end["activation"], lambda: normalization.batch_norm_train(*inputs)))
    return (lambda *inputs: normalization.batch_norm_train(*inputs, **end)), inputs


@case("conv2d_batch_norm_train")
@st.composite
def blocks(draw):
    (x, w, place), tensor, end = draw(geometries()), Draw(draw(seeds)), epilogue(draw)
    inputs = [tensor(*x), tensor(*w), tensor(w[0]), tensor(w[0])]
    with nn.no_grad():
        assume(well_spread(functional.conv2d(*inputs[:2], **place).data))
    assume(away_from_the_kink(end["activation"], lambda: block.conv2d_batch_norm_train(*inputs, **place)))
    return (lambda *inputs: block.conv2d_batch_norm_train(*inputs, **place, **end)), inputs


@case("conv_transpose2d_batch_norm_train")
@st.composite
def transposed_blocks(draw):
    (x, w, place), tensor, end = draw(geometries()), Draw(draw(seeds)), epilogue(draw)
    place["padding"] = 0
    place["output_padding"] = tuple(draw(st.integers(0, s - 1)) for s in place["stride"])
    channels = w[3] * place["groups"]
    inputs = [tensor(*x[:3], w[0]), tensor(*w), tensor(channels), tensor(channels)]
    with nn.no_grad():
        assume(well_spread(functional.conv_transpose2d(*inputs[:2], **place).data))
    assume(away_from_the_kink(end["activation"], lambda: block.conv_transpose2d_batch_norm_train(*inputs, **place)))
    return (lambda *inputs: block.conv_transpose2d_batch_norm_train(*inputs, **place, **end)), inputs


def read_through(name):
    """A convolution of what it reads through the normalisation of its input, or through none."""

    @case(name)
    @st.composite
    def strategy(draw):
        (x, w, place), tensor, end = draw(geometries()), Draw(draw(seeds)), epilogue(draw)
        x, norms, channels = (2, *x[1:]), draw(st.booleans()), w[0]
        if name == "conv_transpose2d_unapplied":
            x, place["padding"], channels = (*x[:3], w[0]), 0, w[3] * place["groups"]
        inputs = [tensor(*x), tensor(*w), *([tensor(x[3]), tensor(x[3])] if norms else [])]
        own = [tensor(channels, requires_grad=False), tensor(channels, requires_grad=False)]
        if norms:
            assume(well_spread(inputs[0].data))
            assume(
                away_from_the_kink(end["activation"], lambda: normalization.batch_norm_train(inputs[0], *inputs[2:]))
            )

        def function(x, w, *affine):
            through = statistics_of(x, *affine, end) if affine else None
            leaves = chain.Statistics(1e-5, None, 0.01)
            return PRIMITIVES[name](x, w, *own, None, None, *affine, through=through, leaves=leaves, **place)

        return function, inputs

    return strategy


read_through("conv2d_unapplied")
read_through("conv_transpose2d_unapplied")


@case("widened")
@st.composite
def widenings(draw):
    """Of numbers that need none: steps of bfloat16 are too coarse for differences to compare with."""
    tensor = Draw(draw(seeds))
    return lambda x: chain.widened(x), [tensor(2, 3)]


def statistics_of(x, weight, bias, end):
    """Those that a block would have left beside x."""
    statistics = chain.Statistics(1e-5, **end)
    results = kernels.batch_norm_train(x.data, weight.data, bias.data)
    _, statistics.mean, statistics.inverse_std, statistics.affine = results
    return statistics


@case("batch_norm_apply")
@st.composite
def applied_norms(draw):
    _, (x, *affine) = draw(batch_norms())
    tensor, end = Draw(draw(seeds)), epilogue(draw)
    inputs = [x, *(affine or [tensor(x.shape[-1]), tensor(x.shape[-1])])]
    assume(away_from_the_kink(end["activation"], lambda: normalization.batch_norm_train(*inputs)))
    return lambda *inputs: chain.batch_norm_apply(*inputs, statistics=statistics_of(*inputs, end)), inputs


def softmaxes(name):
    @case(name)
    @st.composite
    def strategy(draw):
        shape, tensor = (*draw(shapes), draw(sizes)), Draw(draw(seeds))
        inputs = [tensor(*shape) for _ in range(2 if name.endswith("grad") else 1)]
        return PRIMITIVES[name], inputs


for name in ("softmax_last", "log_softmax_last", "softmax_grad", "log_softmax_grad"):
    softmaxes(name)


reductions = st.sampled_from(["mean", "sum", "none"])


def losses(name, **settings):
    """The differences of numbers and targets keep away from 0, and from the ends of the middle part."""

    @case(name)
    @st.composite
    def strategy(draw):
        shape, tensor = draw(shapes), Draw(draw(seeds))
        chosen = {"reduction": draw(reductions), **{key: draw(values) for key, values in settings.items()}}
        x, target = tensor(*shape), tensor(*shape)
        bounds = [0.0, *(b for key, b in chosen.items() if key in ("delta", "beta"))]
        gaps = np.abs(np.abs(x.data - target.data)[..., None] - bounds)
        assume(gaps.size == 0 or gaps.min() > 1e-2)
        if draw(st.booleans()):
            return (lambda x: PRIMITIVES[name](x, target.detach(), **chosen)), [x]
        return (lambda x, target: PRIMITIVES[name](x, target, **chosen)), [x, target]


losses("mse_loss")
losses("l1_loss")
losses("huber_loss", delta=st.sampled_from([0.5, 1.5]))
losses("smooth_l1_loss", beta=st.sampled_from([0, 0.5, 1.5]))
losses("charbonnier_loss", eps=st.sampled_from([0.1, 1.0]))


@case("binary_cross_entropy_with_logits")
@st.composite
def logistic_losses(draw):
    shape, tensor, how = (*draw(shapes), draw(sizes)), Draw(draw(seeds)), draw(reductions)
    x, target = tensor(*shape), tensor(*shape, low=0, high=1, positive=True)
    weight, pos_weight = (tensor(shape[-1], positive=True) if draw(st.booleans()) else None for _ in range(2))
    given = [t for t in (x, target, weight, pos_weight) if t is not None]
    if draw(st.booleans()):
        return (lambda x: functional.binary_cross_entropy_with_logits(x, 1.0, reduction=how)), [x]

    def function(x, target, *weights):
        weights = list(weights)
        w = weights.pop(0) if weight is not None else None
        p = weights.pop(0) if pos_weight is not None else None
        return functional.binary_cross_entropy_with_logits(x, target, w, p, how)

    if draw(st.booleans()):
        return (lambda x: function(x, *[t.detach() for t in given[1:]])), [x]
    return function, given


@case("cross_entropy")
@st.composite
def cross_entropies(draw):
    leading, classes, tensor = draw(shapes), draw(st.integers(2, 5)), Draw(draw(seeds))
    target = tensor.random.integers(0, classes, leading)
    if target.size > 1:
        target.reshape(-1)[0] = -100
    args = {"reduction": draw(reductions), "label_smoothing": draw(st.sampled_from([0.0, 0.3]))}
    x, weight = tensor(*leading, classes), tensor(classes, positive=True)
    if draw(st.booleans()):
        return (lambda x, weight: functional.cross_entropy(x, target, weight, **args)), [x, weight]
    return (lambda x: functional.cross_entropy(x, nn.Tensor(target), **args)), [x]


@case("dropout_at")
@st.composite
def dropouts(draw):
    place = {"p": draw(st.sampled_from([0.0, 0.3, 1.0])), "seed": draw(seeds), "counter": draw(seeds)}
    x = Draw(draw(seeds))(*draw(shapes))
    return (lambda x: PRIMITIVES["dropout_at"](x, **place).square()), [x]


def tables(name):
    @case(name)
    @st.composite
    def strategy(draw):
        rows, width, shape, tensor = draw(sizes), draw(sizes), draw(shapes), Draw(draw(seeds))
        indices = np.asarray(tensor.random.integers(0, rows, shape))
        if name == "embedding":
            return (lambda weight: functional.embedding(indices, weight).square()), [tensor(rows, width)]
        return (lambda gy: functional.embedding_grad(gy, indices, rows).square()), [tensor(*shape, width)]


tables("embedding")
tables("embedding_grad")


def test_every_primitive_has_a_case():
    assert sorted([*CASES, "to_device"]) == sorted(PRIMITIVES)  # which needs a second device: tests/nn/on_cuda.py


def test_every_argument_has_a_rule_or_is_on_the_list():
    for name, primitive in PRIMITIVES.items():
        without = {argument for operation, argument in WITHOUT_GRADIENT if operation == name}
        assert set(primitive.arguments) == set(primitive.rules) | without
        for rule in primitive.rules.values():
            assert rule is ZERO or primitive.unfused is not None or callable(rule.function)


@pytest.mark.parametrize("name", sorted(CASES))
@given(data=st.data())
@settings(max_examples=20)
def test_first_order(name, data):
    function, inputs = data.draw(CASES[name]())
    assert nn.gradcheck(function, inputs)


@pytest.mark.parametrize("name", sorted(CASES))
@given(data=st.data())
@settings(max_examples=20)
def test_second_order(name, data):
    function, inputs = data.draw(CASES[name]())
    assert nn.gradgradcheck(function, inputs, rtol=1e-5)


HAND_WRITTEN = sorted(name for name, primitive in PRIMITIVES.items() if primitive.together is not None)


@pytest.mark.parametrize("name", HAND_WRITTEN)
@given(data=st.data())
@settings(max_examples=20)
def test_hand_written_gradients_are_those_of_the_composition(name, data):
    function, inputs = data.draw(CASES[name]())
    y = function(*inputs)
    seed = nn.Tensor(np.random.default_rng(0).standard_normal(y.shape))
    by_hand = nn.grad(y, inputs, seed, retain_graph=True)
    composed = nn.grad(y, inputs, seed, create_graph=True)
    for one, other in zip(by_hand, composed, strict=True):
        np.testing.assert_allclose(one, other.detach(), rtol=1e-9, atol=1e-9)
