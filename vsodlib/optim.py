"""How the weights move: optimiser, schedule, moving average.

Section 3.5: SGD with learning rate 1e-4. Momentum, weight decay, warm-up, decay and averaging are
ours; the paper does not speak of them.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from vsodlib.config import TrainConfig
from vsodlib.model import VSODNet


class WeightAverage:
    """Exponential moving average of a network's weights and statistics.

    The decay starts low, min(decay, (1 + n) / (10 + n)) after n updates, so that the average
    forgets the initial weights.
    """

    def __init__(self, net: nn.Module, decay: float):
        self.decay, self.updates = decay, 0
        self.net = copy.deepcopy(net).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move towards the weights of `net`."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for average, current in zip(
            self.net.state_dict().values(), net.state_dict().values(), strict=True
        ):
            if average.is_floating_point():
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(current)


def learning_rate_factor(step: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then half a cosine down to 0."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * progress))


def build_optimizer(net: VSODNet, config: TrainConfig) -> torch.optim.Optimizer:
    """SGD or AdamW, the backbone at `encoder_learning_rate` and the rest at `learning_rate`."""
    trunk = list(net.encoder.backbone.parameters())
    known = {id(parameter) for parameter in trunk}
    rest = [parameter for parameter in net.parameters() if id(parameter) not in known]
    groups = [
        {"params": trunk, "lr": config.encoder_learning_rate, "peak": config.encoder_learning_rate},
        {"params": rest, "lr": config.learning_rate, "peak": config.learning_rate},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=config.momentum, weight_decay=config.weight_decay)
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay)
