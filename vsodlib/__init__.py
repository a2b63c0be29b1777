"""Video salient object detection you can understand, run and trust.

The names below are the public face; each loads its module, and with it torch, when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vsodlib.config import ModelConfig, TrainConfig, profile
from vsodlib.provenance import bundled

if TYPE_CHECKING:
    from vsodlib.data.catalogue import open_dataset
    from vsodlib.data.clips import demo_clips
    from vsodlib.data.dataset import FrameDataset
    from vsodlib.inference.cutout import cutout
    from vsodlib.inference.evaluate import evaluate
    from vsodlib.inference.motion import Motion
    from vsodlib.inference.predict import predict_maps
    from vsodlib.inference.score_folder import score_folder
    from vsodlib.losses.objective import objective
    from vsodlib.metrics.compare import compare
    from vsodlib.model.vsodnet import Output, VSODNet
    from vsodlib.training.fit import fit

_HOMES = {
    "FrameDataset": "data.dataset",
    "Motion": "inference.motion",
    "Output": "model.vsodnet",
    "VSODNet": "model.vsodnet",
    "compare": "metrics.compare",
    "cutout": "inference.cutout",
    "demo_clips": "data.clips",
    "evaluate": "inference.evaluate",
    "fit": "training.fit",
    "objective": "losses.objective",
    "open_dataset": "data.catalogue",
    "predict_maps": "inference.predict",
    "score_folder": "inference.score_folder",
}

__all__ = [
    "FrameDataset", "ModelConfig", "Motion", "Output", "TrainConfig", "VSODNet", "bundled",
    "compare", "cutout", "demo_clips", "evaluate", "fit", "objective", "open_dataset",
    "predict_maps", "profile", "score_folder",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"vsodlib.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'vsodlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
