"""The cost of a network: parameters and multiply-adds (Section 4.6, Table 5).

A multiply-add is one product and its addition; one layer that maps m numbers to n has m * n. Papers
write "FLOPs" for it, this paper too. PyTorch's counter calls one multiply-add two FLOPs, so its
figures are halved here. Products of matrices and convolutions are counted, on `meta` tensors that
hold no numbers; normalisation, activations, softmax and resizing are not.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vsodlib.config import ModelConfig
from vsodlib.model.inter_frame import REFERENCES
from vsodlib.model.self_attention import literal_non_local, non_local
from vsodlib.model.vsodnet import VSODNet


class Cost(NamedTuple):
    """Parameters, and multiply-adds for one image."""

    parameters: int
    multiply_adds: int


def multiply_adds(function: Callable[..., Any], *shapes: tuple[int, ...]) -> int:
    """Multiply-adds of a function on tensors of these shapes; nothing is computed, and a module
    must be on the device `meta`.
    """
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        function(*(torch.empty(shape, device="meta") for shape in shapes))
    return counter.get_total_flops() // 2


def cost(net: nn.Module, height: int = 480, width: int = 854) -> Cost:
    """The cost of any network that takes an image (1, 3, height, width)."""
    net = deepcopy(net).to("meta").eval()
    return Cost(_parameters(net), multiply_adds(net, (1, 3, height, width)))


def budget(
    config: ModelConfig, height: int = 480, width: int = 854, literal: bool = False
) -> dict[str, Cost]:
    """The cost of `VSODNet(config)` part by part, in the order of the computation.

    One frame of height x width pixels; with co-attention between frames (Table 4), the references
    are encoded too.

    Args:
        literal: count Eq. 4 as it is written, (x xᵀ) x, instead of x (xᵀ x). Eq. 6 costs the same
            in every form.

    Returns:
        part -> cost. The parts of the encoder are named as in timm: the stem, then `layer1`, ... or
        `blocks.0`, ...; then "ASPP", "x" (the last 3x3 convolution), and what the configuration
        has of "self-attention", "co-attention", "gates", "head" and "decoder". `total` adds up.

    Raises:
        ValueError: as `VSODNet`.
    """
    with torch.device("meta"):
        net = VSODNet(config).eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad(), torch.device("meta"):
        if config.inter_frame_attention:
            frames = torch.empty(1 + REFERENCES, 3, height, width)
            net(frames, partners=torch.arange(REFERENCES)[None])
        else:
            net(torch.empty(1, 3, height, width))
    counts = counter.get_flop_counts()
    parts: dict[str, Cost] = {}
    for name, module in _leaves_of(net):
        part = _PART.get(name, name.removeprefix("encoder.backbone."))
        added = Cost(_parameters(module), sum(counts.get(f"VSODNet.{name}", {}).values()) // 2)
        parts[part] = total((parts.get(part, Cost(0, 0)), added))
    if literal and config.self_attention:
        c, stride = config.channels, config.output_stride
        x = (1, c, -(-height // stride), -(-width // stride))
        more = multiply_adds(literal_non_local, x) - multiply_adds(non_local, x)
        parts["self-attention"] = total((parts["self-attention"], Cost(0, more)))
    return parts


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs, as of `budget(config).values()`."""
    parameters, adds = zip(*costs, strict=True)
    return Cost(sum(parameters), sum(adds))


_PART = {
    "encoder.backbone.conv1": "stem",
    "encoder.backbone.bn1": "stem",
    "encoder.backbone.conv_stem": "stem",
    "encoder.aspp": "ASPP",
    "encoder.project": "x",
    "self_attention": "self-attention",
    "co_attention": "co-attention",
    "inter_frame": "co-attention between frames",
    "self_gate": "gates",
    "co_gate": "gates",
}


def _leaves_of(net: VSODNet) -> Iterator[tuple[str, nn.Module]]:
    """Name and module of every part that holds parameters, in the order of the computation."""
    for name, module in net.named_modules():
        opened = ("", "encoder", "encoder.backbone", "encoder.backbone.blocks")
        parent = name.rpartition(".")[0]
        if name not in opened and parent in opened and _parameters(module):
            yield name, module


def _parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())
