"""Write slides of the notebooks whose first cell is a slide, from the notebooks as saved.

    python tests/notebooks/slides.py build/slides

What a cell is, a slide, one below it, notes for the speaker (key S) or nothing, is chosen in
JupyterLab's property inspector. A cell that draws, or has the tag `output-only`, shows no code. The
folder needs nothing from elsewhere.
"""

import re
import shutil
import sys
from pathlib import Path

import jupyter_server_mathjax
import nbformat
import sphinx_revealjs
from nbconvert.exporters import SlidesExporter
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
REVEAL = Path(sphinx_revealjs.__file__).with_name("_static") / "revealjs"
MATHJAX = Path(jupyter_server_mathjax.__file__).with_name("static")
LINK = re.compile(r'<a href="[^":#]+\.(?:ipynb|md)">(.*?)</a>', re.S)  # what is not a slide


def draws(cell: nbformat.NotebookNode) -> bool:
    """Whether a picture is among the cell's outputs."""
    kinds = (kind for output in cell.get("outputs", ()) for kind in output.get("data", ()))
    return any(kind.startswith("image/") for kind in kinds)


def write_slides(out: Path) -> list[Path]:
    """Fill the folder `out`; returns the pages."""
    sources = {"reveal": REVEAL, "mathjax": MATHJAX, "assets": ROOT / "notebooks" / "assets"}
    for name, source in sources.items():
        shutil.copytree(source, out / name, dirs_exist_ok=True)
    hidden = {"enabled": True, "remove_input_tags": {"draws", "output-only"}}
    exporter = SlidesExporter(
        config=Config(TagRemovePreprocessor=hidden),
        template_name="slides",
        extra_template_basedirs=[str(ROOT / "book")],
        reveal_url_prefix="reveal",
        reveal_theme="white",  # its letters come along, others ask Google for them
    )
    pages = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if notebook.cells[0].metadata.get("slideshow", {}).get("slide_type") != "slide":
            continue
        notebook.metadata.title = notebook.cells[0].source.split("\n")[0].lstrip("# ")
        for cell in filter(draws, notebook.cells):
            cell.metadata.tags = [*cell.metadata.get("tags", ()), "draws"]
        pages.append(out / f"{path.stem}.html")
        text = LINK.sub(r"\1", exporter.from_notebook_node(notebook)[0])
        for name in set(re.findall(r'"\.\./figures/([^"]+)"', text)):
            (out / "figures").mkdir(exist_ok=True)
            shutil.copy(ROOT / "figures" / name, out / "figures" / name)
        pages[-1].write_text(text.replace('"../figures/', '"figures/'))
    return pages


if __name__ == "__main__":
    print("Slides:", *write_slides(Path(sys.argv[1])), sep="\n  ")
