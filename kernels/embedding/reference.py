"""The definitions: rows taken by number, and rows added up by number."""

from numba.extending import register_jitable


def embedding(weight, indices, y):
    """``y[i] = weight[indices[i]]``."""
    rows, D = indices.reshape(-1), weight.shape[1]
    for i in range(rows.size):
        result = y.reshape((rows.size, D))[i]
        for d in range(D):
            result[d] = weight[rows[i], d]


@register_jitable
def sum_of_row(gradients, rows, r, d):
    """The sum of ``gradients[i, d]`` over all i with ``rows[i] == r``."""
    total = 0.0
    for i in range(rows.size):
        if rows[i] == r:
            total += gradients[i, d]
    return total


def embedding_grad(gy, indices, gw):
    """``gw[r] = sum of gy[i] over all i with indices[i] == r``."""
    rows, D = indices.reshape(-1), gw.shape[1]
    for r in range(gw.shape[0]):
        for d in range(D):
            gw[r, d] = sum_of_row(gy.reshape((rows.size, D)), rows, r, d)
