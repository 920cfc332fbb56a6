"""The definition of hysteresis: a weak pixel beside a kept one is kept, until that changes nothing any more.

Classes of pixels: 0 nothing, 1 weak, 2 strong. Strong pixels are kept from the start. Which pixels are kept in the end
does not depend on the order in which they are looked at: they are those that a path of weak pixels joins to a strong
one.
"""

from numba.extending import register_jitable

NOTHING, WEAK, STRONG = 0, 1, 2


@register_jitable
def hysteresis(x, y, n, d, h, w, connectivity):
    """x and y are ``(n, d, h, w)``; neighbours differ by one step along at most ``connectivity`` axes."""
    classes, kept = x.reshape((n, d, h, w)), y.reshape((n, d, h, w))
    for i in range(n):
        for z in range(d):
            for p in range(h):
                for q in range(w):
                    kept[i, z, p, q] = classes[i, z, p, q] == 2
        changed = True
        while changed:
            changed = False
            for z in range(d):
                for p in range(h):
                    for q in range(w):
                        if classes[i, z, p, q] != 1 or kept[i, z, p, q]:
                            continue
                        for a in range(max(z - 1, 0), min(z + 2, d)):
                            for b in range(max(p - 1, 0), min(p + 2, h)):
                                for c in range(max(q - 1, 0), min(q + 2, w)):
                                    steps = abs(a - z) + abs(b - p) + abs(c - q)
                                    if steps <= connectivity and kept[i, a, b, c]:
                                        kept[i, z, p, q] = True
                                        changed = True
