"""The long training run in minutes on one GPU, prepared (results/gpu.md).

    python -m benchmarks.gpu --dry-run            ten steps of everything, on what there is
    python -m benchmarks.gpu --minutes 7 --out D  phase A, then phase B with L_cl and without

A trial of both phases gives the seconds of a step; from them follow the steps that fill the
minutes, so that one cosine by steps ends in time and both twins branch at the same one.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.clocks import now
from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.data import concat, open_dataset
from vsodlib.data.dataset import FrameDataset
from vsodlib.files import write_json
from vsodlib.model.vsodnet import VSODNet
from vsodlib.provenance import find_device, made_with
from vsodlib.training.fit import fit
from vsodlib.training.log import read_log

MODEL = replace(ModelConfig.lite(), decoder_channels=24)
HELD_OUT = {"davis2016": 6, "duts-tr": 500}
SHARE_A = 0.6
"""Share of the time for phase A; each twin's phase B gets half of the rest."""
WIDE = "height=320 width=544 batch_size=24 frames_per_video=6 mix=davis2016:1,duts-tr:1"


def recipe(steps: int, first_b: float, contrast: float) -> TrainConfig:
    """The whole schedule: images and single frames small, then clips and images large."""
    return TrainConfig(
        steps=steps,
        batch_size=64,
        frames_per_video=1,
        mix=("davis2016=1", "duts-tr=3"),
        height=224,
        width=384,
        phases=(f"{first_b:.6f} {WIDE} scale_min=0.5 contrastive_weight={contrast}",),
        optimizer="adamw",
        learning_rate=1.6e-3,
        encoder_learning_rate=4e-4,
        weight_decay=1e-2,
        contrastive_weight=0.0,
        iou_weight=1.0,
        edge_weight=5.0,
        ema_decay=0.999,
        scale_min=0.4,
        color_jitter=0.3,
        precision="auto",
        freeze_batch_norm=True,
        freeze_stages=3,
        checkpoint_every=10**9,
        seed=11,
    )


def training_data(root: str | None, only: int | None = None) -> FrameDataset:
    """DAVIS and DUTS without what is held out, in memory; `only` so many videos of each."""
    kept = []
    for name, count in HELD_OUT.items():
        dataset = open_dataset(name, "train", root).labelled()
        names = sorted(set(dataset.videos) - set(dataset.spread_out(count)))[:only]
        kept.append(dataset.subset(names).in_memory(480))
    return concat(kept)


