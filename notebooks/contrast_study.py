"""A controlled experiment about Eq. 9: does the contrastive loss help, when, and how much?

The same small convolutional network, the same synthetic clips, the same batches; what differs is
the loss beside binary cross-entropy: none, Eq. 9 (sum over the positives inside the logarithm), or
its sibling of supervised contrastive learning (logarithm inside the sum; Khosla et al., NeurIPS
2020, Eq. 2), each with hard and with random samples. Every arm is trained with few, some and all of
the clips annotated, and with several seeds. Runs of one seed and one share of masks start from
the same weights and see the same batches, so arms are compared seed by seed.

    python notebooks/contrast_study.py --out results/contrast_study.csv

writes one number a row, and the record beside it as JSON; started again, it goes on where it was.
Our own design; the paper has no experiment on synthetic data.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from lesson import clip_batch
from torch import Tensor, nn
from tqdm.auto import tqdm

from vsodlib.config import IMAGENET_MEAN, IMAGENET_STD
from vsodlib.data import synthetic_clip
from vsodlib.data.synthetic import TRAIN_SEEDS, VAL_SEEDS
from vsodlib.files import write_file
from vsodlib.losses.contrastive import (
    Mining,
    Regions,
    choose_samples,
    contrastive_loss,
    pool_regions,
)
from vsodlib.losses.saliency import saliency_loss
from vsodlib.provenance import commit, describe_device

Form = Literal["none", "sum inside", "sum outside"]


@dataclass(frozen=True)
class Arm:
    """What is added to binary cross-entropy: `form` "none", "sum inside" the logarithm (Eq. 9) or
    "sum outside" it (`sum_outside_loss`); how samples are chosen; the weight in Eq. 10.
    """

    form: Form = "none"
    mining: Mining = "hard"
    weight: float = 1.0


ARMS: dict[str, Arm] = {
    "no L_cl": Arm(),
    "Eq. 9, random": Arm("sum inside", "random"),
    "Eq. 9, hard": Arm("sum inside", "hard"),
    "log inside, random": Arm("sum outside", "random"),
    "log inside, hard": Arm("sum outside", "hard"),
    "Eq. 9, hard, 0.1": Arm("sum inside", "hard", weight=0.1),
}
"""The arms of the experiment; the first is what all others are compared with."""


@dataclass(frozen=True)
class Study:
    """The sizes of the experiment, equal for all arms."""

    steps: int = 300
    train_clips: int = 40
    test_clips: int = 24
    frames: int = 8
    """Of a clip, evenly spaced over two seconds: an anchor can have seven positives."""
    clips_per_batch: int = 2
    height: int = 48
    width: int = 80
    channels: int = 24
    learning_rate: float = 3e-3
    temperature: float = 0.1
    samples: int = 4
    shares: tuple[float, ...] = (0.05, 0.2, 1.0)
    """Of the training clips, those that are annotated; the other clips are not used."""
    seeds: tuple[int, ...] = tuple(range(8))

    @classmethod
    def smoke(cls) -> Study:
        """Seconds, to see that it runs."""
        return cls(steps=2, train_clips=4, test_clips=2, shares=(0.5, 1.0), seeds=(0, 1))


class Split(NamedTuple):
    """Clips in memory: `images` (V, T, 3, H, W) and `masks` (V, T, 1, H, W), float in [0, 1]."""

    images: Tensor
    masks: Tensor


def load_split(study: Study, first_seed: int, clips: int) -> Split:
    """Synthetic clips of the seeds `first_seed` ..., `study.frames` frames of each."""
    drawn = [synthetic_clip(first_seed + i, 48, study.height, study.width) for i in range(clips)]
    batch = clip_batch(drawn, study.frames)
    return Split(*(x.unflatten(0, (clips, study.frames)) for x in (batch.images, batch.masks)))


class TinyNet(nn.Module):
    """Four 3x3 convolutions, two of them strided, and a 1x1 output layer."""

    mean: Tensor
    std: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1))
        widths = (3, channels // 2, channels, channels, channels)
        layers: list[nn.Module] = []
        for i, (stride, dilation) in enumerate(((2, 1), (2, 1), (1, 2), (1, 4))):
            conv = nn.Conv2d(
                widths[i], widths[i + 1], 3, stride, dilation, dilation=dilation, bias=False
            )
            layers += [conv, nn.BatchNorm2d(widths[i + 1]), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(channels, 1, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [0, 1] -> logits (B, 1, H, W), features before the output layer."""
        features = self.body((images - self.mean) / self.std)
        logits = F.interpolate(
            self.head(features), images.shape[-2:], mode="bilinear", align_corners=False
        )
        return logits, features


