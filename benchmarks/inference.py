"""The cost of inference, next to Table 5 and to what a user might pick instead."""

import csv
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torchvision.models import segmentation
from tqdm.auto import tqdm

from benchmarks.clocks import run_times
from benchmarks.memory import peak_memory
from vsodlib.analysis.cost import cost
from vsodlib.config import ModelConfig, TrainConfig, check_counts
from vsodlib.data import synthetic_dataset
from vsodlib.inference.folding import fold_batch_norms
from vsodlib.inference.predict import predict_maps
from vsodlib.inference.video import Outputs, predict_sources, predict_video
from vsodlib.model.vsodnet import VSODNet
from vsodlib.provenance import bundled
from vsodlib.training.ablations import table4
from vsodlib.training.allocator import keep_freed_memory

SIZES = ((240, 432), (480, 854))
TORCHVISION = ("deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large")
NETWORKS = ("lite", *TORCHVISION, "paper")
FORMS = ("plain", "folded")
LIMIT = 20.0
"""Seconds after which a size gets no further turn."""


def build(name: str) -> nn.Module:
    """A network of `NETWORKS` with random weights and one output map, in evaluation mode.

    Raises:
        ValueError: another name.
    """
    if name in ("lite", "paper"):
        return VSODNet(getattr(ModelConfig, name)()).eval()
    if name in TORCHVISION:
        maker = getattr(segmentation, name)
        return maker(weights=None, weights_backbone=None, num_classes=1).eval()
    raise ValueError(f"There is no network {name!r}; there are {', '.join(NETWORKS)}.")


def bench_inference(
    sizes: Sequence[tuple[int, int]] = SIZES,
    names: Sequence[str] = NETWORKS,
    repeats: int = 20,
    frames: int = 64,
    device: str = "cpu",
) -> dict[str, Any]:
    """Parameters, multiply-adds, milliseconds per frame and peak extra memory of whole networks.

    One frame a pass, float32, channels last: as built (`plain`) and with batch norms folded
    (`folded`); medians. The small networks take turns; `paper`, fifty times as slow, follows them.
    Random weights: they cost the same.

    Args:
        sizes: heights and widths of frames, pixels.
        names: of `NETWORKS`.
        repeats: turns of each network.
        frames: how many JPEG files `end_to_end` reads.
        device: "cpu", "cuda", ...

    Returns:
        `networks`: one row a network and size, `matrix_rate` the multiply-adds a second of a plain
        matrix product that took turns with it; `end_to_end`: frames a second of lite from JPEG to
        PNG; `modes`, `temporal`: see there; `table5`: the published rows.

    Raises:
        ValueError: an unknown name, or fewer than one repeat or frame.
    """
    check_counts(repeats=repeats, frames=frames)
    keep_freed_memory()
    networks: list[dict[str, Any]] = []
    for height, width in tqdm(sizes, desc="bench", disable=None):
        seconds: dict[Any, list[float]] = {}
        rates: dict[str, float] = {}
        for group in ([n for n in names if n != "paper"], [n for n in names if n == "paper"]):
            calls: dict[Any, Callable[[], Any]] = {
                (name, form): prepare(name, form, height, width, device)
                for name in group
                for form in FORMS
            }
            found = run_times(calls | {"product": _product(device)}, repeats, LIMIT)
            rates |= dict.fromkeys(group, _SIDE**3 / median(found["product"]))
            seconds |= found
        for name in names:
            parameters, adds = cost(build(name), height, width)
            took = {f"{form}_ms": 1000 * median(seconds[name, form]) for form in FORMS}
            networks.append(
                {
                    "name": name,
                    "height": height,
                    "width": width,
                    "parameters": parameters,
                    "multiply_adds": adds,
                    **took,
                    "frames_per_second": 1000 / min(took.values()),
                    "turns": len(seconds[name, "folded"]),
                    "matrix_rate": rates[name],
                }
            )
    cases = [(row["name"], "folded", row["height"], row["width"], device) for row in networks]
    for row, peak in zip(networks, peak_memory(prepare, cases, device), strict=True):
        row["peak_bytes"] = peak
    lite = fold_batch_norms(VSODNet(ModelConfig.lite()).eval()).to(device)
    lite.to(memory_format=torch.channels_last)
    return {
        "networks": networks,
        "end_to_end": [end_to_end(lite, *size, 240, frames) for size in sizes],
        "modes": modes(*sizes[-1], frames),
        "temporal": temporal(*sizes[0], min(repeats, 5), device),
        "table5": table5(),
    }


