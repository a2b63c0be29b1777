"""Eq. 10 from its parts."""

import math
from dataclasses import replace

import pytest
import torch

from vsodlib import TrainConfig
from vsodlib.losses.contrastive import contrastive_loss, pool_regions
from vsodlib.losses.objective import objective
from vsodlib.losses.saliency import saliency_loss
from vsodlib.model.vsodnet import Output

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


@pytest.mark.parametrize("mining", ["hard", "random"])
@pytest.mark.parametrize("grid", [1, 2])
def test_objective_equals_its_parts(mining, grid):
    generator = torch.Generator().manual_seed(0)
    masks = (torch.rand(6, 1, 32, 48, generator=generator) > 0.5).float()
    features = torch.randn(6, 5, 2, 3, generator=generator)
    output = Output(torch.randn(6, 1, 32, 48, generator=generator), features)
    groups = torch.tensor([0, 0, 0, 3, 3, 5])
    config = replace(CONFIG, contrastive_weight=0.5, iou_weight=2.0, samples=2, temperature=0.2)
    config = replace(config, mining=mining, region_grid=grid)
    regions = pool_regions(features, masks, output.logits.sigmoid(), groups, grid)
    torch.manual_seed(0)
    contrast = contrastive_loss(regions, 2, mining, 0.2)
    if grid == 1:
        assert len(contrast) == 5  # the still image has no partner
    plain = saliency_loss(output.logits, masks, 2.0)["loss"]
    torch.manual_seed(0)
    losses = objective(output.logits, output.features, masks, groups, config)
    torch.testing.assert_close(losses["loss"], plain + 0.5 * contrast.mean())
    torch.testing.assert_close(losses["contrastive"], contrast.mean())
    off = objective(
        output.logits, output.features, masks, groups, replace(config, contrastive_weight=0.0)
    )
    assert off.keys() == {"loss", "bce", "iou"} and off["loss"] == plain


def test_objective_without_pairs_is_cross_entropy():
    output = Output(torch.zeros(2, 1, 4, 4), torch.randn(2, 3, 1, 1, requires_grad=True))
    losses = objective(
        output.logits, output.features, torch.ones(2, 1, 4, 4), torch.arange(2), CONFIG
    )
    assert losses["loss"].item() == pytest.approx(math.log(2))
    assert losses["contrastive"] == 0


@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.float16, torch.float64])
def test_masks_of_every_kind_give_the_same(kind):
    masks = (torch.rand(4, 1, 16, 24) > 0.5).float()
    given = torch.randn(4, 1, 16, 24), torch.randn(4, 5, 2, 3)
    groups, config = torch.zeros(4).long(), TrainConfig.paper()
    expected = objective(*given, masks, groups, config)["loss"]
    assert objective(*given, masks.to(kind), groups, config)["loss"] == expected