def sum_outside_loss(
    regions: Regions, samples: int = 4, mining: Mining = "hard", temperature: float = 0.1
) -> Tensor:
    """Supervised contrastive loss: the logarithm inside the sum, one value an anchor.

    L_out = -1/|Q₊| Σ₊ log( exp(u·u₊ / τ) / (Σ₊ exp(u·u₊ / τ) + Σ₋ exp(u·u₋ / τ)) )

    Eq. 9 is content when one positive is near; here each positive must be (Khosla et al., NeurIPS
    2020, Eq. 2, with the samples of Section 3.4). Arguments and anchors as in `contrastive_loss`.

    Returns:
        (A,) float, at least log |Q₊| of the anchor where all positives are equally near.
    """
    anchors, positives, negatives = choose_samples(regions, samples, mining)
    usable = positives.any(dim=1) & negatives.any(dim=1)
    anchors, positives, negatives = anchors[usable], positives[usable], negatives[usable]
    embeddings = F.normalize(regions.embeddings, dim=1)
    similarity = embeddings[anchors] @ embeddings.T / temperature
    everything = similarity.masked_fill(~(positives | negatives), -torch.inf).logsumexp(dim=1)
    return everything - (similarity * positives).sum(dim=1) / positives.sum(dim=1)


FORMS = {"sum inside": contrastive_loss, "sum outside": sum_outside_loss}


def train(arm: Arm, study: Study, data: Split, share: float, seed: int) -> TinyNet:
    """One run: the seed chooses weights, annotated clips and batches, the arm only the loss."""
    torch.manual_seed(seed)
    net = TinyNet(study.channels)
    chooser = torch.Generator().manual_seed(seed)
    annotated = max(1, round(share * len(data.masks)))
    known = torch.randperm(len(data.masks), generator=chooser)[:annotated]
    optimizer = torch.optim.AdamW(net.parameters(), study.learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, study.steps)
    per_batch = min(study.clips_per_batch, annotated)
    videos = torch.arange(per_batch).repeat_interleave(study.frames)
    for _ in range(study.steps):
        chosen = known[torch.randperm(annotated, generator=chooser)[:per_batch]]
        images, masks = (x[chosen].flatten(0, 1) for x in data)
        if torch.rand((), generator=chooser) < 0.5:
            images, masks = images.flip(-1), masks.flip(-1)
        logits, features = net(images)
        loss = saliency_loss(logits, masks)["loss"]
        if arm.form != "none":
            regions = pool_regions(features, masks, logits.sigmoid(), videos)
            contrast = FORMS[arm.form](regions, study.samples, arm.mining, study.temperature)
            loss = loss + arm.weight * contrast.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


