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
        ({"channels": 0}, "channels must be 1 to 8192, got 0"),
        ({"channels": 10**12}, "channels must be 1 to 8192"),
        ({"decoder_channels": 10**12}, "decoder_channels must be 0 to 8192"),
        ({"aspp_rates": ()}, "aspp_rates"),
        ({"aspp_rates": (6.5,)}, "aspp_rates must be int, not 6.5"),
        ({"channels": 1.5}, "channels must be int, not 1.5"),
        ({"aspp_rates": (6, 0)}, "aspp_rates"),
        ({"aspp_rates": (6, 10**18)}, "aspp_rates"),
        ({"aspp_rates": (1,) * 10**5}, "aspp_rates must be 1 to 16 rates"),
    ],
)
def test_model_config_refuses(fields, named):
    with pytest.raises(ValueError, match=named):
        ModelConfig(**fields)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"steps": 0}, "steps"),
        ({"height": 8}, "^height must be 16 to 8192 pixels, got 8"),
        ({"phases": ("0.5 width=9000",)}, "^width must be 16 to 8192 pixels, got 9000"),
        ({"seed": 10**30}, "^seed must be int, not 1000"),
        ({"mix": ("a=1", "a=2")}, "mix names a twice"),
        ({"phases": ("",)}, "between 0 and 1, not with ''"),
        ({"batch_size": 8, "frames_per_video": 3}, "frames_per_video"),
        ({"image_fraction": 1.5}, "image_fraction"),
        ({"scale_min": 0.0}, "scale_min"),
        ({"optimizer": "adam"}, "optimizer"),
        ({"precision": "int8"}, "precision"),
        ({"paste": 1.5}, "^paste must lie between 0 and 1, got 1.5"),
        ({"paste_as": "background"}, "'object' or 'distractor', not 'background'"),
        ({"steps": 10, "warmup_steps": 10}, "warmup_steps"),
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"learning_rate": -1e-4}, "^learning_rate .* got -0.0001"),
        ({"encoder_learning_rate": float("nan")}, "^encoder_learning_rate .* not nan"),
        ({"weight_decay": float("inf")}, "^weight_decay .* not inf"),
        ({"momentum": -0.9}, "momentum"),
        ({"momentum": 1.1}, "^momentum must lie between 0 and 1, got 1.1"),
        ({"learning_rate": 1e99}, r"^learning_rate must lie between 0 and 1e\+30, got 1e\+99"),
        ({"steps": 1.5, "height": True}, r"^steps must be int, not 1.5\. height .*, not True\.$"),
        ({"mix": ["a=1"]}, "^mix must be tuple.*, not list"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"minutes": -1.0}, "^minutes .* got -1.0"),
        ({"freeze_stages": 2}, "0 without freeze_batch_norm, got 2"),
        ({"mix": ("davis2016",)}, "NAME=WEIGHT with a positive weight, not 'davis2016'"),
        ({"mix": ("davis2016=0",)}, "not 'davis2016=0'"),
        ({"phases": ("1.5 height=320",)}, "between 0 and 1, not with '1.5'"),
        ({"phases": ("0.5 height=32", "0.5 height=64")}, "rising"),
        ({"phases": ("0.5 steps=3",)}, "cannot change 'steps'; they can change batch_size"),
        ({"phases": ("0.5 height=tall",)}, "give height the value 'tall', not a number"),
        ({"phases": ("0.5 frames_per_video=3",)}, "frames_per_video"),
        ({"steps": 0, "height": 9, "phases": ("0.5",)}, r"^steps \S+ [^.]*\. height [^.]*\.$"),
        ({"mix": ("a=1",), "phases": ("0.5 image_fraction=1",)}, "mix takes the place of"),
        ({"contrastive_weight": float("nan")}, "contrastive_weight"),
        ({"iou_weight": -1.0}, "iou_weight"),
        ({"clip_gradient": -1.0}, "clip_gradient"),
        ({"temperature": float("nan")}, "temperature must be float, not nan"),
    ],
)
def test_train_config_refuses(fields, named):
    with pytest.raises(ValueError, match=named):
        TrainConfig(**fields)


