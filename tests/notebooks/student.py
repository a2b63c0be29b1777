"""Write the student edition of the notebooks: the exercises with their stubs, without solutions.

    python tests/notebooks/student.py student

The folder stands next to `notebooks/`, so that links and paths to `../results` hold. Answers to the
recall questions stay: they are for the learner. The checks come along, and hold the right answers
for whoever reads them.
"""

import re
import shutil
import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NOT_FOR_STUDENTS = shutil.ignore_patterns("*.ipynb", "teaching.md", "__pycache__", ".*")
SOLUTION = re.compile(r"<details><summary>Solution</summary>.*?</details>\n*", re.S)


def without_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without its solutions; cells that held nothing else are gone."""
    kept = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = SOLUTION.sub("", cell.source).strip()
        elif "answer" in cell.metadata.get("tags", ()):
            cell.outputs, cell.execution_count = [], None
        if cell.source and "solution" not in cell.metadata.get("tags", ()):
            kept.append(cell)
    notebook.cells = kept
    return notebook


def write_edition(out: Path) -> int:
    """Fill the folder `out`; returns the number of notebooks."""
    shutil.copytree(NOTEBOOKS, out, ignore=NOT_FOR_STUDENTS, dirs_exist_ok=True)
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    for path in paths:
        edition = without_solutions(nbformat.read(path, as_version=4))
        nbformat.write(edition, out / path.name)
    return len(paths)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(f"{write_edition(folder)} notebooks without solutions: {folder}/")
