"""Execute notebooks and save them clean: the only way outputs and figures get into the repository.

    python tests/notebooks/refresh.py notebooks/00_start_here.ipynb ...

They run in the profile `laptop` with an empty data root, so that no frame of a data set which may
not be passed on can appear in an output or a figure. A notebook and its figures change together, or
not at all where a cell fails.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FIGURES = Path(__file__).resolve().parents[2] / "figures"
LIVE_WIDGET = "application/vnd.jupyter.widget-view+json"


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what changes from run to run: live widgets (their picture stays), timings, versions."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = _clean(cell.outputs)
    return notebook


def _clean(outputs: list) -> list:
    """Widgets become their picture, those without one (progress bars) go, streams are joined."""
    kept = []
    for output in outputs:
        data = output.get("data", {})
        if data.pop(LIVE_WIDGET, None) and not any(kind.startswith("image/") for kind in data):
            continue
        if kept and output.output_type == "stream" and output.name == kept[-1].get("name"):
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def execute(path: Path) -> tuple[nbformat.NotebookNode, list[tuple[str, bytes]]]:
    """Run the notebook at `path` top to bottom; returns it and the figures it drew."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as figures:
        os.environ |= {"VSOD_PROFILE": "laptop", "VSOD_DATA": empty, "VSOD_FIGURES": figures}
        client = NotebookClient(
            notebook,
            timeout=1200,
            kernel_name="python3",
            store_widget_state=False,
            resources={"metadata": {"path": str(path.parent)}},
        )
        client.execute()
        return notebook, [(drawn.name, drawn.read_bytes()) for drawn in Path(figures).iterdir()]


def refresh(path: Path) -> None:
    """Run the notebook at `path`, save it and keep its figures."""
    notebook, figures = execute(path)
    for name, drawn in figures:
        (FIGURES / name).write_bytes(drawn)
    nbformat.write(clean(notebook), path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        refresh(Path(name))
