"""The constants of the method, which its definition and its workers share."""

CANDIDATES = 8
"""Source patches that are kept for every target patch."""

LEAST_DATA = 1e-3
"""What the data term is at least, as a share of the image's range: flat regions would have no priority at all."""

DECAY = 1.3
"""How much less a hole pixel weighs than one that is a step nearer to what is known."""

RELIANCE = 3
"""The power of a patch's mean weight with which it votes."""

SHIFT_PENALTY = 0.1
"""What a squared difference of the means counts beside a squared difference of the pixels about their means."""

BANDWIDTH = 1.0
"""How much worse than the best a patch may be and still vote, as a share of the best's difference."""

POWER = 1.0

ORDER = 0
