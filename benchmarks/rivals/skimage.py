"""scikit-image: its filters on the same pictures.

They run on one thread, but for SciPy's Fourier transforms, which are given as many as every other side has.
"""

import functools
from collections.abc import Callable
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from scipy.fft import set_workers
from skimage import feature, filters, metrics, restoration
from skimage.util import random_noise

from ..contestant import Arrays, Contestant, Prepared
from ..filter_kinds import SKIMAGE, Filter


def _sobel(image: Any, sigma: float) -> Any:
    """Two calls, where ours is one."""
    return filters.sobel(filters.gaussian(image, sigma, mode="reflect"))


LIBRARY = SimpleNamespace(
    canny=feature.canny,
    denoise_bilateral=restoration.denoise_bilateral,
    denoise_nl_means=restoration.denoise_nl_means,
    denoise_tv_chambolle=restoration.denoise_tv_chambolle,
    gaussian=filters.gaussian,
    inpaint_biharmonic=restoration.inpaint_biharmonic,
    match_template=feature.match_template,
    median=filters.median,
    random_noise=random_noise,
    sobel=_sobel,
    structural_similarity=metrics.structural_similarity,
)
"""Its functions by name alone, as `tilegrad.filters` has them."""


def contestants(threads: int, compiled: bool) -> list[Contestant]:
    """scikit-image with this many threads."""
    library = f"scikit-image {version('scikit-image')}"
    return [Contestant(SKIMAGE, library, functools.partial(prepare, threads=threads), lambda work: None)]


def prepare(work: Any, arrays: Arrays, threads: int) -> Prepared | None:
    """Make a filter in scikit-image's form ready; see `Contestant`."""
    if not isinstance(work, Filter) or work.rival != SKIMAGE:
        return None

    def with_threads(call: Callable[[], Any]) -> Any:
        with set_workers(threads):
            return call()

    call, result = work.prepare(LIBRARY, arrays)
    return Prepared(functools.partial(with_threads, call), functools.partial(with_threads, result))
