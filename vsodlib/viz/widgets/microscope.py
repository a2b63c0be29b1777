"""Click a pixel and follow its rows of attention through a clip, in a notebook or on a saved page.

The page needs no kernel and no network: the same script draws both. Where neither runs, as on
GitHub, a picture of the present state stays.
"""

import base64
import html
import io
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.colors import to_rgb
from PIL import Image

from vsodlib.viz.attention import NEGATIVE, POSITIVE, ring, row_picture
from vsodlib.viz.basic import grid
from vsodlib.viz.style import to_jpeg

_HERE = Path(__file__)
_WIDTH = 320  # pixels that a frame is kept wide
_FRAMES = 2  # at most, in the picture that stays

Layer = np.ndarray | tuple[np.ndarray, np.ndarray]
"""Rows of attention (T, N, h, w), or two factors (T, N, C) whose product a bᵀ they are."""


class Microscope(anywidget.AnyWidget):
    """A frame to pick a pixel from, its row in every layer, and the same rows in all frames.

    Click the frame, or focus it and press the arrow keys, [ and ]; from a cell,
    `scope.pixel = (80, 120)`. What is drawn in the browser is rounded to 127 steps, of the row's
    largest weight or of each channel's; factors keep the page small: N C numbers per frame in place
    of N².

    Args:
        frames: (T, H, W, 3) uint8, RGB.
        layers: name -> rows (T, N, h, w) float with N = h w, or factors a, b, each (T, N, C) float,
            of which a bᵀ are the rows: (x, x) for Eq. 4.
        stride: pixels per position, and that an arrow key moves.
        covered: the share of every position that the object covers, (T, h, w) in [0, 1].
        pixel: where to start; None: the middle.
        frame: which frame to start with.

    Raises:
        ValueError: shapes that do not belong together, a pixel or a frame outside the clip.
    """

    _esm = _HERE.with_suffix(".js").read_text(encoding="utf-8")
    _css = _HERE.with_suffix(".css").read_text(encoding="utf-8")
    pixel = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    """The picked (row, column)."""
    frame = traitlets.Int().tag(sync=True)
    """The frame shown large."""
    content = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        frames: np.ndarray,
        layers: Mapping[str, Layer],
        stride: int,
        *,
        covered: np.ndarray | None = None,
        pixel: tuple[int, int] | None = None,
        frame: int = 0,
    ) -> None:
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
            found = f"{frames.dtype} {frames.shape}"
            raise ValueError(f"frames must be uint8 (T, H, W, 3), got {found}.")
        T, H, W, _ = frames.shape
        h, w = -(-H // stride), -(-W // stride)
        self._frames = frames
        self._layers: dict[str, Layer] = {}
        for name, layer in layers.items():
            pair = isinstance(layer, tuple)
            a = np.asarray(layer[0] if pair else layer, np.float32)
            b = a if not pair or layer[1] is layer[0] else np.asarray(layer[1], np.float32)
            size = (T, h * w, a.shape[-1]) if pair else (T, h * w, h, w)
            if not a.shape == b.shape == size:
                raise ValueError(f"{name!r} must be {size}, got {a.shape} and {b.shape}.")
            self._layers[name] = (a, b) if pair else a.reshape(T, h * w, -1)
        if covered is not None and covered.shape != (T, h, w):
            raise ValueError(f"covered must be {(T, h, w)}, got {covered.shape}.")
        content = {
            "size": (H, W),
            "grid": (h, w),
            "stride": stride,
            "colors": [[round(255 * v) for v in to_rgb(color)] for color in (POSITIVE, NEGATIVE)],
            "frames": [_jpeg(picture) for picture in frames],
            "covered": None if covered is None else _packed(np.rint(255 * covered), np.uint8),
            "layers": [{"name": name} | _rounded(layer) for name, layer in self._layers.items()],
        }
        super().__init__(content=content, pixel=pixel or (H // 2, W // 2), frame=frame)

    @traitlets.validate("pixel", "frame")
    def _inside(self, proposal: Any) -> Any:
        value, (T, H, W, _) = proposal["value"], self._frames.shape
        where, size = ((value,), (T,)) if isinstance(value, int) else (value, (H, W))
        if not all(0 <= v < n for v, n in zip(where, size, strict=True)):
            raise ValueError(f"{proposal['trait'].name} {value} lies outside {T} frames {H}x{W}.")
        return value

    def rows(self, t: int) -> dict[str, np.ndarray]:
        """The picked pixel's row in frame t: layer -> (h, w) float32, before any rounding."""
        (h, w), stride = self.content["grid"], self.content["stride"]
        q = self.pixel[0] // stride * w + self.pixel[1] // stride
        found = {}
        for name, layer in self._layers.items():
            row = layer[t, q] if isinstance(layer, np.ndarray) else layer[1][t] @ layer[0][t, q]
            found[name] = row.reshape(h, w)
        return found

    def html(self, title: str, text: str = "") -> str:
        """A page of its own, with the script, the frames and the rows inside; nothing is fetched.

        Below the title stands a paragraph of `text`, e.g. whose frames these are.
        """
        state = {"content": self.content, "pixel": self.pixel, "frame": self.frame}
        data = json.dumps(state, default=_text).replace("</", "<\\/")
        rule = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{rule}">'
            f"<title>{html.escape(title)}</title><style>body {{ font-family: sans-serif; }}\n"
            f"{self._css}</style></head><body><main><h1>{html.escape(title)}</h1>"
            f"<p>{html.escape(text)}</p><noscript>This page needs JavaScript.</noscript></main>"
            f'<script type="module">\n{self._esm}\nconst el = document.querySelector("main");\n'
            f"await render({{ model: still({data}), el }});\n</script></body></html>\n"
        )

    def _still(self) -> str:
        """The present state as base64 JPEG: some frames, the large one among them."""
        T, names, stride = len(self._frames), list(self._layers), self.content["stride"]
        shown = np.linspace(0, T - 1, min(T, _FRAMES)).round().astype(int)
        shown[np.abs(shown - self.frame).argmin()] = self.frame
        lines = []
        for t in shown:
            frame = self._frames[t]
            rows = [row_picture(frame, row, self.pixel, stride) for row in self.rows(t).values()]
            lines.append([ring(frame, self.pixel), *rows])
        labels = [f"frame {t + 1}" for t in shown]
        columns = ["the picked pixel", *names]
        figure = grid(lines, row_labels=labels, column_labels=columns, width=5.2)
        return _text(to_jpeg(figure))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        text = "Microscope at row {}, column {}".format(*self.pixel)
        alt = f"{text}: the frame with the pixel ringed, and for it {', '.join(self._layers)}."
        metadata = metadata | {"image/jpeg": {"alt": alt}}
        return live | {"image/jpeg": self._still(), "text/plain": text}, metadata


microscope = Microscope  # the last line of a cell shows it


def _rounded(layer: Layer) -> dict[str, bytes]:
    """A layer as bytes: rows by their largest weight; factors, turned to (T, C, N), by channel."""
    if isinstance(layer, np.ndarray):
        return {"values": _packed(_steps(layer)[0], np.int8)}
    (a, largest_a), (b, largest_b) = (_steps(factor.transpose(0, 2, 1)) for factor in layer)
    packed = {"values": _packed(a, np.int8), "scales": _packed(largest_a * largest_b, np.float32)}
    return packed if layer[0] is layer[1] else packed | {"keys": _packed(b, np.int8)}


def _steps(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    largest = np.maximum(np.abs(values).max(axis=-1, keepdims=True), 1e-12)
    return np.rint(127 * values / largest), largest


def _packed(values: np.ndarray, dtype: Any) -> bytes:
    return zlib.compress(values.astype(dtype).tobytes(), 9)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _jpeg(frame: np.ndarray) -> bytes:
    out, height = io.BytesIO(), round(_WIDTH * frame.shape[0] / frame.shape[1])
    Image.fromarray(frame).resize((_WIDTH, height)).save(out, format="JPEG", quality=80)
    return out.getvalue()
