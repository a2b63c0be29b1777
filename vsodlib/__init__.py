"""Video salient object detection you can understand, run and trust."""

from typing import TYPE_CHECKING, Any

from vsodlib.config import ModelConfig, TrainConfig, profile

if TYPE_CHECKING:
    from vsodlib.model.vsodnet import Output, VSODNet

__all__ = ["ModelConfig", "Output", "TrainConfig", "VSODNet", "profile"]


def __getattr__(name: str) -> Any:
    """Load torch with the first network, so that `vsod --help` answers at once."""
    if name in ("Output", "VSODNet"):
        from vsodlib.model import vsodnet

        return getattr(vsodnet, name)
    raise AttributeError(f"module 'vsodlib' has no attribute {name!r}")
