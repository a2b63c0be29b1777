"""What a training step costs: the plain network against its quick view, taking turns."""

import copy
import time
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import nn

from benchmarks.clocks import run_times
from vsodlib.config import TrainConfig, check_counts
from vsodlib.losses.objective import objective
from vsodlib.model.vsodnet import VSODNet
from vsodlib.training.allocator import keep_freed_memory
from vsodlib.training.speed import fast_view, has_bfloat16, set_training_mode

CONFIG = replace(
    TrainConfig.lite(), height=224, width=384, edge_weight=5.0, freeze_batch_norm=True
)  # as the published networks were trained in their last stages
FORMS = ("plain", "quick view", "+ three frozen stages", "+ bfloat16")


def build(form: str, checkpoint: str) -> tuple[nn.Module, bool]:
    """The module that a step calls in this form, and whether it runs under bfloat16."""
    net = VSODNet.from_pretrained(checkpoint).to(memory_format=torch.channels_last)
    place = FORMS.index(form)
    if place >= 2:
        for stage in net.encoder.stages(3):
            stage.requires_grad_(False)
    model = fast_view(net, frozen_norms=True) if place >= 1 else net
    set_training_mode(model, frozen_norms=True)
    return model, place >= 3


def bench_training(
    batch_size: int = 8, repeats: int = 3, checkpoint: str = "lite-davis", loss_steps: int = 4
) -> dict[str, Any]:
    """Processor seconds per image of a forward and a backward pass, form by form.

    Args:
        batch_size: images per step, at the size of `CONFIG`; the last form also gets twice as many.
        repeats: turns of each form; the median counts.
        checkpoint: the network.
        loss_steps: steps of plain gradient descent over which the losses are compared.

    Returns:
        `forms`: name -> `seconds_per_image`, `times_fewer` than plain, `losses` step by step; and
        sizes.

    Raises:
        ValueError: fewer than one repeat or image.
    """
    check_counts(batch_size=batch_size, repeats=repeats)
    keep_freed_memory()
    generator = torch.Generator().manual_seed(0)
    shape = 2 * batch_size, 3, CONFIG.height, CONFIG.width
    images = torch.rand(shape, generator=generator).to(memory_format=torch.channels_last)
    masks = (torch.rand((len(images), 1, *shape[2:]), generator=generator) > 0.7).float()
    forms = [f for f in FORMS if f != FORMS[3] or has_bfloat16(torch.device("cpu"))]
    models = {form: build(form, checkpoint) for form in forms}
    sizes = {form: batch_size for form in forms} | {f"{forms[-1]}, twice the batch": len(images)}

    def step(name: str) -> None:
        model, half = models[name.partition(", twice")[0]]
        count = sizes[name]
        torch.manual_seed(0)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            output = model(images[:count])
        groups = torch.arange(count) // 4
        losses = objective(output.logits, output.features, masks[:count], groups, CONFIG)
        model.zero_grad()
        losses["loss"].backward()

    steps = {name: partial(step, name) for name in sizes}
    turns = run_times(steps, repeats, clock=time.process_time)
    seconds = {name: median(took) / sizes[name] for name, took in turns.items()}
    found: dict[str, dict[str, Any]] = {
        name: {"seconds_per_image": took, "times_fewer": seconds[FORMS[0]] / took}
        for name, took in seconds.items()
    }
    for form in forms:
        found[form]["losses"] = _descend(copy.deepcopy(models[form]), images, masks, loss_steps)
    return {"batch_size": batch_size, "height": shape[2], "width": shape[3], "forms": found}


def _descend(
    model: tuple[nn.Module, bool], images: torch.Tensor, masks: torch.Tensor, steps: int
) -> list[float]:
    """The cross-entropy over a few steps on one batch, each form on its own copy."""
    net, half = model
    optimizer = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=1e-4)
    losses = []
    for _ in range(steps):
        torch.manual_seed(0)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            logits = net(images[:4]).logits
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), masks[:4])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
