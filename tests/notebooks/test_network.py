"""The drawing of the network has one source, and each notebook shows its own variant."""

import importlib.util
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
spec = importlib.util.spec_from_file_location("network", NOTEBOOKS / "network.py")
network = importlib.util.module_from_spec(spec)
spec.loader.exec_module(network)


def test_the_committed_drawings_are_those_of_the_source():
    committed = {path.name: path.read_text("utf-8") for path in network.ASSETS.glob("network*.svg")}
    assert committed == network.files(), "run: python notebooks/network.py"


@pytest.mark.parametrize("here", [(), *network.HERE.values()])
def test_a_drawing_is_svg_that_says_what_it_shows(here):
    root = ElementTree.fromstring(network.draw(here))
    parts = {child.tag.split("}")[1]: child.text for child in root}
    assert parts["title"] and parts["desc"] == network.describe(here)
    dark = [r for r in root if r.tag.endswith("rect") and r.get("fill") == "#222"]
    assert len(dark) == len(here)


@pytest.mark.parametrize("number", network.HERE)
def test_the_notebook_shows_where_it_is(number):
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    assert f"assets/network_{number}.svg" in path.read_text("utf-8")
