"""Widgets to move in a notebook; each also shows a picture where no kernel runs.

A saved notebook, GitHub and an HTML export cannot run widgets. Every widget here therefore puts a
picture of its present state into its output, next to the live view.
"""

import base64
import io
from typing import Any

import ipywidgets
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vsodlib.viz.pictures import COLORS, comparison, outline, same_length, to_picture

_HEADER = 24
"""Pixels above each panel, for its title."""


class ClipPlayer(ipywidgets.VBox):
    """A clip, one frame at a time: frame, saliency and their comparison side by side.

    `frame` and `threshold` are ordinary ipywidgets sliders: focus one and use the arrow keys, Home,
    End, Page Up and Page Down, or set `player.frame.value = 7` from a cell.

    Args:
        frames: (T, H, W, 3) uint8.
        maps: saliency, (T, H, W) float in [0, 1].
        masks: ground truth, (T, H, W) bool.
        panel_width: pixels a panel is wide on the screen.

    Raises:
        ValueError: shapes that do not belong together, or an empty clip.
    """

    def __init__(
        self,
        frames: np.ndarray,
        maps: np.ndarray | None = None,
        masks: np.ndarray | None = None,
        panel_width: int = 300,
    ) -> None:
        given = {"frames": frames, "maps": maps, "masks": masks}
        layers = {name: layer for name, layer in given.items() if layer is not None}
        same_length(layers)
        sizes = {name: layer.shape[1:3] for name, layer in layers.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(
                f"Frames, maps and masks must have the same height and width, got {sizes}."
            )
        self._frames, self._maps, self._masks = frames, maps, masks
        self._panel_width = panel_width
        middle, last, hint = len(frames) // 2, len(frames) - 1, "arrow keys move it"
        self.frame = ipywidgets.IntSlider(middle, 0, last, description="frame", tooltip=hint)
        self.play = ipywidgets.Play(value=middle, min=0, max=last, interval=150)
        self.threshold = ipywidgets.FloatSlider(
            0.5, min=0, max=1, step=0.05, description="threshold"
        )
        ipywidgets.jslink((self.play, "value"), (self.frame, "value"))
        # Shown pixel by pixel: stretched to the notebook's width the panels would look blurred.
        exact = {"width": "max-content", "max_width": "100%"}
        self.picture = ipywidgets.Image(format="jpeg", layout=exact)
        self.caption = ipywidgets.HTML()
        controls = [self.play, self.frame]
        if maps is not None and masks is not None:
            controls.append(self.threshold)
        super().__init__([self.picture, ipywidgets.HBox(controls), self.caption])
        self.frame.observe(self._draw, "value")
        self.threshold.observe(self._draw, "value")
        self._draw()

    def panels(self) -> dict[str, np.ndarray]:
        """The pictures of the present frame and threshold: title -> (H, W, 3) uint8."""
        t = self.frame.value
        frame = self._frames[t]
        shown = {"frame": frame}
        if self._masks is not None:
            thickness = max(1, frame.shape[0] // 200)
            shown = {"frame and true outline": outline(frame, self._masks[t], thickness=thickness)}
        if self._maps is not None:
            shown["saliency map"] = to_picture(self._maps[t])
        if self._maps is not None and self._masks is not None:
            found = self._maps[t] >= self.threshold.value
            shown["found, missed, false alarm"] = comparison(frame, found, self._masks[t])
        return shown

    def iou(self) -> float | None:
        """Intersection over union of the thresholded map and the mask (both empty: 1)."""
        if self._maps is None or self._masks is None:
            return None
        t = self.frame.value
        found, mask = self._maps[t] >= self.threshold.value, self._masks[t]
        union = np.count_nonzero(found | mask)
        return np.count_nonzero(found & mask) / union if union else 1.0

    def _draw(self, _change: Any = None) -> None:
        out = io.BytesIO()
        side_by_side(self.panels(), self._panel_width).save(out, format="JPEG", quality=80)
        self.picture.value = out.getvalue()
        text = f"frame {self.frame.value} (0 to {len(self._frames) - 1})"
        if (iou := self.iou()) is not None:
            legend = ", ".join(
                f'<span style="background:{COLORS[name]}">&emsp;</span> {name}'
                for name in ("hit", "missed", "false alarm")
            )
            text += f" · IoU {iou:.3f} at threshold {self.threshold.value:.2f} · {legend}"
        self.caption.value = text

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live = super()._repr_mimebundle_(**kwargs) or {}
        picture = base64.b64encode(self.picture.value).decode()
        text = f"ClipPlayer, frame {self.frame.value} of {len(self._frames)}"
        alt = f"Clip player at frame {self.frame.value}: {', '.join(self.panels())}."
        if (iou := self.iou()) is not None:
            alt += f" IoU {iou:.2f} at threshold {self.threshold.value:.2f}."
        return live | {"image/jpeg": picture, "text/plain": text}, {"image/jpeg": {"alt": alt}}


clip_player = ClipPlayer  # the last line of a cell shows it


def side_by_side(panels: dict[str, np.ndarray], panel_width: int) -> Image.Image:
    """Titled panels in one row, each scaled to `panel_width` pixels."""
    H, W, _ = next(iter(panels.values())).shape
    height, gap = round(panel_width * H / W), 6
    size = (len(panels) * (panel_width + gap) - gap, _HEADER + height)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for i, (title, picture) in enumerate(panels.items()):
        x = i * (panel_width + gap)
        draw.text((x + panel_width / 2, _HEADER / 2), title, fill="black", font=font, anchor="mm")
        sheet.paste(Image.fromarray(picture).resize((panel_width, height)), (x, _HEADER))
    return sheet
