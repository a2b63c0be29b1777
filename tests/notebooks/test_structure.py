"""Every notebook keeps the house rules: one shape, honest outputs, nothing private, short cells."""

import copy
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MACHINE_PATH = re.compile(r"(/home/|/root/|/work/|/tmp/|/Users/|/usr/|[A-Z]:\\|site-packages)")

_spec = importlib.util.spec_from_file_location("refresh", Path(__file__).with_name("refresh.py"))
refresh = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(refresh)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def prose(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def test_there_are_notebooks():
    numbers = [path.stem[:2] for path in NOTEBOOKS]
    assert "00" in numbers and len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem) for path in NOTEBOOKS)


def test_valid_small_and_clean(path, notebook):
    nbformat.validate(notebook)
    assert path.stat().st_size < 400_000
    assert refresh.clean(copy.deepcopy(notebook)) == notebook, "save it with refresh.py"


def test_ran_top_to_bottom_without_a_word_on_stderr(code):
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    pictures = [o for o in outputs if {"image/png", "image/jpeg"} & o.get("data", {}).keys()]
    assert pictures, "a lecture has pictures"


def test_no_machine_paths(notebook):
    texts = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            texts.append(output.get("text", ""))
            texts += [v for k, v in output.get("data", {}).items() if k.startswith("text/")]
    assert [found.group() for text in texts for found in MACHINE_PATH.finditer(text)] == []


def test_short_cells(code):
    lines = [len(cell.source.splitlines()) for cell in code]
    assert max(lines) <= 40
    assert sum(n > 15 for n in lines) <= len(lines) / 4, f"lines per cell: {lines}"


def test_opening(path, notebook, code):
    opening = notebook.cells[0].source
    assert opening.startswith(f"# {path.stem[:2]} · ")
    for word in ("Section", "you will be able to", "Run time", "smoke", "laptop", "full"):
        assert word in opening
    assert notebook.cells[1:3] == code[:2], "Colab's set-up, then the notebook's own"
    imports = [cell.source for cell in code if re.search(r"^\s*(import|from) ", cell.source, re.M)]
    assert imports == [cell.source for cell in code[:2]], "all imports stand in the set-up cells"


def test_closing(prose):
    text = "\n".join(prose)
    order = [text.index(f"\n## {title}") for title in ("Summary", "Exercises", "What comes next")]
    assert order == sorted(order)
    exercises = text[order[1] : order[2]]
    count = len(re.findall(r"^\*\*\d\. ", exercises, re.M))
    assert 2 <= count <= 4
    assert exercises.count("<details>") == exercises.count("</details>") == count
    assert "on purpose" in exercises


def test_links_lead_somewhere(path, prose):
    links = re.findall(r"\]\(([^)#]+)\)", "\n".join(prose))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []


def test_figures_carry_the_notebooks_number(path, code):
    source = "\n".join(cell.source for cell in code)
    names = re.findall(r'save_as="([^"]+)"', source)
    names += re.findall(r'save_figure\([^"]*"([^"]+)"', source)
    assert all(name.startswith(path.stem[:3]) for name in names)
    for name in names:
        assert (ROOT / "figures" / f"{name}.png").is_file()
        assert (ROOT / "figures" / f"{name}.json").is_file()


def test_the_map_of_the_series_lists_the_notebooks_there_are():
    start = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4)
    shown = "\n".join(
        output.data.get("text/markdown", "")
        for cell in start.cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
    linked = re.findall(r"\]\((\d\d_\w+\.ipynb)\)", shown)
    assert linked == [path.name for path in NOTEBOOKS], "run refresh.py on 00_start_here.ipynb"
