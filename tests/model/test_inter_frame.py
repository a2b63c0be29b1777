"""The co-attention between frames against loops, and the network that carries it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vsodlib import ModelConfig, TrainConfig, VSODNet
from vsodlib.data import synthetic_dataset
from vsodlib.inference.evaluate import evaluate
from vsodlib.inference.predict import predict_maps
from vsodlib.model.inter_frame import InterFrameCoAttention, spread_out, training_partners
from vsodlib.training.fit import fit


@pytest.fixture
def rival(tiny_config) -> ModelConfig:
    return replace(
        tiny_config, self_attention=False, co_attention=False, inter_frame_attention=True
    )


def test_inter_frame_attention_equals_loop():
    torch.manual_seed(0)
    module = InterFrameCoAttention(4).double()
    x = torch.randn(5, 4, 2, 3, dtype=torch.float64)
    partners = torch.tensor([[1, 3], [4, 4], [0, 2]])
    expected = torch.zeros(3, 4, 2, 3, dtype=torch.float64)
    for a in range(3):
        for k in partners[a].tolist():
            for p in range(6):
                query = module.weight.T @ x[a].flatten(1)[:, p]
                weights = [(query @ x[k].flatten(1)[:, q]).exp() for q in range(6)]
                z = sum(w * x[k].flatten(1)[:, q] for q, w in enumerate(weights)) / sum(weights)
                gate = torch.sigmoid(module.gate.conv.weight.flatten() @ z + module.gate.conv.bias)
                expected[a, :, p // 3, p % 3] += gate * z / 2
    torch.testing.assert_close(module(x, partners), expected)


@pytest.mark.parametrize("shape", [(3,), (4, 1), (2, 0)])
def test_partners_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"partners must be int64 \(A, K\) with A at most 3"):
        InterFrameCoAttention(2)(torch.zeros(3, 2, 2, 2), torch.zeros(shape, dtype=torch.int64))


def test_partners_that_would_be_a_mask():
    with pytest.raises(ValueError, match=r"must be int64 .* got torch.bool \(2, 1\)"):
        InterFrameCoAttention(2)(torch.zeros(3, 2, 2, 2), torch.ones(2, 1, dtype=torch.bool))


def test_training_partners():
    groups = torch.tensor([0, 0, 3, 0, 3, 5])
    assert training_partners(groups).flatten().tolist() == [1, 3, 4, 0, 2, 5]


def test_spread_out():
    assert spread_out(50) == [5, 15, 25, 35, 45]
    assert spread_out(2) == [0, 1]
    assert spread_out(3, references=5) == [0, 1, 2]
    with pytest.raises(ValueError, match="at least two frames, got 1"):
        spread_out(1)


def test_references_come_behind_the_frames(rival):
    torch.manual_seed(0)
    net = VSODNet(rival).eval()
    images = torch.randn(5, 3, 32, 48)
    partners = torch.tensor([[3, 4], [3, 4], [3, 4]])
    together = net(images, partners=partners)
    assert together.logits.shape == (3, 1, 32, 48)
    assert together.features.shape == (3, 16, 2, 3)
    alone = net(images[[1, 3, 4]], partners=torch.tensor([[1, 2]]))
    torch.testing.assert_close(alone.features[0], together.features[1], atol=1e-5, rtol=1e-5)
    swapped = net(images.flip(0), partners=partners)
    assert not torch.allclose(swapped.features[2], together.features[2])


def test_partners_only_where_they_are_wanted(rival, tiny_config):
    images = torch.zeros(2, 3, 32, 32)
    with pytest.raises(ValueError, match="needs partners"):
        VSODNet(rival)(images)
    with pytest.raises(ValueError, match="does not take partners"):
        VSODNet(tiny_config)(images, partners=torch.tensor([[1], [0]]))


def test_prediction_depends_on_the_references(rival):
    torch.manual_seed(0)
    net = VSODNet(rival).eval()
    torch.nn.init.normal_(net.head.weight)
    frames = np.random.default_rng(0).integers(0, 256, (6, 32, 48, 3), dtype=np.uint8)
    maps = predict_maps(net, frames, batch_size=2)
    np.testing.assert_allclose(maps, predict_maps(net, frames, batch_size=6), atol=1e-5)
    np.testing.assert_allclose(
        maps[:2], predict_maps(net, frames[:2], references=frames[spread_out(6)]), atol=1e-5
    )
    assert np.abs(maps[:2] - predict_maps(net, frames[:2])).max() > 1e-6
    with pytest.raises(ValueError, match="at least two frames, got 1"):
        predict_maps(net, frames[:1])


def test_the_rival_is_trained_and_scored_by_the_same_functions(rival, tmp_path):
    clips = synthetic_dataset("train", videos=2, frames=4, height=48, width=72)
    config = TrainConfig(
        steps=2, batch_size=4, frames_per_video=4, height=32, width=48, warmup_steps=1
    )
    options = {"pretrained_encoder": False, "progress": False, "validation": clips}
    net = fit(rival, config, clips, tmp_path, **options)
    assert VSODNet.from_pretrained(tmp_path / "last").config == rival
    fresh = InterFrameCoAttention(8).weight.std()
    assert net.inter_frame.weight.isfinite().all() and fresh > 0
    assert evaluate(net, clips)["frames"] == 4
