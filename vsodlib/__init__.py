"""Video salient object detection you can understand, run and trust."""

from vsodlib.config import ModelConfig, TrainConfig, profile
from vsodlib.model import Output, VSODNet

__all__ = ["ModelConfig", "Output", "TrainConfig", "VSODNet", "profile"]
