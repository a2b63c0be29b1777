"""The borders of a mask as closed walks along pixel corners, in the benchmark's order.

Where a walk starts and which way it goes changes what simplification keeps, and where two pixels
touch only by a corner several ways of closing the walks exist. What follows is the way of the
benchmark's published programs (Perazzi et al., CVPR 2016):

- a corner where four borders meet is a junction; borders between two junctions form a piece;
- pieces are numbered as found from the junctions, the last junction in reading order first and from
  each its upper, left, lower and right border;
- a walk leaves the last junction that has pieces left (there it is the first that a hash table
  yields, which depends on the compiler) by its lowest piece, at every junction takes the lowest
  piece that turns, and closes a loop whenever it comes back to a junction it passed;
- a border without junctions is walked down from the top of its first vertical border.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Walk:
    """A closed walk along a border."""

    corners: np.ndarray
    """(n, 2) rows and columns of pixel corners, the first one again at the end."""
    object_on_right: bool


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
    joined = _join(pieces, list(edges.around))
    plain = []
    for first in range(edges.vertical):
        if not seen[first]:
            loop, edge = [], first
            while not seen[edge]:
                seen[edge] = 1
                loop.append(edge)
                edge = edges.following[edge]
            plain.append(_plain_walk(edges, loop))
    found = [Walk(_corners(edges, order, forwards), forwards) for order, forwards in joined]
    return plain[::-1] + found


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
    lists = (array.tolist() for array in (start, stop, following, preceding))
    return _Edges(*lists, around, len(row), width)


def _pieces(edges: _Edges, seen: bytearray) -> list[_Piece]:
    """The borders between junctions, in the order of their numbers."""
    pieces = []
    for junction in reversed(edges.around):
        for step in (-edges.width, -1, edges.width, 1):  # up, left, down, right
            edge, forwards = edges.around[junction][junction + step]
            if seen[edge]:
                continue
            ends, onwards = (
                (edges.stop, edges.following) if forwards else (edges.start, edges.preceding)
            )
            chain = [edge]
            seen[edge] = 1
            while ends[edge] not in edges.around:
                edge = onwards[edge]
                seen[edge] = 1
                chain.append(edge)
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


def _plain_walk(edges: _Edges, loop: list[int]) -> Walk:
    """The walk of a border without junctions: down its first vertical border, from the top."""
    forwards = edges.stop[loop[0]] > edges.start[loop[0]]
    return Walk(_corners(edges, loop if forwards else [loop[0], *loop[:0:-1]], forwards), forwards)


def _corners(edges: _Edges, order: list[int], forwards: bool) -> np.ndarray:
    begin, end = (edges.start, edges.stop) if forwards else (edges.stop, edges.start)
    numbers = [begin[edge] for edge in order] + [end[order[-1]]]
    return np.stack(np.divmod(np.array(numbers), edges.width), 1)
