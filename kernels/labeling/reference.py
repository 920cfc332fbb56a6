"""The definition of connected components in loops: flood each one from its first pixel, in raster order."""

import numpy as np


def label_components(x, labels, counts, n, d, h, w, connectivity, background, equal):
    """Images ``(n, d, h, w)``; neighbours differ by 1 in at most ``connectivity`` of the three last indices.

    A pixel is background if it has that value. Neighbours are connected if neither is background and, with ``equal``,
    both have the same value.
    """
    images, results, number = x.reshape((n, d, h, w)), labels.reshape((n, d, h, w)), counts.reshape(n)
    waiting = np.empty((d * h * w, 3), np.int64)
    for image in range(n):
        source, target = images[image], results[image]
        target[:] = 0
        found = 0
        for i in range(d):
            for p in range(h):
                for q in range(w):
                    if source[i, p, q] == background or target[i, p, q] != 0:
                        continue
                    found += 1
                    target[i, p, q] = found
                    waiting[0, 0], waiting[0, 1], waiting[0, 2] = i, p, q
                    size = 1
                    while size > 0:
                        size -= 1
                        a, b, c = waiting[size, 0], waiting[size, 1], waiting[size, 2]
                        for k in range(max(0, a - 1), min(d, a + 2)):
                            for r in range(max(0, b - 1), min(h, b + 2)):
                                for s in range(max(0, c - 1), min(w, c + 2)):
                                    if abs(k - a) + abs(r - b) + abs(s - c) > connectivity or target[k, r, s] != 0:
                                        continue
                                    if source[k, r, s] == background or (equal and source[k, r, s] != source[a, b, c]):
                                        continue
                                    target[k, r, s] = found
                                    waiting[size, 0], waiting[size, 1], waiting[size, 2] = k, r, s
                                    size += 1
        number[image] = found


def measure_components(labels, boxes, sums, n, h, w, components):
    """``boxes[n, k]``: of label k the first row and column, the last ones, the area; ``sums[n, k]``: of both indices.

    A label that does not occur has the area 0, and a box from (h, w) to (-1, -1).
    """
    images, results, totals = (
        labels.reshape((n, h, w)),
        boxes.reshape((n, components, 5)),
        sums.reshape((n, components, 2)),
    )
    for image in range(n):
        for k in range(components):
            results[image, k, 0], results[image, k, 1] = h, w
            results[image, k, 2], results[image, k, 3], results[image, k, 4] = -1, -1, 0
            totals[image, k, 0], totals[image, k, 1] = 0, 0
        for p in range(h):
            for q in range(w):
                k = images[image, p, q]
                if 0 <= k < components:
                    box = results[image, k]
                    box[0], box[1] = min(box[0], p), min(box[1], q)
                    box[2], box[3] = max(box[2], p), max(box[3], q)
                    box[4] += 1
                    totals[image, k, 0] += p
                    totals[image, k, 1] += q
