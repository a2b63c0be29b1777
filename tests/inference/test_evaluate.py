"""Scores of a network on a data set."""

import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from vsodlib import ModelConfig
from vsodlib.data import open_dataset, synthetic_dataset
from vsodlib.data.synthetic import make_synthetic
from vsodlib.files import sole_process
from vsodlib.inference.evaluate import evaluate
from vsodlib.inference.motion import Motion
from vsodlib.inference.predict import predict_maps
from vsodlib.metrics import scoring
from vsodlib.model.vsodnet import Output


class Oracle(torch.nn.Module):
    """Says that reddish pixels are salient; counts the images it has seen."""

    input_height = None
    config = ModelConfig.lite()

    def __init__(self):
        super().__init__()
        self.eval()
        self.nothing = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def forward(self, images):
        self.seen.append(tuple(images.shape))
        return Output(100 * (images[:, :1] - images[:, 1:2]), images)


@pytest.fixture
def frames():
    """A red rectangle on green, (3, 40, 64, 3)."""
    frames = np.zeros((3, 40, 64, 3), np.uint8)
    frames[..., 1] = 200
    frames[:, 10:30, 8:24] = (200, 0, 0)
    return frames


def test_evaluate_scores_every_frame_and_writes_maps(tmp_path):
    clips = synthetic_dataset("val", videos=2, frames=5, height=48, width=72)
    scores = evaluate(Oracle(), clips, protocol="frames", save_to=tmp_path)
    assert scores["frames"] == 10
    assert scores["per_sequence"].keys() == clips.videos.keys()
    assert scores["seconds_per_frame"] > 0
    assert len(list(tmp_path.glob("*/*.png"))) == 10
    json.dumps(scores)


def test_maps_never_replace_the_truth(tmp_path):
    root = make_synthetic(tmp_path / "data", 2, 3, 48, 72, 0)
    truth = {path: path.read_bytes() for path in root.glob("Annotations/480p/*/*.png")}
    with pytest.raises(ValueError, match=r"00000\.png belongs to davis2016; name a new folder"):
        evaluate(
            Oracle(), open_dataset("davis2016", "val", root), save_to=root / "Annotations/480p"
        )
    assert truth == {path: path.read_bytes() for path in truth}


def test_maps_of_two_processes_do_not_mix(tmp_path):
    clips = synthetic_dataset("val", videos=2, frames=5, height=48, width=72)
    with sole_process(tmp_path), pytest.raises(ValueError, match="Another process is writing to"):
        evaluate(Oracle(), clips, save_to=tmp_path)
    assert not list(tmp_path.iterdir())


def test_progress_bar_knows_how_many_frames_there_are(monkeypatch, capsys):
    shown = scoring.tqdm
    monkeypatch.setattr(scoring, "tqdm", lambda **options: shown(**options | {"disable": False}))
    evaluate(Oracle(), synthetic_dataset("val", videos=2, frames=5, height=48, width=72))
    assert "/10 " in capsys.readouterr().err


def test_motion_weighs_every_video_by_itself(tmp_path):
    clips, net = synthetic_dataset("val", videos=2, frames=5, height=48, width=72), Oracle()
    evaluate(net, clips, motion=True, save_to=tmp_path, batch_size=2)
    changed = 0
    for video, indices in clips.videos.items():
        weigh, frames = Motion(), clips.images(indices)
        for frame, saliency, index in zip(frames, predict_maps(net, frames), indices, strict=True):
            path = tmp_path / video / f"{clips.records[index].frame}.png"
            found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) / np.float32(255)
            np.testing.assert_array_equal(found, weigh(frame, saliency))
            changed += np.abs(found - saliency).max() > 0.1
    assert changed


def test_motion_looks_at_frames_without_a_mask_too(tmp_path):
    clips, net = synthetic_dataset("val", videos=1, frames=5, height=48, width=72), Oracle()
    folder = tmp_path / "FBMS/Testset/cars1"
    (folder / "GroundTruth").mkdir(parents=True)
    for t, frame in enumerate(clips.images(range(5)), 1):
        Image.fromarray(frame).save(folder / f"cars1_{t:02}.jpg")
        Image.fromarray(clips.mask(t - 1)).save(folder / f"GroundTruth/cars1_{t:02}.png")
    options = {"height": 48, "motion": True, "protocol": "frames", "batch_size": 2}
    evaluate(net, open_dataset("fbms", "test", tmp_path), save_to=tmp_path / "all", **options)
    for t in (1, 3, 4):
        (folder / f"GroundTruth/cars1_{t:02}.png").unlink()
    some = open_dataset("fbms", "test", tmp_path)
    net.seen.clear()
    assert evaluate(net, some, save_to=tmp_path / "some", **options)["frames"] == 2
    assert sum(shape[0] for shape in net.seen) == 5
    for name in ("cars1_02", "cars1_05"):
        one, other = (tmp_path / f"{kind}/cars1/{name}.png" for kind in ("all", "some"))
        assert one.read_bytes() == other.read_bytes()


def test_perfect_maps_score_one():
    clips = synthetic_dataset("val", videos=1, frames=4, height=48, width=72)

    class Perfect(Oracle):
        def forward(self, images):
            start = sum(shape[0] for shape in self.seen)
            self.seen.append(tuple(images.shape))
            masks = [clips.mask(start + k) for k in range(len(images))]
            logits = torch.from_numpy(np.stack(masks)[:, None] * 200.0 - 100.0)
            return Output(logits, images)

    scores = evaluate(Perfect(), clips, height=48, protocol="frames")
    assert scores["J"]["mean"] == scores["F"]["mean"] == 1.0
    assert scores["mae"] < 1e-6
    assert scores["max_f"] == pytest.approx(1.0)


def test_sizes_below_one(frames):
    for wrong in ({"height": 0}, {"height": -5}, {"batch_size": 0}):
        with pytest.raises(ValueError, match="height and batch_size must be at least 1"):
            predict_maps(Oracle(), frames, **wrong)
    dataset = synthetic_dataset("val", videos=1, frames=3, height=32, width=32)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got -1"):
        evaluate(Oracle(), dataset, batch_size=-1)
