"""The small matrices of Winograd's algorithms, each applied to one line of numbers.

F(m, r) finds m outputs of an r-tap filter over a line from m + r - 1 inputs with as many multiplications instead of
m * r (Winograd 1980; Lavin and Gray 2016, https://arxiv.org/abs/1509.09308): evaluate the line of inputs and the
filter, read as polynomials, at m + r - 1 points, multiply point by point, interpolate::

    y = A^T [ (G g) . (B^T d) ]

In two dimensions each matrix is applied to the columns, then to the rows. The transposed matrices give the weight
gradient: gw = G^T [sum of (B^T d B) . (A gy A^T)] G.

**Three taps**, F(4, 3): 6 points, 0, 1, -1, 2, -2 and infinity; a tile of 4 x 4 outputs takes 36 products instead of
144::

    B^T = 4  0 -5  0  1  0      G =  1/4     0     0       A^T = 1  1  1  1  1  0
          0 -4 -4  1  1  0          -1/6  -1/6  -1/6             0  1 -1  2 -2  0
          0  4 -4 -1  1  0          -1/6   1/6  -1/6             0  1  1  4  4  0
          0 -2 -1  2  1  0          1/24  1/12   1/6             0  1 -1  8 -8  1
          0  2 -1 -2  1  0          1/24 -1/12   1/6
          0  4  0 -5  0  1             0     0     1

**Two taps**, F(4, 2) and F(3, 2): the points 0, 1, -1, infinity, and for 4 outputs also 2, in this order, so that one
G serves both: F(3, 2) uses its first 4 rows. Outputs are cut into 4s and 3s without a remainder (7 = 4 + 3), and a
tile of 4 x 4 takes 25 products instead of 64, one of 3 x 3 takes 16 instead of 36::

    F(4, 2):  B^T = 1 -1/2 -1  1/2  0      G =  1    0       A^T = 1  1  1  0  1
                    0   2   1  -1   0          1/2  1/2            0  1 -1  0  2
                    0 -2/3  1 -1/3  0          1/2 -1/2            0  1  1  0  4
                    0   2  -1  -2   1           0    1             0  1 -1  1  8
                    0  -1   0   1   0          1/6  1/3

    F(3, 2):  B^T = 1  0 -1  0             G =  1    0       A^T = 1  1  1  0
                    0  1  1  0                 1/2  1/2            0  1 -1  0
                    0 -1  1  0                 1/2 -1/2            0  1  1  1
                    0 -1  0  1                  0    1

Entries of a line are vectors over channels; sums that two entries of a result share are made once. ``e`` is what adds
and multiplies them: `Vectors`, which emits instructions, or, to check the algebra, exact fractions.
"""

from llvmlite import ir

from ..machine.vectors import Vectors

Line = list[ir.Value]


def input_4_3(e: Vectors, d: Line) -> Line:
    """B^T d: 6 inputs at 6 points."""
    even, odd = e.fma(-4, d[2], d[4]), e.fma(-4, d[1], d[3])
    outer, inner = e.sub(d[4], d[2]), e.sub(d[3], d[1])
    return [
        e.fma(4, d[0], e.fma(-5, d[2], d[4])),
        e.add(even, odd),
        e.sub(even, odd),
        e.fma(2, inner, outer),
        e.fma(-2, inner, outer),
        e.fma(4, d[1], e.fma(-5, d[3], d[5])),
    ]


def output_4_3(e: Vectors, m: Line) -> Line:
    """A^T m: 6 products give 4 outputs."""
    ones, ones_odd = e.add(m[1], m[2]), e.sub(m[1], m[2])
    twos, twos_odd = e.add(m[3], m[4]), e.sub(m[3], m[4])
    return [
        e.add(m[0], e.add(ones, twos)),
        e.fma(2, twos_odd, ones_odd),
        e.fma(4, twos, ones),
        e.add(e.fma(8, twos_odd, ones_odd), m[5]),
    ]


def gradient_4_3(e: Vectors, y: Line) -> Line:
    """A y: 4 gradients at 6 points."""
    even, odd = e.add(y[0], y[2]), e.add(y[1], y[3])
    even_two, odd_two = e.fma(4, y[2], y[0]), e.fma(8, y[3], e.scale(2, y[1]))
    return [y[0], e.add(even, odd), e.sub(even, odd), e.add(even_two, odd_two), e.sub(even_two, odd_two), y[3]]


