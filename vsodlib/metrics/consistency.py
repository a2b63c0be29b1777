"""The consistency of soft maps from frame to frame: ours, neither in the paper nor in DAVIS."""

import cv2
import numpy as np

from vsodlib.metrics.inputs import check_map


def temporal_consistency(first: np.ndarray, second: np.ndarray) -> float:
    """Consistency of the soft maps of two consecutive frames, without optical flow; in [0, 1].

    Maps are (H, W) uint8, or float in [0, 1]. C = sum min(p, q) / sum max(p, q), the soft Jaccard
    index of the second map q and the first map p moved by whole pixels so that their centres of
    mass coincide, over the pixels where both are defined. 1: the same map, moved; 0: nothing in
    common; both empty: 1. Like T it forgives translation and nothing else; unlike T it sees flicker
    inside the object, in the background and in confidence, not only in the contour.

    Raises:
        ValueError: as `inputs.check_map`, or sizes that differ.
    """
    p, q = check_map(first), check_map(second)
    if p.shape != q.shape:
        raise ValueError(f"Consecutive maps differ in size: {p.shape} and {q.shape}.")
    p, q = (m if m.dtype == np.uint8 else m.astype(np.float32) for m in (p, q))
    if p.dtype != q.dtype:
        p, q = (m / np.float32(255) if m.dtype == np.uint8 else m for m in (p, q))
    here, there = _centre(p), _centre(q)
    if here is None or there is None:
        return float(here is there)
    dy, dx = (round(b - a) for a, b in zip(here, there, strict=True))
    H, W = p.shape
    p = p[max(-dy, 0) : H - max(dy, 0), max(-dx, 0) : W - max(dx, 0)]
    q = q[max(dy, 0) : H - max(-dy, 0), max(dx, 0) : W - max(-dx, 0)]
    union = cv2.sumElems(cv2.max(p, q))[0]
    return cv2.sumElems(cv2.min(p, q))[0] / union if union else 1.0


def _centre(p: np.ndarray) -> tuple[float, float] | None:
    depth = cv2.CV_32S if p.dtype == np.uint8 else cv2.CV_64F
    sums = [cv2.reduce(p, axis, cv2.REDUCE_SUM, dtype=depth).ravel() for axis in (1, 0)]
    total = sums[0].sum(dtype=np.float64)
    if total == 0:
        return None
    y, x = (float(line.astype(np.float64) @ np.arange(len(line)) / total) for line in sums)
    return y, x
