"""The figures of a measurement, drawn from its JSON."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, style

_MODULES = {"self_attention": "Self-attention (Eq. 4, 5)", "co_attention": "Co-attention (Eq. 6)"}
_FORMS = {"literal": ("N×N, as written", PALETTE[1], "o"), "ours": ("ours", PALETTE[0], "s")}


@style()
def plot_attention(figures: Mapping[str, Any]) -> Figure:
    """Time and memory against N for both attention modules, on logarithmic axes.

    Args:
        figures: what `bench_attention` returned, or its JSON.
    """
    figure = NotebookFigure(figsize=(WIDTH, 6.4), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, sharey="row")
    for column, (module, title) in enumerate(_MODULES.items()):
        for row, (quantity, scale) in enumerate((("total_ms", 1e-3), ("peak_bytes", 2**-20))):
            axes = grid[row, column]
            for form, (label, color, marker) in _FORMS.items():
                points = [
                    (size["N"], scale * size[module][form][quantity])
                    for size in figures["sizes"]
                    if size[module].get(form, {}).get(quantity)
                ]
                if points:
                    axes.plot(*zip(*points, strict=True), color=color, marker=marker, label=label)
            axes.set(xscale="log", yscale="log")
        grid[0, column].set_title(title)
        ticks = [size["N"] for size in figures["sizes"]]
        names = [f"{size['N']}\n{size['height']}p" for size in figures["sizes"]]
        grid[1, column].set_xticks(ticks, names)
        grid[1, column].minorticks_off()
    grid[0, 0].set_ylabel("seconds\n(forward + backward)")
    grid[1, 0].set_ylabel("peak extra memory, MiB")
    figure.supxlabel("positions N (frame height), stride 8")
    grid[0, 0].legend()
    return figure
