"""The student edition has every exercise and no solution."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

_spec = importlib.util.spec_from_file_location("student", Path(__file__).with_name("student.py"))
student = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(student)


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    out = tmp_path_factory.mktemp("student")
    assert student.write_edition(out) == len(list(student.NOTEBOOKS.glob("*.ipynb")))
    return out


def test_exercises_stay_and_solutions_go(edition):
    for path in sorted(student.NOTEBOOKS.glob("*.ipynb")):
        whole = nbformat.read(path, as_version=4)
        given = nbformat.read(edition / path.name, as_version=4)
        nbformat.validate(given)
        texts = ["\n".join(cell.source for cell in notebook.cells) for notebook in (whole, given)]
        tasks = [re.findall(r"^\*\*\d\. .*", text, re.M) for text in texts]
        assert tasks[0] == tasks[1] and tasks[0], path.name
        assert "<summary>Solution" in texts[0] and "<summary>Solution" not in texts[1]
        assert texts[1].count("<details>") == texts[1].count("</details>")
        stubs = [c for c in given.cells if "answer" in c.metadata.get("tags", ())]
        assert len(stubs) == sum("answer" in c.metadata.get("tags", ()) for c in whole.cells)
        assert not any(cell.outputs for cell in stubs)


def test_links_and_checks_come_along(edition):
    helpers = [path.relative_to(student.NOTEBOOKS) for path in student.NOTEBOOKS.rglob("*.py")]
    assert Path("drawings/contrast.py") in helpers
    for path in helpers:
        assert (edition / path).read_text() == (student.NOTEBOOKS / path).read_text()
    assert (edition / "notation.md").is_file()
    assert not [path for path in edition.rglob("*") if path.name == "__pycache__"]


def test_a_solution_between_two_exercises_leaves_both():
    text = "<details><summary>Solution</summary>\n\nx\n</details>\n\n**2. Next.** Do it."
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    (cell,) = student.without_solutions(notebook).cells
    assert cell.source == "**2. Next.** Do it."
