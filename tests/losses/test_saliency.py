"""The objective against loops."""

import math

import pytest
import torch

from vsodlib.losses.saliency import edge_weights, saliency_loss, soft_iou_loss

B, H, W = 2, 3, 5


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(B, 1, H, W, generator=generator, dtype=torch.float64)
    return logits, (torch.rand(B, 1, H, W, generator=generator) > 0.6).double()


def test_cross_entropy_equals_loop(batch):
    logits, masks = batch
    total = 0.0
    for p, g in zip(logits.sigmoid().flatten().tolist(), masks.flatten().tolist(), strict=True):
        total -= g * math.log(p) + (1 - g) * math.log(1 - p)
    losses = saliency_loss(logits, masks)
    assert losses["loss"].item() == pytest.approx(total / (B * H * W), rel=1e-5)
    assert losses.keys() == {"loss", "bce"}


def test_soft_iou_equals_loop(batch):
    logits, masks = batch
    expected = 0.0
    for b in range(B):
        both = either = 1.0
        for i in range(H):
            for j in range(W):
                p, g = logits[b, 0, i, j].sigmoid().item(), masks[b, 0, i, j].item()
                both += p * g
                either += p + g - p * g
        expected += (1 - both / either) / B
    assert soft_iou_loss(logits, masks).item() == pytest.approx(expected)


def test_weighted_sum(batch):
    losses = saliency_loss(*batch, iou_weight=0.5)
    assert losses["loss"].item() == pytest.approx((losses["bce"] + 0.5 * losses["iou"]).item())
    assert losses["bce"].item() == pytest.approx(saliency_loss(*batch)["loss"].item())
    assert losses["iou"].item() == pytest.approx(soft_iou_loss(*batch).item())


def test_empty_mask_asks_for_an_empty_map():
    masks = torch.zeros(1, 1, H, W)
    quiet, loud = torch.full_like(masks, -20.0), torch.full_like(masks, 20.0)
    assert soft_iou_loss(quiet, masks) < 1e-6
    assert soft_iou_loss(loud, masks) > 0.9


def test_gradients(batch):
    logits, masks = batch
    assert torch.autograd.gradcheck(lambda z: soft_iou_loss(z, masks), logits.requires_grad_())


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(1, 1, 2, 3\).*\(1, 1, 3, 2\)"):
        saliency_loss(torch.zeros(1, 1, 2, 3), torch.zeros(1, 1, 3, 2))


def test_edge_weights_as_a_loop():
    generator = torch.Generator().manual_seed(0)
    masks = (torch.rand(1, 1, 20, 40, generator=generator) > 0.7).float()
    found = edge_weights(masks, 5.0)
    for i, j in ((0, 0), (7, 30), (19, 39), (10, 20)):
        total = sum(
            masks[0, 0, y, x].item()
            for y in range(i - 15, i + 16)
            for x in range(j - 15, j + 16)
            if 0 <= y < 20 and 0 <= x < 40
        )
        expected = 1 + 5 * abs(total / 31**2 - masks[0, 0, i, j].item())
        assert found[0, 0, i, j].item() == pytest.approx(expected, rel=1e-5)
    assert (edge_weights(masks, 0.0) == 1).all()


def test_edge_weighted_loss_by_hand():
    """Cross-entropy and IoU with weights, frame by frame, then the mean over frames."""
    generator = torch.Generator().manual_seed(1)
    masks = (torch.rand(3, 1, 6, 8, generator=generator) > 0.5).float()
    logits = torch.randn(3, 1, 6, 8, generator=generator)
    weights = edge_weights(masks, 2.0)
    bce, iou = [], []
    for m, x, w in zip(masks, logits, weights, strict=True):
        p = x.sigmoid()
        each = -(m * p.log() + (1 - m) * (1 - p).log())
        bce.append((w * each).sum() / w.sum())
        iou.append(1 - ((w * p * m).sum() + 1) / ((w * (p + m - p * m)).sum() + 1))
    losses = saliency_loss(logits, masks, iou_weight=0.5, edge_weight=2.0)
    torch.testing.assert_close(losses["bce"], sum(bce) / 3)
    torch.testing.assert_close(losses["iou"], sum(iou) / 3)
    torch.testing.assert_close(losses["loss"], losses["bce"] + 0.5 * losses["iou"])
