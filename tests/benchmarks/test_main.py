"""`python -m benchmarks`: the right measurement, its record, its files."""

import json

import pytest

from benchmarks import __main__ as bench
from benchmarks.__main__ import main

ATTENTION = {
    "sizes": [
        {
            "height": 80,
            "N": 170,
            "self_attention": {"ours": {"total_ms": 1.0, "peak_bytes": 2}},
            "co_attention": {"ours": {"total_ms": 3.0, "peak_bytes": None}},
        }
    ]
}


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """What was measured, and where."""
    seen = []
    for what in ("attention", "inference"):
        monkeypatch.setattr(
            bench,
            f"bench_{what}",
            lambda device, what=what: seen.append((what, device)) or dict(ATTENTION),
        )
    monkeypatch.setattr(bench, "bench_metrics", lambda root: seen.append(("metrics", root)) or {})
    monkeypatch.setattr(bench, "bench_motion", lambda *words: seen.append(words) or {})
    monkeypatch.setattr(bench, "bench_onnx", lambda: seen.append(("onnx", None)) or {})
    return seen


def test_each_measurement(measured, tmp_path, capsys):
    out = tmp_path / "new" / "bench.json"
    assert main(["inference", "--device", "cpu", "--json", str(out)]) == 0
    assert main(["metrics", "--data", str(tmp_path)]) == 0
    assert main(["onnx"]) == 0
    assert main(["motion", "--checkpoint", "fold", "--height", "384"]) == 0
    assert measured == [
        ("inference", "cpu"),
        ("metrics", str(tmp_path)),
        ("onnx", None),
        ("fold", 384, None),
    ]
    written = json.loads(out.read_text())
    assert written["record"].keys() == {"commit", "device", "torch"}
    assert '"device": "cpu, ' in capsys.readouterr().out


def test_motion_needs_a_checkpoint_and_others_take_none(measured, capsys):
    for words in (["motion"], ["metrics", "--checkpoint", "fold"]):
        assert main(words) == 2
        assert "motion needs a --checkpoint" in capsys.readouterr().err
    assert measured == []


def test_ctrl_c_is_one_sentence(monkeypatch, capsys):
    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "bench_onnx", stop)
    assert main(["onnx"]) == 130
    assert capsys.readouterr().err == "benchmarks: Stopped.\n"


def test_plot(tmp_path, capsys):
    picture = tmp_path / "attention.png"
    assert main(["attention", "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in capsys.readouterr().out


def test_options_of_something_else_are_refused(measured, tmp_path, capsys):
    for words, said in (
        (
            ["metrics", "--plot", str(tmp_path / "x.png")],
            "--plot is for attention, not for metrics",
        ),
        (["inference", "--height", "96"], "--height is for motion, not for inference"),
        (["onnx", "--data", str(tmp_path)], "--data is for metrics and motion, not for onnx"),
        (["metrics", "--data", "nowhere"], "--data nowhere does not exist"),
    ):
        assert main(words) == 2
        assert said in capsys.readouterr().err
    assert measured == []


@pytest.mark.parametrize("command", [["inference", "--json"], ["attention", "--plot"]])
def test_an_unwritable_place_is_met_before_the_work(command, measured, tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    assert main([*command, str(tmp_path / "folder")]) == 2
    assert "folder cannot be written" in capsys.readouterr().err
    assert measured == []
