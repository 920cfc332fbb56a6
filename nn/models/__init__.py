"""Models that files may name."""

from .cnn import CNNClassifier
from .dcgan import DCGANDiscriminator, DCGANGenerator
from .dncnn import DnCNN
from .lenet import LeNet5
from .registry import MODELS, Model, register_model
from .srcnn import SRCNN

__all__ = [
    "MODELS",
    "SRCNN",
    "CNNClassifier",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DnCNN",
    "LeNet5",
    "Model",
    "register_model",
]
