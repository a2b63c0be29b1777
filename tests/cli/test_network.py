"""`vsod predict`, and the networks and devices that commands take."""

import cv2
import numpy as np
import pytest
from small_clips import clip

from vsodlib import VSODNet
from vsodlib.cli.main import main, parse
from vsodlib.cli.network import load_network
from vsodlib.data.video_files import write_video
from vsodlib.inference import predict
from vsodlib.model import checkpoint
from vsodlib.training import speed


def test_predict_on_a_video_file(net, tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for value in range(5):
        writer.write(np.full((48, 64, 3), 40 * value, np.uint8))
    writer.release()
    out = tmp_path / "out"
    assert main(["predict", str(path), "--checkpoint", net, "--out", str(out), "--flip"]) == 0
    assert len(list((out / "maps").glob("*.png"))) == 5


@pytest.mark.parametrize("units", [True, False])
def test_bf16_without_units_for_it_is_told(net, tmp_path, capsys, monkeypatch, units):
    monkeypatch.setattr(speed, "has_bfloat16", lambda device: units)
    write_video(tmp_path / "clip.webm", clip(2), 10)
    assert main(["predict", str(tmp_path / "clip.webm"), "--checkpoint", net, "--bf16"]) == 0
    assert ("no bfloat16 units" in capsys.readouterr().err) == (not units)


def test_the_hash_is_of_the_weights_that_were_read(net, monkeypatch):
    """`vsod train` may write `last` anew while `vsod evaluate` reads it."""
    tensors, record = checkpoint.read(net)
    read, found = VSODNet.from_pretrained, []

    def overtaken(name):
        found.append(read(name))
        if len(found) == 1:
            checkpoint.write(net, {name: 2 * tensor for name, tensor in tensors.items()}, record)
        return found[-1]

    monkeypatch.setattr(VSODNet, "from_pretrained", overtaken)
    _, weights = load_network(parse(["evaluate", "--checkpoint", net, "--device", "cpu"]))
    assert len(found) == 2
    assert weights == checkpoint.fingerprint(net)


def test_refined_maps_never_mix_with_others(net, tmp_path, sentence, monkeypatch):
    picture, out = tmp_path / "photo.png", tmp_path / "out"
    cv2.imwrite(str(picture), np.zeros((48, 64, 3), np.uint8))
    monkeypatch.setattr(predict, "guided_upsampling", lambda one, frame: np.ones((48, 64)))
    words = ["predict", str(picture), "--checkpoint", net, "--out", str(out)]
    assert main([*words, "--refine"]) == 0
    assert cv2.imread(str(out / "maps" / "photo.png")).min() == 255
    assert main(words) == 2
    assert "refined" in sentence()


def test_empty_folder(tmp_path, sentence, net):
    (tmp_path / "empty").mkdir()
    assert main(["data", "check", str(tmp_path / "empty")]) == 2
    assert f"{tmp_path / 'empty'} " in sentence()
    words = [str(tmp_path / "empty"), "--checkpoint", net, "--out", str(tmp_path / "out")]
    assert main(["predict", *words]) == 2
    assert f"{tmp_path / 'empty'} " in sentence()


def test_video_without_frames(tmp_path, sentence, net):
    path = tmp_path / "nothing.mp4"
    path.write_bytes(b"")
    words = [str(path), "--checkpoint", net, "--out", str(tmp_path / "out")]
    assert main(["predict", *words]) == 2
    assert "nothing.mp4" in sentence()


def test_missing_video(tmp_path, sentence, net):
    words = ["no.mp4", "--checkpoint", net, "--out", str(tmp_path / "out")]
    assert main(["predict", *words]) == 2
    assert "no.mp4" in sentence()


def test_address_on_a_network(net, sentence):
    assert main(["predict", "https://example.org/a.mp4", "--checkpoint", net]) == 2
    assert "is an address, not a path: download it" in sentence()


def test_film_cut_off_exits_with_3_and_keeps_what_is_before(tmp_path, capsys, net):
    path = tmp_path / "clip.webm"
    write_video(path, clip(40), 24)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SystemExit) as stopped:
        main(["predict", str(path), "--checkpoint", net, "--no-overlay", "--height", "32"])
    assert stopped.value.code == 3
    assert "clip.webm breaks off" in capsys.readouterr().err
    assert len(list((tmp_path / "clip-saliency" / "maps").iterdir())) > 3


def test_one_bad_source_among_others(tmp_path, capsys, net):
    (tmp_path / "a.mp4").write_text("no film")
    write_video(tmp_path / "b.webm", clip(3), 24)
    words = ["predict", str(tmp_path / "a.mp4"), str(tmp_path / "b.webm")]
    words += ["--checkpoint", net, "--out", str(tmp_path / "out"), "--height", "32"]
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--cutout", "--background", "blur", "--sheet", "--bf16"])
    assert stopped.value.code == 2
    assert "a.mp4 is not a film" in capsys.readouterr().err
    made = {path.name for path in (tmp_path / "out" / "b").iterdir()}
    assert made == {
        *["background.webm", "cutout.webm", "maps", "overlay.webm", "run.json", "sheet.png"]
    }


def test_cutout_may_stand_alone():
    assert parse(["predict", "a", "--cutout"]).cutout == "webm"
    assert parse(["predict", "--cutout", "mov", "--sheet", "a", "b"]).cutout == "mov"
    assert parse(["predict", "a"]).cutout is None


def test_maps_of_a_network_trained_further_are_not_kept(root, net, tmp_path, capsys, sentence):
    source = next((root / "JPEGImages" / "480p").iterdir())
    words = ["predict", str(source), "--checkpoint", net, "--out", str(tmp_path / "out")]
    assert main([*words, "--no-overlay"]) == 0
    tensors, record = checkpoint.read(net)
    checkpoint.write(net, {k: t + 1 for k, t in tensors.items()}, record)
    capsys.readouterr()
    assert main([*words, "--no-overlay"]) == 2
    assert "maps of another run (predictor weights" in sentence()


def test_device_that_is_not_there(root, net, sentence):
    assert main(["evaluate", "--checkpoint", net, "--data", str(root), "--device", "mtia:7"]) == 2
    assert "mtia:7" in sentence()


@pytest.mark.parametrize("damage", ["weights", "record", "absent"])
def test_checkpoint(net, damage, root, sentence):
    if damage == "weights":
        with open(net + ".safetensors", "wb") as file:
            file.write(b"PK\x03\x04 something else")
    elif damage == "record":
        with open(net + ".json", "w") as file:
            file.write('{"made by": "somebody"}')
    name = net if damage != "absent" else "nobody-knows"
    assert main(["evaluate", "--checkpoint", name, "--data", str(root)]) == 2
    said = {
        "weights": "net.safetensors is not a readable",
        "record": "net.json does not describe",
        "absent": "no checkpoint 'nobody-knows'",
    }
    assert said[damage] in sentence()
