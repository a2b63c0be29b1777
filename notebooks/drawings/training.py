"""The curves of a training run, after it and while it goes on."""

from collections.abc import Mapping, Sequence
from typing import Any

from IPython.display import display
from matplotlib.ticker import MaxNLocator

from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, style

_TITLES = {
    "bce": "cross-entropy",
    "iou": "soft-IoU term",
    "contrastive": "contrastive loss",
    "validation_iou": "IoU, held out",
}


@style()
def training_curves(
    runs: Mapping[str, Sequence[Mapping[str, float]]],
    keys: Sequence[str] = ("loss", "bce", "iou", "contrastive", "validation_iou"),
) -> NotebookFigure:
    """What runs logged against the step; a panel for every key that occurs, a line a run.

    Args:
        runs: name -> rows as `read_log` returns them; rows without a key are left out.
        keys: what to show, in order.

    Raises:
        ValueError: no row has any of the keys.
    """
    logged = [key for key in keys if any(key in row for rows in runs.values() for row in rows)]
    if not logged:
        raise ValueError(f"No row holds any of {', '.join(keys)}.")
    figure = NotebookFigure(figsize=(WIDTH, 2.9), layout="constrained")
    for axes, key in zip(figure.subplots(1, len(logged), squeeze=False)[0], logged, strict=True):
        for i, (name, rows) in enumerate(runs.items()):
            if known := [(row["step"], row[key]) for row in rows if key in row]:
                x, y = zip(*known, strict=True)
                # Dashes leave the run below visible where two agree.
                look = {"color": PALETTE[i % len(PALETTE)], "ls": ("-", "--", ":")[i % 3]}
                marker = "o" if len(known) <= 20 else None
                axes.plot(x, y, label=name, marker=marker, ms=4, **look)
        axes.set_title(_TITLES.get(key, key), fontsize=13)
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.tick_params(labelsize=11)
    if len(runs) > 1:
        lines = {line.get_label(): line for axes in figure.axes for line in axes.lines}
        handles, labels = list(lines.values()), list(map(str, lines))
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=11)
    return figure


class LiveCurves:
    """Curves that grow under a notebook's cell: `fit(..., on_log=LiveCurves())`.

    One picture is drawn over and over; the last one stays in the saved notebook, with no widget
    behind it.

    Args:
        name: of the run.
        rows: what it has logged so far, when it is resumed; drawn at once.

    Attributes:
        rows: everything logged.
    """

    def __init__(self, name: str = "this run", rows: Sequence[Mapping[str, Any]] = ()) -> None:
        self.name = name
        self.rows = list(rows[:-1])
        self._shown = None
        for row in rows[-1:]:
            self(row)

    def __call__(self, row: Mapping[str, Any]) -> None:
        """Take in one row of the log and draw."""
        self.rows.append(row)
        figure = training_curves({self.name: self.rows})
        figure.alt = (
            f"Curves of {self.name} up to step {row['step']}, a panel for each of "
            f"{', '.join(axes.get_title() for axes in figure.axes)}."
        )
        if self._shown is None:
            self._shown = display(figure, display_id=True)
        else:
            self._shown.update(figure)