def weight_4_3(e: Vectors, g: Line) -> Line:
    """G g: 3 taps at 6 points."""
    even, odd = e.scale(-1 / 6, e.add(g[0], g[2])), e.scale(1 / 6, g[1])
    even_two, odd_two = e.fma(1 / 6, g[2], e.scale(1 / 24, g[0])), e.scale(1 / 12, g[1])
    return [
        e.scale(1 / 4, g[0]),
        e.sub(even, odd),
        e.add(even, odd),
        e.add(even_two, odd_two),
        e.sub(even_two, odd_two),
        g[2],
    ]


def weight_gradient_4_3(e: Vectors, m: Line) -> Line:
    """G^T m: 6 sums of products give 3 taps."""
    ones, ones_odd = e.add(m[1], m[2]), e.sub(m[2], m[1])
    twos, twos_odd = e.add(m[3], m[4]), e.sub(m[3], m[4])
    return [
        e.fma(1 / 4, m[0], e.fma(-1 / 6, ones, e.scale(1 / 24, twos))),
        e.fma(1 / 6, ones_odd, e.scale(1 / 12, twos_odd)),
        e.fma(1 / 6, e.sub(twos, ones), m[5]),
    ]


def input_4_2(e: Vectors, d: Line) -> Line:
    """B^T d: 5 inputs at 5 points."""
    two = e.sub(d[3], d[1])
    return [
        e.fma(1 / 2, two, e.sub(d[0], d[2])),
        e.fma(2, d[1], e.sub(d[2], d[3])),
        e.fma(-1 / 3, e.fma(2, d[1], d[3]), d[2]),
        e.fma(-2, two, e.sub(d[4], d[2])),
        two,
    ]


def input_3_2(e: Vectors, d: Line) -> Line:
    """B^T d: 4 inputs at 4 points."""
    return [e.sub(d[0], d[2]), e.add(d[1], d[2]), e.sub(d[2], d[1]), e.sub(d[3], d[1])]


def output_4_2(e: Vectors, m: Line) -> Line:
    """A^T m: 5 products give 4 outputs."""
    ones, ones_odd = e.add(m[1], m[2]), e.sub(m[1], m[2])
    return [
        e.add(e.add(m[0], ones), m[4]),
        e.fma(2, m[4], ones_odd),
        e.fma(4, m[4], ones),
        e.add(e.fma(8, m[4], ones_odd), m[3]),
    ]


def output_3_2(e: Vectors, m: Line) -> Line:
    """A^T m: 4 products give 3 outputs."""
    ones = e.add(m[1], m[2])
    return [e.add(m[0], ones), e.sub(m[1], m[2]), e.add(ones, m[3])]


def gradient_4_2(e: Vectors, y: Line) -> Line:
    """A y: 4 gradients at 5 points."""
    even, odd = e.add(y[0], y[2]), e.add(y[1], y[3])
    return [y[0], e.add(even, odd), e.sub(even, odd), y[3], e.fma(2, e.fma(4, y[3], y[1]), e.fma(4, y[2], y[0]))]


def gradient_3_2(e: Vectors, y: Line) -> Line:
    """A y: 3 gradients at 4 points."""
    even = e.add(y[0], y[2])
    return [y[0], e.add(even, y[1]), e.sub(even, y[1]), y[2]]


def weight_2(e: Vectors, g: Line) -> Line:
    """G g: 2 taps at 5 points, of which F(3, 2) uses the first 4."""
    return [
        g[0],
        e.scale(1 / 2, e.add(g[0], g[1])),
        e.scale(1 / 2, e.sub(g[0], g[1])),
        g[1],
        e.fma(1 / 3, g[1], e.scale(1 / 6, g[0])),
    ]


def weight_gradient_2(e: Vectors, m: Line) -> Line:
    """G^T m: sums of products at 5 points, those of F(3, 2) added to the first 4, give 2 taps."""
    ones, ones_odd = e.add(m[1], m[2]), e.sub(m[1], m[2])
    return [
        e.fma(1 / 2, ones, e.fma(1 / 6, m[4], m[0])),
        e.fma(1 / 2, ones_odd, e.fma(1 / 3, m[4], m[3])),
    ]
