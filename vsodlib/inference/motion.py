"""Maps of a video weighed by what moves against the camera, frame after frame."""

from functools import lru_cache

import cv2
import numpy as np

from vsodlib.inference.cutout import fitting_map

ROWS = 192
"""Rows at which motion is looked for; lengths of motion are in pixels of this size."""
STILL = 0.15
"""ε, the flow's own error: less motion cannot be told from none."""
TOLERANCE = 0.75
"""How far from the camera's motion a point may be and still agree with it."""
AGREEING = 0.3
"""Share of the background that must agree; with less, the camera's motion is unknown."""
MEMORY = 0.75
"""μ, the weight of the past in the evidence, which so reaches back some four frames."""
LEAST = 1 / 512
"""Maps are held this far from 0 and 1, where logits end; less than half of 1/255: both stay."""


class Motion:
    """Weighs a video's maps by what moves by itself, one frame after the other, none ahead.

    At every pixel of the frame, made small, the optical flow d to the frame before is set against
    the camera's share c of it: the homography on which the largest part of the background agrees
    (RANSAC). What is left is averaged along the flow, m_1 = e_1, and held against a level below
    what moves most, the 95th percentile P₉₅ over the frame:

        e_t = log max(|d - c|, ε)
        m_t = μ m_{t-1}(x + d) + (1 - μ) e_t
        r_t = m_t - max(P₉₅ m_t - δ, log ε)
        l_t = (1 - κ) (logit p_t + λ₊ max(r_t, 0) + λ₋ min(r_t, 0)) + κ logit q_{t-1}(x + d)

    The new map is q_t = σ(l_t), where l_t - logit p_t is enlarged to the map's size. So motion
    speaks for what moves, and more loudly against what rests meanwhile; where nothing moves it says
    nothing. With κ each map is drawn to the one before. Where the camera's motion is not found, as
    at a cut, the map stays as it is and all begins anew. The constants were chosen on training
    videos, see `results/README.md`. Not in the paper, which takes each frame by itself.

        >>> from vsodlib import Motion, VSODNet, demo_clips, predict_maps
        >>> frames = demo_clips(frames=3)["fish"].frames
        >>> maps = predict_maps(VSODNet.from_pretrained("lite-davis"), frames)
        >>> motion = Motion()  # of this video
        >>> [motion(frame, p).shape for frame, p in zip(frames, maps)]
        [(192, 336), (192, 336), (192, 336)]

    Args:
        favour: λ₊, the weight of motion for what moves, against the network's logit.
        against: λ₋, the weight against what rests.
        margin: δ, how far below what moves most, in logarithms, motion begins to speak against.
        blend: κ, the weight of the past map.

    Raises:
        ValueError: a weight or margin below 0, or `blend` not in [0, 1).
    """

    def __init__(
        self, favour: float = 1.0, against: float = 3.0, margin: float = 1.0, blend: float = 0.3
    ) -> None:
        numbers = (favour, against, margin)
        if not (all(0 <= number < np.inf for number in numbers) and 0 <= blend < 1):
            raise ValueError(
                "favour, against and margin must be at least 0 and blend in [0, 1), "
                f"got {favour}, {against}, {margin}, {blend}."
            )
        self.favour, self.against, self.margin, self.blend = *numbers, blend
        self._grey: np.ndarray = np.empty((0, 0), np.uint8)  # the last frame, small
        self._map: np.ndarray = self._grey  # q of it
        self._evidence: np.ndarray | None = None  # m of it

    def __call__(self, frame: np.ndarray, saliency: np.ndarray) -> np.ndarray:
        """The video's next map.

        Args:
            frame: (H, W, 3) uint8, RGB.
            saliency: p, (H, W) float in [0, 1] or uint8, the network's map of the frame.

        Returns:
            q, (H, W) float32 in [0, 1], in steps of 1/255 as a file holds it.

        Raises:
            ValueError: as `fitting_map`.
        """
        saliency = fitting_map(frame, saliency).astype(np.float32)
        if known := self._observe(frame):
            evidence, past = known
            r = evidence - np.maximum(np.percentile(evidence, 95) - self.margin, np.log(STILL))
            change = np.where(r > 0, self.favour, self.against) * r
            logits = _logit(_resized(saliency, r.shape))
            change += self.blend * (_logit(past) - logits - change)
            change = _resized(change, saliency.shape)
            saliency = 1 / (1 + np.exp(-_logit(saliency) - change))
        saliency = np.rint(saliency * np.float32(255)) / np.float32(255)
        self._map = _resized(saliency, self._grey.shape)
        return saliency

    def skip(self, frame: np.ndarray, saliency: np.ndarray) -> None:
        """Take in a frame whose map was made before: `saliency` is what the call returned then."""
        saliency = fitting_map(frame, saliency)
        self._observe(frame)
        self._map = _resized(saliency, self._grey.shape)

    def _observe(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """m of this frame and q of the last one along the flow; None where nothing is known."""
        columns = round(frame.shape[1] * ROWS / frame.shape[0])
        columns = min(max(columns, 16), 4 * ROWS)  # of a strip it is squeezed
        small = cv2.resize(frame, (columns, ROWS), interpolation=cv2.INTER_AREA)
        before, self._grey = self._grey, cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        comparable = before.shape == self._grey.shape
        found = own_motion(self._grey, before, self._map < 0.5) if comparable else None
        if found is None:
            self._evidence = None
            return None
        flow, own = found
        evidence = np.log(np.maximum(own, STILL))
        if self._evidence is not None:
            evidence += MEMORY * (_along(self._evidence, flow) - evidence)
        self._evidence = evidence
        return evidence, _along(self._map, flow)


def own_motion(
    grey: np.ndarray, before: np.ndarray, background: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """The flow from a frame back to the one before, and how far it is from the camera's.

    Args:
        grey, before: (h, w) uint8, the two frames.
        background: (h, w) bool, of the frame before: where the camera's motion is looked for,
            unless it is under a quarter of the frame.

    Returns:
        d, (h, w, 2) float32, and |d - c|, (h, w) float32, in pixels; None where less than
        `AGREEING` of the background moves as a plane does in front of a camera.
    """
    h, w = grey.shape
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = method.calc(grey, before, np.zeros((h, w, 2), np.float32))
    here = _positions(h, w)
    step = max(1, h // 16)
    grid = here[step // 2 :: step, step // 2 :: step].reshape(-1, 2)
    there = grid + flow[step // 2 :: step, step // 2 :: step].reshape(-1, 2)
    column, row = np.rint(there).astype(int).clip(0, (w - 1, h - 1)).T
    behind = background[row, column]
    if behind.mean() > 0.25:
        grid, there = grid[behind], there[behind]
    camera, agree = cv2.findHomography(grid, there, cv2.RANSAC, TOLERANCE)
    if camera is None or agree.mean() < AGREEING:
        return None
    moved = cv2.perspectiveTransform(here.reshape(1, -1, 2), camera).reshape(h, w, 2)
    return flow, np.linalg.norm(here + flow - moved, axis=-1)


def _along(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """What lies, in the frame before, where the flow leads; the border's value beyond it."""
    x, y = cv2.split(_positions(*values.shape) + flow)
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)


@lru_cache(1)
def _positions(h: int, w: int) -> np.ndarray:
    """(h, w, 2) float32: column and row of every pixel."""
    return np.stack(np.meshgrid(np.arange(w), np.arange(h)), -1).astype(np.float32)


def _logit(p: np.ndarray) -> np.ndarray:
    p = p.clip(LEAST, 1 - LEAST)
    return np.log(p / (1 - p))


def _resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(h, w) to `shape`: by areas where it gets smaller, else bilinear."""
    way = cv2.INTER_AREA if shape[0] < values.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(values.astype(np.float32), (shape[1], shape[0]), interpolation=way)
