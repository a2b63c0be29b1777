"""The links at the top of a notebook, and the cell that sets Colab up: the same everywhere."""

import builtins
import copy
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

_spec = importlib.util.spec_from_file_location("buttons", Path(__file__).with_name("buttons.py"))
buttons = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(buttons)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_and_cell_are_there(path):
    notebook = nbformat.read(path, as_version=4)
    again = copy.deepcopy(notebook)
    buttons.add(again, path.name)
    assert again == notebook, f"run tests/notebooks/buttons.py {path.name}"
    assert notebook.cells[0].source.endswith(buttons.links(path.name))
    assert sum(cell.source == buttons.CELL.rstrip() for cell in notebook.cells) == 1


def test_buttons_come_to_a_notebook_without_them_and_follow_a_new_address(monkeypatch):
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Title"),
            nbformat.v4.new_code_cell(
                "1",
                execution_count=1,
                outputs=[nbformat.v4.new_output("execute_result", execution_count=1)],
            ),
        ]
    )
    buttons.add(notebook, "00_a.ipynb")
    monkeypatch.setattr(buttons, "REPOSITORY", "someone/else")
    buttons.add(notebook, "00_a.ipynb")
    opening, colab, first = notebook.cells
    assert opening.source.count("Colab") == 1 and "OWNER" not in opening.source
    assert "/gh/someone/else/HEAD?urlpath=lab/tree/notebooks/00_a.ipynb" in opening.source
    assert (colab.execution_count, first.execution_count) == (1, 2)
    assert first.outputs[0].execution_count == 2


class Shell:
    """What a cell asks of IPython, in order."""

    def __init__(self):
        self.asked = []

    def system(self, line):
        self.asked.append(line)

    def run_line_magic(self, name, line):
        self.asked.append(f"%{name} {line}")


@pytest.mark.parametrize("installed", [True, False])
def test_the_cell_installs_what_is_missing_and_nothing_else(monkeypatch, installed):
    shell = Shell()
    monkeypatch.setattr(builtins, "get_ipython", lambda: shell, raising=False)
    if not installed:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(TransformerManager().transform_cell(buttons.CELL), {})
    steps = [re.match(r"%?\w+(?: \w+)?", line).group() for line in shell.asked]
    assert steps == ([] if installed else ["git clone", "%pip install", "%cd"])


def test_the_cell_is_short_and_names_no_index():
    assert len(buttons.CELL.splitlines()) <= 6
    assert "index" not in buttons.CELL and "--find-links" not in buttons.CELL


def test_binder_installs_what_the_notebooks_need():
    environment = yaml.safe_load((ROOT / "binder" / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge"]
    assert {re.split("[<>=]", name)[0] for name in environment["dependencies"]} == {
        "python",
        "pip",
        "pytorch-cpu",
        "torchvision",
    }
    ours = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert environment["dependencies"][:2] == ours[:2]
    script = ROOT / "binder" / "postBuild"
    assert script.stat().st_mode & 0o111 and '".[notebooks]"' in script.read_text()
