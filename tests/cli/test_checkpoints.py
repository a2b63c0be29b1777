"""`vsod average` and `vsod publish`."""

import json

import cv2
import numpy as np
import onnx
import torch

from vsodlib import provenance
from vsodlib.cli.card import model_card
from vsodlib.cli.main import main
from vsodlib.inference import predict
from vsodlib.model import checkpoint


def test_publish_keeps_the_scores(root, net, tmp_path, monkeypatch, capsys, sentence):
    scores = tmp_path / "scores.json"
    words = ["--checkpoint", net, "--data", str(root), "--height", "48", "--json", str(scores)]
    assert main(["evaluate", *words]) == 0
    monkeypatch.setattr(provenance, "REPOSITORY", tmp_path)
    assert main(["publish", net, "--name", "good", "--scores", str(scores)]) == 0
    _, record = checkpoint.read("good")
    assert (tmp_path / "checkpoints" / "good.md").read_text() == model_card("good", record)
    foreign = tmp_path / "foreign.json"
    foreign.write_text(scores.read_text().replace(checkpoint.fingerprint(net), "0" * 64))
    capsys.readouterr()
    assert main(["publish", net, "--name", "good", "--scores", str(foreign)]) == 2
    assert "foreign.json holds scores of other weights than" in sentence()
    assert main(["publish", net, "--name", "good", "--scores", str(scores)]) == 0  # scored anew
    tensors, other = checkpoint.read(net)
    checkpoint.write(tmp_path / "other", {k: 2 * t for k, t in tensors.items()}, other)
    words = ["publish", str(tmp_path / "other"), "--name", "good", "--scores", str(scores)]
    assert main(words) == 2
    assert "checkpoints/ holds another network good: delete it" in sentence()
    assert record["scores"]["J"] == json.loads(scores.read_text())["J"]
    assert record["input_height"] == record["scores"]["height"] == 48
    whole = json.loads(scores.read_text())
    for odd in ({"J": "x"}, {"T": []}, {"mae": float("nan")}, {"record": []}, {"frames": None}):
        scores.write_text(json.dumps(whole | odd))
        capsys.readouterr()
        assert main(["publish", net, "--name", "bad", "--scores", str(scores)]) == 2
        assert "scores.json was not written by" in sentence()
    for odd in ({"mae": 3.3}, {"frames": -1}, {"record": whole["record"] | {"height": 10**9}}):
        scores.write_text(json.dumps(whole | odd))
        assert main(["publish", net, "--name", "bad", "--scores", str(scores)]) == 2
        assert "scores.json holds numbers that no evaluation gives" in sentence()
    assert main(["publish", net, "--name", "bad.safetensors", "--scores", str(scores)]) == 2
    assert "without the ending of a file" in sentence()
    assert not list(tmp_path.glob("checkpoints/bad*"))


def test_publish_refuses_scores_of_refined_maps(root, net, tmp_path, sentence, monkeypatch):
    scores, maps = tmp_path / "scores.json", tmp_path / "maps"
    monkeypatch.setattr(predict, "guided_upsampling", lambda one, f: np.ones(f.shape[:2]))
    words = ["--checkpoint", net, "--data", str(root), "--height", "48", "--json", str(scores)]
    assert main(["evaluate", *words, "--refine", "--save-maps", str(maps)]) == 0
    assert json.loads(scores.read_text())["record"]["refine"]
    assert all(cv2.imread(str(path)).min() == 255 for path in maps.rglob("*.png"))
    assert main(["publish", net, "--name", "good", "--scores", str(scores)]) == 2
    assert "scores.json holds scores of refined maps" in sentence()


def test_publish_refuses_scores_at_several_scales(root, net, tmp_path, sentence, capsys):
    plain, several = tmp_path / "plain.json", tmp_path / "several.json"
    words = ["evaluate", "--checkpoint", net, "--data", str(root), "--height", "48", "--json"]
    assert main([*words, str(plain)]) == 0
    assert main([*words, str(several), "--scales", "1", "2"]) == 0
    first, second = (json.loads(path.read_text()) for path in (plain, several))
    assert (first["record"]["scales"], second["record"]["scales"]) == ([1.0], [1.0, 2.0])
    assert first["mae"] != second["mae"]
    capsys.readouterr()
    assert main(["publish", net, "--name", "good", "--scores", str(several)]) == 2
    assert "several.json holds scores of maps at other scales" in sentence()
    assert main(["evaluate", "--checkpoint", net, "--data", str(root), "--scales", "0"]) == 2
    assert "scales must be one or more numbers above 0, 8192 at most, got (0.0,)" in sentence()


def test_publish_refuses_scores_of_maps_weighed_by_motion(root, net, tmp_path, sentence):
    scores = tmp_path / "scores.json"
    words = ["--checkpoint", net, "--data", str(root), "--height", "48", "--json", str(scores)]
    assert main(["evaluate", *words, "--motion"]) == 0
    assert json.loads(scores.read_text())["record"]["motion"]
    assert main(["publish", net, "--name", "good", "--scores", str(scores)]) == 2
    assert "scores.json holds scores of maps weighed by motion" in sentence()


def test_average_writes_a_checkpoint(net, tmp_path, capsys, sentence):
    tensors, record = checkpoint.read(net)
    other = {k: 3 * t if t.is_floating_point() else t for k, t in tensors.items()}
    checkpoint.write(tmp_path / "other", other, record)
    words = [net, str(tmp_path / "other"), "--out", str(tmp_path / "mean")]
    assert main(["average", *words]) == 0
    for name, tensor in checkpoint.read(tmp_path / "mean")[0].items():
        factor = 2 if tensor.is_floating_point() else 1
        torch.testing.assert_close(tensor, factor * tensors[name], rtol=2e-3, atol=1e-6)
    capsys.readouterr()
    assert main(["average", net, "nowhere", "--out", str(tmp_path / "mean")]) == 2
    assert "nowhere" in sentence()


def test_export(net, tmp_path, capsys, sentence):
    path = tmp_path / "net.onnx"
    assert main(["export", "--checkpoint", net, "--onnx", str(path), "--half"]) == 0
    assert capsys.readouterr().out.startswith(f"{path}  ")
    assert onnx.load(path).producer_name == "pytorch"
    assert main(["export", "--checkpoint", "nowhere", "--onnx", str(path)]) == 2
    assert "nowhere" in sentence()
