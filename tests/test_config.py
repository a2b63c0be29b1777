"""Configurations refuse what contradicts itself, and survive a round trip through JSON."""

import json

import pytest

from vsodlib.config import ModelConfig, TrainConfig, profile


@pytest.mark.parametrize("config", [ModelConfig.paper(), ModelConfig.lite()])
def test_model_config_round_trip(config):
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("config", [TrainConfig.paper(), TrainConfig.lite()])
def test_train_config_round_trip(config):
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_paper_values():
    config = TrainConfig.paper()
    assert (config.optimizer, config.learning_rate, config.batch_size) == ("sgd", 1e-4, 8)
    assert ModelConfig.paper().output_stride == 8


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"output_stride": 32}, "output_stride"),
        ({"channels": 0}, "channels"),
        ({"aspp_rates": ()}, "aspp_rates"),
        ({"aspp_rates": (6, 0)}, "aspp_rates"),
    ],
)
def test_model_config_refuses(fields, named):
    with pytest.raises(ValueError, match=named):
        ModelConfig(**fields)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"steps": 0}, "steps"),
        ({"batch_size": 8, "frames_per_video": 3}, "frames_per_video"),
        ({"image_fraction": 1.5}, "image_fraction"),
        ({"scale_min": 0.0}, "scale_min"),
        ({"optimizer": "adam"}, "optimizer"),
        ({"precision": "int8"}, "precision"),
        ({"paste": 1.5}, "^paste must lie between 0 and 1, got 1.5"),
        ({"paste_as": "background"}, "'object' or 'distractor', got 'background'"),
        ({"steps": 10, "warmup_steps": 10}, "warmup_steps"),
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"learning_rate": -1e-4}, "^learning_rate .* got -0.0001"),
        ({"encoder_learning_rate": float("nan")}, "^encoder_learning_rate .* got nan"),
        ({"weight_decay": float("inf")}, "^weight_decay .* got inf"),
        ({"momentum": -0.9}, "momentum"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"contrastive_weight": float("nan")}, "contrastive_weight"),
        ({"iou_weight": -1.0}, "iou_weight"),
        ({"clip_gradient": -1.0}, "clip_gradient"),
        ({"temperature": float("nan")}, "temperature must be positive, got nan"),
    ],
)
def test_train_config_refuses(fields, named):
    with pytest.raises(ValueError, match=named):
        TrainConfig(**fields)


def test_unknown_field_is_named():
    with pytest.raises(ValueError, match="chanels"):
        ModelConfig.from_dict({"chanels": 3})
    with pytest.raises(ValueError, match="dictionary"):
        TrainConfig.from_dict([1])


def test_batch_is_shared_between_images_and_videos():
    config = TrainConfig(batch_size=8, image_fraction=0.375, frames_per_video=5)
    assert (config.image_samples, config.video_frames) == (3, 5)


def test_profile(monkeypatch):
    monkeypatch.delenv("VSOD_PROFILE", raising=False)
    assert profile() == "laptop"
    monkeypatch.setenv("VSOD_PROFILE", "full")
    assert profile() == "full"
    monkeypatch.setenv("VSOD_PROFILE", "fast")
    with pytest.raises(ValueError, match="smoke, laptop, full"):
        profile()
