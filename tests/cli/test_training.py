"""`vsod train`: presets and options, the whole way of a user, data that cannot be trained on."""

import json
import sys
from dataclasses import asdict, replace
from shutil import copytree

import cv2
import numpy as np
import pytest

from vsodlib import FrameDataset, ModelConfig, TrainConfig
from vsodlib.cli.main import main, parse
from vsodlib.model import checkpoint

TRAIN = [
    *("--steps", "2", "--warmup-steps", "1", "--batch-size", "2", "--frames-per-video", "2"),
    *("--height", "32", "--width", "48", "--image-fraction", "0"),
]


def train(root, tmp_path):
    return main(["train", "--data", str(root), "--out", str(tmp_path / "run"), *TRAIN])


@pytest.fixture
def broken(tmp_path):
    """Clips of one's own, to be damaged."""
    out = tmp_path / "clips"
    sizes = ["--videos", "2", "--frames", "3", "--height", "48", "--width", "80"]
    assert main(["data", "make-synthetic", "--out", str(out), *sizes]) == 0
    return out


def test_help_of_train_shows_the_preset(help_of):
    text = help_of("train")
    assert "--steps INT Optimiser steps in all. (default: 1500)" in text
    assert "--mining {hard,random}" in text
    assert "--freeze-batch-norm, --no-freeze-batch-norm" in text
    text = help_of("train", "--preset=paper")
    assert "--steps INT Optimiser steps in all. (default: 20000)" in text
    assert "(default: resnet101)" in text


def test_options_change_the_preset_and_nothing_else():
    assert asdict(parse(["train", "--out", "o"]).training) == asdict(TrainConfig.lite())
    train = parse(["train", "--out", "o", "--preset", "paper"])
    assert asdict(train.training) == asdict(TrainConfig.paper())
    assert asdict(train.model) == asdict(ModelConfig.paper())
    words = ["--mix", "davis2016=1", "duts-tr=3", "--phases", "0.5 height=64", "0.75 width=96"]
    words += ["--no-gates", "--aspp-rates", "1", "2", "--freeze-batch-norm", "--warmup-steps", "7"]
    train = parse(["train", "--preset", "paper", "--out=o", *words])
    assert asdict(train.training) == asdict(TrainConfig.paper()) | {
        "mix": ("davis2016=1", "duts-tr=3"),
        "phases": ("0.5 height=64", "0.75 width=96"),
        "freeze_batch_norm": True,
        "warmup_steps": 7,
    }
    model = replace(ModelConfig.paper(), gates=False, aspp_rates=(1, 2))
    assert asdict(train.model) == asdict(model)


def test_an_option_given_as_the_preset_has_it_is_given(root, tmp_path, monkeypatch, capsys):
    """What is not given fits the data: here no images, so that lite's batches would be of 8."""
    used = []
    monkeypatch.setattr(
        "vsodlib.training.fit.fit", lambda model, config, *_, **__: used.append(config)
    )
    for words in ([], ["--batch_size=12"]):
        assert main(["train", "--data", str(root), "--out", str(tmp_path), *words]) == 0
    assert [(c.batch_size, c.image_fraction, c.frames_per_video) for c in used] == [
        (8, 0, 8),
        (12, 0, 6),
    ]
    found = capsys.readouterr().err.splitlines()
    assert found[0].startswith("note: batch_size 8, image_fraction 0, to fit the data")
    assert found[1].startswith("note: frames_per_video 6, image_fraction 0, to fit the data")


