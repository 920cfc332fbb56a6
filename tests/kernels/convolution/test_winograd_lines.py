"""Winograd's matrices: the algebra in exact fractions, and the code that is emitted for whole tiles in float64."""

import ctypes
from fractions import Fraction

import numpy as np
import pytest
from tilegrad.kernels.convolution import winograd_lines as lines
from tilegrad.kernels.convolution import winograd_transforms as transforms
from tilegrad.kernels.machine.blocks import address_of
from tilegrad.kernels.machine.processor import lanes
from tolerances import EPS

# Outputs, taps, and the line functions: input, output, gradient, weight, weight gradient.
ALGORITHMS = {
    "F(4, 3)": (4, 3, "input_4_3", "output_4_3", "gradient_4_3", "weight_4_3", "weight_gradient_4_3"),
    "F(4, 2)": (4, 2, "input_4_2", "output_4_2", "gradient_4_2", "weight_2", "weight_gradient_2"),
    "F(3, 2)": (3, 2, "input_3_2", "output_3_2", "gradient_3_2", "weight_2", "weight_gradient_2"),
}


class Exact:
    """The arithmetic of `Vectors` on fractions; a factor is the fraction that its float64 stands for."""

    def add(self, x, y):
        return x + y

    def sub(self, x, y):
        return x - y

    def scale(self, factor, x):
        return Fraction(factor).limit_denominator(100) * x

    def fma(self, x, y, z):
        return self.scale(x, y) + z


def matrix(name, entries):
    """The matrix that a line function applies, as columns of fractions."""
    basis = [[Fraction(i == j) for i in range(entries)] for j in range(entries)]
    return np.array([getattr(lines, name)(Exact(), unit) for unit in basis], object).T


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_algebra_is_exact(algorithm):
    """Both sides are linear in the inputs and in the taps, so it is enough to try every unit of each."""
    m, r, to_input, to_output, to_gradient, to_weight, to_weight_gradient = ALGORITHMS[algorithm]
    points = m + r - 1
    b, a, g = matrix(to_input, points), matrix(to_output, points), matrix(to_weight, r)[:points]
    for d in np.eye(points, dtype=int):
        for w in np.eye(r, dtype=int):
            expected = [sum(d[i + j] * w[j] for j in range(r)) for i in range(m)]
            assert (a @ ((g @ w) * (b @ d)) == expected).all()
    assert (matrix(to_gradient, m) == a.T).all()
    assert (matrix(to_weight_gradient, len(matrix(to_weight, r)))[:, :points] == g.T).all()


KINDS = [
    ("INPUT", "input_4_3"),
    ("OUTPUT", "output_4_3"),
    ("GRADIENT", "gradient_4_3"),
    ("WEIGHT", "weight_4_3"),
    ("WEIGHT_GRADIENT", "weight_gradient_4_3"),
    ("INPUT4", "input_4_2"),
    ("INPUT3", "input_3_2"),
    ("OUTPUT4", "output_4_2"),
    ("OUTPUT3", "output_3_2"),
    ("GRADIENT4", "gradient_4_2"),
    ("GRADIENT3", "gradient_3_2"),
    ("WEIGHT2", "weight_2"),
    ("WEIGHT_GRADIENT2", "weight_gradient_2"),
]
CALL = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 9, ctypes.c_double)
PAIRS = [(kind, kind) for kind, _ in KINDS] + [("INPUT4", "INPUT3"), ("OUTPUT3", "OUTPUT4")]


@pytest.mark.parametrize(("down", "across"), PAIRS)
def test_a_tile_is_transformed_down_and_across(down, across):
    """The emitted code equals the matrices on both sides of the tile, for more channels than a vector has."""
    channels = lanes(8) + 3
    kinds = [getattr(transforms, name) for name in (down, across)]
    sizes = [transforms.LINES[kind][1] for kind in kinds]
    left, right = (
        matrix(dict(KINDS)[name], size).astype(np.float64) for name, size in zip((down, across), sizes, strict=True)
    )
    source = np.random.default_rng(0).standard_normal((*sizes, channels))
    target = np.full((len(left), len(right), channels), np.nan)
    CALL(transforms.tile.address(*kinds, 8))(
        address_of(source), sizes[1] * channels, channels, address_of(target), len(right) * channels, channels,
        channels, 0, 0, 0.0,
    )  # fmt: skip
    expected = np.einsum("ai,ijc,bj->abc", left, source, right)
    np.testing.assert_allclose(target, expected, rtol=0, atol=4 * EPS["float64"] * np.abs(expected).max())
