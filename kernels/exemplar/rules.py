"""The numbers of the method, which its definition and its workers share, and the order in which candidates come."""

import numpy as np
from numba import njit

from ..random.philox import LOW, words_at

CANDIDATES = 8
"""Source patches that are kept for every target patch."""

LEAST_PATCH = 3
"""Patches reach at least as far as the equations that fit them into their surroundings."""

LEAST_DATA = 1e-3
"""What the data term is at least, as a share of the image's range: flat regions would have no priority at all."""

DECAY = 1.3
"""How many times less a hole pixel weighs than one that is a step nearer to what is known."""

RELIANCE = 3
"""The power of a patch's mean weight with which it votes."""

SHIFT_PENALTY = 0.1
"""What a squared difference of the means counts beside squared differences about the means."""

BANDWIDTH = 10.0
"""How much worse than the best a patch may be and still vote, as a share of the best's difference: the mean of many
patches is nearer to the truth than one."""

SHARPNESS = 2
"""The power of a pixel's weight by which the bandwidth narrows: deep inside a hole no patch is near the truth, a mean
would blur, and the best patch alone is copied."""

NOISE = 1e-6
"""The same as a share of the squared range of the image: differences that nobody sees are none."""

CUT = 20.0
"""Bandwidths beyond which a patch does not vote at all."""

TENSION = 0.8
"""Of the surface through what is known: beyond a pixel or so it is drawn taut, and does not overshoot in wide holes."""

FADING = 1.5
"""How many times with every step into a hole the patches lose what they leave unexplained on its rim."""

RANDOMNESS = 3
"""The power of how normally the rim is distributed, from 0 to 1, that is the share of a texture in it."""

LOUDNESS = 2.0
"""What detail of a texture is at most, as a multiple of the mean amplitude on the rim: edges are none."""

AMPLIFICATION = 2.0
"""What the finest band is multiplied by at most, to become as rough as the rim."""


@njit(forceinline=True)
def moved(turn, r, s):
    """Which candidate a target tries in its ``turn``: of the target so many rows and columns away the one of that rank.

    First its own, then those of its four neighbours, then of four half a patch away; then, with rank -1, random ones.
    """
    if turn >= 9 * CANDIDATES:
        return 0, 0, -1
    neighbour, rank = turn // CANDIDATES, turn % CANDIDATES
    if neighbour == 0:
        return 0, 0, rank
    down, across = (1, 1) if neighbour < 5 else (max(1, r // 2), max(1, s // 2))
    side = (neighbour - 1) % 4
    if side < 2:
        return (down if side else -down), 0, rank
    return 0, (across if side == 3 else -across), rank


@njit(forceinline=True)
def turns(h, w):
    """How many candidates a target tries: those of `moved`, and one for each halving of the longer side."""
    halvings, side = 0, max(h, w)
    while side > 0:
        halvings, side = halvings + 1, side // 2
    return 9 * CANDIDATES + halvings


@njit(forceinline=True)
def drawn(target, sweep, turn, h, w):
    """A random number of rows and of columns, up to the longer side and in every further turn up to half as many.

    A function of its arguments alone, so that threads, images and repetitions do not matter.
    """
    halvings = turn - 9 * CANDIDATES
    words = words_at(np.uint64(target), np.uint64(sweep), np.uint64(halvings))
    reach = max(h, w) >> halvings
    span = np.uint64(2 * reach + 1)
    half = np.uint64(32)
    down = np.int64(((words[0] & LOW) * span) >> half) - reach
    return down, np.int64(((words[1] & LOW) * span) >> half) - reach
