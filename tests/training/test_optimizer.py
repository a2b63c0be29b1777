"""Optimiser, schedule and moving average."""

from dataclasses import replace

import pytest
import torch

from vsodlib import TrainConfig, VSODNet
from vsodlib.training.optimizer import WeightAverage, build_optimizer, learning_rate_factor

CONFIG = TrainConfig(
    steps=6,
    batch_size=4,
    frames_per_video=2,
    height=32,
    width=48,
    optimizer="adamw",
    learning_rate=1e-2,
    warmup_steps=2,
    checkpoint_every=2,
    ema_decay=0.9,
)


def test_learning_rate():
    config = replace(CONFIG, steps=100, warmup_steps=10)
    factors = [learning_rate_factor(step, config) for step in range(100)]
    assert factors[0] == 0.1
    assert factors[9] == factors[10] == 1.0
    assert factors[55] == pytest.approx(0.5)
    assert 0 < factors[-1] < 1e-3
    assert factors[10:] == sorted(factors[10:], reverse=True)


def test_optimizer_groups(tiny_config):
    net = VSODNet(tiny_config)
    config = replace(CONFIG, encoder_learning_rate=1e-5, learning_rate=1e-3)
    trunk, rest = build_optimizer(net, config).param_groups
    assert (trunk["lr"], rest["lr"]) == (1e-5, 1e-3)
    found = [{id(parameter) for parameter in group["params"]} for group in (trunk, rest)]
    backbone = {id(parameter) for parameter in net.encoder.backbone.parameters()}
    assert found == [backbone, {id(parameter) for parameter in net.parameters()} - backbone]
    assert isinstance(build_optimizer(net, replace(config, optimizer="sgd")), torch.optim.SGD)


def test_weight_average_equals_loop():
    net = torch.nn.Linear(1, 1, bias=False)
    average = WeightAverage(net, decay=0.3)
    expected = net.weight.item()
    for n in range(8):
        torch.nn.init.constant_(net.weight, float(n))
        average.update(net)
        decay = min(0.3, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * n
    assert average.net.weight.item() == pytest.approx(expected)
