"""Object pasting: the object of one frame in another frame, as a second object or a bystander.

Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation",
CVPR 2021. The paper is silent on augmentation; few training videos are what this is for, since
every object then meets many scenes.
"""

import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import v2

from vsodlib.config import TrainConfig
from vsodlib.data.dataset import FrameDataset
from vsodlib.data.transforms import train_transform

SHRINK = (1.0, 2.5)
"""How many times larger than its own frame the canvas is that a donor is laid on; ours."""


class ObjectPaste:
    """Pastes objects of a data set into a share of the samples it is given.

    The donor is a frame of any video, each video equally likely: shrunk, moved, mirrored and
    recoloured. All randomness comes from torch's global generator.

    Args:
        dataset: labelled frames to take objects from.
        config: `paste` is the share of samples, `paste_as` what a pasted object counts as; donors
            are coloured and sized like the samples.
    """

    def __init__(self, dataset: FrameDataset, config: TrainConfig) -> None:
        self.share, self.paste = config.paste, PASTE[config.paste_as]
        self.videos = list(dataset.videos.values())
        self.donors = copy.copy(dataset)
        shrink = v2.RandomZoomOut(side_range=SHRINK, p=1.0)
        whole = train_transform(replace(config, scale_min=1.0))
        self.donors.transform = v2.Compose([shrink, whole])

    def __call__(self, sample: dict[str, Any]) -> dict[str, Any]:
        """The sample itself, or one with an object pasted in.

        Args:
            sample: `image` float (3, H, W) and `mask` float {0, 1} (1, H, W), as `train_transform`
                leaves them; other entries pass through.
        """
        if torch.rand(()) >= self.share:
            return sample
        frames = self.videos[torch.randint(len(self.videos), ())]
        donor = self.donors[frames[torch.randint(len(frames), ())]]
        image, mask = self.paste(sample["image"], sample["mask"], donor["image"], donor["mask"])
        return sample | {"image": image, "mask": mask}


def paste_object(
    image: Tensor, mask: Tensor, donor: Tensor, donor_mask: Tensor
) -> tuple[Tensor, Tensor]:
    """The donor's object in front of an image, blended across its outermost pixels.

    Args:
        image, donor: (3, H, W) float.
        mask, donor_mask: (1, H, W) float {0, 1}.

    Returns:
        The image, and the union of both masks.
    """
    image, mask, donor, donor_mask = _plain(image, mask, donor, donor_mask)
    return torch.lerp(image, donor, _soft(donor_mask)), torch.maximum(mask, donor_mask)


def paste_distractor(
    image: Tensor, mask: Tensor, donor: Tensor, donor_mask: Tensor
) -> tuple[Tensor, Tensor]:
    """The donor's object behind the image's own, and not salient: a bystander.

    A donor larger than the image's own object would be the salient one; it is left out. All as
    `paste_object`, but the mask stays as it was.
    """
    image, mask, donor, donor_mask = _plain(image, mask, donor, donor_mask)
    if donor_mask.sum() > mask.sum():
        return image, mask
    return torch.lerp(image, donor, _soft(donor_mask) * (1 - mask)), mask


PASTE = {"object": paste_object, "distractor": paste_distractor}


def _soft(mask: Tensor) -> Tensor:
    return F.avg_pool2d(mask, 3, stride=1, padding=1, count_include_pad=False)


def _plain(*tensors: Tensor) -> tuple[Tensor, ...]:
    return tuple(x.as_subclass(Tensor) for x in tensors)
