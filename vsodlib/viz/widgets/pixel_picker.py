"""Pick a pixel of a frame with the mouse or the keyboard and see what depends on it.

The live view is an anywidget; where no kernel runs, a picture of its present state stays.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from PIL import Image

from vsodlib.viz.attention import ring
from vsodlib.viz.widgets.clip_player import side_by_side

_HERE = Path(__file__)

Look = Callable[[tuple[int, int]], Mapping[str, np.ndarray]]
"""From a pixel (row, column) to pictures: title -> (H, W, 3) uint8, of the frame's size."""


class PixelPicker(anywidget.AnyWidget):
    """A frame to pick a pixel from, and next to it the pictures that `look` makes of that pixel.

    Click the frame, or focus it and press the arrow keys; from a cell, `picker.pixel = (80, 120)`.
    Build it with `pick_pixel`.
    """

    _esm = _HERE.with_suffix(".js").read_text(encoding="utf-8")
    _css = _HERE.with_suffix(".css").read_text(encoding="utf-8")
    pixel = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    """The picked (row, column)."""
    step = traitlets.Int().tag(sync=True)
    """Pixels that an arrow key moves."""
    size = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    """(H, W) of the frame."""
    caption = traitlets.Unicode().tag(sync=True)
    _frame = traitlets.Bytes().tag(sync=True)
    _panels = traitlets.Bytes().tag(sync=True)

    def __init__(
        self, frame: np.ndarray, look: Look, pixel: tuple[int, int], step: int, panel_width: int
    ) -> None:
        H, W, _ = frame.shape
        self._picture, self._look, self._panel_width = frame, look, panel_width
        size = (panel_width, round(panel_width * H / W))
        super().__init__(
            size=(H, W), step=step, pixel=pixel, _frame=_jpeg(Image.fromarray(frame).resize(size))
        )
        self._draw()
        self.observe(self._draw, "pixel")

    @traitlets.validate("pixel")
    def _inside(self, proposal: Any) -> tuple[int, int]:
        (row, column), (H, W) = proposal["value"], self._picture.shape[:2]
        if not (0 <= row < H and 0 <= column < W):
            raise ValueError(f"pixel ({row}, {column}) lies outside the {H}x{W} frame.")
        return row, column

    def panels(self) -> dict[str, np.ndarray]:
        """What `look` makes of the present pixel: title -> (H, W, 3) uint8."""
        return dict(self._look(self.pixel))

    def _draw(self, _change: Any = None) -> None:
        panels = self.panels()
        self._titles = ", ".join(panels)
        picked = {"the picked pixel": ring(self._picture, self.pixel)}
        self._static = _jpeg(side_by_side(picked | panels, self._panel_width))
        self._panels = _jpeg(side_by_side(panels, self._panel_width))
        self.caption = f"row {self.pixel[0]}, column {self.pixel[1]}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        picture = base64.b64encode(self._static).decode()
        text = f"PixelPicker at {self.caption}"
        alt = f"The frame with {self.caption} picked, and for it: {self._titles}."
        metadata = metadata | {"image/jpeg": {"alt": alt}}
        return live | {"image/jpeg": picture, "text/plain": text}, metadata


def pick_pixel(
    frame: np.ndarray,
    look: Look,
    pixel: tuple[int, int] | None = None,
    step: int = 16,
    panel_width: int = 300,
) -> PixelPicker:
    """A frame on which to pick a pixel, with the pictures that depend on it.

    Args:
        frame: (H, W, 3) uint8, RGB.
        look: called with the pixel (row, column); returns title -> (H, W, 3) uint8.
        pixel: where to start; None: the middle.
        step: pixels that an arrow key moves, e.g. the network's stride.
        panel_width: pixels a panel is wide on the screen.

    Returns:
        A widget; the last line of a cell shows it.

    Raises:
        ValueError: a frame of another shape or type, a pixel outside it, a step below 1.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ValueError(f"frame must be uint8 (H, W, 3), got {frame.dtype} {frame.shape}.")
    if step < 1:
        raise ValueError(f"step must be at least 1, got {step}.")
    H, W, _ = frame.shape
    return PixelPicker(frame, look, pixel or (H // 2, W // 2), step, panel_width)


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=80)
    return out.getvalue()
