"""The commands of `vsod` that score maps, and what they print and write."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from vsodlib.cli.network import COLUMNS, load_network, record_of
from vsodlib.files import check_writable, write_file
from vsodlib.notes import note


def evaluate(args: Namespace) -> None:
    from vsodlib.data import open_dataset, scored_split
    from vsodlib.inference.evaluate import evaluate as score_network
    from vsodlib.model import checkpoint

    check_writable(args.json)
    args.split = args.split or scored_split(args.dataset)
    net = load_network(args)
    dataset = open_dataset(args.dataset, args.split, args.root, args.foreground, args.void)
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
    if args.explain:
        return _explain(args)
    scores = score_folder(
        args.predictions,
        args.dataset,
        args.gt,
        args.root,
        args.protocol,
        args.allow_missing_first,
        "all" if args.all else args.measures or "default",
        args.workers or _cores(),
        split=args.split,
        foreground=args.foreground,
        void=args.void,
    )
    _report(scores, args, {"predictions": Path(args.predictions).name})


def _explain(args: Namespace) -> None:
    """Print the measures and protocols that give `--explain`'s number."""
    from vsodlib.inference.score_folder import pair_folder
    from vsodlib.metrics import explain

    place = args.predictions, args.dataset, args.gt, args.root
    reading = args.split, args.foreground, args.void
    # Its ends are tried both ways.
    pairs = pair_folder(*place, "davis2016", args.allow_missing_first, *reading)
    measures = "all" if args.all else args.measures or "default"
    workers = args.workers or _cores()
    hit, ways = explain(pairs.frames, args.explain, measures, workers, stills=pairs.stills)
    print(f"{args.explain} is" if hit else f"Nothing tried gives {args.explain}; the nearest are")
    for way in ways:
        changes = ", ".join(f"{name} {value}" for name, value in way.changes.items())
        protocol = f"{way.protocol} with {changes}" if changes else way.protocol
        print(f"  {way.measure:12} {way.value:.4f}  {protocol}")
    write_json(
        args.json, {"number": args.explain, "found": hit, "ways": [vars(way) for way in ways]}
    )


def _cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _report(scores: dict[str, Any], args: Namespace, record: dict[str, Any]) -> None:
    """Write scores to `--json`, and print them by sequence and overall whether it works or not."""
    if not args.per_frame:
        for row in scores["per_sequence"].values():
            row.pop("per_frame")
    try:
        write_json(args.json, {**scores, "record": record})
    finally:
        _print_scores(scores)
        note("; ".join(f"{what} read as {how}" for what, how in scores["levels"].items() if how))


def _print_scores(scores: dict[str, Any]) -> None:
    """The table of sequences, and below it the whole with its 95 % interval."""
    shown = scores["measures"]
    if {"J", "F", "max_f", "mean_f", "s_measure", "e_measure", "mae"} <= set(shown):
        shown = [name for name in COLUMNS if name in shown]
    headings = [COLUMNS.get(name, name) for name in shown]
    rows = [*scores["per_sequence"].items(), ("all", scores)]
    if found := scores["intervals"]:
        rows += [
            (f"{word} {found['level']:.0%}", found, k) for k, word in enumerate(("from", "to"))
        ]
    width = max(len(row[0]) for row in rows)
    cells = max(7, *(len(heading) + 2 for heading in headings))
    print(f"{'':{width}}" + "".join(f"{heading:>{cells}}" for heading in headings))
    for name, row, *end in rows:
        values = [row[key]["mean"] if key in ("J", "F") else row[key] for key in shown]
        if end:
            values = [value and value[end[0]] for value in values]
        line = "".join(f"{'-' if value is None else f'{value:.3f}':>{cells}}" for value in values)
        print(f"{name:{width}}{line}")
    if found:
        print(f"The interval is over {found['units']} {found['over']}, drawn anew.")


def write_json(path: str | None, content: dict[str, Any]) -> None:
    """Write JSON where a path was given, and say so."""
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_file(Path(path), (json.dumps(content, indent=1) + "\n").encode())
        print(f"Wrote {path}")
