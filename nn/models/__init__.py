"""Models that files may name."""

from .dncnn import DnCNN
from .registry import MODELS, Model, register_model
from .srcnn import SRCNN

__all__ = ["MODELS", "SRCNN", "DnCNN", "Model", "register_model"]
