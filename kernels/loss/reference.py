"""The definition of the squared error and of its gradient."""


def mse_loss(x, target, y, scale, summed):
    """``y = scale * sum of (x - target)**2``, or each ``(x - target)**2`` where they are not summed."""
    a, b, results = x.reshape(-1), target.reshape(-1), y.reshape(-1)
    total = 0.0
    for i in range(x.size):
        if summed:
            total += (a[i] - b[i]) ** 2
        else:
            results[i] = (a[i] - b[i]) ** 2
    if summed:
        results[0] = total * scale


def mse_loss_grad(gy, x, target, gx, scale, summed):
    """``gx = 2 * scale * gy * (x - target)``, with one gy for all or one for each number."""
    a, b, g, results = x.reshape(-1), target.reshape(-1), gy.reshape(-1), gx.reshape(-1)
    for i in range(x.size):
        results[i] = 2.0 * scale * g[0 if summed else i] * (a[i] - b[i])
