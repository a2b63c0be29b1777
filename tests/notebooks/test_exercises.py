"""Every exercise's check accepts its solution, waits for an answer, and refuses planted mistakes.

`planted_NN.py` holds `PLANTED`: (number of the check, wrong answers, a part of the sentence that
tells what is wrong).
"""

import ast
import importlib
import re
import sys
from pathlib import Path

import nbformat
import pytest

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "notebooks"
NUMBERS = sorted(path.stem[-2:] for path in HERE.glob("planted_[0-9][0-9].py"))
ALONE = [number for number in NUMBERS if number < "08" or number == "15"]
"""Their solutions use the set-up's imports only; test_solutions.py runs the others' in place."""
DETAILS = re.compile(r"<details>.*?</details>", re.S)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Modules of the notebooks' folder and of this one, as a notebook imports them."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture(params=NUMBERS)
def number(request):
    return request.param


@pytest.fixture
def notebook(number):
    (path,) = FOLDER.glob(f"{number}_*.ipynb")
    return nbformat.read(path, as_version=4)


@pytest.fixture
def names(notebook):
    """What the notebook imports in its set-up cell: name -> value."""
    (_colab, setup, *_) = (cell.source for cell in notebook.cells if cell.cell_type == "code")
    tree = ast.parse(setup)
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    known: dict = {}
    exec(compile(ast.Module(imports, []), "set-up", "exec"), known)
    return known


def checks_in(source):
    return re.findall(r"^(check_\d)\(", source, re.M)


def defined(number):
    module = importlib.import_module(f"checks_{number}")
    return [name for name in vars(module) if re.fullmatch(r"check_\d", name)]


@pytest.mark.parametrize("number", ALONE)
def test_solutions_pass_their_checks(number, notebook, names, capsys):
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    solved = []
    for details in DETAILS.findall(prose):
        for block in re.findall(r"```python\n(.*?)```", details, re.S):
            if checks := checks_in(block):
                exec(compile(block, f"solution of {checks}", "exec"), dict(names))
                solved += checks
    assert capsys.readouterr().out.splitlines() == ["Right."] * len(solved)
    assert solved == defined(number)


def test_stubs_wait_for_an_answer(number, notebook, names, capsys):
    stubs = [cell.source for cell in notebook.cells if "answer" in cell.metadata.get("tags", [])]
    for stub in stubs:
        exec(compile(stub, "stub", "exec"), dict(names))
    assert capsys.readouterr().out.splitlines() == ["Not answered yet."] * len(stubs)
    assert [name for stub in stubs for name in checks_in(stub)] == defined(number)


def test_planted_mistakes_are_told(number):
    checks = importlib.import_module(f"checks_{number}")
    planted = importlib.import_module(f"planted_{number}").PLANTED
    assert len(planted) >= 3
    assert {which for which, _, _ in planted} == {int(name[-1]) for name in defined(number)}
    wrong = sys.modules["checks"].WrongAnswer
    for which, answers, sentence in planted:
        answers = answers if isinstance(answers, tuple) else (answers,)
        with pytest.raises(wrong, match=re.escape(sentence)):
            getattr(checks, f"check_{which}")(*answers)


def test_five_questions_and_marked_levels(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    order = [text.index(f"\n## {title}") for title in ("Recall", "Exercises", "What comes next")]
    recall, exercises = text[order[0] : order[1]], text[order[1] : order[2]]
    assert len(re.findall(r"^\*\*(?:\d\.\*\* |.+\?\*\*$)", recall, re.M)) == 5
    assert recall.count("<details><summary>Answer</summary>") == 5
    titles = re.findall(r"^\*\*\d\. .*$", exercises, re.M)
    levels = [re.search(r"\((?i:level) ([123]): \w+.*?\)", title) for title in titles]
    assert titles and all(levels) and len({level.group(1) for level in levels}) >= 2
