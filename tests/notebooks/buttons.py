"""Write what lets a notebook be opened from a browser: two links and the set-up cell of Colab.

    python tests/notebooks/buttons.py notebooks/*.ipynb

The notebooks are not run: the cell does nothing where vsodlib is installed, so their outputs hold.
"""

import sys
from pathlib import Path

import nbformat

# The one place that names the public address. There is none yet: put the account in and run this.
REPOSITORY = "OWNER/vsodlib"

COLAB = "https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}"
BINDER = "https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/notebooks/{name}"
MARK = "[Open in Colab]("

CELL = f"""\
from importlib.util import find_spec

if not find_spec("vsodlib"):  # on Colab: fetch the course and install what it needs
    !git clone --quiet --depth 1 https://github.com/{REPOSITORY} course
    %pip install --quiet --editable "course[notebooks]"
    %cd -q course
"""
METADATA = {  # folded in JupyterLab, left out of slides and book
    "jupyter": {"source_hidden": True},
    "slideshow": {"slide_type": "skip"},
    "tags": ["remove-cell"],
}


def links(name: str) -> str:
    """The line below a notebook's opening."""
    colab, binder = (form.format(repository=REPOSITORY, name=name) for form in (COLAB, BINDER))
    return f"{MARK}{colab}) · [Open on Binder]({binder})"


def add(notebook: nbformat.NotebookNode, name: str) -> None:
    """Put links and cell in, or anew; what was run is numbered as a run would number it."""
    opening, *rest = notebook.cells
    lines = [line for line in opening.source.split("\n") if not line.startswith(MARK)]
    opening.source = "\n".join(lines).rstrip() + "\n\n" + links(name)
    if rest[0].id != "colab":
        rest.insert(0, nbformat.v4.new_code_cell(id="colab"))
    rest[0].source = CELL.rstrip()
    rest[0].metadata = nbformat.from_dict(METADATA)
    notebook.cells = [opening, *rest]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.execution_count = number
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        read = nbformat.read(path, as_version=4)
        add(read, path.name)
        nbformat.write(read, path)
