"""`vsod data …`."""

from pathlib import Path

from vsodlib.cli.main import main


def test_pack_is_taken_in_place_of_the_folder(root, net, tmp_path, capsys):
    packed = tmp_path / "small.zip"
    assert main(["data", "pack", str(root), "--height", "32", "--out", str(packed)]) == 0
    assert main(["data", "check", str(packed)]) == 0
    assert "No problems" in capsys.readouterr().out
    assert main(["evaluate", "--checkpoint", net, "--data", str(packed)]) == 0


def test_pack_of_what_lies_on_no_disk(root, tmp_path, sentence):
    words = ["data", "pack", str(root), "--height", "32", "--out", str(tmp_path / "a.zip")]
    assert main([*words, "--name", "synthetic"]) == 2
    assert "'synthetic' cannot be packed; choose one of davis2016" in sentence()


def test_a_full_disk_is_named(tmp_path, monkeypatch, sentence):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    out = tmp_path / "clips"
    words = ["data", "make-synthetic", "--out", str(out), "--videos", "2", "--frames", "1"]
    assert main(words) == 2
    assert f"{out}: No space left on device." in sentence()
