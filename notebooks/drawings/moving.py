"""Eq. 9 to move in a notebook, a slider for the temperature and a player for pull and push; and any
slider as a GIF.

As in `widgets`, each widget puts a picture of its present state into the saved notebook.
"""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from drawings.circle import circle, temperatures
from vsodlib.viz.style import to_png


class Moving(ipywidgets.VBox):
    """A figure above a slider, drawn anew when the slider moves.

    Args:
        draw: slider value -> figure.
        slider: any ipywidgets slider; `moving.slider.value = 7` moves it from a cell.
        summary: what is said where no picture can be shown.
        beside: more controls, left of the slider.

    Attributes:
        slider: as given.
        picture: the ipywidgets image, PNG.
    """

    def __init__(
        self,
        draw: Callable[[Any], Figure],
        slider: ipywidgets.Widget,
        summary: str,
        beside: Sequence[ipywidgets.Widget] = (),
    ) -> None:
        self._figure, self._summary, self.slider = draw, summary, slider
        exact = {"width": "max-content", "max_width": "100%"}
        self.picture = ipywidgets.Image(format="png", layout=exact)
        super().__init__([self.picture, ipywidgets.HBox([*beside, slider])])
        slider.observe(self._draw, "value")
        self._draw()

    def _draw(self, _change: Any = None) -> None:
        self.picture.value = to_png(self._figure(self.slider.value))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live = super()._repr_mimebundle_(**kwargs) or {}
        picture = base64.b64encode(self.picture.value).decode()
        alt = f"{self._summary}, {self.slider.description} at {self.slider.value:.3g}"
        return live | {"image/png": picture, "text/plain": self._summary}, {
            "image/png": {"alt": alt}
        }


def temperature_slider(
    points: np.ndarray, anchor: int, positives: np.ndarray, negatives: np.ndarray
) -> Moving:
    """`contrast_plots.temperatures` at the temperature of a slider, from 0.01 to 10.

    Args:
        points: (R, 2) float, rows of length 1.
        anchor: which of them is u.
        positives, negatives: (R,) bool.

    Returns:
        A widget; the last line of a cell shows it.

    Raises:
        ValueError: what `pull_and_push` refuses.
    """
    slider = ipywidgets.FloatLogSlider(
        0.1, min=-2, max=1, step=0.1, description="τ", tooltip="arrow keys move it"
    )

    def draw(temperature: float) -> Figure:
        return temperatures(points, anchor, positives, negatives, [temperature])

    return Moving(draw, slider, "temperature slider")


def pull_push_player(
    history: np.ndarray, losses: np.ndarray, is_foreground: np.ndarray, video: np.ndarray
) -> Moving:
    """Regions on the circle, step by step; the arrows show where each goes next.

    Args:
        history: (T, R, 2) float, the points before each step, rows of length 1.
        losses: (T,) float, the loss there.
        is_foreground: (R,) bool.
        video: (R,) int.

    Returns:
        A widget; the last line of a cell shows it.

    Raises:
        ValueError: no step, or another number of losses.
    """
    T = len(history)
    if not T or len(losses) != T:
        raise ValueError(f"There must be one loss a step, got {len(losses)} for {T} steps.")
    slider = ipywidgets.IntSlider(0, 0, T - 1, description="step", tooltip="arrow keys move it")
    play = ipywidgets.Play(value=0, min=0, max=T - 1, interval=200)
    ipywidgets.jslink((play, "value"), (slider, "value"))

    def draw(t: int) -> Figure:
        moves = history[min(t + 1, T - 1)] - history[t]
        title = f"step {t}, loss {losses[t]:.3f}"
        return circle({title: history[t]}, is_foreground, video, [moves])

    return Moving(draw, slider, f"pull and push, {T} steps", [play])


def moving_picture(
    picture: ipywidgets.Image, slider: ipywidgets.Widget, values: Iterable[Any], width: int = 540
) -> bytes:
    """What a slider does, as a GIF for readers without a kernel; the slider goes back after.

    It plays twice and rests: what moves by itself should end within five seconds (WCAG 2.2.2), so
    give at most twelve values.

    Args:
        picture: redrawn whenever the slider moves.
        slider: any ipywidgets slider.
        values: where it stands, 0.2 s each.
        width: pixels.

    Returns:
        The file.

    Raises:
        ValueError: no value.
    """
    before, shown = slider.value, []
    for value in values:
        slider.value = value
        drawn = Image.open(io.BytesIO(picture.value)).convert("RGB")
        drawn = drawn.resize(
            (width, round(drawn.height * width / drawn.width)), Image.Resampling.LANCZOS
        )
        shown.append(drawn.quantize(64, dither=Image.Dither.NONE))
    slider.value = before
    if not shown:
        raise ValueError("A moving picture needs at least one value of the slider.")
    out = io.BytesIO()
    rest = {"save_all": True, "append_images": shown[1:], "duration": 200, "loop": 1}
    shown[0].save(out, format="GIF", optimize=True, **rest)
    return out.getvalue()
