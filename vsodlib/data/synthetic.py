"""Procedural clips that need no download: one salient object, everything else duller.

What makes the object salient is what Section 1 of most papers lists, and visible at once: it is
large, bright, saturated, contrasts with the ground, and moves on its own while the ground and the
distractors (smaller, dull, lying on the ground) move together with the camera. In every second
clip something dark passes before it; occluded pixels do not belong to the mask. Our own design; the
paper uses no synthetic data.
"""

import shutil
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from vsodlib.data import davis
from vsodlib.data.dataset import FrameDataset, FrameRecord, HeldFrames, watched
from vsodlib.data.image_files import encoded
from vsodlib.data.sprites import GROUNDS, SHAPES, TEXTURES, draw_ground, draw_sprite, hsv
from vsodlib.files import disk_full_named

LICENCE = "MIT (drawn by this program)"
TRAIN_SEEDS, VAL_SEEDS = 0, 5_000
SEEDS_PER_SET = 10_000


@dataclass(frozen=True)
class Clip:
    """A short video that may be shown anywhere."""

    name: str
    frames: np.ndarray
    """np.uint8 (T, H, W, 3), RGB."""
    masks: np.ndarray | None
    """np.bool_ (T, H, W), the salient object; None where nobody annotated it."""
    licence: str
    source: str


def synthetic_clip(seed: int, frames: int = 24, height: int = 192, width: int = 336) -> Clip:
    """A textured object moving over textured ground, with distractors and often an occluder.

    The same seed and size give the same pixels; a longer clip continues a shorter one.

    Args:
        seed: chooses everything; seeds 0 ... 5 show the six shapes in turn.

    Raises:
        ValueError: no frames, or frames too small to show anything.
    """
    if frames < 1 or height < 32 or width < 32:
        raise ValueError(
            f"A synthetic clip needs at least 1 frame of 32x32, got {frames} of {width}x{height}."
        )
    scene = _Scene(seed, height, width)
    drawn, masks = map(np.stack, zip(*(scene.draw(t) for t in range(frames)), strict=True))
    source = f"vsodlib.data.synthetic_clip(seed={seed})"
    return Clip(f"synthetic-{seed:05d}", drawn, masks, LICENCE, source)


def synthetic_dataset(
    split: str | None = None,
    videos: int = 8,
    frames: int = 12,
    height: int = 192,
    width: int = 336,
    seed: int = 0,
) -> FrameDataset:
    """Synthetic clips as a data set in memory, named "synthetic".

    Args:
        split: "train", "val" (clips of other seeds), or None for both.
        videos: per split.

    Raises:
        ValueError: another split, no videos, or sizes that `synthetic_clip` refuses.
    """
    parts = ("train", "val") if split is None else (split,)
    records = []
    held = HeldFrames({}, {})
    for number in chain.from_iterable(_seeds(part, videos, seed) for part in parts):
        clip = synthetic_clip(number, frames, height, width)
        assert clip.masks is not None
        for t in range(frames):
            key = f"{clip.name}/{t:05d}"
            held.images[key], held.masks[key] = clip.frames[t], clip.masks[t]
            records.append(FrameRecord(clip.name, f"{t:05d}", key, key))
    return FrameDataset("synthetic", records, held)


