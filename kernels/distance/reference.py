"""The definition of the distance transform in loops: every pixel looks at all pixels of the background."""

import math


def distance_transform(x, distances, indices, n, h, w, step_h, step_w):
    """``distances[n, p, q] = min over pixels (i, j) with x[n, i, j] == 0 of hypot(step_h (p - i), step_w (q - j))``.

    Of several nearest pixels the one in the first column counts, and the upper one of those. ``indices`` is
    ``(2, n, h, w)``, or empty.
    """
    images, results = x.reshape((n, h, w)), distances.reshape((n, h, w))
    places = indices.reshape((-1, n, h, w))
    for image in range(n):
        for p in range(h):
            for q in range(w):
                nearest, row, column = math.inf, -1, -1
                for j in range(w):
                    for i in range(h):
                        if images[image, i, j] == 0:
                            squared = (step_h * (p - i)) ** 2 + (step_w * (q - j)) ** 2
                            if squared < nearest:
                                nearest, row, column = squared, i, j
                results[image, p, q] = math.sqrt(nearest)
                if places.shape[0] > 0:
                    places[0, image, p, q] = row
                    places[1, image, p, q] = column
