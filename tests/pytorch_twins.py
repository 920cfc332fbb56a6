"""The same network twice: PyTorch's and ours, with the same weights."""

import numpy as np

from tilegrad import nn


def nchw(array):
    """Images for PyTorch."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(np.asarray(array), -1, 1)))


def nhwc(tensor):
    """Images, or convolution weights, from PyTorch."""
    return np.moveaxis(tensor.detach().numpy(), 1, -1)


def adopt(ours, theirs):
    """Give ``ours`` the weights of ``theirs`` and return it."""
    dtype = next(theirs.parameters()).detach().numpy().dtype
    ours.to(dtype)
    ours.load_state_dict(nn.pytorch.state_dict_from_pytorch(theirs.state_dict(), ours))
    return ours
