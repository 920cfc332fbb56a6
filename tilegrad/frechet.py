"""The Frechet distance between two sets of features: how far generated images are from real ones."""

import numpy as np


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Frechet distance between normal distributions that have the means and covariances of two sets.

        |m1 - m2|^2 + trace(S1 + S2 - 2 (S1 S2)^(1/2))

    Parameters
    ----------
    first, second : (N, D) and (M, D) arrays
        Features of images, a row for each image; at least two rows each.

    Returns
    -------
    float
        0 for equal statistics. In other features, or of other numbers of images, it is another figure: only distances
        measured alike compare.

    Raises
    ------
    ValueError
        Where the arrays do not fit or hold numbers that are not finite.

    Notes
    -----
    Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter: GANs Trained by a Two Time-Scale Update Rule Converge to a Local
    Nash Equilibrium, 2017 (there in the features of an Inception network). The trace of the root is taken from the
    symmetric matrix ``R S2 R`` with R the root of S1, which has the same eigenvalues as ``S1 S2`` and stays real where
    features are constant or depend on each other.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1000, 3))
    >>> round(frechet_distance(x, x + 2.0), 6), round(frechet_distance(x, x[::-1]), 6)
    (12.0, 0.0)
    """
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or len(x) < 2 or len(y) < 2:
        raise ValueError(
            f"frechet_distance: expects (N, D) and (M, D), of two rows or more, but got {x.shape}, {y.shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("frechet_distance: features hold numbers that are not finite")
    cov_x, cov_y = np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False))
    values, vectors = np.linalg.eigh(cov_x)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    between = np.sqrt(np.linalg.eigvalsh(root @ cov_y @ root).clip(min=0)).sum()
    shift = x.mean(axis=0) - y.mean(axis=0)
    return max(0.0, float(shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2 * between))
