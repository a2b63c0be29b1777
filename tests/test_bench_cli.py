"""`vsod bench`: the right measurement, its record, its files."""

import json

import pytest

from vsodlib import bench
from vsodlib.cli import main

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
    return seen


def test_each_measurement(measured, tmp_path, capsys):
    out = tmp_path / "new" / "bench.json"
    assert main(["bench", "inference", "--device", "cpu", "--json", str(out)]) == 0
    assert main(["bench", "metrics", "--data", "here"]) == 0
    assert measured == [("inference", "cpu"), ("metrics", "here")]
    written = json.loads(out.read_text())
    assert written["record"].keys() == {"commit", "device", "torch"}
    assert '"device": "cpu, ' in capsys.readouterr().out


def test_plot(tmp_path, capsys):
    picture = tmp_path / "attention.png"
    assert main(["bench", "attention", "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in capsys.readouterr().out


def test_plot_of_something_else_is_refused(measured, tmp_path, capsys):
    assert main(["bench", "metrics", "--plot", str(tmp_path / "x.png")]) == 2
    assert "--plot draws `bench attention`, not `bench metrics`" in capsys.readouterr().err
    assert measured == []
