"""Settings of `make book`: the notebooks as saved, and the library's docstrings, as a web site.

Nothing is executed and nothing is fetched, here or by whoever reads it: MathJax comes along. The
pages of the library are written to `api/` at every build, one for each module there is.
"""

import pkgutil
import re
import shutil
from importlib.metadata import version as installed
from pathlib import Path

import jupyter_server_mathjax

import vsodlib

HERE = Path(__file__).parent

project, author = "vsodlib", "the vsodlib authors"
release = version = installed("vsodlib")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "book/index"
include_patterns = ["book/*.md", "book/api/*.rst", "notebooks/*.ipynb", "notebooks/*.md"]
exclude_patterns = ["**/.ipynb_checkpoints"]

nb_execution_mode = "off"
nb_mime_priority_overrides = [
    ("html", "application/vnd.jupyter.widget-view+json", None),  # its picture stands in for it
]
nb_render_markdown_format = "myst"  # or links in what a cell shows are left as they are
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 3
myst_update_mathjax = False  # it knows MathJax 3 and newer
mathjax_path = "mathjax/MathJax.js"
mathjax2_config = {
    "config": ["TeX-AMS-MML_HTMLorMML-full.js"],
    "messageStyle": "none",
    "HTML-CSS": {"availableFonts": [], "webFont": "STIX-Web", "imageFont": None},
    "tex2jax": {"ignoreClass": "tex2jax_ignore", "processClass": "math|output_area"},
}
suppress_warnings = ["myst.header", "myst.xref_missing"]

if tags.has("links"):  # noqa: F821 (Sphinx's): `make links`, which asks every address for an answer
    include_patterns += ["*.md", "data/*.md", "results/*.md", "checkpoints/*.md"]
    suppress_warnings += ["toc.not_included"]
linkcheck_ignore = [r".*\bOWNER/vsodlib\b", r"http://localhost"]
linkcheck_timeout, linkcheck_retries = 20, 2
linkcheck_anchors_ignore_for_url = [r"https://github\.com/"]  # written by a script in the page

html_theme = "sphinx_book_theme"
html_title = "vsodlib: video salient object detection you can understand, run and trust"
html_theme_options = {
    "use_download_button": True,
    "show_toc_level": 2,
    "max_navbar_depth": 1,  # the buttons that open a second level have no name when read aloud
}
html_static_path, html_css_files = ["static"], ["book.css"]
html_show_sphinx = False

autodoc_inherit_docstrings = False  # torchvision's speak of pages that are not here
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and types stand in the docstrings
autodoc_default_options = {"exclude-members": "set"}  # matplotlib writes one for every figure
napoleon_google_docstring, napoleon_numpy_docstring = True, False
default_role = "code"  # docstrings mark names with single backticks


def as_markup(_app, what, _name, _object, _options, lines: list[str]) -> None:
    """Make markup of a docstring, which is plain text: |x|, x * y and x_ stand for themselves,
    lists and indented lines get the blank line before them, and each thing returned its paragraph.
    """
    out: list[str] = []
    section, in_list = "", False
    for line in lines:
        pieces = re.split(r"(`[^`]*`)", line)
        pieces[::2] = [re.sub(r"([|*]|(?<=\w)_(?!\w))", r"\\\1", piece) for piece in pieces[::2]]
        line, before = "".join(pieces), out[-1] if out else ""
        indent, item = _indent(line), line.lstrip().startswith("- ")
        if line.strip() and not indent:
            section = line.strip() if re.fullmatch(r"\w+:", line.strip()) else ""
        was_in_list = in_list
        in_list = item or (in_list and bool(line.strip()) and indent > 0)
        if section == "Returns:" and indent >= 8 and before.strip():
            out[-1] = f"{before} {line.strip()}"
            continue
        entry = section == "Returns:" and re.match(r"    [\w`, \"\\]+: ", line)
        stands_apart = what == "module" and not in_list and indent != _indent(before)
        begins_list = item and not before.lstrip().startswith("- ")
        ends_list = was_in_list and not in_list
        follows = before.strip() and line.strip() and before.strip() != "Returns:"
        if follows and (entry or stands_apart or begins_list or ends_list):
            out.append("")
        out.append(line)
    if what == "attribute":  # or what stands before its first colon is taken for its type
        out.insert(0, "\\")
    lines[:] = out


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def bring_mathjax(app) -> None:
    """Copy MathJax to where the pages look for it."""
    source = Path(jupyter_server_mathjax.__file__).with_name("static")
    shutil.copytree(source, app.outdir / "_static" / "mathjax", dirs_exist_ok=True)


def setup(app) -> None:
    """Sphinx calls this."""
    app.connect("builder-inited", bring_mathjax)
    app.connect("autodoc-process-docstring", as_markup, priority=400)  # before napoleon


def modules() -> list[str]:
    """The public modules of the library, by name."""
    found = pkgutil.walk_packages(vsodlib.__path__, "vsodlib.")
    names = ["vsodlib", *(module.name for module in found)]
    return [name for name in names if not re.search(r"\._|\.__main__", name)]


def write_pages() -> None:
    """A page for each module, and one that lists them."""
    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.rst"):
        old.unlink()
    names = modules()
    for name in names:
        title = f"{name}\n{'=' * len(name)}\n\n"
        package = any(other.startswith(f"{name}.") for other in names)
        # What a package passes on is described where it is written.
        text = f".. automodule:: {name}\n" + ("" if package else "   :members:\n")
        (folder / f"{name}.rst").write_text(title + text)
    listed = "".join(f"   {name}\n" for name in names)
    head = "The library\n===========\n\n.. toctree::\n   :maxdepth: 1\n\n"
    (folder / "index.rst").write_text(head + listed)


write_pages()
