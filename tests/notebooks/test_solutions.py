"""The folded solutions of the exercises run, after the notebook that they belong to."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted(Path(__file__).resolve().parents[2].joinpath("notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_run(path):
    notebook = nbformat.read(path, as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    folded = "".join(re.findall(r"<details>.*?</details>", prose, re.S))
    solutions = [
        nbformat.v4.new_code_cell(source)
        for source in re.findall(r"```python\n(.*?)```", folded, re.S)
    ]
    assert solutions
    for cell in solutions:
        if "# ValueError" in cell.source:
            cell.metadata.tags = ["raises-exception"]
    notebook.cells += solutions
    folder = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=900, kernel_name="python3", resources=folder).execute()
    for cell in solutions:
        raised = [output.ename for output in cell.outputs if output.output_type == "error"]
        assert raised == (["ValueError"] if "# ValueError" in cell.source else [])