def test_phases_follow_one_another():
    config = TrainConfig(
        steps=100,
        mix=("a=1", "b=3"),
        phases=("0.5 height=320 width=544", "0.8 contrastive_weight=0.5 mix=a:2,b:1"),
    )
    assert [config.phase_at(p) for p in (0, 0.49, 0.5, 0.79, 0.8, 1)] == [0, 0, 1, 1, 2, 2]
    first, second, third = (phase for _, phase in config.schedule)
    assert (first.height, second.height, third.height) == (240, 320, 320)
    assert (second.contrastive_weight, third.contrastive_weight) == (1.0, 0.5)
    assert first.weights == {"a": 1, "b": 3} and third.weights == {"a": 2, "b": 1}
    assert TrainConfig.from_dict(config.to_dict()) == config
    own = TrainConfig(mix=("folder:a=b=1",), phases=("0.5 mix=folder:a=b:2,c=3",))
    assert [dict(phase.weights) for _, phase in own.schedule] == [
        {"folder:a=b": 1},
        {"folder:a=b": 2, "c": 3},
    ]


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0), (40, 2), (1000, 50), (100_000, 500)])
def test_warmup_follows_the_steps(steps, warmup):
    assert TrainConfig(steps=steps).warmup == warmup
    assert TrainConfig(steps=10, warmup_steps=3).warmup == 3


def test_unknown_field_is_named():
    with pytest.raises(ValueError, match="chanels"):
        ModelConfig.from_dict({"chanels": 3})
    with pytest.raises(ValueError, match="dictionary"):
        TrainConfig.from_dict([1])


def test_profile(monkeypatch):
    monkeypatch.delenv("VSOD_PROFILE", raising=False)
    assert profile() == "laptop"
    monkeypatch.setenv("VSOD_PROFILE", "full")
    assert profile() == "full"
    monkeypatch.setenv("VSOD_PROFILE", "fast")
    with pytest.raises(ValueError, match="smoke, laptop, full"):
        profile()


def test_all_faults_are_told_at_once():
    with pytest.raises(ValueError, match=r"steps .* momentum .* scale_min|steps .*scale_min.*mom"):
        TrainConfig(steps=0, momentum=-1, scale_min=0)
    with pytest.raises(ValueError, match=r"output_stride .* channels .* aspp_rates"):
        ModelConfig(output_stride=4, channels=0, aspp_rates=())


def test_values_not_given_fit_the_data():
    lite = TrainConfig.lite()
    clips = lite.for_data({}, videos=3, images=0)
    assert (clips.batch_size, clips.image_fraction, clips.frames_per_video) == (8, 0, 8)
    stills = lite.for_data({}, videos=0, images=60)
    assert (stills.batch_size, stills.image_fraction) == (12, 1)
    assert lite.for_data({}, videos=3, images=60) == lite
    small = lite.for_data({"batch_size": 9, "steps": 50}, videos=3, images=60)
    assert (small.frames_per_video, 9 * small.image_fraction, small.warmup) == (6, 3, 2)
    with pytest.raises(
        ValueError, match=r"divide that\. 3 samples .* still images.*image_fraction"
    ):
        lite.for_data({"image_fraction": 0.25, "frames_per_video": 4}, videos=3, images=0)
    mix = {"mix": ("v=1", "i=0.7")}
    mixed = lite.for_data(mix, videos=3, images=60, share=0.7 / 1.7)
    assert (mixed.batch_size, mixed.frames_per_video) == (12, 7)
    with pytest.raises(ValueError, match="place of image_fraction"):
        lite.for_data(mix | {"image_fraction": 0.5}, videos=3, images=60)
