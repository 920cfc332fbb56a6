"""Activations and their gradients "vector" on CUDA: among the functions of elementwise/cuda_vector.cu."""

from ..elementwise.cuda_vector import build

__all__ = ["build"]
