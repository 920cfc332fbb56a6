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

# Both factors of a tf32 product keep 11 bits and are rounded to nearest: 2**-11 relative each. The bound holds for
# every element against the sum of the sizes of its products, which is where a wrong index shows.
TF32_PRODUCT = 2.0**-10
# Those of a bfloat16 product keep 8 bits: 2**-8 each.
BF16_PRODUCT = 2.0**-7
# Each factor of a product of 3xTF32 is two tf32 numbers, of 11 bits and of the 12 that are left: 2**-23 relative is
# missing, twice, and 2**-22 for the product of the small parts. Tensor cores cut where others round: a unit of float32.
TF32_3_PRODUCT = 2.0**-21 + 2.0**-23
# Its largest error in units of that of float32 products, both against float64. It rounds once for eight products where
# they round eight times: 0.24 to 0.71 were seen for sums of 64 products and more, and 0.76 to 2.1 for four and nine.
TF32_3_ERROR = 1.0
TF32_3_ERROR_OF_FEW = 2.5

# Box and Muller at six standard deviations times 2, plus 1: a unit in the last place there, twice. In float64 the
# definition's own cosine of an angle near 2 pi adds as much.
RANDOM_NORMAL = {"float32": 4e-6, "float64": 1e-14}

# Three separable passes with weights that add up to 1, relative to the largest value: scikit-image sums in float64 and
# rounds between the passes; float32 rounds each of some 3 * 41 products and sums, whose errors mostly cancel.
GAUSSIAN = {"float32": 2e-6, "float64": 1e-13}

# An optimiser's step is a dozen roundings, and five steps repeat them; the working types of the scalars differ.
OPTIMIZER_STEP = {"float32": 4e-6, "float64": 1e-13}

# nn beside PyTorch in float64: the same sums in another order, through a few layers.
LAYERS_FLOAT64 = 1e-10
# Sums of a few hundred float32 products in another order, relative to the largest value.
LAYERS_FLOAT32 = 2e-5
# Fifty steps of an optimiser in float64: rounding of the gradients, amplified by Adam's division.
TRAINING_FLOAT64 = 1e-9
# The first five steps in float32; later ones are measured against PyTorch's own distance from float64.
TRAINING_FLOAT32 = 1e-4

# exp and log: a polynomial and its reduction, in units in the last place, with a little room for another processor.
EXP_LOG_ULP = 1.6
# Beyond the middle the series is added to log 2, of its own size, in whatever order fast-math allows.
LOG_ONE_PLUS_ULP = 2.2
# tanh and sigmoid round three more times: a sum, a division and a doubling or a choice.
TANH_SIGMOID_ULP = 3.0
# A gradient is a few products; through tanh and sigmoid it contains 1 - y, which magnifies the rounding of y near
# saturation, so that two libraries agree only relative to the incoming gradient.
ACTIVATION_GRAD = {"float32": 6e-7, "float64": 1e-15}
# A float32 power is computed in float64; a float64 one is the mathematics library's, within a unit.
POWER = {"float32": 1.2e-7, "float64": 4e-16}
# Float32 numbers round twice where four are added, and their sum once more; float64 ones at every addition, but in
# independent parts. Relative to the sum of the sizes.
SUM = {"float32": 1.8e-7, "float64": 1e-14}
# Pointwise losses: a difference and a few roundings in the working type (for logits an exponential and a logarithm),
# added in float64 and rounded once more; the plain loop adds in its order.
POINTWISE_LOSS = {"float32": 1e-6, "float64": 1e-13}
# Softmax: a difference and an exponential in the working type, of numbers up to 1 (or, of logarithms, relative to the
# largest), and a rounded factor. The difference of numbers of about 100 rounds to 100 eps, and exp passes that on.
SOFTMAX = {"float32": 2e-6, "float64": 4e-15}
# The same, summed in float64; gradients are rounded products of such exponentials, relative to the largest.
CROSS_ENTROPY = {"float32": 3e-6, "float64": 1e-13}
# Normalising is a subtraction, a product and a sum in the working type, of numbers of about 1.
BATCH_NORM = {"float32": 2e-6, "float64": 1e-13}
# The gradient takes rounded mean and inverse_std, and its sums of n terms cancel: relative to the largest gradient.
BATCH_NORM_GRAD = {"float32": 2e-5, "float64": 1e-11}

# Sample cases of declarations, relative to the largest number of the result: sums of some hundred roundings in the
# working type, most of which cancel. Each family's own tests hold its variants to what their arithmetic allows.
DECLARED = {
    None: {"float32": 5e-6, "float64": 1e-14},
    # A quintic's coefficients are up to 8 times as large as its samples along each axis, and rounding grows as much.
    "recursive": {"float32": 5e-5, "float64": 1e-13},
    # Fast marching computes in float32 whatever the image's type; see MARCHING_FLOAT.
    "heap": {"float32": 2e-4, "float64": 2e-4},
    # Sums of 288 products, whose differences from their mean are a few hundredths of them.
    "apart": {"float32": 5e-6, "float64": 2e-13},
    "winograd": {"float32": 1e-4, "float64": 1e-12},
    "winograd_phases": {"float32": 1e-4, "float64": 1e-12},
    # Samples are positive but for every third number of one array, so that a result is a third of its products' sizes.
    "mma": {"float32": 3 * TF32_PRODUCT, "float64": 1e-14},
    "mma_bf16": {"float32": 3 * BF16_PRODUCT, "float64": 1e-14},
    "mma_gemm": {"float32": 3 * TF32_PRODUCT, "float64": 1e-14},
    "mma_gemm_bf16": {"float32": 3 * BF16_PRODUCT, "float64": 1e-14},
}

