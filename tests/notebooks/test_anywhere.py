"""Notebooks run from any working directory, and a cell may be run again after those below it."""

import ast
import re
import symtable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted(Path(__file__).resolve().parents[2].joinpath("notebooks").glob("*.ipynb"))
LETTERS = ("03", "04", "13")
"""Here x, y, z and the like stand for a toy tensor first and for a frame's features below."""
HOME = 'sys.path.append(str(bundled("notebooks")))  # from any folder'


def code_of(path):
    """A notebook and its code, without the cell that sets up Colab."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return notebook, [cell for cell in code if "remove-cell" not in cell.metadata.get("tags", [])]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_helpers_and_records_are_found_in_one_way(path):
    _, (setup, *others) = code_of(path)
    before, _, after = setup.source.partition(HOME)
    assert re.search(r"^from checks_\d\d import ", after, re.M) and "checks_" not in before
    everything = "\n".join(cell.source for cell in (setup, *others))
    assert re.findall(r"""["']\.\.?/""", everything) == [], "no path from where Python started"


@pytest.mark.parametrize("number", ["08", "17"])
def test_the_first_cells_run_from_another_folder(number, tmp_path):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(number))
    notebook, code = code_of(path)
    notebook.cells = code[:3]
    folder = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()
    assert list(tmp_path.iterdir()) == []


class Generators(ast.NodeTransformer):
    """Comprehensions as generators, whose names stay their own: from Python 3.12 on those of the
    others are also names of the cell.
    """

    def visit_ListComp(self, node):
        self.generic_visit(node)
        return ast.GeneratorExp(node.elt, node.generators)

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node):
        self.generic_visit(node)
        return ast.GeneratorExp(ast.Tuple([node.key, node.value], ast.Load()), node.generators)


def assigned_and_read(source):
    """The names that a cell sets, and those that it or a function in it reads from the notebook."""
    cell = symtable.symtable(ast.unparse(Generators().visit(ast.parse(source))), "cell", "exec")
    scopes, read = [cell], set()
    for scope in scopes:
        scopes += scope.get_children()
        own = [s for s in scope.get_symbols() if scope is cell or s.is_global()]
        read |= {s.get_name() for s in own if s.is_referenced()}
    return {s.get_name() for s in cell.get_symbols() if s.is_assigned() or s.is_imported()}, read


@pytest.mark.parametrize(
    "path", [p for p in NOTEBOOKS if not p.name.startswith(LETTERS)], ids=lambda path: path.stem
)
def test_no_name_is_taken_twice_while_a_cell_above_reads_it(path):
    cells = [assigned_and_read(cell.source) for cell in code_of(path)[1]]
    twice = [
        (number, name)
        for number, (own, read) in enumerate(cells)
        for name in sorted(read - own)
        if any(name in assigned for assigned, _ in cells[:number])
        and any(name in assigned for assigned, _ in cells[number + 1 :])
    ]
    assert twice == []