def test_train_evaluate_predict(root, tmp_path, capsys):
    """The whole way of a user, on clips made a moment before."""
    run = tmp_path / "run"
    words = ["--datasets", "davis2016", "--data", str(root), "--out", str(run), *TRAIN]
    assert main(["train", *words, "--random-weights", "--hold-out", "davis2016=1"]) == 0
    assert (run / "best.json").exists()

    scores_path = tmp_path / "scores.json"
    words = ["--checkpoint", str(run / "last"), "--data", str(root), "--json", str(scores_path)]
    assert main(["evaluate", *words, "--save-maps", str(tmp_path / "maps")]) == 0
    scores = json.loads(scores_path.read_text())
    assert scores["record"]["height"] == 32
    assert scores["record"]["weights_sha256"] == checkpoint.fingerprint(run / "last")
    assert scores["protocol"]["name"] == "davis2016"

    again_path = tmp_path / "again.json"
    val = sorted(scores["per_sequence"])
    truth = tmp_path / "truth"
    for name in val:
        copytree(root / "Annotations" / "480p" / name, truth / name)
    words = [str(tmp_path / "maps"), "--gt", str(truth), "--protocol", "davis2016"]
    assert main(["score", *words, "--json", str(again_path), "--per-frame"]) == 0
    again = json.loads(again_path.read_text())
    assert "per_frame" not in scores["per_sequence"][val[0]]
    assert len(again["per_sequence"][val[0]]["per_frame"]["J"]) == 2  # without the ends
    assert again["mae"] == pytest.approx(scores["mae"], abs=0.5 / 255)  # 8-bit files
    assert again["J"]["mean"] == pytest.approx(scores["J"]["mean"], abs=0.02)

    source = root / "JPEGImages" / "480p" / val[0]
    copytree(source, tmp_path / "clip")
    assert main(["predict", str(tmp_path / "clip"), "--checkpoint", str(run / "last")]) == 0
    assert len(list((tmp_path / "clip-saliency" / "maps").glob("*.png"))) == 4
    assert (tmp_path / "clip-saliency" / "overlay.webm").exists()


def test_a_damaged_state_is_told_once(root, tmp_path, capsys):
    words = ["train", "--data", str(root), "--out", str(tmp_path / "run")]
    words += [*TRAIN, "--checkpoint-every", "1"]
    assert main(words) == 0
    (tmp_path / "run" / "state.pt").write_bytes(b"damaged")
    capsys.readouterr()
    assert main([*words, "--resume"]) == 0
    assert capsys.readouterr().err.count("is not a readable training state") == 1


def test_resume_of_a_finished_run(root, tmp_path, monkeypatch, capsys):
    words = ["train", "--data", str(root), "--out", str(tmp_path / "run"), "--random-weights"]
    assert main([*words, *TRAIN]) == 0
    assert main([*words, *TRAIN, "--resume"]) == 0
    monkeypatch.setattr(FrameDataset, "in_memory", lambda *_: pytest.fail("decoded"))
    assert main([*words, *TRAIN]) == 2
    assert "run holds a run already" in capsys.readouterr().err


def test_a_missing_tensorboard_is_told_before_the_data_is_decoded(
    root, tmp_path, monkeypatch, sentence
):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    monkeypatch.setattr(FrameDataset, "in_memory", lambda *_: pytest.fail("decoded"))
    words = ["train", "--data", str(root), "--out", str(tmp_path / "run"), *TRAIN]
    assert main([*words, "--tensorboard"]) == 2
    assert "TensorBoard is not installed" in sentence()


def test_missing_data_root(tmp_path, sentence):
    words = ["--data", str(tmp_path / "none"), "--out", str(tmp_path / "run")]
    assert main(["train", *words]) == 2
    assert "none" in sentence()


def test_frames_without_masks(broken, tmp_path, sentence):
    for path in broken.glob("Annotations/480p/*/*.png"):
        path.unlink()
    assert train(broken, tmp_path) == 2
    missing = "Annotations/480p/synthetic-00000/00000.png does not exist (3 of 6"
    assert missing in sentence()


def test_mask_of_another_size(broken, tmp_path, sentence):
    for path in broken.glob("Annotations/480p/*/00001.png"):
        cv2.imwrite(str(path), np.zeros((10, 10), np.uint8))
    assert train(broken, tmp_path) == 2
    said = sentence()
    assert "00001.png is 10x10" in said
    assert "80x48" in said


def test_truncated_jpeg(broken, tmp_path, capsys, sentence):
    for path in broken.glob("JPEGImages/480p/*/00001.jpg"):
        path.write_bytes(path.read_bytes()[:400])
    assert train(broken, tmp_path) == 2
    assert "00001.jpg" in sentence()
    assert main(["data", "check", str(broken)]) == 2
    captured = capsys.readouterr()
    assert captured.out.count("00001.jpg") >= 2  # all at once, not only the first


def test_config_that_contradicts_itself(root, tmp_path, sentence):
    words = ["--data", str(root), "--out", str(tmp_path / "run"), *TRAIN]
    assert main(["train", *words, "--frames-per-video", "3"]) == 2
    assert "frames_per_video (3) must divide" in sentence()


def test_hold_out_that_leaves_nothing(root, tmp_path, sentence):
    words = ["--data", str(root), "--out", str(tmp_path / "run"), *TRAIN]
    assert main(["train", *words, "--hold-out", "davis2016=9"]) == 2
    assert "Holding 9 out leaves nothing of 3 in davis2016" in sentence()
