"""Score a network on a data set."""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from vsodlib.config import check_counts
from vsodlib.data import FrameDataset
from vsodlib.data.image_files import write_map
from vsodlib.files import sole_process, unlinked
from vsodlib.inference.motion import Motion
from vsodlib.inference.predict import predict_maps, reference_frames
from vsodlib.metrics import region_similarity, score_frames
from vsodlib.model import checkpoint
from vsodlib.model.vsodnet import VSODNet
from vsodlib.notes import note


def evaluate(
    net: VSODNet,
    dataset: FrameDataset,
    height: int | None = None,
    flip: bool = False,
    protocol: str = "davis2016",
    batch_size: int = 8,
    workers: int = 1,
    save_to: str | Path | None = None,
    refine: bool = False,
    scales: Sequence[float] = (1.0,),
    motion: bool = False,
) -> dict[str, Any]:
    """Score a network on every labelled frame of a data set.

        >>> from vsodlib import VSODNet, evaluate, open_dataset
        >>> dataset = open_dataset("synthetic", "val")
        >>> dataset = dataset.subset(dataset.spread_out(1))  # one of its videos
        >>> scores = evaluate(VSODNet.from_pretrained("lite-davis"), dataset, height=96)
        >>> 0 < scores["J"]["mean"] <= 1
        True

    Args:
        net, height, flip, batch_size, refine, scales: as in `predict_maps`.
        dataset: its `transform` is not used.
        protocol: a protocol of `vsodlib.metrics`.
        workers: threads that score.
        save_to: also write the maps there, one folder per video.
        motion: weigh each video's maps by what moves (`Motion`), looking at all its frames.

    Returns:
        What `score_frames` returns, `"levels"` (how the masks were read) and
        `"seconds_per_frame"` of the network (resizing included, decoding and scoring not).

    Raises:
        ValueError: frames of a video that differ in size; `save_to` is where the data set lies, or
            is written by another process; as `predict_maps` and `score_frames`.
    """
    check_counts(batch_size=batch_size)
    labelled = dataset.labelled()
    dataset = dataset if motion else labelled
    seconds, count = 0.0, 0
    own: set[Path] = set()
    if save_to and dataset.storage:
        paths = (path for r in dataset.records for path in (r.image, r.mask) if path)
        own = {Path(dataset.storage.locate(path)).resolve() for path in paths}

    def frames() -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
        nonlocal seconds, count
        for video in labelled.videos:
            indices = dataset.videos[video]
            remaining, references = iter(indices), reference_frames(net, dataset, indices)
            weigh = Motion() if motion else None
            while chunk := list(islice(remaining, batch_size)):
                images = dataset.images(chunk)
                start = time.perf_counter()
                maps = predict_maps(
                    net, images, height, flip, batch_size, references, refine=refine, scales=scales
                )
                if weigh:
                    maps = np.stack(list(map(weigh, images, maps)))
                seconds, count = seconds + time.perf_counter() - start, count + len(chunk)
                for index, saliency in zip(chunk, maps, strict=True):
                    if dataset.records[index].mask is None:
                        continue
                    frame = dataset.records[index].frame
                    if save_to:
                        place = unlinked(save_to, f"{video}/{frame}.png")
                        if place.resolve() in own:
                            name = dataset.name
                            raise ValueError(f"{place} belongs to {name}; name a new folder.")
                        write_map(place, saliency)
                    counted = dataset.counted(index)
                    if counted is not None:  # elsewhere neither map nor truth shows anything
                        saliency = saliency * counted
                    yield video, frame, saliency, dataset.mask(index)

    with sole_process(Path(save_to)) if save_to else nullcontext():
        scores = score_frames(frames(), protocol, "all", workers, total=len(labelled))
    return scores | {"levels": {"truth": dataset.levels}, "seconds_per_frame": seconds / count}


def held_out(name: str, dataset: FrameDataset, title: str) -> FrameDataset:
    """Of a data set, frames without a mask included or not, the videos that the training of a
    checkpoint (a name in `checkpoints/`, or a file) held out; `title` is what that called it. A
    ValueError where nothing of it was held out.
    """
    _, record = checkpoint.read(name)
    count = record.get("held_out", {}).get(title, 0)
    if not count:
        raise ValueError(f"{name} held nothing of {title} out.")
    if checkpoint.may_know(record.get("initial"), title, count):
        note(f"{name} began with weights that may have seen what it held out of {title}.")
    return dataset.subset(dataset.labelled().spread_out(count))


def mean_iou(net: VSODNet, dataset: FrameDataset, height: int, every: int = 4) -> float:
    """Intersection over union at threshold 0.5, averaged over every `every`-th frame of each video:
    a quick measure to choose a checkpoint by. Leaves the network in evaluation mode.
    """
    net.eval()
    scores = []
    for indices in dataset.videos.values():
        references = reference_frames(net, dataset, indices)
        chosen = indices[::every]
        maps = predict_maps(net, dataset.images(chosen), height, references=references)
        masks = map(dataset.mask, chosen)
        scores += [region_similarity(p >= 0.5, g) for p, g in zip(maps, masks, strict=True)]
    return float(np.mean(scores))
