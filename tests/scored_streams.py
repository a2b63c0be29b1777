"""Clips of maps and ground truths, and their measures by hand."""

import cv2
import numpy as np

from vsodlib.metrics import (
    contour_accuracy,
    region_similarity,
    saliency_scores,
    temporal_consistency,
    temporal_instability,
    weighted_f,
)

H, W = 36, 48


def frame(k, video="a"):
    """A soft map and its ground truth: a disc that walks, with noise that depends on the frame."""
    rng = np.random.default_rng([k, ord(video[0])])
    rows, columns = np.mgrid[:H, :W]
    g = (rows - 18) ** 2 + (columns - 15 - k) ** 2 < (90 if video == "a" else 40)
    p = cv2.GaussianBlur(g.astype(np.float32), (0, 0), 2) * 0.8 + 0.1 * rng.random((H, W))
    return np.round(p * 255).astype(np.uint8), g


def stream(lengths=(("a", 7), ("b", 4))):
    for video, n in lengths:
        for k in range(n):
            yield (video, f"{k:05d}", *frame(k, video))


def by_hand(video, indices, stretch=False):
    """The measures of some frames of a video, with the public functions."""
    maps, truths = zip(*(frame(k, video) for k in indices), strict=True)
    masks = [m >= 127.5 for m in maps]
    scores = [saliency_scores(p, g, stretch=stretch) for p, g in zip(maps, truths, strict=True)]
    pairs = list(zip(range(len(maps) - 1), range(1, len(maps)), strict=True))
    return {
        "scores": scores,
        "J": [region_similarity(m, g) for m, g in zip(masks, truths, strict=True)],
        "F": [contour_accuracy(m, g) for m, g in zip(masks, truths, strict=True)],
        "T": [temporal_instability(masks[i], masks[j]) for i, j in pairs],
        "consistency": [temporal_consistency(maps[i], maps[j]) for i, j in pairs],
        "weighted_f": [
            weighted_f(p, g, stretch=stretch) for p, g in zip(maps, truths, strict=True)
        ],
    }


def shifted(shift=3, videos=6, frames=4):
    """Maps that miss their discs by `shift` pixels, more in the later videos."""
    rows, columns = np.mgrid[:H, :W]
    for v in range(videos):
        for k in range(frames):
            g = (rows - 18) ** 2 + (columns - 15 - k) ** 2 < 60 + 15 * v
            moved = np.roll(g, shift + v // 3, 1).astype(np.float32)
            yield f"v{v}", f"{k:05d}", cv2.GaussianBlur(moved, (0, 0), 1.5) * 0.9, g
