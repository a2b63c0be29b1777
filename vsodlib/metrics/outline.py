"""The contour that T compares: pixel borders, simplified to a polygon, sampled every three pixels.

The stages and their tolerances are those of the DAVIS benchmark's programs (Perazzi et al., CVPR
2016); coordinates are (row, column) of pixel corners.
"""

from __future__ import annotations

import numpy as np

from .borders import Walk, walks

TOLERANCE = 1.5
"""Pixels by which a simplified contour may leave the pixel borders."""
SPACING = 3.0
"""Largest distance between contour samples, pixels."""


def outline(mask: np.ndarray) -> np.ndarray | None:
    """Samples (n, 2) along the contour of a uint8 mask with the most corners; None if it has none.

    Contours run with the object on their right, begin and end at the same corner, and are the
    polygons that remain of the borders of objects and of holes after simplification; those with
    fewer than four points, the closing one included, are dropped.
    """
    found = walks(mask)
    best, best_index = None, len(found)
    # Simplifying only removes points, so short walks need not be tried; of equals the first wins.
    for index in sorted(range(len(found)), key=lambda k: -len(found[k].corners)):
        limit = 3 if best is None else len(best)
        if len(found[index].corners) < limit:
            break
        polygon = simplify(found[index])
        longer = len(polygon) > limit
        if longer or (best is not None and len(polygon) == limit and index < best_index):
            best, best_index = polygon, index
    return None if best is None else upsample(best)


def simplify(walk: Walk) -> np.ndarray:
    """The polygon of a walk, object on the right: straight runs merged, then Douglas-Peucker.

    The benchmark thins points before it splits lines, in walking order and with the tolerance in
    units of half a pixel, and first drops what lies on straight lines.
    """
    points = walk.corners.astype(np.float64) * 2
    step = np.diff(points, axis=0)
    corner = np.concatenate([[True], (step[1:] != step[:-1]).any(1), [True]])
    points = _douglas_peucker(points[corner], 0.1)
    points = _douglas_peucker(_thin(points, 2 * TOLERANCE), 2 * TOLERANCE)
    return (points if walk.object_on_right else points[::-1]) / 2


def _thin(points: np.ndarray, distance: float) -> np.ndarray:
    """Greedily drop points closer than `distance` to the last one kept; the ends stay."""
    if len(points) < 3:
        return points
    coordinates, limit = points.tolist(), distance**2
    kept = [0]
    y, x = coordinates[0]
    for k in range(1, len(coordinates) - 1):
        b, a = coordinates[k]
        if (b - y) ** 2 + (a - x) ** 2 >= limit:
            kept.append(k)
            y, x = b, a
    return points[[*kept, len(points) - 1]]


def _douglas_peucker(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Split lines at their farthest point (of equals the last) until all are within `tolerance`."""
    y, x = np.ascontiguousarray(points.T)
    is_key = np.zeros(len(points), bool)
    is_key[[0, -1]] = True
    inner = np.arange(1, len(points) - 1)  # points of segments that may still split
    while len(inner):
        keys, segment = np.flatnonzero(is_key), np.cumsum(is_key)[inner] - 1
        distance = _segment_distance(y, x, keys[segment], keys[segment + 1], inner)
        begins = np.concatenate([[0], np.flatnonzero(segment[1:] != segment[:-1]) + 1])
        length = np.diff(np.append(begins, len(segment)))
        farthest = np.repeat(np.maximum.reduceat(distance, begins), length)
        split = farthest > tolerance**2
        at = np.where(distance == farthest, inner, -1)
        is_key[np.maximum.reduceat(at, begins)[split[begins]]] = True
        inner = inner[split & ~is_key[inner]]
    return points[is_key]


def _segment_distance(
    y: np.ndarray, x: np.ndarray, a: np.ndarray, b: np.ndarray, p: np.ndarray
) -> np.ndarray:
    """Squared distances of the points p to the segments a-b, all indices into (y, x)."""
    ya, xa = y[a], x[a]
    vy, vx, wy, wx = y[b] - ya, x[b] - xa, y[p] - ya, x[p] - xa
    along, size = wy * vy + wx * vx, vy * vy + vx * vx
    # The benchmark's library keeps this quotient in single precision; ties depend on it.
    share = along.astype(np.float32) / np.maximum(size, 1e-30).astype(np.float32)
    share = np.where(along <= 0, 0, np.where(size <= along, 1, share.astype(np.float64)))
    return (wy - share * vy) ** 2 + (wx - share * vx) ** 2


def upsample(polygon: np.ndarray) -> np.ndarray:
    """Insert evenly spaced points so that no side of a closed polygon is longer than `SPACING`."""
    step = np.diff(polygon, axis=0)
    pieces = np.maximum(np.ceil(np.hypot(step[:, 0], step[:, 1]) / SPACING), 1).astype(int)
    side = np.repeat(np.arange(len(step)), pieces)
    share = (np.arange(len(side)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[side]
    return np.concatenate([polygon[side] + share[:, None] * step[side], polygon[-1:]])
