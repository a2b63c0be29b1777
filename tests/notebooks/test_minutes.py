"""The minutes that pages and notebook 00 quote are those of the record."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def minutes():
    """The module, which imports its neighbour as a script does."""
    spec = importlib.util.spec_from_file_location("minutes", HERE / "minutes.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(HERE))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(HERE))
    return module


@pytest.fixture(scope="module")
def record(minutes):
    return json.loads(minutes.RECORD.read_text())


def test_the_record_has_every_notebook_and_says_how_it_was_made(record):
    assert sorted(record["seconds"]) == NAMES
    assert all(seconds > 0 for seconds in record["seconds"].values())
    assert record["profile"] == "laptop" and record["cores"] >= 1
    assert record["device"] and record["torch"] and record["commit"]


def test_pages_quote_the_record(minutes, record):
    for page in minutes.PAGES:
        text = page.read_text()
        assert minutes.quote(text, record["seconds"]) == text, "run tests/notebooks/minutes.py"
        assert [name for _, name, *_ in minutes.ROW.findall(text)] == NAMES


def test_notebook_00_quotes_the_record(minutes, record):
    start = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4)
    outputs = (o for cell in start.cells for o in cell.get("outputs", ()) if "data" in o)
    shown = "\n".join(output.data.get("text/markdown", "") for output in outputs)
    quoted = re.findall(r"^\| \[(\d\d_\w+)\]\(.*\| ([\d.]+|-) \|$", shown, re.M)
    seconds = record["seconds"]
    expected = [(n, minutes.in_minutes(seconds[n]) if n in seconds else "-") for n in NAMES]
    assert quoted == expected, "refresh 00_start_here.ipynb"


def test_the_words_of_each_opening_fit_the_record(record):
    """Within a factor of three, for machines differ: nobody waits who was promised seconds."""
    words = {
        "seconds": 10,
        "about half a minute": 30,
        "about a minute": 60,
        "one to two minutes": 90,
        "two minutes": 120,
        "about three minutes": 180,
    }
    for name in record["seconds"]:
        opening = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells[0].source
        promised = re.search(rf"laptop,\s+({'|'.join(words)})\b", opening).group(1)
        ratio = record["seconds"][name] / words[promised]
        assert ratio < 3 and (ratio > 1 / 3 or promised == "seconds"), f"{name}: {promised}"


def test_a_quote_changes_with_the_record(minutes):
    page = "| [00](00_a.ipynb) | x | - |\n| [01](01_b.ipynb) | 3 | 2.0 |\n| 00_a | 1.0 |\n"
    expected = "| [00](00_a.ipynb) | x | 0.1 |\n| [01](01_b.ipynb) | 3 | 1.5 |\n| 00_a | 1.0 |\n"
    assert minutes.quote(page, {"00_a": 2.0, "01_b": 90.0}) == expected


@pytest.mark.slow
def test_a_notebook_is_timed_and_left_as_it_was(minutes, tmp_path, monkeypatch):
    for name in ("VSOD_PROFILE", "VSOD_DATA", "VSOD_FIGURES"):
        monkeypatch.setenv(name, "")
    path = tmp_path / "00_a.ipynb"
    cells = [nbformat.v4.new_code_cell("import time; time.sleep(0.5)")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    before = path.read_bytes()
    record = tmp_path / "record.json"
    record.write_text(json.dumps(minutes.machine() | {"seconds": {"01_b": 3.0}}))
    seconds = minutes.measure([path], record)
    assert 0.5 < seconds["00_a"] < 120 and seconds["01_b"] == 3.0
    assert json.loads(record.read_text())["seconds"] == seconds
    assert path.read_bytes() == before

    record.write_text(json.dumps(minutes.machine() | {"cores": 0, "seconds": {"01_b": 3.0}}))
    assert list(minutes.measure([path], record)) == ["00_a"], "times of another machine"
