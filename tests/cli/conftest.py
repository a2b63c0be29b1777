"""Clips, a network and the error sentence that tests of the command line share."""

import re

import pytest

from vsodlib import VSODNet
from vsodlib.cli.main import main
from vsodlib.model import checkpoint


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data root with four tiny synthetic videos in DAVIS layout."""
    out = tmp_path_factory.mktemp("data") / "clips"
    sizes = ["--videos", "4", "--frames", "4", "--height", "48", "--width", "80"]
    assert main(["data", "make-synthetic", "--out", str(out), *sizes]) == 0
    return out


@pytest.fixture
def net(tmp_path, tiny_config):
    path = tmp_path / "net"
    checkpoint.write(
        path,
        VSODNet(tiny_config).state_dict(),
        {"model": tiny_config.to_dict(), "input_height": 32},
    )
    return str(path)


@pytest.fixture
def sentence(capsys):
    """A function that gives what went to standard error: one line that begins with `vsod: `."""

    def read() -> str:
        error = capsys.readouterr().err.strip()
        lines = [line for line in error.splitlines() if line.startswith("vsod: ")]
        assert len(lines) == 1, error
        assert "Traceback" not in error
        return lines[0]

    return read


@pytest.fixture
def help_of(capsys):
    """A function that gives what a command's `--help` prints, without boxes and line breaks."""

    def read(*words: str) -> str:
        with pytest.raises(SystemExit) as stop:
            main([*words, "--help"])
        assert stop.value.code == 0
        return " ".join(re.sub("[│╭╮╰╯─]|---+", " ", capsys.readouterr().out).split())

    return read
