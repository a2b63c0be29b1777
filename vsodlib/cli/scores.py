"""The commands of `vsod` that score maps, and what they print and write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, create_mutex_group

from vsodlib.cli.network import load_network, record_of
from vsodlib.cli.options import Command, Count, DataRoot, Flag, Network
from vsodlib.files import check_writable, write_file

ProtocolName = Literal["davis2016", "davsod", "frames"]
TRUTH = create_mutex_group(required=True, title="ground truth, one of")


@dataclass(kw_only=True)
class Report(DataRoot):
    json: str | None = None
    """File for all scores; None: they are only printed."""
    per_frame: Flag = False
    """Keep the scores of every frame in that file too."""
    workers: Count = 1
    """Processes that score."""


@dataclass(kw_only=True)
class Evaluate(Network, Report, Command):
    """Score a network on a data set."""

    dataset: str = "davis2016"
    """Data set, as `vsod data list` names it."""
    split: str = "val"
    """Part of the data set."""
    protocol: ProtocolName = "davis2016"
    """Official tool whose rules hold; frames: every frame counts alike."""
    flip: Flag = False
    """Average with the map of the mirrored frame."""
    held_out: Flag = False
    """Score only what the checkpoint's training held out."""
    save_maps: str | None = None
    """Folder for the maps; None: they are not kept."""

    def run(self) -> None:
        from vsodlib.data import open_dataset
        from vsodlib.inference.evaluate import evaluate
        from vsodlib.model import checkpoint

        check_writable(self.json)
        net = load_network(self)
        dataset = open_dataset(self.dataset, self.split, self.data)
        # The record now: a training run may write the checkpoint anew meanwhile.
        record = record_of(self, net, self.dataset, self.split)
        if self.held_out:
            count = checkpoint.read(self.checkpoint)[1].get("held_out", {}).get(self.dataset, 0)
            if not count:
                raise ValueError(f"{self.checkpoint} held nothing of {self.dataset} out.")
            dataset = dataset.labelled()
            dataset = dataset.subset(dataset.spread_out(count))
            record["held_out"] = count
        options = (self.height, self.flip, self.protocol, self.batch_size, self.workers)
        scores = evaluate(net, dataset, *options, self.save_maps)
        _report(scores, self, record | {"flip": self.flip})
        print(f"Network: {scores['seconds_per_frame']:.3f} s a frame")


@dataclass(kw_only=True)
class Score(Report, Command):
    """Score anyone's maps or masks."""

    predictions: Positional[str]
    """Folder of maps, one folder per sequence, or flat."""
    dataset: Annotated[str | None, TRUTH] = None
    """Data set whose masks are the truth, e.g. davis2016."""
    gt: Annotated[str | None, TRUTH] = None
    """Folder of ground-truth masks."""
    protocol: ProtocolName | None = None
    """Official tool whose rules hold, or frames: every frame counts alike; None: the data set's."""
    allow_missing_first: Flag = False
    """Let sequences lack an end frame."""

    def run(self) -> None:
        from vsodlib.inference.score_folder import score_folder

        check_writable(self.json)
        scores = score_folder(
            self.predictions,
            self.dataset,
            self.gt,
            self.data,
            self.protocol,
            self.allow_missing_first,
            self.workers,
        )
        _report(scores, self, {"predictions": Path(self.predictions).name})


def _report(scores: dict[str, Any], args: Report, record: dict[str, Any]) -> None:
    """Write scores to `--json`, and print them by sequence and overall whether it works or not."""
    if not args.per_frame:
        for row in scores["per_sequence"].values():
            row.pop("per_frame")
    try:
        write_json(args.json, {**scores, "record": record})
    finally:
        _print_scores(scores)


def _print_scores(scores: dict[str, Any]) -> None:
    rows = [*scores["per_sequence"].items(), ("all", scores)]
    width = max(len(name) for name, _ in rows)
    print(f"{'':{width}}      J      F   maxF      S    MAE")
    for name, row in rows:
        values = (row["J"]["mean"], row["F"]["mean"], row["max_f"], row["s_measure"], row["mae"])
        cells = "".join("      -" if value is None else f"{value:7.3f}" for value in values)
        print(f"{name:{width}}{cells}")


def write_json(path: str | None, content: dict[str, Any]) -> None:
    """Write JSON where a path was given, and say so."""
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_file(Path(path), (json.dumps(content, indent=1) + "\n").encode())
        print(f"Wrote {path}")