@torch.inference_mode()
def measure(net: TinyNet, test: Split) -> dict[str, float]:
    """What a run is judged by, on clips of other seeds than those it was trained on.

    Returns:
        iou: of the map cut at 0.5 with the mask, mean over frames.
        mae: mean absolute error of the map.
        likeness: cosine of the foreground features of two frames of a clip, mean over pairs.
        contrast: `likeness` minus the same between foreground and background.
    """
    V, T = test.masks.shape[:2]
    logits, features = net(test.images.flatten(0, 1))
    masks = test.masks.flatten(0, 1)
    found = logits > 0
    both, either = (found & (masks > 0)).sum((1, 2, 3)), (found | (masks > 0)).sum((1, 2, 3))
    saliency = logits.sigmoid()
    videos = torch.arange(V).repeat_interleave(T)
    regions = pool_regions(features, masks, saliency, videos)
    u = F.normalize(regions.embeddings, dim=1)
    same = regions.video[:, None] == regions.video
    front = regions.is_foreground
    pairs = same & front[:, None] & front & (regions.frame[:, None] != regions.frame)
    cosine = u @ u.T
    likeness = cosine[pairs].mean().item()
    return {
        "iou": (both / either.clamp(min=1)).mean().item(),
        "mae": (saliency - masks).abs().mean().item(),
        "likeness": likeness,
        "contrast": likeness - cosine[same & front[:, None] & ~front].mean().item(),
    }


Scores = dict[float, dict[str, dict[str, dict[int, float]]]]
"""share of the masks -> measure -> arm -> seed -> value."""


def read(path: str | Path) -> Scores:
    """What `run` wrote at `path` (.csv).

    Raises:
        FileNotFoundError: there is no such file.
    """
    scores: Scores = {}
    with Path(path).open(newline="") as file:
        for row in csv.DictReader(file):
            arms = scores.setdefault(float(row["masks"]), {}).setdefault(row["measure"], {})
            arms.setdefault(row["arm"], {})[int(row["seed"])] = float(row["value"])
    return scores


def run(
    study: Study, out: str | Path, arms: Mapping[str, Arm] = ARMS, progress: bool = True
) -> Scores:
    """Train and measure every arm at every share with every seed, one after the other.

    Args:
        study: sizes, shares and seeds.
        out: the CSV to write after every run; the record goes beside it, as JSON. Runs that it
            holds are not repeated.
        arms: name -> arm.
        progress: show a bar.

    Raises:
        ValueError: `out` holds runs of another study.
    """
    out = Path(out)
    settings = {
        "study": json.loads(json.dumps(asdict(study))),
        "arms": {name: asdict(arm) for name, arm in arms.items()},
    }
    done = set()
    lines = ["masks,arm,seed,measure,value"]
    if out.exists():
        record = json.loads(out.with_suffix(".json").read_text())
        if any(record[key] != settings[key] for key in settings):
            raise ValueError(f"{out} belongs to a study with other settings; name another file.")
        lines = out.read_text().splitlines()
        for row in csv.DictReader(lines):
            done.add((float(row["masks"]), row["arm"], int(row["seed"])))
    else:
        record = settings | {
            "commit": commit(),
            "device": describe_device(torch.device("cpu")),
            "torch": torch.__version__,
        }
        out.parent.mkdir(parents=True, exist_ok=True)
        write_file(out.with_suffix(".json"), (json.dumps(record, indent=1) + "\n").encode())
    data = load_split(study, TRAIN_SEEDS, study.train_clips)
    test = load_split(study, VAL_SEEDS, study.test_clips)
    todo = [
        (share, name, seed)
        for seed in study.seeds
        for share in study.shares
        for name in arms
        if (share, name, seed) not in done
    ]
    for share, name, seed in tqdm(todo, unit="run", leave=False, disable=not progress):
        found = measure(train(arms[name], study, data, share, seed), test)
        lines += [f'{share},"{name}",{seed},{key},{value:.5f}' for key, value in found.items()]
        write_file(out, ("\n".join(lines) + "\n").encode())
    return read(out)


def main() -> None:
    """Run the study of `--out FILE.csv`, or go on with it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the CSV to write")
    parser.add_argument("--steps", type=int, default=Study.steps)
    parser.add_argument("--shares", type=float, nargs="+", default=Study.shares)
    parser.add_argument("--seeds", type=int, nargs="+", default=Study.seeds)
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    args = parser.parse_args()
    sizes = {"shares": tuple(args.shares), "seeds": tuple(args.seeds), "steps": args.steps}
    torch.set_num_threads(1)  # the network is too small to share
    run(Study(**sizes), args.out, {name: ARMS[name] for name in args.arms})
    print(args.out)


if __name__ == "__main__":
    main()
