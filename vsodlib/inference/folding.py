"""Batch norms folded into the convolutions before them: the same network, faster at inference."""

from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Net = TypeVar("Net", bound=nn.Module)


@torch.no_grad()
def fold_batch_norms(net: Net) -> Net:
    """A copy for inference, in evaluation mode, in which every batch norm behind a convolution is
    part of it; `net` is left as it is.

    With its statistics fixed, (W ∗ x + b - μ) γ / σ + β is a convolution with filters W γ / σ and
    bias (b - μ) γ / σ + β. An activation inside the batch norm (timm has those) stays. Outputs
    agree to rounding; the names of the parameters change, so save the network, not the copy.

    Args:
        net: takes images (B, 3, H, W). Which convolution feeds which batch norm is seen in one
            pass of a small image; nothing else may use the output of such a convolution.
    """
    net = deepcopy(net).eval()
    replacement: dict[nn.Module, nn.Module] = {}
    for conv, norm in conv_norm_pairs(net):
        replacement[conv] = fuse_conv_bn_eval(conv, norm)
        replacement[norm] = getattr(norm, "act", nn.Identity())
    for name, module in list(net.named_modules()):
        if module in replacement:
            net.set_submodule(name, replacement[module])
    return net


@torch.no_grad()
def conv_norm_pairs(net: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Every convolution whose output is the input of a batch norm, with that batch norm; the net,
    in evaluation mode, is called once with images (B, 3, H, W).
    """
    made_by: dict[Tensor, nn.Conv2d] = {}  # a tensor is found as itself, not by its numbers
    pairs, hooks = [], []

    def after_convolution(conv: nn.Conv2d, _: tuple, out: Tensor) -> None:
        made_by[out] = conv

    def before_norm(norm: nn.BatchNorm2d, args: tuple) -> None:
        if conv := made_by.get(args[0]):
            pairs.append((conv, norm))

    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(after_convolution))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(before_norm))
    first = next(net.parameters())
    net(torch.zeros(1, 3, 64, 64, device=first.device, dtype=first.dtype))
    for hook in hooks:
        hook.remove()
    return pairs
