"""Many small images in one picture: samples of a generator, and the way from one to another."""

from collections.abc import Sequence

import numpy as np


def grid(images: np.ndarray, columns: int | None = None, *, margin: int = 2) -> np.ndarray:
    """Lay images out in rows.

    Parameters
    ----------
    images : (N, H, W, C) array
        uint8, C = 1 or 3.
    columns : int, optional
        In a row; about as many as there are rows if not given.
    margin : int
        White pixels between and around them.

    Returns
    -------
    (rows * (H + margin) + margin, columns * (W + margin) + margin[, 3]) array, uint8

    Examples
    --------
    >>> grid(np.zeros((5, 8, 8, 1), np.uint8)).shape
    (22, 32)
    """
    N, H, W, C = images.shape
    columns = columns or int(np.ceil(np.sqrt(N)))
    rows = -(-N // columns)
    out = np.full((rows * (H + margin) + margin, columns * (W + margin) + margin, C), 255, np.uint8)
    for number, image in enumerate(images):
        top, left = (
            margin + place * (side + margin) for place, side in zip(divmod(number, columns), (H, W), strict=True)
        )
        out[top : top + H, left : left + W] = image
    return out[:, :, 0] if C == 1 else out


def to_bytes(images: np.ndarray) -> np.ndarray:
    """A generator's numbers in [-1, 1] as uint8.

    >>> to_bytes(np.array([-1.0, 0.0, 1.0, 2.0]))
    array([  0, 128, 255, 255], dtype=uint8)
    """
    return np.rint(np.clip((images + 1) * 127.5, 0, 255)).astype(np.uint8)


def between(first: np.ndarray, last: np.ndarray, steps: int) -> np.ndarray:
    """``steps`` vectors on the great circle from one to another, both included (Shoemake's slerp, 1985).

    Random vectors of many dimensions lie near a sphere, and what lies on the straight line between two of them, well
    inside of it, is nothing that a generator has met.

    >>> between(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 3).round(3)
    array([[1.   , 0.   ],
           [0.707, 0.707],
           [0.   , 1.   ]])
    """
    cosine = np.dot(first, last) / (np.linalg.norm(first) * np.linalg.norm(last))
    angle = np.arccos(np.clip(cosine, -1, 1))
    t = np.linspace(0, 1, steps)[:, None]
    if angle < 1e-6:
        return (1 - t) * first + t * last
    return np.asarray((np.sin((1 - t) * angle) * first + np.sin(t * angle) * last) / np.sin(angle))


def interpolations(vectors: Sequence[np.ndarray], steps: int) -> np.ndarray:
    """From each pair of vectors, ``steps`` that lead from one to the other: (pairs * steps, latent), float32."""
    rows = [
        between(np.asarray(a, np.float64), np.asarray(b, np.float64), steps)
        for a, b in zip(vectors[::2], vectors[1::2], strict=True)
    ]
    return np.concatenate(rows).astype(np.float32)
