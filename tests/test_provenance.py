"""Where a number comes from: the commit, the device, what lies beside the package."""

import subprocess

import pytest
import torch

from vsodlib import bundled, provenance


def test_device_that_only_pretends():
    with pytest.raises(ValueError, match="Nothing can run on the device 'meta'"):
        provenance.find_device("meta")
    assert provenance.find_device("cpu") == torch.device("cpu")


def test_a_device_in_words():
    words = provenance.describe_device(torch.device("cpu"))
    assert words == f"cpu, {torch.get_num_threads()} threads"
    made = {"commit": provenance.commit(), "device": words, "torch": str(torch.__version__)}
    assert provenance.made_with(torch.device("cpu")) == made


def test_what_is_not_bundled_says_where_it_was_looked_for():
    assert bundled("results") == provenance.REPOSITORY / "results"
    with pytest.raises(FileNotFoundError, match="no-such does not come with this vsodlib, looked"):
        bundled("no-such")


def test_a_commit_and_whether_files_differ_from_it(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "REPOSITORY", tmp_path)
    assert provenance.commit() is None

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-m", "a")
    made = provenance.commit()
    assert made and len(made) == 12
    (tmp_path / "a").write_text("2")
    assert provenance.commit() == made + "+"
