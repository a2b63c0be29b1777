"""Notebooks run from any working directory: what they read comes through `bundled`."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted(Path(__file__).resolve().parents[2].joinpath("notebooks").glob("*.ipynb"))
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
