"""The contour that T compares: pixel borders, simplified to a polygon, sampled every three pixels.

The stages and their tolerances are those of the DAVIS benchmark's programs (Perazzi et al., CVPR
2016); coordinates are (row, column) of pixel corners.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from vsodlib.metrics.compiled import compiled

TOLERANCE = 1.5
"""Pixels by which a simplified contour may leave the pixel borders."""
SPACING = 3.0
"""Largest distance between contour samples, pixels."""


@dataclass(frozen=True)
class Walk:
    """A closed walk along a border."""

    corners: np.ndarray
    """(n, 2) rows and columns of pixel corners, the first one again at the end."""
    object_on_right: bool


def outline(mask: np.ndarray) -> np.ndarray | None:
    """Samples (n, 2) along the contour of a uint8 mask with the most corners; None if it has none.

    Contours run with the object on their right, begin and end at the same corner, and are the
    polygons that remain of the borders of objects and of holes after simplification; those with
    fewer than four points, the closing one included, are dropped.
    """
    x, y, width, height = cv2.boundingRect(mask)
    found = walks(mask[y : y + height, x : x + width])
    best, best_index = np.empty((3, 2)), -1  # three points are too few
    # Simplifying only removes points, so short walks need not be tried; of equals the first wins.
    for index in sorted(range(len(found)), key=lambda k: -len(found[k].corners)):
        if len(found[index].corners) < len(best):
            break
        polygon = simplify(found[index])
        if (len(polygon), -index) > (len(best), -best_index):
            best, best_index = polygon, index
    return None if best_index < 0 else upsample(best + np.array([y, x]))


def simplify(walk: Walk) -> np.ndarray:
    """The polygon of a walk, object on the right: straight runs merged, then Douglas-Peucker.

    The benchmark thins points before it splits lines, in walking order and with the tolerance in
    units of half a pixel, and first drops what lies on straight lines.
    """
    points = walk.corners.astype(np.float64) * 2
    step = np.diff(points, axis=0)
    corner = np.concatenate([[True], (step[1:] != step[:-1]).any(1), [True]])
    points = douglas_peucker(points[corner], 0.1)
    points = douglas_peucker(thin(points, 2 * TOLERANCE), 2 * TOLERANCE)
    return (points if walk.object_on_right else points[::-1]) / 2


@compiled
def thin(points: np.ndarray, distance: float) -> np.ndarray:
    """Greedily drop points (n, 2) closer than `distance` to the last one kept; the ends stay."""
    keep = np.zeros(len(points), np.bool_)
    keep[0] = keep[-1] = True
    last = 0
    for k in range(1, len(points) - 1):
        step = (points[k, 0] - points[last, 0]) ** 2 + (points[k, 1] - points[last, 1]) ** 2
        if step >= distance**2:
            keep[k] = True
            last = k
    return points[keep]


@compiled
def douglas_peucker(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Split the line through points (n, 2) at the farthest (of equals the last) from the straight
    one, and so on until all are within `tolerance`.
    """
    keep = np.zeros(len(points), np.bool_)
    keep[0] = keep[-1] = True
    lines = [(0, len(points) - 1)]
    while lines:
        first, last = lines.pop()
        ya, xa = points[first]
        vy, vx = points[last, 0] - ya, points[last, 1] - xa
        size = vy * vy + vx * vx
        farthest, at = -1.0, first
        for k in range(first + 1, last):
            wy, wx = points[k, 0] - ya, points[k, 1] - xa
            along = wy * vy + wx * vx
            if along <= 0:
                share = 0.0
            elif size <= along:
                share = 1.0
            else:  # The benchmark's library keeps this in single precision; ties depend on it.
                share = np.float64(np.float32(along) / np.float32(size))
            distance = (wy - share * vy) ** 2 + (wx - share * vx) ** 2
            if distance >= farthest:
                farthest, at = distance, k
        if farthest > tolerance**2:
            keep[at] = True
            lines.append((first, at))
            lines.append((at, last))
    return points[keep]


