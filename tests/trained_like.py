"""A network in which every part does something, and photographs for it."""

import skimage.data
import torch
import torch.nn.functional as F
from torch import nn

from vsodlib import VSODNet
from vsodlib.data.transforms import to_images


def photographs(count, height, width):
    """(count, 3, height, width) in [0, 1]."""
    names = ("chelsea", "coffee", "astronaut")[:count]
    pictures = [to_images(getattr(skimage.data, name)()[None]) for name in names]
    sized = [F.interpolate(p, (height, width), mode="bilinear", antialias=True) for p in pictures]
    return torch.cat(sized)


def trained_like(config):
    """A network in which no part starts as nothing: zero filters would hide a wrong form."""
    torch.manual_seed(0)
    net = VSODNet(config).eval()
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and not module.weight.any():
            nn.init.normal_(module.weight, std=0.05)
        elif isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    nn.init.normal_(net.head.weight)
    return net