def make_synthetic(
    out: str | Path,
    videos: int = 16,
    frames: int = 24,
    height: int = 240,
    width: int = 432,
    seed: int = 0,
) -> Path:
    """Write synthetic clips as a data set in the official layout of DAVIS 2016.

    Three quarters of the videos are the split train, the rest val; `open_dataset("davis2016",
    split, root=out)` reads them. Renamed at the end, so a broken run leaves nothing at `out`.

    Raises:
        FileExistsError: `out` is there already.
        ValueError: fewer than two videos, or sizes that `synthetic_clip` refuses.
        OSError: no space, no permission.
    """
    out = Path(out)
    if out.exists() or out.is_symlink():
        raise FileExistsError(f"{out} exists already: choose another name or delete it.")
    if videos < 2:
        raise ValueError(f"make-synthetic needs 2 videos or more (train and val), got {videos}.")
    val = max(1, videos // 4)
    aside = out.with_name(f".{out.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)  # or it would be written through a link of this name
    try:
        with disk_full_named(out):
            for split, count in (("train", videos - val), ("val", val)):
                lines = []
                seeds = _seeds(split, count, seed)
                for number in watched(seeds, f"Drawing {out.name} {split}", unit="video"):
                    lines += _write(aside, synthetic_clip(number, frames, height, width))
                listed = aside / f"ImageSets/480p/{split}.txt"
                listed.parent.mkdir(parents=True, exist_ok=True)
                listed.write_text("".join(lines))
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return out


def _seeds(split: str, videos: int, seed: int) -> range:
    if split not in ("train", "val"):
        raise ValueError(f"synthetic has the splits train and val, not {split!r}.")
    if not 1 <= videos <= VAL_SEEDS:
        raise ValueError(f"videos must lie between 1 and {VAL_SEEDS}, got {videos!r}.")
    start = seed * SEEDS_PER_SET + (TRAIN_SEEDS if split == "train" else VAL_SEEDS)
    return range(start, start + videos)


def _write(folder: Path, clip: Clip) -> list[str]:
    """One clip's files; returns its lines of the split's list."""
    lines = []
    assert clip.masks is not None
    for t, (frame, mask) in enumerate(zip(clip.frames, clip.masks, strict=True)):
        image = f"{davis.IMAGES}/{clip.name}/{t:05d}.jpg"
        label = f"{davis.MASKS}/{clip.name}/{t:05d}.png"
        grey = mask.astype(np.uint8) * 255
        for path, data in ((image, encoded(frame, "JPEG")), (label, encoded(grey, "PNG"))):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        lines.append(f"/{image} /{label}\n")
    return lines


class _Scene:
    """What is drawn once; `draw(t)` places it. Positions are (x, y) in units of the height."""

    def __init__(self, seed: int, height: int, width: int) -> None:
        rng = np.random.default_rng(seed)
        self.seed, self.height, self.width = seed, height, width
        self.aspect = width / height
        hue, value = rng.uniform(), rng.uniform(0.36, 0.5)
        self.pan = rng.uniform(0.12, 0.3, 2) * rng.choice([-1, 1], 2) * [1, 0.35]
        self.margin = int(0.35 * height)
        style = GROUNDS[(seed + seed // 12) % len(GROUNDS)]  # so that each shape meets each ground
        size = height + 2 * self.margin, width + 2 * self.margin
        self.ground = draw_ground(rng, style, *size, hue, value)
        opposite = hue + rng.uniform(0.35, 0.65)
        large = self._pixels(rng.uniform(0.62, 0.82))  # a shape fills some two thirds of its sprite
        vivid = hsv(opposite, 0.88, 0.98)
        accent = hsv(opposite + rng.uniform(0.08, 0.16), 0.5, 1.0)
        shape = SHAPES[seed % len(SHAPES)]
        self.faces_motion = shape in ("fish", "butterfly", "beetle")
        texture = str(rng.choice(TEXTURES))
        self.object = draw_sprite(rng, shape, texture, large, vivid, accent)
        self.reach = np.array([rng.uniform(0.42, 0.58) * self.aspect / 1.6, rng.uniform(0.1, 0.2)])
        self.phase = rng.uniform(0, 2 * np.pi, 4)
        self.distractors = []
        for _ in range(rng.integers(3, 6)):
            dull = hsv(hue + rng.uniform(-0.08, 0.08), 0.3, value * rng.choice([0.6, 1.55]))
            small = self._pixels(rng.uniform(0.16, 0.26))
            sprite = draw_sprite(rng, "blob", "patches", small, dull, dull * 0.82)
            place = rng.uniform([0.0, 0.05], [self.aspect, 0.95])
            self.distractors.append((sprite, place, rng.uniform(0, 2 * np.pi)))
        self.posts = [
            (place * self.aspect, rng.uniform(0.028, 0.042))
            for place in (rng.uniform(0.2, 0.4), rng.uniform(0.6, 0.8))
            if (seed + seed // 6) % 2  # every second clip, every second time for each shape
        ]
        self.post_colour = hsv(hue, 0.35, 0.2)

    def draw(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame t, np.uint8 (H, W, 3), and its mask, np.bool_ (H, W)."""
        H, W = self.height, self.width
        time = t / 24
        camera = self.pan * np.sin(1.2 * time)  # of the ground, towards the viewer's left or right
        offset = self.margin + camera * H
        shift = np.array([[1, 0, -offset[0]], [0, 1, -offset[1]]], np.float32)
        picture: np.ndarray = cv2.warpAffine(
            self.ground, shift, (W, H), borderMode=cv2.BORDER_REFLECT
        )
        for sprite, place, angle in self.distractors:
            self._paste(picture, sprite, place - camera, angle, 1.0)
        alpha = self._paste(picture, self.object, *self._motion(time))
        for post, radius in self.posts:
            # Nearer than the ground, so it passes by faster; -1 ... 1 on the post.
            across = (np.arange(W) / H - post + 1.8 * camera[0]) / radius
            covered = np.clip((1 - np.abs(across)) * radius * H + 0.5, 0, 1).astype(np.float32)
            across = across.clip(-1, 1)
            light = 1.15 - 0.75 * across**2 - 0.3 * across
            picture *= (1 - covered)[:, None]
            picture += np.outer(covered * light, self.post_colour)
            alpha *= 1 - covered
        noise = np.random.default_rng((self.seed, t)).standard_normal((H, W, 1), np.float32)
        frame = np.clip(255 * (picture + 0.012 * noise), 0, 255).astype(np.uint8)
        return frame, alpha >= 0.5

    def _motion(self, time: float) -> tuple[np.ndarray, float, float]:
        """Centre, heading and scale of the object: a slow, wide loop."""
        x, y, turn, breath = self.phase
        pace = np.array([2.6, 3.7])
        angles = pace * time + [x, y]
        centre = np.array([self.aspect / 2, 0.5]) + self.reach * np.sin(angles)
        velocity = self.reach * pace * np.cos(angles)
        spin = np.arctan2(velocity[1], velocity[0]) if self.faces_motion else turn + 1.3 * time
        return centre, float(spin), 0.8 * (1 + 0.12 * np.sin(3 * time + breath))

    def _paste(
        self, picture: np.ndarray, sprite: np.ndarray, place: np.ndarray, angle: float, scale: float
    ) -> np.ndarray:
        """Lay a sprite and its shadow over the picture, in place; returns its opacity (H, W)."""
        H, W, S = self.height, self.width, sprite.shape[0]
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
        matrix[:, 2] = place * H - matrix[:, :2] @ [S / 2, S / 2]
        alpha = np.zeros((H, W), np.float32)
        reach = 0.75 * scale * S + 0.1 * H  # half the diagonal, and room for the shadow
        (left, top), (right, bottom) = (
            np.clip((place * H + side * reach).astype(int), 0, (W, H)) for side in (-1, 1)
        )
        if left >= right or top >= bottom:
            return alpha
        matrix[:, 2] -= (left, top)
        placed = cv2.warpAffine(sprite, matrix, (int(right - left), int(bottom - top)))
        window = picture[top:bottom, left:right]
        shift = np.array([[1, 0, 0.06 * scale * S], [0, 1, 0.09 * scale * S]], np.float32)
        shadow = cv2.warpAffine(placed[..., 3], shift, placed.shape[1::-1])
        window *= 1 - 0.45 * cv2.GaussianBlur(shadow, (0, 0), 0.035 * scale * S)[..., None]
        window *= 1 - placed[..., 3:]
        window += placed[..., :3]
        alpha[top:bottom, left:right] = placed[..., 3]
        return alpha

    def _pixels(self, size: float) -> int:
        return max(8, round(size * self.height))
