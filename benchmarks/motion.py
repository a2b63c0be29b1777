"""Which β and κ of `Motion`: scores on the training videos that a checkpoint held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from vsodlib import Motion, VSODNet, open_dataset, predict_maps
from vsodlib.inference.folding import fold_batch_norms
from vsodlib.metrics import compare, score_frames
from vsodlib.model import checkpoint

MEASURES = ("J", "F", "mae")


def bench_motion(
    name: str,
    root: str | None = None,
    dataset: str = "davis2016",
    betas: Sequence[float] = (0.0, 0.5, 1.0, 2.0, 4.0),
    kappas: Sequence[float] = (0.0, 0.3, 0.5, 0.7),
    taus: Sequence[float] = (0.5, 1.0, 1.5),
    every: int = 2,
) -> dict[str, Any]:
    """Every β with every κ against the network's own maps.

    Args:
        name: a checkpoint whose training held videos of `dataset` out: no other network can tell,
            since on videos that it knows hardly anything false is left.
        root: where the data lie, as `open_dataset`.
        every: frames from one that is scored to the next; all are looked at.

    Returns:
        `checkpoint`, `weights_sha256`, `dataset`, `videos`, `height`, and `ways`: `beta`, `kappa`,
        each measure's mean and its paired difference to the network's own maps.

    Raises:
        ValueError: the checkpoint held nothing of the data set out.
    """
    count = checkpoint.read(name)[1].get("held_out", {}).get(dataset, 0)
    if not count:
        raise ValueError(f"{name} held nothing of {dataset} out.")
    videos = open_dataset(dataset, "train", root).labelled()
    videos = videos.subset(videos.spread_out(count))
    net = VSODNet.from_pretrained(name)
    net.encoder = fold_batch_norms(net.encoder)
    maps = {
        video: [
            np.rint(255 * predict_maps(net, videos.images([index]))[0]).astype(np.uint8)
            for index in indices
        ]
        for video, indices in videos.videos.items()
    }

    def weighed(way: tuple[float, float]) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
        for video, indices in videos.videos.items():
            motion = Motion(*way)
            for t, (index, value) in enumerate(zip(indices, maps[video], strict=True)):
                saliency = value / np.float32(255)
                if way != (0, 0):
                    saliency = motion(videos.images([index])[0], saliency)
                if t % every == 0:
                    yield video, videos.records[index].frame, saliency, videos.mask(index)

    ways: list[dict[str, Any]] = []
    for beta in betas:
        for kappa in kappas:
            scores = score_frames(weighed((beta, kappa)), "davis2016", MEASURES, progress=False)
            own = own if ways else scores
            found = compare(own, scores)["measures"]
            ways.append({"beta": beta, "kappa": kappa} | {m: found[m] for m in found})
            print(ways[-1], flush=True)
    return {
        "checkpoint": name,
        "weights_sha256": checkpoint.fingerprint(name),
        "dataset": dataset,
        "videos": sorted(videos.videos),
        "height": net.input_height,
        "ways": ways,
    }
