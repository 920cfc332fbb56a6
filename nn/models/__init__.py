"""Models that files may name."""

from .dcgan import DCGANDiscriminator, DCGANGenerator
from .dncnn import DnCNN
from .registry import MODELS, Model, register_model
from .srcnn import SRCNN

__all__ = ["MODELS", "SRCNN", "DCGANDiscriminator", "DCGANGenerator", "DnCNN", "Model", "register_model"]
