"""The way of the weights: optimiser, schedule, moving average.

Section 3.5: SGD with learning rate 1e-4. Momentum, weight decay, warm-up, decay and averaging are
ours; the paper does not speak of them.
"""

import copy
import math
import time
from collections.abc import Iterator

import torch
from accelerate import Accelerator
from torch import nn

from vsodlib.config import TrainConfig
from vsodlib.model.vsodnet import VSODNet


class WeightAverage:
    """Exponential moving average of a network's weights and statistics.

    The decay starts low, min(decay, (1 + n) / (10 + n)) after n updates, so that the average
    forgets the initial weights.
    """

    def __init__(self, net: VSODNet, decay: float):
        self.decay, self.updates = decay, 0
        self.net = copy.deepcopy(net).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move towards the weights of `net`."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        averages, currents = [], []
        tensors = (n.state_dict().values() for n in (self.net, net))
        for average, current in zip(*tensors, strict=True):
            if average.is_floating_point():
                averages.append(average)
                currents.append(current)
            else:
                average.copy_(current)
        torch._foreach_lerp_(averages, currents, 1 - decay)


class Clock:
    """How far a run is: by its steps, or by the wall-clock where the configuration gives minutes.

    Args:
        step, elapsed: steps that are done, and the seconds that they took.
        last: the step after which to stop before the end of the schedule; 0: at its end.
    """

    def __init__(self, config: TrainConfig, step: int = 0, elapsed: float = 0.0, last: int = 0):
        self.config, self.step, self.elapsed = config, step, elapsed
        self.last = min(last or config.steps, config.steps)
        self.first, self.before = step, elapsed
        self.start = time.perf_counter() - elapsed

    def tick(self, accelerator: Accelerator) -> None:
        """Count a step, and look at the time, the same on every process; a ValueError of minutes
        that the first step alone has used up.
        """
        self.elapsed = time.perf_counter() - self.start
        if self.config.minutes and accelerator.num_processes > 1:
            mine = torch.tensor(self.elapsed, device=accelerator.device)
            self.elapsed = accelerator.reduce(mine, reduction="mean").item()
        if self.step == 0 and 0 < 60 * self.config.minutes < self.elapsed:
            takes = f"for one step, which takes {self.elapsed:.1f} s"
            raise ValueError(f"{self.config.minutes} minutes are too short {takes}.")
        self.step += 1

    @property
    def position(self) -> float:
        """The step of the schedule in force; by the clock it need not be whole."""
        if not self.config.minutes:
            return self.step
        return max(self.step, self.config.steps * self.elapsed / (60 * self.config.minutes))

    @property
    def over(self) -> bool:
        """Whether another step would come too late, judged by the mean of those so far."""
        if self.step >= self.last or not self.config.minutes:
            return self.step >= self.last
        mean = (self.elapsed - self.before) / max(1, self.step - self.first)
        return self.elapsed + mean > 60 * self.config.minutes

    def upcoming(self) -> Iterator[tuple[int, int]]:
        """(step, phase) of every batch that is still to come, steps counted from 0."""
        for step in range(self.first, self.last):
            at = self.position if self.config.minutes else step
            yield step, self.config.phase_at(at / self.config.steps)


def learning_rate_factor(step: float, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then half a cosine down to 0."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    progress = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def build_optimizer(net: VSODNet, config: TrainConfig) -> torch.optim.Optimizer:
    """SGD or AdamW, the backbone at `encoder_learning_rate` and the rest at `learning_rate`;
    parameters that need no gradient are left out.
    """
    trunk: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            (trunk if name.startswith("encoder.backbone.") else rest).append(parameter)
    rates = ((trunk, config.encoder_learning_rate), (rest, config.learning_rate))
    groups = [{"params": params, "lr": rate, "peak": rate} for params, rate in rates]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=config.momentum, weight_decay=config.weight_decay)
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)
