"""`vsod evaluate`, `vsod score` and `vsod compare`."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodlib.cli.main import main


@pytest.fixture
def maps(root, tmp_path):
    """Blurred and moved masks of the synthetic videos, in two qualities, and the true masks."""
    truth = root / "Annotations" / "480p"
    for name, shift in (("near", 1), ("far", 9)):
        for path in sorted(truth.glob("*/*.png")):
            out = tmp_path / name / path.parent.name / path.name
            out.parent.mkdir(parents=True, exist_ok=True)
            mask = cv2.GaussianBlur(np.roll(cv2.imread(str(path), 0), shift, 1), (0, 0), 1)
            cv2.imwrite(str(out), mask)
    return tmp_path, truth


def test_no_space(root, net, tmp_path, sentence, monkeypatch):
    """What was written before the disk was full stays."""
    written = []
    real = Path.write_bytes

    def full_after_two(path, data):
        if len(written) == 2:
            raise OSError(28, "No space left on device", str(path))
        written.append(path)
        return real(path, data)

    maps = tmp_path / "maps"
    monkeypatch.setattr(Path, "write_bytes", full_after_two)
    words = ["--checkpoint", net, "--data", str(root), "--save-maps", str(maps)]
    assert main(["evaluate", *words]) == 2
    assert "No space left on device" in sentence()
    assert len(list(maps.glob("*/*.png"))) == 2


def test_scores_are_shown_where_they_cannot_be_written(root, tmp_path, monkeypatch, capsys):
    """And a file of earlier scores stays whole."""
    out, truth = tmp_path / "scores.json", root / "Annotations" / "480p"
    out.write_text("earlier")

    def full(path, data):
        open(path, "wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(["score", str(truth), "--gt", str(truth), "--json", str(out)]) == 2
    found = capsys.readouterr()
    assert f"{out}: No space left on device." in found.err
    assert "all" in found.out
    assert out.read_text() == "earlier"


def test_score_measures_what_is_asked(maps, capsys, sentence):
    folder, truth = maps
    out = folder / "scores.json"
    words = ["score", str(folder / "near"), "--gt", str(truth), "--json", str(out)]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["J", "F", "maxF", "meanF", "S", "E", "MAE"]
    scores = json.loads(out.read_text())
    assert "T" not in scores
    found = {line.split()[0]: line.split() for line in lines[2:]}
    assert float(found["all"][1]) == pytest.approx(scores["J"]["mean"], abs=5e-4)
    low, high = scores["intervals"]["J"]["mean"]
    assert float(found["from"][2]) == pytest.approx(low, abs=5e-4)
    assert float(found["to"][2]) == pytest.approx(high, abs=5e-4)
    assert main([*words, "--all", "--workers", "1"]) == 0
    header = capsys.readouterr().out.splitlines()[1].split()
    assert header[-3:] == ["wF", "T", "C"]
    assert {"weighted_f", "T", "consistency"} <= json.loads(out.read_text()).keys()
    assert main([*words, "--measures", "mae", "adaptive_f"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["adaptive_f", "MAE"]
    assert json.loads(out.read_text())["measures"] == ["adaptive_f", "mae"]
    assert main([*words, "--measures", "?"]) == 2
    assert "No measure ?; there are J, F, max_f" in sentence()


def test_score_explains_a_number(maps, capsys, sentence):
    folder, truth = maps
    out = folder / "explained.json"
    words = ["score", str(folder / "near"), "--gt", str(truth)]
    assert main([*words, "--protocol", "davsod", "--json", str(folder / "a.json")]) == 0
    number = f"{json.loads((folder / 'a.json').read_text())['max_f']:.6f}"
    capsys.readouterr()
    assert main([*words, "--explain", number, "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["found"] and "max_f" in [way["measure"] for way in found["ways"]]
    shown = capsys.readouterr().out
    assert f"{number} is\n" in shown and "max_f" in shown
    assert main([*words, "--explain", "0.0123456"]) == 0
    assert "Nothing tried gives 0.0123456; the nearest are" in capsys.readouterr().out
    assert main([*words, "--explain", ""]) == 2
    assert "was given an empty word" in sentence()
    assert main([*words, "--explain", "much"]) == 2
    assert "as it is printed" in sentence()
    assert main([*words, "--explain", "0.5", "--protocol", "frames"]) == 2
    assert "tries every protocol" in sentence()


def test_compare(maps, capsys, sentence):
    folder, truth = maps
    for name in ("near", "far"):
        words = [str(folder / name), "--gt", str(truth), "--json", str(folder / f"{name}.json")]
        assert main(["score", *words]) == 0
    capsys.readouterr()
    words = ["compare", str(folder / "far.json"), str(folder / "near.json")]
    assert main([*words, "--json", str(folder / "both.json")]) == 0
    shown = capsys.readouterr().out
    near, far = (str(folder / f"{name}.json") for name in ("near", "far"))
    assert f"{near} against {far}, means over 4 sequences" in shown
    lines = {line.split()[0]: line for line in shown.splitlines()}
    assert lines["J"].endswith(f"{near} is better")
    assert lines["mae"].endswith(f"{near} is better")
    assert json.loads((folder / "both.json").read_text())["measures"]["J"]["second_better"] == 4
    content = json.loads(Path(far).read_text())
    content["per_sequence"] = dict([*content["per_sequence"].items()][:1])
    (folder / "one.json").write_text(json.dumps(content))
    assert main(["compare", far, str(folder / "one.json")]) == 0
    assert "nan" not in capsys.readouterr().out
    assert main([*words, "--json", near]) == 2
    assert "near.json is one of the two; name another file" in sentence()
    row = next(iter(content["per_sequence"].values()))
    content["per_sequence"]["a\x1b[2J"] = row  # what a terminal would obey
    (folder / "one.json").write_text(json.dumps(content))
    assert main(["compare", far, str(folder / "one.json")]) == 0
    assert r"a\x1b[2J" in capsys.readouterr().out
    row["J"]["mean"] = 74.1
    (folder / "one.json").write_text(json.dumps(content))
    assert main(["compare", far, str(folder / "one.json")]) == 2
    assert "is 74.1, no score" in sentence()
    (folder / "odd.json").write_text("{")
    for odd in (folder / "odd.json", truth, folder / "none.json"):
        assert main(["compare", str(folder / "far.json"), str(odd)]) == 2
        sentence()


def test_evaluate_and_score_take_the_protocol_of_the_data_set(root, net, tmp_path):
    words = ["--dataset", f"folder:{root}", "--json", str(tmp_path / "scores.json")]
    saved = str(tmp_path / "maps")
    commands = [["evaluate", "--checkpoint", net, "--save-maps", saved], ["score", saved]]
    for command in commands:
        assert main([*command, *words]) == 0
        found = json.loads((tmp_path / "scores.json").read_text())
        assert found["protocol"]["name"] == "frames"


def test_held_out_is_of_the_split_that_was_trained_on(root, net, tmp_path, sentence):
    note = json.loads(Path(f"{net}.json").read_text())
    Path(f"{net}.json").write_text(json.dumps(note | {"held_out": {"davis2016": 1}}))
    out = tmp_path / "scores.json"
    words = ["evaluate", "--checkpoint", net, "--data", str(root), "--held-out"]
    assert main([*words, "--json", str(out)]) == 0
    (video,) = json.loads(out.read_text())["per_sequence"]
    assert video in (root / "ImageSets/480p/train.txt").read_text()
    assert json.loads(out.read_text())["record"]["split"] == "train"
    assert main([*words, "--split", "val"]) == 2
    assert "--held-out is of the split train" in sentence()


@pytest.mark.parametrize(
    ("before", "known"),
    [
        ({"data": "duts-tr, 9 videos, 9 frames"}, False),
        ({"data": "davis2016+duts-tr, 9 videos, 9 frames"}, True),
        ({"data": "davis2016, 9 videos, 9 frames", "held_out": {"davis2016": 1}}, False),
        ({"data": "davis2016, 9 videos, 9 frames", "held_out": {"davis2016": 2}}, True),
        ({"data": "duts-tr", "initial": {"data": "davis2016, 9 videos, 9 frames"}}, True),
    ],
)
def test_weights_that_may_have_seen_what_is_held_out_are_told(root, net, capsys, before, known):
    note = json.loads(Path(f"{net}.json").read_text())
    note |= {"held_out": {"davis2016": 1}, "initial": before}
    Path(f"{net}.json").write_text(json.dumps(note))
    assert main(["evaluate", "--checkpoint", net, "--data", str(root), "--held-out"]) == 0
    assert ("may have seen what it held out of davis2016" in capsys.readouterr().err) == known


def test_held_out_shows_motion_frames_without_a_mask(root, net, tmp_path):
    data = tmp_path / "clips"
    shutil.copytree(root / "JPEGImages/480p", data / "frames")
    without = shutil.ignore_patterns("00001.png", "00002.png")
    shutil.copytree(root / "Annotations/480p", data / "masks", ignore=without)
    note = json.loads(Path(f"{net}.json").read_text())
    Path(f"{net}.json").write_text(json.dumps(note | {"held_out": {f"folder:{data}": 1}}))
    words = ["--checkpoint", net, "--dataset", f"folder:{data}", "--protocol", "frames", "--motion"]
    for name, more in (("all", []), ("one", ["--held-out"])):
        assert main(["evaluate", *words, "--save-maps", str(tmp_path / name), *more]) == 0
    found = sorted((tmp_path / "one").glob("*/*.png"))
    assert len(found) == 2
    for path in found:
        other = tmp_path / "all" / path.parent.name / path.name
        assert path.read_bytes() == other.read_bytes()
