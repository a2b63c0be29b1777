"""Pick a pixel of a frame with the mouse or the keyboard and see what depends on it.

The live view is an anywidget; where no kernel runs, a picture of its present state stays.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets
from PIL import Image

from vsodlib.viz.attention import ring
from vsodlib.viz.widgets.clip_player import side_by_side

Look = Callable[[tuple[int, int]], Mapping[str, np.ndarray]]
"""From a pixel (row, column) to pictures: title -> (H, W, 3) uint8, of the frame's size."""

_SCRIPT = """
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function picture(model, name) {
  const image = document.createElement("img");
  const show = () => {
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(new Blob([model.get(name)], { type: "image/jpeg" }));
  };
  model.on(`change:${name}`, show);
  show();
  return image;
}

function render({ model, el }) {
  const frame = document.createElement("div");
  const mark = document.createElement("div");
  const row = document.createElement("div");
  const caption = document.createElement("div");
  const help = document.createElement("div");
  row.className = "vsod-picker";
  mark.className = "vsod-mark";
  frame.className = "vsod-frame";
  caption.className = "vsod-caption";
  caption.setAttribute("aria-live", "polite");
  help.className = "vsod-help";
  help.textContent = "Click the frame, or focus it and press arrow keys (Shift: bigger steps).";
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("data-lm-suppress-shortcuts", "true"); // arrow keys would leave the cell
  frame.setAttribute("aria-label", "Frame: click a pixel, or move it with the arrow keys");
  const image = picture(model, "_frame");
  image.alt = "";
  image.draggable = false;
  frame.append(image, mark);
  const panels = picture(model, "_panels");
  panels.alt = "What depends on the picked pixel";
  row.append(frame, panels);
  // Side by side at their own widths, smaller together where the notebook is narrower.
  const fit = () => {
    frame.style.flexGrow = image.naturalWidth;
    panels.style.flexGrow = panels.naturalWidth;
    row.style.maxWidth = `${image.naturalWidth + panels.naturalWidth + 6}px`;
  };
  image.addEventListener("load", fit);
  panels.addEventListener("load", fit);
  el.append(row, caption, help);

  const [H, W] = model.get("size");
  const place = () => {
    const [i, j] = model.get("pixel");
    mark.style.top = `${(100 * (i + 0.5)) / H}%`;
    mark.style.left = `${(100 * (j + 0.5)) / W}%`;
  };
  const pick = (i, j) => {
    const clamp = (value, size) => Math.min(size - 1, Math.max(0, Math.floor(value)));
    model.set("pixel", [clamp(i, H), clamp(j, W)]);
    model.save_changes();
  };
  const tell = () => (caption.textContent = model.get("caption"));
  model.on("change:pixel", place);
  model.on("change:caption", tell);
  frame.addEventListener("pointerdown", (event) => {
    const { top, left, height, width } = image.getBoundingClientRect();
    pick(((event.clientY - top) * H) / height, ((event.clientX - left) * W) / width);
  });
  frame.addEventListener("keydown", (event) => {
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    event.stopPropagation();
    const [i, j] = model.get("pixel");
    const step = model.get("step") * (event.shiftKey ? 4 : 1);
    pick(i + MOVES[event.key][0] * step, j + MOVES[event.key][1] * step);
  });
  place();
  tell();
}

export default { render };
"""

_STYLE = """
.vsod-picker { display: flex; align-items: flex-end; gap: 6px; }
.vsod-picker > * { flex: 1 1 0; min-width: 0; }
.vsod-picker img { display: block; }
.vsod-frame { position: relative; cursor: crosshair; }
.vsod-frame img { width: 100%; }
.vsod-frame:focus-visible { outline: 3px solid #0072B2; }
.vsod-mark { position: absolute; width: 12px; height: 12px; margin: -8px; border-radius: 50%;
  border: 2px solid white; box-shadow: 0 0 0 2px black; pointer-events: none; }
.vsod-caption { margin-top: 4px; }
.vsod-help { opacity: 0.7; font-size: 90%; }
"""


class PixelPicker(anywidget.AnyWidget):
    """A frame to pick a pixel from, and next to it the pictures that `look` makes of that pixel.

    Click the frame, or focus it and press the arrow keys; from a cell, `picker.pixel = (80, 120)`.
    Build it with `pick_pixel`.
    """

    _esm = _SCRIPT
    _css = _STYLE
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
