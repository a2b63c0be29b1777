"""Two maps of the same regions next to each other: choose a group in one, see it in the other and
in its frames. With a mouse the group is drawn by a lasso, with a keyboard it is chosen by a slider.
"""

import base64
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import ipywidgets
import jscatter
import numpy as np
import pandas as pd
from PIL import Image

from vsodlib.analysis.embeddings import Embeddings
from vsodlib.viz.pictures import COLORS, pale, tint
from vsodlib.viz.style import NotebookFigure, style, to_jpeg

_SIDES = ("background", "foreground")
_WIDTH, _EDGE = 84, ((1, 1), (1, 1), (0, 0))  # pixels of a frame in the sheet, and around it
Pictures = Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]]
"""(video, frame) -> the frame (H, W, 3) uint8 and its mask (H, W) bool."""


class Explorer(ipywidgets.VBox):
    """Maps with a common selection, a slider over groups, and the frames in which the group lies.

    Args:
        maps: title -> (R, 2) float, the same regions in each.
        regions: R regions.
        pictures: of the frames that may be shown; none: names alone.

    Attributes:
        group: the slider; `explorer.group.value = "fish, foreground"` chooses from a cell.
        chosen: (K,) int, the regions chosen.
    """

    def __init__(
        self, maps: Mapping[str, np.ndarray], regions: Embeddings, pictures: Pictures | None = None
    ) -> None:
        self._maps, self._regions, self._pictures = maps, regions, pictures or {}
        self._keys = list(zip(regions.video.tolist(), regions.frame.tolist(), strict=True))
        side = [_SIDES[int(front)] for front in regions.is_foreground]
        names = {"video": regions.video, "frame": regions.frame, "side": side}
        self.table = pd.DataFrame(names)
        self.table["group"] = self.table.video + ", " + self.table.side
        self.table["picture"] = [self._thumbnail(i) for i in range(len(regions))]
        self.scatters = {title: self._scatter(points) for title, points in maps.items()}
        plots = [(scatter, title) for title, scatter in self.scatters.items()]
        both = jscatter.compose(plots, sync_selection=True, sync_hover=True, row_height=340)
        groups = ["nothing", *dict.fromkeys(self.table.group)]
        # A slider, because JupyterLab takes the up and down keys of a list for itself.
        self.group = ipywidgets.SelectionSlider(options=groups, description="group")
        self.group.layout.width = "400px"
        exact = {"width": "max-content", "max_width": "100%"}
        self._told = ipywidgets.HTML()
        self._sheet = ipywidgets.Image(format="jpeg", layout=exact)
        parts = [both, self.group, self._told, *([self._sheet] if self._pictures else [])]
        super().__init__(parts)
        for scatter in self.scatters.values():
            scatter.widget.observe(lambda change: self._show(change["new"]), "selection")
        self.group.observe(lambda change: self._choose(change["new"]), "value")
        self._show(None)

    def _scatter(self, points: np.ndarray) -> jscatter.Scatter:
        data = self.table.assign(x=points[:, 0], y=points[:, 1])
        colors = {side: COLORS[side] for side in _SIDES}
        low, high = points.min(axis=0), points.max(axis=0)
        edge = 0.06 * (high - low)  # no point on the border, where it would be cut
        x_scale, y_scale = np.stack([low - edge, high + edge], axis=1).tolist()
        # Set later, the opacity would stay a map of 256 steps, of which the first is invisible.
        look = {"color_by": "side", "color_map": colors, "opacity": 0.8, "opacity_by": None}
        look |= {"size": 7, "axes": False, "x_scale": tuple(x_scale), "y_scale": tuple(y_scale)}
        scatter = jscatter.Scatter("x", "y", data=data, **look)
        scatter.lasso(on_long_press=True)
        shown = {"preview": "picture", "preview_type": "image"} if self._pictures else {}
        return scatter.tooltip(True, properties=["video", "frame", "side"], **shown)

    def _lit(self, key: tuple[str, str], sides: Sequence[bool], width: int) -> np.ndarray:
        """A frame in grey, its object (True) or the rest (False) in colour."""
        frame, mask = self._pictures[key]
        size = (width, round(width * frame.shape[0] / frame.shape[1]))
        inside = cv2.resize(mask.astype(np.uint8), size) > 0
        picture = pale(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
        for front in sides:
            picture = tint(picture, inside == front, COLORS[_SIDES[int(front)]], 0.6)
        return picture

    def _thumbnail(self, i: int) -> str:
        if self._keys[i] not in self._pictures:
            return ""
        lit = self._lit(self._keys[i], [self._regions.is_foreground[i]], 160)
        return "data:image/jpeg;base64," + base64.b64encode(_jpeg(lit)).decode()

    def _choose(self, group: str) -> None:
        chosen = np.flatnonzero(self.table.group == group)
        for scatter in self.scatters.values():
            scatter.selection(chosen)
        self._show(chosen)

    def _show(self, chosen: np.ndarray | None) -> None:
        """Say which regions are chosen, and light them up in their frames."""
        self.chosen = np.asarray([] if chosen is None else chosen, int)
        self._told.value = f'<span role="status">{self.told()}</span>'
        if self._pictures:
            self._sheet.value = _jpeg(self.sheet())

    def told(self) -> str:
        """The chosen regions in words."""
        counts = Counter(self.table.group[self.chosen])
        listed = "".join(f"{name}: {count}. " for name, count in counts.most_common(8))
        return f"{len(self.chosen)} of {len(self._regions)} regions chosen. {listed}".strip()

    def sheet(self) -> np.ndarray:
        """All frames, a row for each video, in grey where nothing is chosen."""
        sides: dict[tuple[str, str], list[bool]] = {key: [] for key in self._keys}
        for i in self.chosen:
            sides[self._keys[i]].append(self._regions.is_foreground[i])
        rows: dict[str, list[np.ndarray]] = {}
        for key in filter(self._pictures.__contains__, sides):
            lit = self._lit(key, sides[key], _WIDTH)
            rows.setdefault(key[0], []).append(np.pad(lit, _EDGE, constant_values=255))
        most = max(len(row) for row in rows.values())
        blank = np.full_like(next(iter(rows.values()))[0], 255)
        return np.vstack([np.hstack(row + [blank] * (most - len(row))) for row in rows.values()])

    @style()
    def still(self) -> NotebookFigure:
        """The present state as a figure: the maps with the chosen regions, and their frames."""
        rows = 2 if self._pictures else 1
        figure = NotebookFigure(figsize=(7.5, 2.9 * rows - 0.9 * (rows - 1)), layout="constrained")
        high = {"height_ratios": (3, 2)[:rows]}
        top, *rest = figure.subfigures(rows, 1, squeeze=False, **high)[:, 0]
        lit = np.isin(np.arange(len(self._regions)), self.chosen)
        for axes, (title, points) in zip(
            top.subplots(1, len(self._maps)), self._maps.items(), strict=True
        ):
            for side, marker in ((0, "x"), (1, "o")):
                for chosen, alpha, size in ((False, 0.12 if lit.any() else 0.7, 4), (True, 1, 5)):
                    shown = points[(self._regions.is_foreground == bool(side)) & (lit == chosen)]
                    look = {"color": COLORS[_SIDES[side]], "alpha": alpha, "ms": size}
                    axes.plot(*shown.T, marker, **look)
            axes.set(title=title, xticks=[], yticks=[])
        for below in rest:
            axes = below.subplots()
            axes.imshow(self.sheet())
            axes.set_axis_off()
        return figure

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live = super()._repr_mimebundle_(**kwargs) or {}
        alt = f"Maps of regions, {' and '.join(self._maps)}. {self.told()}"
        if self._pictures:
            alt += " Below, their frames: the chosen regions in colour, all else in grey."
        picture = base64.b64encode(to_jpeg(self.still())).decode()
        return live | {"image/jpeg": picture, "text/plain": self.told()}, {
            "image/jpeg": {"alt": alt}
        }


def _jpeg(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="JPEG", quality=80)
    return out.getvalue()
