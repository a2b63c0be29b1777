"""The explorer of notebook 11: one selection in two maps, a slider and the frames."""

import base64
import importlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsodlib.analysis.embeddings import Embeddings

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
RNG = np.random.default_rng(0)
VIDEO, FRAME, FRONT = zip(
    *[(v, f, s) for v in ("a", "b") for f in ("0", "1", "2") for s in (True, False)], strict=True
)
REGIONS = Embeddings(RNG.normal(size=(12, 4)), np.array(FRONT), np.array(VIDEO), np.array(FRAME))
MAPS = {"one": RNG.normal(size=(12, 2)), "two": RNG.normal(size=(12, 2))}
MASK = np.zeros((20, 40), bool)
MASK[:, :20] = True
PICTURES = {(v, f): (np.full((20, 40, 3), 90, np.uint8), MASK) for v in "ab" for f in "012"}
COLOURED = 30


@pytest.fixture
def explorer(monkeypatch):
    monkeypatch.syspath_prepend(str(NOTEBOOKS))
    return importlib.import_module("explorer").Explorer


def lit(sheet):
    """For each frame whether its left half (the object) and its right half are in colour."""
    spread = np.ptp(sheet.astype(int), axis=2) > COLOURED
    height, width = 44, 86
    return [
        (bool(spread[y + 22, x + 20]), bool(spread[y + 22, x + 64]))
        for y in range(0, 2 * height, height)
        for x in range(0, 3 * width, width)
    ]


def test_the_slider_chooses_in_both_maps_and_in_the_frames(explorer):
    widget = explorer(MAPS, REGIONS, PICTURES)
    assert lit(widget.sheet()) == [(False, False)] * 6
    assert list(widget.group.options)[:3] == ["nothing", "a, foreground", "a, background"]
    widget.group.value = "b, background"
    assert widget.chosen.tolist() == [7, 9, 11]
    for scatter in widget.scatters.values():
        assert scatter.widget.selection.tolist() == [7, 9, 11]
    assert lit(widget.sheet()) == [(False, False)] * 3 + [(False, True)] * 3
    assert widget.told() == "3 of 12 regions chosen. b, background: 3."
    widget.group.value = "nothing"
    assert widget.chosen.size == 0 and "0 of 12" in widget.told()


@pytest.mark.parametrize("first", [0, 1])
def test_a_lasso_in_one_map_chooses_in_the_other(explorer, first):
    widget = explorer(MAPS, REGIONS, PICTURES)
    plots = [scatter.widget for scatter in widget.scatters.values()]
    plots[first].selection = np.array([0, 2, 3], np.uint32)  # what the browser sends
    assert widget.chosen.tolist() == [0, 2, 3]
    assert plots[1 - first].selection.tolist() == [0, 2, 3]
    assert lit(widget.sheet())[:3] == [(True, False), (True, True), (False, False)]


def test_every_point_can_be_seen(explorer):
    for scatter in explorer(MAPS, REGIONS).scatters.values():
        assert scatter.widget.opacity == 0.8 and scatter.widget.opacity_by is None
        assert np.abs(scatter.widget.points[:, :2]).max() < 0.95, "none on the border"


def test_pictures_on_hover_only_where_they_are_given(explorer):
    some = {key: both for key, both in PICTURES.items() if key[0] == "a"}
    pictures = explorer(MAPS, REGIONS, some).table.picture
    assert [bool(picture) for picture in pictures] == [True] * 6 + [False] * 6
    kind, data = pictures[0].split(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (160, 80)


@pytest.mark.parametrize("pictures", [PICTURES, None])
def test_without_a_kernel_a_picture_of_the_present_state_stays(explorer, pictures):
    widget = explorer(MAPS, REGIONS, pictures)
    seen = []
    for group in ("a, foreground", "b, background"):
        widget.group.value = group
        bundle, metadata = widget._repr_mimebundle_()
        assert (
            group in metadata["image/jpeg"]["alt"]
            and "one and two" in metadata["image/jpeg"]["alt"]
        )
        assert "application/vnd.jupyter.widget-view+json" in bundle
        seen.append(bundle["image/jpeg"])
    assert seen[0] != seen[1]