def seconds_per_step(data: FrameDataset, initial: str, steps: int, workers: int) -> list[float]:
    """Of phase A and of phase B with L_cl, the first third of the steps not counted."""
    found = []
    for start, stop in ((0, steps), (steps, 2 * steps)):
        config = recipe(2 * steps, 0.5, 1.0)
        rows: list[dict[str, Any]] = []
        with TemporaryDirectory() as folder:
            options: dict[str, Any] = {"initial": initial, "workers": workers, "progress": False}
            options |= {"first_step": start, "last_step": stop, "on_log": rows.append}
            fit(MODEL, config, data, folder, **options)
        times = [row["seconds_per_step"] for row in rows[len(rows) // 3 :]]
        found.append(sum(times) / len(times))
    return found


def train(
    data: FrameDataset, out: Path, minutes: float, initial: str, workers: int, trial: int
) -> dict[str, Any]:
    """The trunk and both twins, in about `minutes` with the trial; their records lie in `out`."""
    begun = time.perf_counter()
    step_a, step_b = seconds_per_step(data, initial, trial, workers)
    left = 60 * minutes - (time.perf_counter() - begun)
    first, after = int(SHARE_A * left / step_a), int((1 - SHARE_A) / 2 * left / step_b)
    if min(first, after) < 1:
        raise ValueError(f"{minutes} minutes are too short: the trial alone left {left:.0f} s.")
    steps = first + after
    print(f"A: {first} steps of {step_a:.3f} s; B: {after} of {step_b:.3f} s, twice", flush=True)
    share = first / steps
    options: dict[str, Any] = {"workers": workers, "progress": False}
    options["facts"] = {"held_out": HELD_OUT}
    trunk = recipe(steps, share, 0.0)
    fit(MODEL, trunk, data, out / "trunk", initial=initial, last_step=first, **options)
    for name, contrast in (("lite-davis", 1.0), ("lite-davis-bce", 0.0)):
        config = recipe(steps, share, contrast)
        start = out / "trunk" / "last"
        fit(MODEL, config, data, out / name, initial=start, first_step=first, **options)
    wide = trunk.schedule[1][1].batch_size
    return {
        "seconds_per_step": {"A": step_a, "B": step_b},
        "steps": {"A": first, "B": after},
        "images": first * trunk.batch_size + after * wide,
        "images_per_second": {"A": trunk.batch_size / step_a, "B": wide / step_b},
        "loss": {p.name: read_log(p / "log.jsonl")[-1] for p in out.iterdir() if p.is_dir()},
        "seconds": time.perf_counter() - begun,
    }


def paper_speed(seconds: float, device: torch.device, small: bool = False) -> dict[str, Any]:
    """Training the paper's network at 480x854 in bfloat16: images a second, memory, utilisation.

    `matrix_share` is its multiply-adds a second, three forward passes counted for a step, over
    those of a large matrix product on the same device.
    """
    from vsodlib.analysis.cost import cost

    config = replace(ModelConfig.paper(), backbone="resnet18") if small else ModelConfig.paper()
    height, width, batch = (64, 96, 2) if small else (480, 854, 8)
    net = VSODNet(config).to(device).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9)
    images = torch.rand(batch, 3, height, width, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    masks = (torch.rand(batch, 1, height, width, device=device) > 0.5).float()

    def step() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = net(images).logits
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    step()
    steps, begun = 0, now()
    while not steps or now() - begun < seconds:
        step()
        steps += 1
    rate = steps * batch / (now() - begun)
    side = 512 if small else 8192
    a = torch.rand(side, side, device=device, dtype=torch.bfloat16)
    a @ a
    start, products = now(), 3 if small else 30
    for _ in range(products):
        a @ a
    peak = products * side**3 / (now() - start)
    found = {"batch": batch, "height": height, "width": width, "images_per_second": rate}
    found["matrix_share"] = 3 * cost(VSODNet(config).eval(), height, width)[1] * rate / peak
    if device.type == "cuda":
        found["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Run what the command line asks for; the figures go to OUT/gpu.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", help="data root (default: $VSOD_DATA, else data/)")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"))
    parser.add_argument("--minutes", type=float, default=7.0, help="for the trial and both phases")
    parser.add_argument("--paper-seconds", type=float, default=40.0)
    parser.add_argument("--initial", default="lite-davis-bce")
    parser.add_argument("--workers", type=int, default=max(0, (os.cpu_count() or 1) - 2))
    parser.add_argument("--dry-run", action="store_true", help="a few steps, to see that all works")
    args = parser.parse_args(argv)
    device = find_device("cuda" if torch.cuda.is_available() else "cpu")
    begun = time.perf_counter()
    data = training_data(args.data, 30 if args.dry_run else None)
    print(f"Read {len(data)} frames in {time.perf_counter() - begun:.0f} s", flush=True)
    figures: dict[str, Any]
    if args.dry_run:
        step_a, step_b = seconds_per_step(data, args.initial, 10, 0)
        figures = {"seconds_per_step": {"A": step_a, "B": step_b}}
    else:
        figures = train(data, args.out, args.minutes, args.initial, args.workers, trial=60)
    figures["paper"] = paper_speed(0 if args.dry_run else args.paper_seconds, device, args.dry_run)
    figures["record"] = made_with(device) | {"frames": len(data)}
    write_json(args.out / "gpu.json", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
