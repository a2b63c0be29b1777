"""What several lessons share: the library's code, a checkpoint's scores, frames as a batch."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from IPython.display import Markdown
from torch import Tensor

from vsodlib import bundled
from vsodlib.data.clips import Clip
from vsodlib.data.transforms import to_images
from vsodlib.files import read_json
from vsodlib.model import checkpoint


def code_of(*functions: Callable[..., Any]) -> Markdown:
    """The code of functions as the library has it now, without docstrings."""
    return Markdown("```python\n" + "\n\n".join(map(_bare, functions)) + "\n```")


def _bare(function: Callable[..., Any]) -> str:
    source = textwrap.dedent(inspect.getsource(function))
    (tree,) = ast.parse(source).body
    lines = source.splitlines()
    if ast.get_docstring(tree):
        first = tree.body[0]
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines).rstrip()


def scores_of(name: str, height: int | None = None, motion: bool = False) -> dict[str, Any]:
    """What `vsod evaluate --json` found on DAVIS 2016 val for the weights of a checkpoint.

    Args:
        name: in `checkpoints/`.
        height: rows of the network's input; None: those that the checkpoint's record names.
        motion: whether the maps were weighed by it.

    Raises:
        LookupError: these weights have not been scored at this height.
    """
    weights = checkpoint.fingerprint(name)
    height = height or read_json(checkpoint.locate(name).with_suffix(".json"))["input_height"]
    for path in bundled("results/lite-davis").glob("evaluate_*.json"):
        found = read_json(path)
        made = found["record"]
        switches = [made.get(name, False) for name in ("flip", "refine", "motion")]
        alike = switches == [False, False, motion] and made.get("scales", [1]) == [1]
        if alike and (made["weights_sha256"], made["height"]) == (weights, height):
            return found
    raise LookupError(f"No scores of {name} at {height} rows in results/lite-davis.")


@dataclass(frozen=True)
class ClipBatch:
    """B frames: `frames` (B, H, W, 3) uint8; `images` (B, 3, H, W) float in [0, 1]; `masks`
    (B, 1, H, W) float of zeros and ones; `groups` (B,) int64, the number of each frame's clip.
    """

    frames: np.ndarray
    images: Tensor
    masks: Tensor
    groups: Tensor


def clip_batch(clips: Sequence[Clip], frames: int) -> ClipBatch:
    """Frames of clips, evenly spaced in time, clip after clip.

    Args:
        clips: with masks, all of one size.
        frames: from each clip, its first and its last among them.

    Raises:
        ValueError: no clip, a clip without masks or too short, or sizes that differ.
    """
    if not clips or frames < 1:
        raise ValueError(f"A batch needs a clip and a frame, got {len(clips)} and {frames!r}.")
    if len({clip.frames.shape[1:] for clip in clips}) > 1:
        raise ValueError("The clips of a batch must have one height and width.")
    shown, masks = [], []
    for clip in clips:
        if clip.masks is None or len(clip.frames) < frames:
            raise ValueError(
                f"{clip.name} cannot give {frames} frames with masks: it has {len(clip.frames)} "
                f"frames{' and no masks' if clip.masks is None else ''}."
            )
        chosen = np.linspace(0, len(clip.frames) - 1, frames).round().astype(int)
        shown.append(clip.frames[chosen])
        masks.append(clip.masks[chosen])
    pictures = np.concatenate(shown)
    return ClipBatch(
        frames=pictures,
        images=to_images(pictures),
        masks=torch.from_numpy(np.concatenate(masks)).float().unsqueeze(1),
        groups=torch.arange(len(clips)).repeat_interleave(frames),
    )
