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
