"""A network as one function of tensors, in forms that `torch.jit.trace`, `torch.export` and the
exporters on top of them can follow."""

from copy import deepcopy
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsodlib.inference.folding import fold_batch_norms
from vsodlib.model.co_attention import CrossLevelCoAttention, attend
from vsodlib.model.positions import to_positions
from vsodlib.model.self_attention import NonLocalSelfAttention
from vsodlib.model.vsodnet import VSODNet


class SaliencyMap(nn.Module):
    """Images (B, 3, H, W) float in [0, 1] -> maps (B, 1, H, W) in [0, 1].

    What a trace would fix, the groups and the bins of one batch and size, is written for any.

    Args:
        net: copied to the CPU, in evaluation mode.
        fold: batch norms become part of the convolutions before them.

    Raises:
        ValueError: the network compares frames.
    """

    def __init__(self, net: VSODNet, fold: bool = True):
        super().__init__()
        if net.config.inter_frame_attention:
            raise ValueError(
                "A network with inter_frame_attention takes partners besides images; only networks "
                "that see each frame by itself can be exported."
            )
        self.net = (fold_batch_norms(net) if fold else deepcopy(net)).cpu().eval()
        for name, forward in (("self_attention", _self_attention), ("co_attention", _co_attention)):
            module = getattr(self.net, name, None)
            if module is not None and name not in net.own_modules:
                module.forward = partial(forward, module)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 1, H, W)."""
        return self.net(images).logits.sigmoid()


def _self_attention(module: NonLocalSelfAttention, x: Tensor) -> Tensor:
    """Eq. 4 without a gradient of its own; Eq. 5 as nine shifted products, not B·C groups."""
    _, _, H, W = x.shape
    rows = x.flatten(2)
    y = (rows @ rows.transpose(1, 2) / (H * W) @ rows).view(x.shape)
    if not module.dynamic:
        return module.depthwise(y) + x
    generated: Tensor = module.depthwise.filters(x)  # type: ignore[operator]  # it is dynamic
    filters, y = generated[..., None, None], F.pad(y, (1, 1, 1, 1))
    taps = [(i, j) for i in range(3) for j in range(3)]
    return x + sum(filters[:, :, i, j] * y[:, :, i : i + H, j : j + W] for i, j in taps)


def _co_attention(module: CrossLevelCoAttention, low: Tensor, x: Tensor) -> Tensor:
    """Eq. 6 with the adaptive average as two products of matrices."""
    (h, w), (H, W) = low.shape[2:], x.shape[2:]
    v = module.to_v(_averages(h, H) @ low @ _averages(w, W).T)
    return attend(to_positions(v) @ module.weight, x)


def _averages(source: int, target: int) -> Tensor:
    """(target, source): row i averages i·source/target ... (i+1)·source/target, rounded outward."""
    row, column = torch.arange(target)[:, None], torch.arange(source)
    inside = (column >= row * source // target) & (column * target < (row + 1) * source)
    return inside / inside.sum(1, keepdim=True)