def prepare(name: str, form: str, height: int, width: int, device: str) -> Callable[[], Any]:
    """One pass of a network, in a form of `FORMS`, over one random frame."""
    net = build(name) if form == "plain" else fold_batch_norms(build(name))
    net = net.to(device).to(memory_format=torch.channels_last)
    image = torch.randn(1, 3, height, width).to(device, memory_format=torch.channels_last)
    return partial(_pass, net, image)


_SIDE = 1024


def _product(device: str) -> Callable[[], Any]:
    a, b = torch.randn(2, _SIDE, _SIDE, device=device)
    return partial(torch.mm, a, b)


def temporal(height: int, width: int, repeats: int, device: str = "cpu") -> list[dict[str, Any]]:
    """Seconds per frame of the networks of Table 4 on one clip, lite, taking turns.

    Args:
        height, width: of the clip, pixels.
        repeats: turns of each.
        device: "cpu", "cuda", ...

    Returns:
        For each row of Table 4: `seconds_per_frame` with eight frames a pass, which share their
        five references, and `seconds_per_frame_alone` with one, as COSNet does it.
    """
    rows = {row.name: row.model for row in table4(ModelConfig.lite(), TrainConfig.lite())}
    frames = np.random.default_rng(0).integers(0, 256, (8, height, width, 3), dtype=np.uint8)
    calls: dict[Any, Callable[[], Any]] = {}
    for name, config in rows.items():
        net = VSODNet(config).eval()
        net.encoder = fold_batch_norms(net.encoder)
        net = net.to(device).to(memory_format=torch.channels_last)
        for batch_size in (8, 1):
            calls[name, batch_size] = partial(predict_maps, net, frames, batch_size=batch_size)
    seconds = run_times(calls, repeats)
    return [
        {
            "name": name,
            "seconds_per_frame": median(seconds[name, 8]) / len(frames),
            "seconds_per_frame_alone": median(seconds[name, 1]) / len(frames),
        }
        for name in rows
    ]


@torch.inference_mode()
def _pass(net: nn.Module, image: torch.Tensor) -> Any:
    return net(image)


def end_to_end(
    net: VSODNet, height: int, width: int, rows: int, frames: int = 64, batch_size: int = 2
) -> dict[str, Any]:
    """Frames a second of `predict_video` without overlay: decode JPEG, network, write PNG.

    Args:
        net: on its device.
        height, width: of the JPEG files, pixels.
        rows: what the network sees of them.
        frames: how many.
        batch_size: frames a pass.
    """
    predictor = partial(predict_maps, net, height=rows, batch_size=batch_size)
    with TemporaryDirectory() as folder:
        source, out = _jpegs(folder, height, width, frames), Path(folder) / "maps"
        predictor(np.zeros((1, height, width, 3), np.uint8))
        films = Outputs(overlay=False)
        run = predict_video(source, out, predictor, batch_size, False, outputs=films)
    sizes = {"height": height, "width": width, "network_height": rows}
    return sizes | {"frames": frames, "frames_per_second": run["fps"]}


def modes(height: int, width: int, frames: int = 32) -> list[dict[str, Any]]:
    """Frames a second of `vsod predict --no-overlay`, plain and with each of its switches.

    The published network at its own height, from JPEG to PNG.

    Args:
        height, width: of the JPEG files, pixels.
        frames: how many.
    """
    net = fold_batch_norms(VSODNet.from_pretrained("lite-davis"))
    net.to(memory_format=torch.channels_last)
    switches: dict[str, dict[str, Any]] = {"plain": {}}
    switches |= {name: {name: True} for name in ("bf16", "flip", "refine", "motion")}
    rows = []
    with TemporaryDirectory() as folder:
        source = _jpegs(folder, height, width, frames)
        for name, switch in switches.items():
            out, films = Path(folder) / name, Outputs(overlay=False)
            (run,) = predict_sources(net, [source], out, films, progress=False, **switch)
            rows.append({"mode": name, "frames_per_second": run["fps"], "frames": frames})
    return rows


def _jpegs(folder: str, height: int, width: int, frames: int) -> Path:
    """A folder of drawn frames."""
    clip = synthetic_dataset("val", videos=1, frames=min(frames, 16), height=height, width=width)
    source = Path(folder) / "frames"
    source.mkdir()
    for t in range(frames):
        image = cv2.cvtColor(clip.image(t % len(clip)), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(source / f"{t:05d}.jpg"), image)
    return source


def table5() -> list[dict[str, str]]:
    """The rows of Table 5 as published (GTX 1080 Ti)."""
    with bundled("results/published/table5.csv").open() as file:
        return list(csv.DictReader(file))
