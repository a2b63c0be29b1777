"""Batches of clips, code without its docstrings, and a checkpoint's own scores."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from lesson import clip_batch, code_of, scores_of

from vsodlib.data import synthetic_clip
from vsodlib.data.transforms import to_images
from vsodlib.model.checkpoint import fingerprint

CLIPS = [synthetic_clip(seed, frames=6, height=32, width=48) for seed in (0, 1)]


def test_evenly_spaced_frames_clip_after_clip():
    batch = clip_batch(CLIPS, 3)
    assert batch.groups.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(batch.frames[3:], CLIPS[1].frames[[0, 2, 5]])
    np.testing.assert_array_equal(batch.masks[:3, 0].bool(), CLIPS[0].masks[[0, 2, 5]])
    assert batch.images.shape == (6, 3, 32, 48) and batch.masks.dtype == torch.float32


def test_images_are_what_evaluation_feeds_the_network():
    expected = to_images(CLIPS[0].frames[:1])
    torch.testing.assert_close(clip_batch(CLIPS, 1).images[:1], expected)


@pytest.mark.parametrize(
    ("clips", "frames", "message"),
    [
        ([], 2, "got 0 and 2"),
        (CLIPS, 0, "got 2 and 0"),
        (CLIPS, 7, "synthetic-00000 cannot give 7 frames with masks: it has 6 frames"),
        ([replace(CLIPS[0], masks=None)], 2, "and no masks"),
        ([CLIPS[0], synthetic_clip(0, 6, 32, 40)], 2, "one height and width"),
    ],
)
def test_refused(clips, frames, message):
    with pytest.raises(ValueError, match=message):
        clip_batch(clips, frames)


def test_code_is_shown_without_docstrings():
    def double(x):
        """Twice as much."""
        return 2 * x

    assert code_of(double, double).data.count("    return 2 * x") == 2
    assert "Twice" not in code_of(double).data


def test_scores_are_those_of_the_weights_that_lie_there():
    found = scores_of("lite-davis")
    assert found["record"]["weights_sha256"] == fingerprint("lite-davis")
    assert len(found["per_sequence"]) == 20 and 0 < found["J"]["mean"] < 1
    assert scores_of("lite-davis", motion=True)["record"]["motion"]
    assert not any(found["record"].get(switch) for switch in ("motion", "refine", "flip"))
    with pytest.raises(LookupError, match="No scores of lite-davis at 17 rows"):
        scores_of("lite-davis", 17)
