"""A video on one page."""

import cv2
import numpy as np

TILES, COLUMNS, WIDTH = 12, 4, 240


class ContactSheet:
    """Twelve moments of a video, spread over its length, each the frame above and a picture of it.

    The length need not be known: of the frames so far every n-th is kept, small.
    """

    def __init__(self) -> None:
        self._tiles: list[np.ndarray] = []
        self._every, self.count = 1, 0

    def add(self, frame: np.ndarray, picture: np.ndarray) -> None:
        """Take notice of a frame and a picture of it, both np.uint8 (H, W, 3), RGB."""
        if self.count % self._every == 0:
            pair = np.concatenate([frame, picture])
            H, W, _ = pair.shape
            scale = min(WIDTH / W, 2 * WIDTH / H)
            size = (max(1, round(W * scale)), max(1, round(H * scale)))
            self._tiles.append(cv2.resize(pair, size, interpolation=cv2.INTER_AREA))
        self.count += 1
        if len(self._tiles) == 2 * TILES:
            self._tiles, self._every = self._tiles[::2], 2 * self._every

    def page(self) -> np.ndarray:
        """The sheet so far, np.uint8 (H, W, 3), RGB; white where a tile is smaller than its place.

        One frame there must be (see `count`).
        """
        chosen = np.linspace(0, len(self._tiles) - 1, min(TILES, len(self._tiles))).round()
        rows = []
        for start in range(0, len(chosen), COLUMNS):
            tiles = [self._tiles[int(k)] for k in chosen[start : start + COLUMNS]]
            row = np.full((max(map(len, tiles)), COLUMNS * WIDTH, 3), 255, np.uint8)
            for k, tile in enumerate(tiles):
                row[: len(tile), k * WIDTH : k * WIDTH + tile.shape[1]] = tile
            rows.append(row)
        return np.concatenate(rows)
