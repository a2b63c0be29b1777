"""Numbers of attention in, Figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from vsodlib.figure import PALETTE, WIDTH, NotebookFigure, style

Points = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Series -> (the object's share of the frame, the mass inside), one point each."""

_MARKERS = "os^D"


@style()
def mass_against_chance(panels: Mapping[str, Points]) -> Figure:
    """How much attention falls on the object, against the object's share of the frame.

    On the dashed line attention is as good as spread evenly; above it the object gets more than its
    area. Two panels stand side by side, further ones below; a series looks alike in all.

    Args:
        panels: title -> series -> points in [0, 1]; nan is left out.

    Raises:
        ValueError: no panel, or a series with more areas than masses, or fewer.
    """
    if not panels:
        raise ValueError("mass_against_chance needs at least one panel.")
    for title, series in panels.items():
        for name, (chance, inside) in series.items():
            if len(chance) != len(inside):
                raise ValueError(
                    f"{title!r}, {name!r}: {len(chance)} areas and {len(inside)} masses."
                )
    rows, names = -(-len(panels) // 2), list(dict.fromkeys(n for s in panels.values() for n in s))
    figure = NotebookFigure(figsize=(WIDTH, 0.8 + 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, 2, squeeze=False, sharex=True, sharey=True)
    for axes, (title, series) in zip(grid.flat, panels.items(), strict=False):
        axes.plot([0, 1], [0, 1], "--", color="#777777", lw=1.5)
        for name, (chance, inside) in series.items():
            k = names.index(name)
            look = {"color": PALETTE[k % len(PALETTE)], "marker": _MARKERS[k % len(_MARKERS)]}
            # Every second series is hollow, for points that lie on each other.
            fill = "none" if k % 2 else "full"
            axes.plot(chance, inside, ls="", ms=7, mew=1.4, fillstyle=fill, label=name, **look)
        axes.set(title=title, xlim=(-0.03, 1.03), ylim=(-0.05, 1.05))
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_axis_off()
    figure.supxlabel("the object's share of the frame", fontsize=13)
    figure.supylabel("mass on the object", fontsize=13)
    handles = {}
    for axes in grid.flat:
        handles |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=4)
    return figure
