"""Calls of the operations that pool, resize, pad and shuffle images: a strategy for each primitive, as in
test_functional_gradients.py.
"""

import numpy as np
from hypothesis import strategies as st
from tilegrad.kernels.padding.reference import MODES as PAD_MODES
from tilegrad.nn import functional
from tilegrad.nn.primitive import PRIMITIVES

from tilegrad import kernels, nn

CASES = {}
sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def case(name):
    def keep(strategy):
        CASES[name] = strategy
        return strategy

    return keep


def spread(shape, seed):
    """Numbers that lie apart, in any order, so that no maximum changes its place."""
    numbers = np.linspace(-1.0, 1.0, int(np.prod(shape)))
    return nn.Tensor(np.random.default_rng(seed).permutation(numbers).reshape(shape), True)


@st.composite
def windows(draw, dilated):
    """The shape of an image, and a window that fits it."""
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilation = draw(st.integers(1, 2)) if dilated else 1
    reach = [dilation * (k - 1) + 1 for k in kernel]
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    h, w = (r + draw(st.integers(0, 3)) for r in reach)
    window = {"kernel_size": kernel, "stride": draw(st.sampled_from([None, 1, (2, 3)])), "padding": padding}
    window["ceil_mode"] = draw(st.booleans())
    if dilated:
        window["dilation"] = dilation
    else:
        window["count_include_pad"] = draw(st.booleans())
        window["divisor_override"] = draw(st.sampled_from([None, 3]))
    return (draw(st.integers(1, 2)), h, w, draw(st.integers(1, 3))), window


@case("max_pool")
@st.composite
def maxima(draw):
    shape, window = draw(windows(dilated=True))
    return (lambda x: functional.max_pool2d(x, **window).square()), [spread(shape, draw(seeds))]


@case("adaptive_max_pool")
@st.composite
def adaptive_maxima(draw):
    shape, size = draw(st.tuples(*[sizes] * 4)), draw(st.tuples(sizes, sizes))
    return (lambda x: functional.adaptive_max_pool2d(x, size).square()), [spread(shape, draw(seeds))]


@st.composite
def places(draw):
    """The shape of an image, the places of its maxima, and their window, None where it is adaptive."""
    shape, window = draw(windows(dilated=True))
    x = spread(shape, draw(seeds)).data
    if draw(st.booleans()):
        return shape, kernels.adaptive_max_pool2d(x, draw(st.tuples(sizes, sizes)), return_indices=True)[1], None
    return shape, kernels.max_pool2d(x, **window, return_indices=True)[1], window


@case("max_pool_grad")
@st.composite
def put(draw):
    shape, indices, window = draw(places())
    gy = spread(indices.shape, draw(seeds))
    return (lambda gy: PRIMITIVES["max_pool_grad"](gy, indices, shape, window).square()), [gy]


@case("max_pool_take")
@st.composite
def taken(draw):
    shape, indices, window = draw(places())
    return (lambda x: PRIMITIVES["max_pool_take"](x, indices, window).square()), [spread(shape, draw(seeds))]


@case("rank_of_windows")
@st.composite
def ranks(draw):
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    h, w = (k + draw(st.integers(0, 3)) for k in size)
    shape = (draw(st.integers(1, 2)), h, w, draw(st.integers(1, 2)))
    rank = draw(st.integers(-1, size[0] * size[1] - 1))
    return (lambda x: PRIMITIVES["rank_of_windows"](x, size, rank).square()), [spread(shape, draw(seeds))]


@case("avg_pool2d")
@st.composite
def averages(draw):
    shape, window = draw(windows(dilated=False))
    return (lambda x: functional.avg_pool2d(x, **window).square()), [spread(shape, draw(seeds))]


@case("avg_pool2d_grad")
@st.composite
def average_gradients(draw):
    shape, window = draw(windows(dilated=False))
    gy = spread(kernels.avg_pool2d(np.zeros(shape), **window).shape, draw(seeds))
    return (lambda gy: PRIMITIVES["avg_pool2d_grad"](gy, shape, **window).square()), [gy]


@case("adaptive_avg_pool2d")
@st.composite
def adaptive_averages(draw):
    shape, size = draw(st.tuples(*[sizes] * 4)), draw(st.tuples(sizes, sizes))
    return (lambda x: functional.adaptive_avg_pool2d(x, size).square()), [spread(shape, draw(seeds))]


@case("adaptive_avg_pool2d_grad")
@st.composite
def adaptive_average_gradients(draw):
    n, h, w, c, p, q = draw(st.tuples(*[sizes] * 6))
    gradient = PRIMITIVES["adaptive_avg_pool2d_grad"]
    return (lambda gy: gradient(gy, (n, h, w, c)).square()), [spread((n, p, q, c), draw(seeds))]


@st.composite
def resizings(draw):
    modes = ["nearest", "bilinear", "bicubic", "nearest-exact", "lanczos4", "spline3", "area"]
    shape, how = draw(st.tuples(*[sizes] * 4)), {"mode": draw(st.sampled_from(modes))}
    if draw(st.booleans()):
        how["size"] = draw(st.tuples(sizes, sizes))
    else:
        how["scale_factor"] = draw(st.sampled_from([1, 2, (1.5, 2.5)]))
    if how["mode"] in ("bilinear", "bicubic"):
        variation = draw(st.sampled_from([{}, {"align_corners": True}, {"antialias": True}, {"border": "mirror"}]))
        how.update(variation)
    if how["mode"] in ("lanczos4", "spline3"):
        how["border"] = draw(st.sampled_from(["nearest", "mirror", "reflect", "wrap", "constant"]))
    return shape, how


