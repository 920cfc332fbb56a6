"""Pooling of images: windows of each channel become one number, their average or the greatest.

average.py, maximum.py   the public functions
places.py                where the greatest numbers were
geometry.py              windows
reference.py             the definitions
cpu_separable.py         "separable": averages, by sums along columns and then rows (machine/separable.py)
cpu_rows.py              "rows": maxima, all channels of a pixel at once
cuda_naive.py            "naive" on CUDA: one thread, one output
cuda_tiled.py            "tiled" on CUDA: maxima of windows that overlap, from shared memory
cuda_channels.py         "channels" on CUDA, with cuda_channels.cu: one thread, 16 bytes of channels of an output
cuda_take.py             "take" on CUDA, with cuda_take.cu: the numbers at given places, 16 bytes of results per thread
"""

from .average import adaptive_avg_pool2d, adaptive_avg_pool2d_grad, avg_pool2d, avg_pool2d_grad
from .maximum import adaptive_max_pool2d, adaptive_max_pool2d_grad, max_pool2d, max_pool2d_grad
from .places import take_pixels

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_avg_pool2d_grad",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_grad",
    "avg_pool2d",
    "avg_pool2d_grad",
    "max_pool2d",
    "max_pool2d_grad",
    "take_pixels",
]
