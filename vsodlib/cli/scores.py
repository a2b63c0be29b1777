"""The commands of `vsod` that score maps, and what they print and write."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from vsodlib.cli.network import load_network, record_of
from vsodlib.files import check_writable, write_file


def evaluate(args: Namespace) -> None:
    from vsodlib.data import open_dataset
    from vsodlib.inference.evaluate import evaluate as score_network
    from vsodlib.model import checkpoint

    check_writable(args.json)
    net = load_network(args)
    dataset = open_dataset(args.dataset, args.split, args.root)
    record = record_of(args, net)  # now: a training run may write the checkpoint anew meanwhile
    if args.held_out:
        count = checkpoint.read(args.checkpoint)[1].get("held_out", {}).get(args.dataset, 0)
        if not count:
            raise ValueError(f"{args.checkpoint} held nothing of {args.dataset} out.")
        dataset = dataset.labelled()
        dataset = dataset.subset(dataset.spread_out(count))
        record["held_out"] = count
    options = (args.height, args.flip, args.protocol, args.batch_size, args.workers)
    scores = score_network(net, dataset, *options, args.save_maps)
    _report(scores, args, record | {"flip": args.flip})
    print(f"Network: {scores['seconds_per_frame']:.3f} s a frame")


def score(args: Namespace) -> None:
    from vsodlib.inference.score_folder import score_folder

    check_writable(args.json)
    scores = score_folder(
        args.predictions,
        args.dataset,
        args.gt,
        args.root,
        args.protocol,
        args.allow_missing_first,
        args.workers,
    )
    _report(scores, args, {"predictions": Path(args.predictions).name})


def _report(scores: dict[str, Any], args: Namespace, record: dict[str, Any]) -> None:
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
