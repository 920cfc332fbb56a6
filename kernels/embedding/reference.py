"""The definitions: rows taken by number, and rows added up by number."""


def embedding(weight, indices, y):
    """``y[i] = weight[indices[i]]``."""
    rows, D = indices.reshape(-1), weight.shape[1]
    for i in range(rows.size):
        result = y.reshape((rows.size, D))[i]
        for d in range(D):
            result[d] = weight[rows[i], d]


def embedding_grad(gy, indices, gw):
    """``gw[r] = sum of gy[i] over all i with indices[i] == r``."""
    rows, D = indices.reshape(-1), gw.shape[1]
    for r in range(gw.shape[0]):
        for d in range(D):
            total = 0.0
            for i in range(rows.size):
                if rows[i] == r:
                    total += gy.reshape((rows.size, D))[i, d]
            gw[r, d] = total
