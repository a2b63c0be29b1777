"""Arrays in, pictures and Figures out, all in one style; one file per topic.

style, pictures, basic and tables serve all; `viz.grid`, `viz.curves` and the others of basic are
called by this short name. attention draws what the network returns, from plain numbers; widgets/ is
for notebooks. What only the lessons draw lies next to them, in notebooks/drawings/.
"""

from vsodlib.viz.basic import batches, curves, dots, grid, heat, strip
from vsodlib.viz.style import keep, save_figure, show, style
from vsodlib.viz.tables import table

__all__ = [
    "batches", "curves", "dots", "grid", "heat", "keep", "save_figure", "show", "strip", "style",
    "table",
]  # fmt: skip
