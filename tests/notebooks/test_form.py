"""How a lesson looks: short lines, short printouts, links, alt text on every picture."""

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted(Path(__file__).resolve().parents[2].joinpath("notebooks").glob("*.ipynb"))
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def cells(request):
    return nbformat.read(request.param, as_version=4).cells


def outputs(cells):
    return [output for cell in cells for output in cell.get("outputs", ())]


def test_every_picture_has_alt_text(cells):
    without = [
        (kind, output.get("execution_count"))
        for output in outputs(cells)
        for kind in PICTURES
        if kind in output.get("data", {}) and len(output.metadata.get(kind, {}).get("alt", "")) < 20
    ]
    assert without == []
    drawn = re.findall(r"!\[(.*?)\]\(", "\n".join(cell.source for cell in cells), re.S)
    assert [alt for alt in drawn if len(alt) < 20] == []


def test_lines_are_short(cells):
    lines = [line for cell in cells for line in cell.source.splitlines()]
    lines += [line for output in outputs(cells) for line in output.get("text", "").splitlines()]
    # What cannot be broken may be longer: a row of a table, a link, a picture with its alt text.
    loose = [line for line in lines if not re.match(r"\s*(\||!\[)|.*\]\(\S+\)\S*$", line)]
    assert [line for line in loose if len(line) > 120] == []


def false_items(prose):
    """Lines inside a paragraph that Markdown would show as items of a list: "1. Dividing by"."""
    item, found = re.compile(r"\s*(\d+[.)]|[-+*])\s"), []
    without_code = re.sub(r"^```.*?^```", "", prose, flags=re.S | re.M)
    for paragraph in re.split(r"\n\s*\n", without_code):
        first, *rest = paragraph.strip("\n").split("\n")
        found += [] if item.match(first) else [line for line in rest if item.match(line)]
    return found


def test_false_items_are_found():
    assert false_items("The loss is 0 when that is\n1. Dividing by\n\n1. One\n2. Two") == [
        "1. Dividing by"
    ]


def test_no_line_of_a_paragraph_looks_like_an_item(cells):
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert [line for text in prose for line in false_items(text)] == []


def test_printouts_are_short(cells):
    printed = ["".join(o.text for o in cell.get("outputs", ()) if "text" in o) for cell in cells]
    assert [text for text in printed if text.count("\n") > 25] == []


def test_mentions_of_notebooks_are_links(cells):
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    without_links = re.sub(r"\[[^\]]*\]\([^)]*\)", "", prose)
    assert re.findall(r"[Nn]otebooks? \d\d", without_links) == []


def test_further_reading_has_links(cells):
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert "\n## Further reading" in prose
    assert re.search(r"\]\(https://", prose[prose.index("\n## Further reading") :])