# Winograd's F(4x4, 3x3) adds numbers up to 16 times as large as its inputs before they cancel, which costs a decimal
# digit: 6e-6 to 9e-6 of the largest output for images of many tiles, and 1.2e-5 at most in thousands of small ones,
# whose largest output is not that large. The weight gradient: 4e-6.
WINOGRAD = 2e-5
WINOGRAD_WEIGHT_GRAD = 1e-5
# F(4, 2) multiplies inputs by up to 2 and products by up to 8 on each axis before they cancel, over a reduction four
# times as long as the number of channels: 5e-6 of the largest output at 64 channels and 2e-5 at 256, of 1e-6 and 3e-6
# by plain sums; small images of few outputs, whose largest is not that large, several times as much.
WINOGRAD_PHASES = 1e-4
# The weight gradient sums over all pixels, and what Winograd makes larger there cancels as other rounding does: 1e-6
# to 5e-6 of the largest number.
WINOGRAD_PHASES_WEIGHT_GRAD = 1e-5

# Pooling, interpolation and padding: sums of some ten weighted numbers of about 1, in another order.
SEPARABLE = {"float32": 1e-6, "float64": 1e-14}
# PyTorch computes the positions of float32 images in float32: a few units in the last place of coordinates up to 20.
INTERPOLATION = {"float32": 2e-5, "float64": 1e-13}

# Distances with steps that are no powers of two: two squares, their sum and its root round once each, and of two zeros
# whose distances differ by less than that SciPy may take the other.
DISTANCE_SAMPLED = 1e-15

# Colours scaled by the quotient of two values, where scikit-image goes through hue and saturation and back.
COLOUR_OF_VALUE = {"float32": 2e-6, "float64": 1e-14}
# Resizing, warping and pyramids beside scikit-image in float64, relative to the largest value. In its "symmetric" mode
# SciPy's filter adds pole ** (2 n - 1) too much on lines of n pixels: 1e-7 for the cubic on 9 pixels.
GEOMETRY = 1e-6
# Beside OpenCV, of float32 images up to 1: Lanczos adds 64 products with weights that its float32 sines round.
CV_INTERPOLATION = 5e-6
# Its positions in an image of 62 pixels are float32, a few units in the last place of them.
CV_WARP = 3e-5
# Edge filters in the working type, relative to the largest pixel: at most ten roundings of numbers below twice it; the
# rival sums float32 images in float64. A root passes on half of the relative error of its square.
EDGES = {"float32": 2e-6, "float64": 4e-15}
# OpenCV's derivatives of floats: sums of up to 14 products in another order, relative to the sum of their sizes.
CV_DERIVATIVE = {"float32": 2e-6, "float64": 4e-15}
# Scores of template matching in [-1, 1]. Float32 blocks are transformed in float32 where the expected error is below
# 2e-6, and in float64 otherwise; the largest of many errors is some three times the expected one. In float64 the
# definition itself loses 1e-13 where a window of a few pixels has little contrast.
MATCH_SCORE = {"float32": 1e-5, "float64": 1e-11}
# What float32 leaves of a score that scikit-image computes from the same numbers in float64.
MATCH_SCORE_FLOAT32_RIVAL = 1e-6
# OpenCV's sums of float32 products and its running sums.
MATCH_SCORE_OPENCV = 2e-6
# A power of two that is a weight, in units in the last place: the series' truncation is 3 of them in float32, and six
# or thirteen roundings add less than one.
EXP2_WEIGHT_ULP = 4.0
# Means weighted by exponentials of distances: exponents up to 10 in the working type are off by 10 eps, hence weights
# by as much of themselves, hence a mean by that of the range of what is averaged; and some hundred numbers are added.
WEIGHTED_MEANS = {"float32": 1e-5, "float64": 2e-14}
# Weights of bytes are off by 6e-5 of themselves, a mean by at most that of half the range, before it is rounded.
MEANS_OF_BYTES = 0.01
# scikit-image's exponential is a linear interpolation between powers of two, up to 4 % off; a mean of numbers in a
# range moves by less than half of that of the range. In its slow mode most patches beyond a distance of 5 do not count;
# each weighs exp(-5) at most, but some dozens of them stand against the pixel's own weight of 1.
NL_MEANS_RIVAL = {"fast": 0.02, "slow": 0.15}
# OpenCV interpolates float32 weights between 4096 steps of the range of differences: its curve of 1 / sigma^2, times
# the square of such a step, over 8.
BILATERAL_RIVAL = 1e-6
# Two hundred steps, each of a dozen roundings, of a map that brings errors no farther apart.
TOTAL_VARIATION = {"float32": 4e-6, "float64": 1e-13}
# Fourier transforms of some thousand numbers, there and back; the quotient magnifies where the blur is weak.
DECONVOLUTION = {"float32": 2e-4, "float64": 1e-10}
# Patches are compared and mixed in the working type: a few hundred products of numbers up to the image's range, and
# weights whose exponents are ratios of such sums; relative to the range, in float64.
EXEMPLAR = 1e-9
# Equations with numbers up to 42, whose condition in holes of ten pixels across is some 1e4; solved in float64 and
# rounded once. Relative to the largest number.
BIHARMONIC = {"float32": 1e-6, "float64": 1e-11}
# Weighted means of up to 110 neighbours in float32 with weights that are themselves quotients of rounded differences,
# filled one from the other; the definition rounds in float64. Relative to the range.
MARCHING_FLOAT = 2e-4
