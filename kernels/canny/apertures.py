"""The two factors of Sobel's derivative of each aperture: smoothing across it, and the slope along it.

They are binomial: ``(1, 1)`` convolved with itself, once with ``(-1, 1)`` for the slope. Gradients of 8-bit images fit
in 16 bits but for aperture 7, whose are divided by 16 and rounded, halves to even.
"""

SMOOTH = {3: (1, 2, 1), 5: (1, 4, 6, 4, 1), 7: (1, 6, 15, 20, 15, 6, 1)}
SLOPE = {3: (-1, 0, 1), 5: (-1, -2, 0, 2, 1), 7: (-1, -4, -5, 0, 5, 4, 1)}
DIVIDED = 7