def upsample(polygon: np.ndarray) -> np.ndarray:
    """Insert evenly spaced points so that no side of a closed polygon is longer than `SPACING`."""
    step = np.diff(polygon, axis=0)
    pieces = np.maximum(np.ceil(np.hypot(step[:, 0], step[:, 1]) / SPACING), 1).astype(int)
    side = np.repeat(np.arange(len(step)), pieces)
    share = (np.arange(len(side)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[side]
    return np.concatenate([polygon[side] + share[:, None] * step[side], polygon[-1:]])


@dataclass(frozen=True)
class _Edges:
    """Unit borders, directed so that the object is on the right; corners numbered by rows."""

    start: list[int]
    stop: list[int]
    following: list[int]
    """An edge that starts where this one stops; the only one, except at junctions."""
    preceding: list[int]
    around: dict[int, dict[int, tuple[int, bool]]]
    """Of every junction in reading order: by the number of the corner at the other end, the edge
    that lies there and whether it leaves the junction."""
    vertical: int
    """The first so many are vertical, in reading order."""
    width: int
    """Corners in a row."""


@dataclass(frozen=True)
class _Piece:
    """Borders between two junctions, in their own direction."""

    edges: list[int]
    tail: int
    head: int
    found_forwards: bool

    def forwards_from(self, junction: int) -> bool:
        """Whether leaving `junction` along the piece follows the borders' direction."""
        return self.found_forwards if self.tail == self.head else self.tail == junction

    def other(self, junction: int) -> int:
        """The junction at the other end."""
        return self.head if junction == self.tail else self.tail


def walks(mask: np.ndarray) -> list[Walk]:
    """All border walks of a uint8 mask (H, W) of 0 and 1; every unit border belongs to one."""
    edges = _directed_edges(mask)
    seen = bytearray(len(edges.start))
    pieces = _pieces(edges, seen)
    plain = []
    for first in range(edges.vertical):
        if not seen[first]:
            loop, edge = [], first
            while not seen[edge]:
                seen[edge] = 1
                loop.append(edge)
                edge = edges.following[edge]
            # Down its first vertical border, from the top.
            forwards = edges.stop[first] > edges.start[first]
            plain.append((loop if forwards else [first, *loop[:0:-1]], forwards))
    found = []
    for order, forwards in plain[::-1] + _join(pieces, list(edges.around)):
        begin = edges.start if forwards else edges.stop
        corners = np.array([begin[edge] for edge in (*order, order[0])])
        found.append(Walk(np.stack(np.divmod(corners, edges.width), 1), forwards))
    return found


def _directed_edges(mask: np.ndarray) -> _Edges:
    H, W = mask.shape
    padded = np.zeros((H + 2, W + 2), np.int8)
    padded[1:-1, 1:-1] = mask
    across = np.diff(padded, axis=1)[1:-1]  # (H, W + 1), +1: object to the right of the border
    down = np.diff(padded, axis=0)[:, 1:-1]  # (H + 1, W), +1: object below the border
    row, column = np.nonzero(across)
    up = (across[row, column] > 0).astype(np.int64)  # object to the right: walked upwards
    top, left = np.nonzero(down)
    east = (down[top, left] > 0).astype(np.int64)  # object below: walked eastwards
    width = W + 1
    start = np.concatenate([(row + up) * width + column, top * width + left + 1 - east])
    stop = np.concatenate([(row + 1 - up) * width + column, top * width + left + east])
    by_start, by_stop = np.argsort(start, kind="stable"), np.argsort(stop, kind="stable")
    starts, stops = start[by_start], stop[by_stop]
    following = by_start[np.searchsorted(starts, stop)]
    preceding = by_stop[np.searchsorted(stops, start)]
    around = {}
    for corner in starts[1:][starts[1:] == starts[:-1]].tolist():
        first, second = np.searchsorted(starts, corner), np.searchsorted(stops, corner)
        out, back = by_start[first : first + 2].tolist(), by_stop[second : second + 2].tolist()
        around[corner] = {int(stop[e]): (e, True) for e in out}
        around[corner] |= {int(start[e]): (e, False) for e in back}
    lists = start.tolist(), stop.tolist(), following.tolist(), preceding.tolist()
    return _Edges(*lists, around, len(row), width)


def _pieces(edges: _Edges, seen: bytearray) -> list[_Piece]:
    """The borders between junctions, in the order of their numbers."""
    pieces = []
    for junction in reversed(edges.around):
        for step in (-edges.width, -1, edges.width, 1):  # up, left, down, right
            edge, forwards = edges.around[junction][junction + step]
            if seen[edge]:
                continue
            ends = edges.stop if forwards else edges.start
            onwards = edges.following if forwards else edges.preceding
            chain = [edge]
            while ends[edge] not in edges.around:
                edge = onwards[edge]
                chain.append(edge)
            for edge in chain:
                seen[edge] = 1
            if not forwards:
                chain.reverse()
            pieces.append(_Piece(chain, edges.start[chain[0]], edges.stop[chain[-1]], forwards))
    return pieces


def _join(pieces: list[_Piece], junctions: list[int]) -> list[tuple[list[int], bool]]:
    """Loops as lists of edges in walking order, and whether that is the edges' own direction."""
    left: dict[int, list[int]] = {junction: [] for junction in junctions}
    for number, piece in enumerate(pieces):
        for junction in {piece.tail, piece.head}:
            left[junction].append(number)
    loops = []
    for first in reversed(junctions):
        while left[first]:
            forwards = pieces[left[first][0]].forwards_from(first)
            walk: list[tuple[int, int]] = []
            at = first
            while True:
                number = next(k for k in left[at] if pieces[k].forwards_from(at) == forwards)
                piece = pieces[number]
                for junction in {piece.tail, piece.head}:
                    left[junction].remove(number)
                walk.append((at, number))
                at = piece.other(at)
                passed = next((k for k, (corner, _) in enumerate(walk) if corner == at), None)
                if passed is not None:
                    chains = [pieces[k].edges for _, k in walk[passed:]]
                    order = [c if forwards else c[::-1] for c in chains]
                    loops.append(([edge for chain in order for edge in chain], forwards))
                    del walk[passed:]
                    if not walk:
                        break
    return loops
