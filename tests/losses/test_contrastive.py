"""Eq. 9 and its samples against loops written from Section 3.4."""

import math
from dataclasses import replace

import pytest
import torch

from vsodlib.losses.contrastive import Regions, choose_samples, contrastive_loss, pool_regions

B, C, H, W = 6, 5, 12, 20
VIDEOS = torch.tensor([0, 0, 0, 1, 1, 1])


def regions_of(embeddings, is_foreground, video, frame, error):
    return Regions(
        torch.as_tensor(embeddings, dtype=torch.float64),
        torch.tensor(is_foreground),
        torch.tensor(video),
        torch.tensor(frame),
        torch.tensor(error, dtype=torch.float64),
    )


@pytest.fixture
def batch():
    """Features, masks and maps of six frames of two videos; frame 1 is empty, frame 4 full."""
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(B, C, 3, 5, generator=generator, dtype=torch.float64)
    masks = (torch.rand(B, 1, H, W, generator=generator) > 0.7).double()
    masks[1], masks[4] = 0, 1
    saliency = torch.rand(B, 1, H, W, generator=generator, dtype=torch.float64)
    return features, masks, saliency


def many_regions(frames_per_video=7, videos=3, channels=4, seed=0):
    """Two regions a frame with random embeddings and errors, foregrounds first."""
    generator = torch.Generator().manual_seed(seed)
    frames = frames_per_video * videos
    frame = torch.arange(frames)
    return Regions(
        torch.randn(2 * frames, channels, generator=generator, dtype=torch.float64),
        torch.arange(2 * frames) < frames,
        (frame // frames_per_video).repeat(2),
        frame.repeat(2),
        torch.rand(2 * frames, generator=generator, dtype=torch.float64),
    )


def pooled_by_loop(features, masks, saliency, videos, grid=1):
    """(side, frame, embedding, video, error) of every region, pixel by pixel."""
    found = []
    n, _, h, w = features.shape
    rows, columns = masks.shape[2] // h, masks.shape[3] // w
    for side in (0, 1):
        for b in range(n):
            belongs = masks[b, 0] if side == 0 else 1 - masks[b, 0]
            for row in range(grid):
                for column in range(grid):
                    total, weight = torch.zeros(features.shape[1], dtype=torch.float64), 0.0
                    for i in range(h):
                        for j in range(w):
                            if (i * grid // h, j * grid // w) != (row, column):
                                continue
                            block = belongs[
                                i * rows : (i + 1) * rows, j * columns : (j + 1) * columns
                            ]
                            total += block.mean() * features[b, :, i, j]
                            weight += block.mean().item()
                    error, pixels = 0.0, 0.0
                    for i in range(masks.shape[2]):
                        for j in range(masks.shape[3]):
                            cell = i * grid // masks.shape[2], j * grid // masks.shape[3]
                            if cell == (row, column) and belongs[i, j]:
                                error += abs(saliency[b, 0, i, j] - masks[b, 0, i, j]).item()
                                pixels += 1
                    if weight and pixels:
                        found.append((side, b, total / weight, videos[b], error / pixels))
    return found


def loss_by_loop(regions, samples, temperature, normalize=True):
    """Eq. 9 with hard mining, anchor by anchor, sample by sample."""
    total = []
    R = len(regions.error)
    u = regions.embeddings
    if normalize:
        u = [v / v.norm() for v in u]
    for a in range(R):
        if not regions.is_foreground[a]:
            continue
        positives, negatives = [], []
        for r in range(R):
            if regions.video[r] != regions.video[a]:
                continue
            if regions.is_foreground[r] and regions.frame[r] != regions.frame[a]:
                positives.append(r)
            if not regions.is_foreground[r]:
                negatives.append(r)
        if not positives or not negatives:
            continue
        pull = push = 0.0
        for chosen, is_positive in ((positives, True), (negatives, False)):
            chosen.sort(key=lambda r: -regions.error[r].item())
            for r in chosen[:samples]:
                term = math.exp(float(u[a] @ u[r]) / temperature)
                pull, push = (pull + term, push) if is_positive else (pull, push + term)
        total.append(-math.log(pull / (pull + push)))
    return total


@pytest.mark.parametrize("grid", [1, 3])
def test_regions_equal_loop(batch, grid):
    expected = pooled_by_loop(*batch, VIDEOS, grid)
    regions = pool_regions(*batch, VIDEOS, grid)
    assert len(regions.error) == len(expected)
    for r, (side, frame, embedding, video, error) in enumerate(expected):
        assert regions.is_foreground[r].item() == (side == 0)
        assert (regions.frame[r], regions.video[r]) == (frame, video)
        torch.testing.assert_close(regions.embeddings[r], embedding)
        assert regions.error[r].item() == pytest.approx(error)


def test_a_region_worked_by_hand():
    """Half of the left feature's pixels and none of the right one's are foreground."""
    features = torch.tensor([[[[2.0, 10.0]]]])
    masks = torch.tensor([[[[1.0, 0.0, 0.0, 0.0]]]])
    saliency = torch.tensor([[[[0.75, 0.5, 0.25, 0.0]]]])
    regions = pool_regions(features, masks, saliency, torch.tensor([7]))
    # background: half of the left, all of the right: (0.5 * 2 + 1 * 10) / 1.5
    torch.testing.assert_close(regions.embeddings, torch.tensor([[2.0], [11 / 1.5]]))
    torch.testing.assert_close(regions.error, torch.tensor([0.25, 0.25]))
    assert regions.is_foreground.tolist() == [True, False]
    assert regions.video.tolist() == [7, 7]


def test_empty_and_full_masks_make_one_region(batch):
    regions = pool_regions(*batch, VIDEOS)
    assert regions.frame[regions.is_foreground].tolist() == [0, 2, 3, 4, 5]
    assert regions.frame[~regions.is_foreground].tolist() == [0, 1, 2, 3, 5]


def test_no_gradient_flows_into_the_map(batch):
    features, masks, saliency = batch
    saliency.requires_grad_()
    assert not pool_regions(features, masks, saliency, VIDEOS).error.requires_grad


def test_half_precision_features_are_pooled_in_float32(batch):
    features, masks, saliency = batch
    regions = pool_regions(features.bfloat16(), masks.float(), saliency.float(), VIDEOS)
    assert regions.embeddings.dtype == torch.float32


def test_hard_samples_are_the_most_wrong():
    regions = many_regions()
    anchors, positives, negatives = choose_samples(regions, samples=4)
    assert anchors.tolist() == list(range(21))
    for a, p, n in zip(anchors, positives, negatives, strict=True):
        same = regions.video == regions.video[a]
        others = same & regions.is_foreground & (regions.frame != regions.frame[a])
        backgrounds = same & ~regions.is_foreground
        for chosen, candidates in ((p, others), (n, backgrounds)):
            assert chosen.sum() == 4
            assert (candidates | ~chosen).all()
            left = candidates & ~chosen
            assert regions.error[chosen].min() >= regions.error[left].max()


def test_random_samples_are_candidates_drawn_evenly():
    regions = many_regions(frames_per_video=6, videos=1)
    torch.manual_seed(0)
    counts = torch.zeros(6, 12)
    for _ in range(500):
        _, positives, negatives = choose_samples(regions, samples=2, mining="random")
        assert (positives.sum(dim=1) == 2).all() and (negatives.sum(dim=1) == 2).all()
        counts += positives.float() + negatives.float()
    assert (counts[:, :6].diagonal() == 0).all()
    others = counts[:, :6][~torch.eye(6, dtype=torch.bool)] / 500
    assert (others - 2 / 5).abs().max() < 0.1  # two of five other foregrounds
    assert (counts[:, 6:] / 500 - 2 / 6).abs().max() < 0.1  # two of six backgrounds


def test_fewer_candidates_are_all_taken():
    regions = many_regions(frames_per_video=3, videos=1)
    _, positives, negatives = choose_samples(regions, samples=4)
    assert positives.sum(dim=1).tolist() == [2, 2, 2]
    assert negatives.sum(dim=1).tolist() == [3, 3, 3]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("samples", [1, 4, 50])
def test_loss_equals_loop(samples, normalize):
    regions = many_regions()
    expected = loss_by_loop(regions, samples, 0.5, normalize)
    losses = contrastive_loss(regions, samples, temperature=0.5, normalize=normalize)
    torch.testing.assert_close(
        losses, torch.tensor(expected, dtype=torch.float64), rtol=1e-6, atol=1e-6
    )


def test_loss_of_a_batch_equals_loop(batch):
    regions = pool_regions(*batch, VIDEOS)
    expected = loss_by_loop(regions, 4, 0.1)
    torch.testing.assert_close(
        contrastive_loss(regions), torch.tensor(expected, dtype=torch.float64)
    )
    assert len(expected) == 5


def test_a_loss_worked_by_hand():
    """Positive along the anchor, negative across: -log(e^(1/τ) / (e^(1/τ) + e^0)) with τ = 1."""
    regions = regions_of(
        [[1, 0], [2, 0], [0, 3]], [True, True, False], [0, 0, 0], [0, 1, 0], [0, 0, 0]
    )
    losses = contrastive_loss(regions, temperature=1.0)
    assert losses.tolist() == pytest.approx([math.log(1 + math.exp(-1))] * 2)


def test_length_does_not_matter_when_normalised():
    regions = many_regions()
    longer = replace(regions, embeddings=regions.embeddings * 100)
    torch.testing.assert_close(contrastive_loss(longer), contrastive_loss(regions))
    assert not torch.allclose(
        contrastive_loss(longer, normalize=False), contrastive_loss(regions, normalize=False)
    )


def test_gradients():
    regions = many_regions(frames_per_video=6, videos=2)

    def loss(embeddings):
        return contrastive_loss(replace(regions, embeddings=embeddings))

    assert torch.autograd.gradcheck(loss, regions.embeddings.requires_grad_())


def test_gradients_through_pooling(batch):
    features, masks, saliency = batch

    def loss(features):
        return contrastive_loss(pool_regions(features, masks, saliency, VIDEOS, grid=2)).sum()

    assert torch.autograd.gradcheck(loss, features.requires_grad_())


@pytest.mark.parametrize(
    ("masks", "videos"),
    [
        (torch.zeros(4, 1, H, W), torch.zeros(4, dtype=torch.int64)),  # nobody has a foreground
        (torch.ones(4, 1, H, W), torch.zeros(4, dtype=torch.int64)),  # no background
        (torch.eye(4).view(4, 1, 2, 2), torch.arange(4)),  # still images
    ],
)
def test_without_pairs_the_loss_is_zero(masks, videos):
    features = torch.randn(4, C, 3, 5, requires_grad=True)
    masks = torch.nn.functional.interpolate(masks, size=(H, W))
    losses = contrastive_loss(pool_regions(features, masks, torch.rand(4, 1, H, W), videos))
    assert losses.shape == (0,)
    losses.sum().backward()
    assert torch.equal(features.grad, torch.zeros_like(features))


def test_features_of_length_zero_stay_finite():
    regions = many_regions()
    zeros = torch.zeros_like(regions.embeddings).requires_grad_()
    losses = contrastive_loss(replace(regions, embeddings=zeros))
    losses.sum().backward()
    assert losses.isfinite().all() and zeros.grad.isfinite().all()


def test_wrong_arguments_are_named(batch):
    features, masks, saliency = batch
    with pytest.raises(ValueError, match=r"videos \(5,\) do not belong together"):
        pool_regions(features, masks, saliency, VIDEOS[:5])
    with pytest.raises(ValueError, match=r"saliency \(6, 1, 11, 20\)"):
        pool_regions(features, masks, saliency[:, :, 1:], VIDEOS)
    with pytest.raises(ValueError, match="grid must lie between 1 and 3, got 4"):
        pool_regions(features, masks, saliency, VIDEOS, grid=4)
    regions = pool_regions(features, masks, saliency, VIDEOS)
    with pytest.raises(ValueError, match="mining must be 'hard' or 'random', got 'soft'"):
        contrastive_loss(regions, mining="soft")
    with pytest.raises(ValueError, match="samples must be at least 1, got 0"):
        contrastive_loss(regions, samples=0)
    with pytest.raises(ValueError, match=r"temperature must be positive, got 0"):
        contrastive_loss(regions, temperature=0)
