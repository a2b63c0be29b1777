"""The experiment of notebook 16: its loss against a loop, equal batches, a record that goes on."""

import json
import math
from dataclasses import replace

import contrast_study
import pytest
import torch
import torch.nn.functional as F
from contrast_study import ARMS, Arm, Study, sum_outside_loss

from vsodlib.losses.contrastive import Regions, choose_samples, contrastive_loss

TINY = Study(
    steps=2, train_clips=3, test_clips=2, frames=3, height=32, width=48, channels=4,
    shares=(0.4, 1.0), seeds=(0, 1),
)  # fmt: skip
TWO = {name: ARMS[name] for name in ("no L_cl", "Eq. 9, hard")}


def regions(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Regions(
        embeddings=torch.randn(10, 4, generator=generator),
        is_foreground=torch.arange(10) < 5,
        video=torch.zeros(10, dtype=torch.long),
        frame=torch.arange(10) % 5,
        error=torch.rand(10, generator=generator),
    )


def test_sum_outside_is_the_loop_of_its_formula():
    batch = regions()
    u = F.normalize(batch.embeddings, dim=1)
    anchors, positives, negatives = choose_samples(batch, samples=3)
    expected = []
    for row, anchor in enumerate(anchors):
        scores = [math.exp(float(u[anchor] @ other) / 0.1) for other in u]
        below = sum(
            s for s, p, n in zip(scores, positives[row], negatives[row], strict=True) if p or n
        )
        terms = [math.log(s / below) for s, p in zip(scores, positives[row], strict=True) if p]
        expected.append(-sum(terms) / len(terms))
    torch.testing.assert_close(sum_outside_loss(batch, samples=3), torch.tensor(expected))


def test_sum_outside_is_never_below_equation_9_by_more_than_the_count():
    """Jensen: a mean of logarithms is at most the logarithm of the mean."""
    batch = regions(1)
    outside, inside = sum_outside_loss(batch), contrastive_loss(batch)
    assert (outside >= inside + math.log(4) - 1e-5).all()
    torch.testing.assert_close(
        sum_outside_loss(batch, samples=1), contrastive_loss(batch, samples=1)
    )  # with one positive the two are one


def test_arms_of_a_seed_see_the_same_batches_and_differ_only_by_the_loss():
    data = contrast_study.load_split(TINY, 0, TINY.train_clips)
    weights = {
        name: contrast_study.train(arm, TINY, data, 1.0, seed=3).head.weight
        for name, arm in {"none": Arm(), "off": replace(ARMS["Eq. 9, hard"], weight=0.0),
                          "random off": replace(ARMS["Eq. 9, random"], weight=0.0),
                          "on": ARMS["Eq. 9, hard"]}.items()
    }  # fmt: skip
    torch.testing.assert_close(weights["off"], weights["none"])
    torch.testing.assert_close(weights["random off"], weights["none"])
    assert not torch.allclose(weights["on"], weights["none"])


def test_measures_of_a_network_that_is_right():
    test = contrast_study.load_split(TINY, 7, 2)

    class Oracle(torch.nn.Module):
        def forward(self, images):
            masks = test.masks.flatten(0, 1)
            return 40 * (masks - 0.5), torch.cat([masks, 1 - masks], dim=1)

    found = contrast_study.measure(Oracle(), test)
    assert found == pytest.approx({"iou": 1, "mae": 0, "likeness": 1, "contrast": 1}, abs=1e-6)


def test_a_stopped_study_goes_on_and_another_one_is_refused(tmp_path):
    whole, stopped = tmp_path / "whole.csv", tmp_path / "stopped.csv"
    expected = contrast_study.run(TINY, whole, TWO, progress=False)
    assert [len(expected[s]["iou"]["no L_cl"]) for s in TINY.shares] == [2, 2]
    assert len(whole.read_text().splitlines()) == 1 + 2 * 2 * 2 * 4
    assert json.loads(whole.with_suffix(".json").read_text())["study"]["seeds"] == [0, 1]

    stopped.with_suffix(".json").write_bytes(whole.with_suffix(".json").read_bytes())
    stopped.write_text("".join(whole.read_text().splitlines(keepends=True)[:9]))
    assert contrast_study.run(TINY, stopped, TWO, progress=False) == expected
    assert stopped.read_text() == whole.read_text()
    with pytest.raises(ValueError, match="other settings"):
        contrast_study.run(replace(TINY, steps=3), stopped, TWO, progress=False)
