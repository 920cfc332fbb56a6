"""How far a result may lie from its oracle, and why: the one table."""

import numpy as np

EPS = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}

# A correlation in the working type: each product and each addition rounds once, so the error stays below
# (taps + 2) * eps * sum(abs(weights) * abs(x)); the weights themselves are rounded to the working type, once more.
CORRELATION_ROUNDINGS = 3

# SSIM accumulates in float64 whatever the images' type; what is left is cancellation in the variances,
# eps * max(x)**2 / (K2 * data_range)**2, about 1e-12, and scikit-image's own running sums.
SSIM = 1e-9
# scikit-image filters float32 images into float32, and the variances cancel there.
SSIM_FLOAT32_RIVAL = 2e-4

# Both factors of a tf32 product keep 11 bits and are rounded to nearest: 2**-11 relative each. The bound holds for every
# element against the sum of the sizes of its products, which is where a wrong index shows.
TF32_PRODUCT = 2.0**-10

# Box and Muller at six standard deviations times 2, plus 1: a unit in the last place there, twice. In float64 the
# definition's own cosine of an angle near 2 pi adds as much.
RANDOM_NORMAL = {"float32": 4e-6, "float64": 1e-14}

# Three separable passes with weights that add up to 1, relative to the largest value: scikit-image sums in float64 and
# rounds between the passes; float32 rounds each of some 3 * 41 products and sums, whose errors mostly cancel.
GAUSSIAN = {"float32": 2e-6, "float64": 1e-13}

# An optimiser's step is a dozen roundings, and five steps repeat them; the working types of the scalars differ.
OPTIMIZER_STEP = {"float32": 4e-6, "float64": 1e-13}
