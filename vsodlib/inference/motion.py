"""What moves by itself: maps of a video weighed by motion, frame after frame."""

from __future__ import annotations

import cv2
import numpy as np

ROWS = 128
"""Height at which motion is looked for."""
FLOOR = 0.2
"""Motion in pixels at that height that cannot be told from none."""


def small_grey(frame: np.ndarray) -> np.ndarray:
    """The frame (H, W, 3) uint8 in grey at `ROWS` rows."""
    columns = max(16, round(frame.shape[1] * ROWS / frame.shape[0]))
    small = cv2.resize(frame, (columns, ROWS), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


def own_motion(grey: np.ndarray, previous: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Flow from this frame back to the previous one, and what of it the camera does not explain.

    The camera's motion is the homography on which most of a grid of flow vectors agree (RANSAC).

    Returns:
        (h, w, 2) flow in pixels, (h, w) length of the rest; None where under half the grid agrees.
    """
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey, previous, None)
    h, w = grey.shape
    points = np.stack(np.meshgrid(np.arange(w), np.arange(h)), -1).astype(np.float32)
    grid = points[4::8, 4::8].reshape(-1, 2)
    there = grid + flow[4::8, 4::8].reshape(-1, 2)
    camera, agree = cv2.findHomography(grid, there, cv2.RANSAC, 0.75)
    if camera is None or agree.mean() < 0.5:
        return None
    still = cv2.perspectiveTransform(points.reshape(1, -1, 2), camera).reshape(h, w, 2)
    return flow, np.linalg.norm(points + flow - still, axis=-1)


class MotionWeights:
    """Weighs the parts of a video's maps by how much they move, one frame after the other.

    Of every part (connected where the map is at least 0.5) the motion m of its own, averaged over
    past frames along the flow, is set against that of the part that moves most:
    w = sigmoid(gain·(log(m / max m) + tolerance)) / sigmoid(gain·tolerance).
    """

    def __init__(self, tolerance: float = 1.5, gain: float = 4.0, memory: float = 0.8):
        self.tolerance, self.gain, self.memory = tolerance, gain, memory
        self.previous: np.ndarray | None = None
        self.evidence: np.ndarray | None = None

    def observe(self, frame: np.ndarray) -> None:
        """Take in the motion that leads to this frame."""
        grey = small_grey(frame)
        found = None if self.previous is None else own_motion(grey, self.previous)
        self.previous = grey
        self.learn(found, grey.shape)

    def learn(self, found: tuple[np.ndarray, np.ndarray] | None, size: tuple[int, int]) -> None:
        """As `observe`, from what `own_motion` returns."""
        if found is None:
            self.evidence = None
            return
        flow, rest = found
        now = np.log(np.maximum(rest, FLOOR))
        if self.evidence is not None:
            h, w = size
            x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
            past = cv2.remap(
                self.evidence, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, None,
                cv2.BORDER_REPLICATE,
            )  # fmt: skip
            now = self.memory * past + (1 - self.memory) * now
        self.evidence = now.astype(np.float32)

    def weigh(self, saliency: np.ndarray) -> np.ndarray:
        """The map (H, W) with its still parts dimmed; unchanged where nothing can be told."""
        if self.evidence is None:
            return saliency
        count, parts = cv2.connectedComponents((saliency >= 0.5).astype(np.uint8))
        if count < 3:  # the background is the first
            return saliency
        size = saliency.shape[::-1]
        evidence = cv2.resize(self.evidence, size, interpolation=cv2.INTER_LINEAR)
        area = np.bincount(parts.ravel(), minlength=count)
        moves = np.bincount(parts.ravel(), evidence.ravel(), count) / area
        edge = moves - moves[1:].max() + self.tolerance
        weights = (1 + np.exp(-self.gain * self.tolerance)) / (1 + np.exp(-self.gain * edge))
        weights[0] = 1
        return saliency * weights[parts].astype(saliency.dtype)
