"""The contour that T compares: pixel borders, simplified to a polygon, sampled every three pixels.

The stages and their tolerances are those of the DAVIS benchmark's programs (Perazzi et al., CVPR
2016); coordinates are (row, column) of pixel corners.
"""

from __future__ import annotations

import numpy as np

TOLERANCE = 1.5
"""Pixels by which a simplified contour may leave the pixel borders."""
SPACING = 3.0
"""Largest distance between contour samples, pixels."""


def outline(mask: np.ndarray) -> np.ndarray | None:
    """Samples (n, 2) along the contour of a uint8 mask with the most corners; None if it has none.

    Contours run with the object on their right, begin and end at the same corner, and are the
    polygons that remain of the pixel borders (of objects and of holes) after simplification; those
    with fewer than four points, the closing one included, are dropped.
    """
    loops = borders(mask)
    best, best_index = None, len(loops)
    # Simplifying only removes points, so short loops need not be tried; of equals the first wins.
    for index in sorted(range(len(loops)), key=lambda k: -len(loops[k])):
        limit = 3 if best is None else len(best)
        if len(loops[index]) < limit:
            break
        polygon = simplify(loops[index])
        if len(polygon) > limit or (
            best is not None and len(polygon) == limit and index < best_index
        ):
            best, best_index = polygon, index
    return None if best is None else upsample(best)


def borders(mask: np.ndarray) -> list[np.ndarray]:
    """Closed loops (n, 2) of pixel corners around objects and holes, object on the right.

    A loop begins at the top of its first vertical border in reading order. Where two pixels touch
    by a corner the loop turns right, so that they stay apart.
    """
    H, W = mask.shape
    padded = np.zeros((H + 2, W + 2), np.int8)
    padded[1:-1, 1:-1] = mask
    across = np.diff(padded, axis=1)[1:-1]  # (H, W + 1): +1 object to the right of the border
    down = np.diff(padded, axis=0)[:, 1:-1]  # (H + 1, W): +1 object below the border
    row_v, column_v = np.nonzero(across)
    row_h, column_h = np.nonzero(down)
    if not len(row_v):
        return []
    up = (across[row_v, column_v] > 0).astype(np.int64)  # object to the right: walk up
    east = (down[row_h, column_h] > 0).astype(np.int64)  # object below: walk east
    width = W + 1
    start = np.concatenate([(row_v + up) * width + column_v, row_h * width + column_h + 1 - east])
    stop = np.concatenate([(row_v + 1 - up) * width + column_v, row_h * width + column_h + east])
    heading = np.concatenate([np.where(up, 0, 2), np.where(east, 1, 3)])  # up, east, down, west
    order = np.argsort(start, kind="stable")
    first = np.searchsorted(start[order], stop)
    follower = order[first]
    second = np.minimum(first + 1, len(order) - 1)
    fork = (second > first) & (start[order[second]] == stop)
    turns_right = heading[follower] == (heading + 1) % 4
    follower = np.where(fork & ~turns_right, order[second], follower)
    follower, corner = follower.tolist(), start.tolist()
    loops, seen = [], bytearray(len(corner))
    for edge in range(len(row_v)):  # vertical borders in reading order
        if seen[edge]:
            continue
        loop, current = [], edge
        while not seen[current]:
            seen[current] = 1
            loop.append(corner[current])
            current = follower[current]
        # The top of the first vertical border: its end where walked up, else its start.
        if heading[edge] == 0:
            loop = [*loop[1:], loop[0]]
        loop.append(loop[0])
        loops.append(np.stack(np.divmod(np.array(loop), width), 1))
    return loops


def simplify(loop: np.ndarray) -> np.ndarray:
    """The polygon of a closed loop: straight runs merged, then Douglas-Peucker at `TOLERANCE`.

    The benchmark walks a loop downwards from its first border and halves no coordinate; so do we,
    since the greedy thinning depends on the direction.
    """
    points = loop.astype(np.float64) * 2
    backwards = points[1, 0] <= points[0, 0]
    if backwards:
        points = points[::-1]
    step = np.diff(points, axis=0)
    corner = np.concatenate([[True], (step[1:] != step[:-1]).any(1), [True]])
    points = _douglas_peucker(points[corner], 0.1)
    points = _douglas_peucker(_thin(points, 2 * TOLERANCE), 2 * TOLERANCE)
    return (points[::-1] if backwards else points) / 2


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
