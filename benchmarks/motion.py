"""The constants of `Motion`, judged on the training videos that a checkpoint held out."""

from collections.abc import Iterator
from inspect import signature
from typing import Any

import numpy as np

from vsodlib import Motion, VSODNet, compare, open_dataset, predict_maps
from vsodlib.inference.evaluate import held_out
from vsodlib.inference.folding import fold_batch_norms
from vsodlib.metrics import score_frames
from vsodlib.model import checkpoint

MEASURES = ("J", "F", "T", "consistency", "max_f", "mae")
SHIPPED = {name: parameter.default for name, parameter in signature(Motion).parameters.items()}
WAYS = [
    SHIPPED,
    *(SHIPPED | {"favour": favour} for favour in (0, 0.5, 2, 3)),
    *(SHIPPED | {"against": against} for against in (1, 2, 4)),
    *(SHIPPED | {"margin": margin} for margin in (0.5, 1.5)),
    *(SHIPPED | {"blend": blend} for blend in (0, 0.5)),
]


def bench_motion(
    name: str, height: int | None = None, root: str | None = None, dataset: str = "davis2016"
) -> dict[str, Any]:
    """Every way of `WAYS` against the network's own maps.

    Args:
        name: a checkpoint whose training held videos of `dataset` out. No other will do: on videos
            that a network knows its maps hold hardly anything false.
        height: rows that the network sees; None: as trained.
        root: where the data lie, as `open_dataset`.

    Returns:
        `checkpoint`, `weights_sha256`, `dataset`, `videos`, `height` and `ways`: the constants and
        of each measure what `compare` says, the network's own maps being the first.

    Raises:
        ValueError: the checkpoint held nothing of the data set out.
    """
    videos = held_out(name, open_dataset(dataset, "train", root), dataset).labelled()
    net = VSODNet.from_pretrained(name)
    net.encoder = fold_batch_norms(net.encoder)
    maps = {
        index: np.rint(255 * predict_maps(net, videos.images([index]), height)[0]).astype(np.uint8)
        for index in range(len(videos))
    }

    def scores(**way: float) -> dict[str, Any]:
        def weighed() -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
            for video, indices in videos.videos.items():
                motion = Motion(**way)
                for index in indices:
                    saliency = maps[index] / np.float32(255)
                    if way:
                        saliency = motion(videos.image(index), saliency)
                    yield video, videos.records[index].frame, saliency, videos.mask(index)

        return score_frames(weighed(), "davis2016", MEASURES, progress=False)

    own, ways = scores(), []
    for way in WAYS:
        found: dict[str, Any] = compare(own, scores(**way))["measures"]
        for measure in found.values():
            del measure["per_sequence"]
        ways.append(way | found)
    return {
        "checkpoint": checkpoint.locate(name).stem,
        "weights_sha256": checkpoint.fingerprint(name),
        "dataset": dataset,
        "videos": sorted(videos.videos),
        "height": height or net.input_height,
        "ways": ways,
    }