@case("interpolate")
@st.composite
def interpolations(draw):
    shape, how = draw(resizings())
    return (lambda x: functional.interpolate(x, **how).square()), [spread(shape, draw(seeds))]


@case("interpolate_grad")
@st.composite
def interpolation_gradients(draw):
    shape, how = draw(resizings())
    gy = spread(kernels.interpolate(np.zeros(shape), how.pop("size", None), **how).shape, draw(seeds))
    how = {**how, "size": gy.shape[1:3], "scale_factor": None}
    return (lambda gy: PRIMITIVES["interpolate_grad"](gy, shape, **how).square()), [gy]


@case("pixel_shuffle")
@st.composite
def shuffles(draw):
    n, h, w, c, r = draw(st.tuples(*[st.integers(1, 3)] * 5))
    return (lambda x: functional.pixel_shuffle(x, r).square()), [spread((n, h, w, c * r * r), draw(seeds))]


@case("pixel_unshuffle")
@st.composite
def unshuffles(draw):
    n, h, w, c, r = draw(st.tuples(*[st.integers(1, 3)] * 5))
    return (lambda x: functional.pixel_unshuffle(x, r).square()), [spread((n, h * r, w * r, c), draw(seeds))]


@st.composite
def pads(draw):
    n, h, w, c = draw(st.tuples(st.integers(1, 2), st.integers(3, 5), st.integers(3, 5), st.integers(1, 2)))
    around = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(2))
    return (n, h, w, c), around, draw(st.sampled_from(PAD_MODES))


@case("pad2d")
@st.composite
def paddings(draw):
    shape, around, mode = draw(pads())
    return (lambda x: functional.pad2d(x, around, mode, 0.5).square()), [spread(shape, draw(seeds))]


@case("pad2d_grad")
@st.composite
def padding_gradients(draw):
    shape, around, mode = draw(pads())
    gy = spread(kernels.pad2d(np.zeros(shape), around, mode=mode).shape, draw(seeds))
    return (lambda gy: PRIMITIVES["pad2d_grad"](gy, shape, around, mode).square()), [gy]


@st.composite
def maps(draw):
    """The shape of images, matrices that move them by a little, and how they are sampled."""
    shape, random = draw(st.tuples(*[st.integers(1, 4)] * 4)), np.random.default_rng(draw(seeds))
    matrices = np.eye(3) + random.uniform(-0.2, 0.2, draw(st.sampled_from([(3, 3), (shape[0], 3, 3)])))
    how = {
        "mode": draw(st.sampled_from(["nearest-exact", "bilinear", "catmull-rom"])),
        "border": draw(st.sampled_from(["constant", "nearest", "mirror", "reflect", "wrap"])),
    }
    return shape, matrices, how


@case("warp2d")
@st.composite
def warps(draw):
    shape, matrices, how = draw(maps())
    size = draw(st.sampled_from([None, (3, 5)]))
    return (lambda x: functional.warp2d(x, matrices, size, cval=0.5, **how).square()), [spread(shape, draw(seeds))]


@case("warp2d_grad")
@st.composite
def warp_gradients(draw):
    shape, matrices, how = draw(maps())
    gy = spread((shape[0], 3, 5, shape[3]), draw(seeds))
    return (lambda gy: PRIMITIVES["warp2d_grad"](gy, matrices, shape, **how).square()), [gy]


def splines(name):
    @case(name)
    @st.composite
    def strategy(draw):
        shape = draw(st.tuples(*[sizes] * 4))
        how = {"degree": draw(st.integers(2, 5)), "border": draw(st.sampled_from(["mirror", "reflect", "wrap"]))}
        return (lambda x: PRIMITIVES[name](x, **how).square()), [spread(shape, draw(seeds))]


splines("spline_filter2d")
splines("spline_filter2d_grad")


@case("similarity_of_planes")
@st.composite
def similarities(draw):
    m, h, w = draw(st.integers(1, 3)), draw(st.integers(3, 6)), draw(st.integers(3, 6))
    weights, margin = np.array([0.25, 0.5, 0.25]), draw(st.integers(0, 1))
    x, y = spread((m, h, w), draw(seeds)), spread((m, h, w), draw(seeds))
    return (lambda x, y: PRIMITIVES["similarity_of_planes"](x, y, weights, 0.1, 0.2, margin).square()), [x, y]


@case("bilateral_filter")
@st.composite
def bilateral_filters(draw):
    shape = (1, draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 2)))
    x = spread(shape, draw(seeds))
    settings = {
        "radius": draw(st.sampled_from([0, 1, 1, 1, 2])),
        "sigma_color": draw(st.sampled_from([0.7, 3.0])),
        "sigma_space": 1.5,
        "window": draw(st.sampled_from(["disk", "square"])),
        # Sizes have no second derivative where their argument is 0, as at the middle of a window.
        "distance": draw(st.sampled_from(["euclidean", "city"])),
        "mode": draw(st.sampled_from(["mirror", "reflect", "nearest", "wrap", "constant", "grid-wrap"])),
        "cval": 0.013,
    }
    return (lambda x: functional.bilateral_filter(x, **settings)), [x]
