"""Two ways to better maps after the network, tried on training videos (`results/tried/`).

python -m benchmarks.tried maps CACHE 432 240        # the network's maps, once
python -m benchmarks.tried refine CACHE 432 240      # the guided filter
    python -m benchmarks.tried steady CACHE 432 240      # parts weighed by their motion
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from vsodlib import VSODNet, provenance
from vsodlib.data import open_dataset
from vsodlib.data.transforms import to_images
from vsodlib.inference.folding import fold_batch_norms
from vsodlib.inference.guided import guided_upsampling
from vsodlib.inference.motion import MotionWeights, own_motion, small_grey
from vsodlib.metrics import compare, region_similarity, score_frames
from vsodlib.model import checkpoint

WINDOW = 20
"""Consecutive frames of a DAVIS video, from its middle."""


def chosen(name: str, indices: list[int]) -> list[int]:
    if name != "davis2016":
        return indices
    first = max(0, len(indices) // 2 - WINDOW // 2)
    return indices[first : first + WINDOW]


@torch.inference_mode()
def write_maps(cache: Path, heights: list[int]) -> None:
    torch.set_num_threads(1)
    net = VSODNet.from_pretrained("lite-davis")
    net.encoder = fold_batch_norms(net.encoder)
    net = net.to(memory_format=torch.channels_last)
    for height in heights:
        for name in ("fbms", "davis2016"):
            dataset = open_dataset(name, "train").labelled()
            for video, indices in dataset.videos.items():
                path = cache / f"{name}-{height}-{video}.npy"
                if path.exists():
                    continue
                found = []
                for index in chosen(name, indices):
                    images = to_images(dataset.images([index]), height, 16)
                    logits = net(images.to(memory_format=torch.channels_last)).logits
                    found.append(logits.sigmoid()[0, 0].numpy().astype(np.float16))
                np.save(path, np.stack(found))
                print(path.name, found[0].shape, len(found), flush=True)


def plain(saliency: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """What `predict_maps` does: bilinear."""
    small = torch.from_numpy(saliency.astype(np.float32))[None, None]
    size = frame.shape[:2]
    return F.interpolate(small, size=size, mode="bilinear", align_corners=False)[0, 0].numpy()


def videos_of(name: str, half: int | None) -> list[str]:
    """The first, third, ... training videos by name (half 0), the others (1), or all (None)."""
    names = sorted(open_dataset(name, "train").labelled().videos)
    return names if half is None else names[half::2]


def score_refined(
    cache: Path,
    name: str,
    half: int | None,
    height: int,
    every: int,
    way: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> tuple[dict, float]:
    dataset = open_dataset(name, "train").labelled()
    clock = [0.0, 0]

    def frames() -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
        for video in videos_of(name, half):
            maps = np.load(cache / f"{name}-{height}-{video}.npy")
            pairs = list(zip(chosen(name, dataset.videos[video]), maps, strict=True))
            for index, saliency in pairs[every // 2 :: every]:
                frame = dataset.images([index])[0]
                start = time.process_time()
                found = way(saliency, frame)
                clock[0] += time.process_time() - start
                clock[1] += 1
                counted = dataset.counted(index)
                found = found if counted is None else found * counted
                yield video, dataset.records[index].frame, found, dataset.mask(index)

    return score_frames(frames(), "frames", ("J", "F"), progress=False), clock[0] / clock[1]


def summary(scores: dict, base: dict | None = None) -> dict:
    row = {m: round(scores[m]["mean"] if m != "T" else scores[m], 4) for m in scores["measures"]}
    if base is not None:
        for measure, found in compare(base, scores)["measures"].items():
            row[f"{measure}_difference"] = round(found["difference"], 4)
            row[f"{measure}_interval"] = [round(x, 4) for x in found["interval"]]
            row[f"{measure}_verdict"] = found["verdict"]
            row[f"{measure}_better_in"] = [found["second_better"], len(found["per_sequence"])]
    return row


def refine(cache: Path, heights: list[int]) -> dict:
    grid = [(4, 1e-3), (8, 1e-2), (8, 1e-3), (8, 1e-4), (16, 1e-3), (16, 1e-4)]
    out = {}
    for height in heights:
        base, _ = score_refined(cache, "davis2016", 0, height, 8, plain)
        rows, best = {"bilinear": summary(base)}, None
        for radius, eps in grid:

            def way(p: np.ndarray, frame: np.ndarray, r: int = radius, e: float = eps):
                return guided_upsampling(p, frame, r, e)

            scores, seconds = score_refined(cache, "davis2016", 0, height, 8, way)
            row = summary(scores, base) | {"seconds_per_frame": round(seconds, 3)}
            rows[f"radius {radius}, eps {eps:g}"] = row
            print(height, radius, eps, row, flush=True)
            if best is None or scores["J"]["mean"] + scores["F"]["mean"] > best[0]:
                best = (
                    scores["J"]["mean"] + scores["F"]["mean"],
                    f"radius {radius}, eps {eps:g}",
                    way,
                )
        held = {}
        for name, half, every in (("davis2016", 1, 4), ("fbms", None, 1)):
            base, _ = score_refined(cache, name, half, height, every, plain)
            scores, _ = score_refined(cache, name, half, height, every, best[2])
            held[name] = {"frames": scores["frames"], "bilinear": summary(base)}
            held[name]["guided"] = summary(scores, base)
            print(height, best[1], name, held[name], flush=True)
        out[str(height)] = {"chosen_on": rows, "chosen": best[1], "reported": held}
    return out


def motions(name: str, videos: list[str]) -> dict[str, list]:
    """Of every frame what `own_motion` returns, and the size it was looked for at."""
    dataset, found = open_dataset(name, "train").labelled(), {}
    for video in videos:
        previous, row = None, []
        for index in chosen(name, dataset.videos[video]):
            grey = small_grey(dataset.images([index])[0])
            row.append((None if previous is None else own_motion(grey, previous), grey.shape))
            previous = grey
        found[video] = row
    return found


def weighed(
    cache: Path, name: str, height: int, of: dict[str, list], options: dict | None
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """The frames with their maps, weighed by motion where options are given."""
    dataset = open_dataset(name, "train").labelled()
    for video, row in of.items():
        maps = np.load(cache / f"{name}-{height}-{video}.npy")
        state = MotionWeights(**(options or {}))
        for index, saliency, motion in zip(
            chosen(name, dataset.videos[video]), maps, row, strict=True
        ):
            mask, counted = dataset.mask(index), dataset.counted(index)
            found = plain(saliency, np.empty((*mask.shape, 0)))
            state.learn(*motion)
            found = state.weigh(found) if options is not None else found
            found = found if counted is None else found * counted
            yield video, dataset.records[index].frame, found, mask


def steady(cache: Path, heights: list[int]) -> dict:
    ways = [
        {"tolerance": tolerance, "memory": memory}
        for tolerance in (0.5, 1.0, 1.5, 2.0, 3.0)
        for memory in (0.0, 0.5, 0.8, 0.9)
    ]
    half = motions("davis2016", videos_of("davis2016", 0))
    other = motions("davis2016", videos_of("davis2016", 1))
    sparse = motions("fbms", videos_of("fbms", None))
    pairs = [m for of in (half, other) for row in of.values() for m, _ in row[1:]]
    out: dict = {"reliable": round(sum(m is not None for m in pairs) / len(pairs), 4)}
    for height in heights:
        rows = {}
        for way in [None, *ways]:
            frames = weighed(cache, "davis2016", height, half, way)
            per_video: dict[str, list[float]] = {}
            for video, _, found, mask in frames:
                per_video.setdefault(video, []).append(region_similarity(found >= 0.5, mask))
            rows[str(way)] = round(float(np.mean([np.mean(v) for v in per_video.values()])), 5)
            print(height, way, rows[str(way)], flush=True)
        best = max(ways, key=lambda way: rows[str(way)])
        held = {}
        for name, of, measures in (
            ("davis2016", other, ("J", "F", "T")),
            ("fbms", sparse, ("J", "F")),
        ):
            both = [
                score_frames(
                    weighed(cache, name, height, of, way), "frames", measures, progress=False
                )
                for way in (None, best)
            ]
            held[name] = {"frames": both[0]["frames"], "per_frame": summary(both[0])}
            held[name]["steady"] = summary(both[1], both[0])
            print(height, best, name, held[name], flush=True)
        out[str(height)] = {"J_of_the_first_half": rows, "chosen": best, "reported": held}
    return out


def record() -> dict:
    return {
        "command": " ".join(["python -m benchmarks.tried", *sys.argv[1:]]),
        "commit": provenance.commit(),
        "device": "cpu, 1 thread",
        "data": "DAVIS 2016 train (576x324), 20 consecutive frames from the middle of each video; "
        "FBMS Trainingset, all annotated frames. lite-davis was trained on the former, "
        "not on the latter.",
        "checkpoint": "lite-davis",
        "weights_sha256": checkpoint.fingerprint("lite-davis"),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }


if __name__ == "__main__":
    what, cache, *heights = sys.argv[1:]
    cv2.setNumThreads(1)
    Path(cache).mkdir(exist_ok=True, parents=True)
    if what == "maps":
        write_maps(Path(cache), [int(height) for height in heights])
    else:
        origin = record()
        found = globals()[what](Path(cache), [int(height) for height in heights])
        path = Path(f"results/tried/{what}.json")
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(json.dumps({"record": origin, **found}, indent=1) + "\n")
