"""The common ground of all figures: colours, style, showing in a notebook, saving.

Figures are built without pyplot: nothing opens, nothing has to be closed, and a figure that is the
last line of a cell shows itself once: plots as PNG with a palette, figures made of frames as JPEG,
which keeps an executed notebook within a few hundred kB.
"""

import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from PIL import Image

from vsodlib.files import write_file
from vsodlib.viz.pictures import COLORS

PALETTE = ("#332288", "#44AA99", "#882255", "#999933", "#000000", "#888888", "#00574B")
"""Colours of series, in order; none of them is one that has a meaning (`pictures.COLORS`)."""

_SIDES = ("foreground", "positives", "background", "negatives")
_CHANNELS = {"red": "#CC0000", "green": "#007A00", "blue": "#0000CC"}
_CLIPS = ("fish", "butterfly", "beetle", "star", "cat", "coffee", "rocket", "astronaut")

Shown = bytes | tuple[bytes, dict[str, str]] | None
"""What Jupyter takes from an object that shows itself: data, perhaps with metadata, or nothing."""

WIDTH = 9.0
"""Inches; at 100 dots per inch a figure fills a notebook's column."""

_STYLE: Any = {  # since matplotlib 3.11 its keys have a type of their own
    "figure.dpi": 100,
    "font.size": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    "axes.prop_cycle": cycler(color=PALETTE),
}


def series_colors(names: Iterable[str]) -> list[str]:
    """A colour per series: that of its meaning if the name has one, else the next that is free.

    A demo clip keeps its own colour in every chart; "red", "green" and "blue" are what they say.
    """
    own = dict(zip(_CLIPS, (*PALETTE, "#7B68EE"), strict=True))
    own |= {name: COLORS[name] for name in _SIDES} | _CHANNELS
    names = list(names)
    free = [color for color in PALETTE if color not in {own.get(name) for name in names}]
    rest = itertools.cycle(free or PALETTE)
    return [own.get(name) or next(rest) for name in names]


def check_some(things: object, caller: str, what: str) -> None:
    """Refuse to draw nothing by a ValueError that says which function needs one of what."""
    if not things:
        raise ValueError(f"{caller} needs at least one {what}.")


@contextmanager
def style() -> Iterator[None]:
    """The house style, as a context (`with style():`) or a decorator (`@style()`)."""
    with mpl.rc_context(_STYLE):
        yield


class NotebookFigure(Figure):
    """A Figure that shows itself at the end of a notebook's cell, in few bytes."""

    alt: str | None = None
    """What is seen, for readers who do not see it; goes into the output's metadata."""

    def _repr_png_(self) -> Shown:
        return None if _holds_pictures(self) else self._with_alt(to_png(self))

    def _repr_jpeg_(self) -> Shown:
        return self._with_alt(to_jpeg(self)) if _holds_pictures(self) else None

    def _with_alt(self, data: bytes) -> Shown:
        return (data, {"alt": self.alt}) if self.alt else data


def show(
    figure: NotebookFigure,
    alt: str,
    save_as: str | None = None,
    numbers: Mapping[str, Any] | None = None,
) -> None:
    """Show a figure in a notebook, with its alt text, and keep it in `figures/` if it has a name.

    Args:
        alt: one or two sentences: what is drawn, and what one sees in it.
        save_as: `NN_topic`, as `save_figure` takes it; None: not kept.
        numbers: what it shows, for the JSON next to the kept picture.

    Raises:
        ValueError: no alt text.
    """
    from IPython.display import display  # only notebooks show

    if not alt.strip():
        raise ValueError("A figure needs alt text: say in a sentence what is seen.")
    figure.alt = alt
    if save_as:
        save_figure(figure, save_as, numbers or {})
    display(figure)


def to_png(figure: Figure) -> bytes:
    """The figure as PNG; a plot gets by with a palette of 256 colours, a third of the bytes."""
    picture = _draw(figure)
    if not _holds_pictures(figure):
        picture = picture.quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    picture.save(out, format="PNG", optimize=True)
    return out.getvalue()


def to_jpeg(figure: Figure) -> bytes:
    """The figure as JPEG, a fifth of the bytes where it is made of frames."""
    out = io.BytesIO()
    _draw(figure).save(out, format="JPEG", quality=78, optimize=True)
    return out.getvalue()


def _holds_pictures(figure: Figure) -> bool:
    return any(axes.images for axes in figure.axes)


def _draw(figure: Figure) -> Image.Image:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, facecolor="white")
    figure.set_layout_engine("none")  # a second layout would move things by a pixel
    return Image.open(drawn).convert("RGB")


def save_figure(
    figure: Figure, name: str, numbers: Mapping[str, Any], directory: str | Path | None = None
) -> Path | None:
    """Write `NAME.png`, and the numbers that it shows as `NAME.json`; return the picture's path,
    None where nothing was written.

    Args:
        name: `NN_topic`, NN being the notebook's number.
        numbers: JSON-ready; the same input gives the same bytes, so no dates and no paths.
        directory: where to. None: where `make figures` says, and nowhere when a notebook is run in
            any other way: what is committed shows no frame that must not be passed on.
    """
    text = json.dumps(numbers, indent=2, sort_keys=True, allow_nan=False) + "\n"
    path = keep(f"{name}.png", to_png(figure), directory)
    if path:
        write_file(path.with_suffix(".json"), text.encode())
    return path


def keep(name: str, data: bytes, directory: str | Path | None = None) -> Path | None:
    """Write an animation or a page, `NN_topic` with its ending, where `save_figure` writes, and
    return its path; nowhere, and None, where that would not.
    """
    directory = directory or os.environ.get("VSOD_FIGURES")
    if not directory:
        return None
    path = Path(directory) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, data)
    return path
