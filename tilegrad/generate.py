"""`tilegrad generate --model FILE`: images of a trained generator, side by side in one picture."""

import os

import numpy as np

from . import kernels, nn
from .errors import TilegradError, UsageError
from .files import check_writable
from .grids import grid, interpolations, to_bytes
from .images import check_format, write_image
from .restore import load_model

_BATCH = 256  # images made at once


def generate(model: nn.models.DCGANGenerator, vectors: np.ndarray) -> np.ndarray:
    """Images of these random vectors.

    Parameters
    ----------
    model : DCGANGenerator
        In evaluation mode: then an image depends on its own vector alone.
    vectors : (N, latent) array, float32

    Returns
    -------
    (N, H, W, C) array, uint8
    """
    with nn.no_grad():
        starts = range(0, len(vectors), _BATCH)
        made = [model(nn.Tensor(vectors[first : first + _BATCH])) for first in starts]
    return np.concatenate([to_bytes(np.asarray(images)) for images in made])


def generate_file(
    model_file: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    count: int = 64,
    seed: int = 0,
    steps: int | None = None,
) -> None:
    """Write a picture of ``count`` images in a grid; image ``i`` of a seed is the same whatever the count.

    Parameters
    ----------
    model_file : path
        A generator that `tilegrad train gan` saved.
    out : path
        Written whole or not at all.
    count, seed : int
    steps : int, optional
        Rows that lead from one image to another in so many steps, in place of unrelated images; ``count`` is rounded up
        to whole rows.

    Raises
    ------
    TilegradError
        If a file cannot be read or written, or is no generator.
    """
    check_writable(out)
    check_format(out, np.uint8)
    model = load_model(model_file)
    if not isinstance(model, nn.models.DCGANGenerator):
        raise TilegradError(f"{model_file}: is a {type(model).__name__}, not a generator")
    latent = int(model.configuration()["latent"])
    rows = -(-count // steps) if steps else 0
    vectors = kernels.random_normal((2 * rows or count, latent), seed=seed)
    images = generate(model, interpolations(list(vectors), steps) if steps else vectors)
    picture = grid(images, columns=steps)
    if picture.size > 2**31:
        raise UsageError(f"{count} images make a picture of {picture.size:,} bytes; ask for fewer")
    write_image(out, picture)
