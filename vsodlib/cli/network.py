"""The commands of `vsod` that run or train networks: read, call the library, print.

The library is imported inside the functions, so that `vsod --help` answers at once.
"""

from __future__ import annotations

import json
import math
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from vsodlib.cli.scores import write_json
from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.files import check_writable
from vsodlib.notes import note


def train(args: Namespace) -> None:
    from vsodlib.training.fit import fit
    from vsodlib.training.run import tensorboard

    if args.first_step and not (args.initial or args.resume):
        raise ValueError("--first-step goes on from weights: name them with --initial.")
    if args.initial and args.resume:
        args.initial = None if (Path(args.out) / "state.pt").exists() else args.initial
    check_writable(Path(args.out) / "last.safetensors")
    given = _given(TrainConfig, args)
    preset = getattr(TrainConfig, args.preset)()
    names = list(replace(TrainConfig(), mix=given.get("mix", ())).weights) or args.datasets
    opened, faults = _open_all(names, args.root)
    lengths = [len(frames) for dataset in opened for frames in dataset.videos.values()]
    images = lengths.count(1)
    if faults:  # what the missing data would hold is not known: suppose both
        lengths, images = [1, 2], 1
    try:
        config = preset.for_data(given, len(lengths) - images, images)
    except ValueError as error:
        faults.append(str(error))
    if faults:
        raise ValueError(" ".join(faults))
    changed = [f.name for f in fields(config) if getattr(config, f.name) != getattr(preset, f.name)]
    if fitted := [f"{n} {getattr(config, n):g}" for n in changed if n not in given]:
        note(f"{', '.join(fitted)}, to fit the data and the options given.")
    model = replace(getattr(ModelConfig, args.preset)(), **_given(ModelConfig, args))
    counts = _held_out_counts(args.hold_out, names)
    dataset, validation = _in_memory(dict(zip(names, opened, strict=True)), config, counts)
    fit(
        model,
        config,
        dataset,
        args.out,
        validation=validation,
        resume=args.resume,
        pretrained_encoder=not args.random_weights,
        initial=args.initial,
        first_step=args.first_step,
        last_step=args.last_step,
        workers=args.workers,
        device=args.device,
        on_log=tensorboard(Path(args.out) / "tensorboard") if args.tensorboard else None,
        facts={"held_out": counts} if counts else None,
    )
    print(f"Wrote {Path(args.out) / 'last.safetensors'}")


def _given(kind: type, args: Namespace) -> dict[str, Any]:
    """The fields of a configuration that were given on the command line."""
    given = {f.name: getattr(args, f.name, None) for f in fields(kind)}
    given = {name: value for name, value in given.items() if value is not None}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}


def _held_out_counts(words: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """`davis2016=6 duts-tr=500` as data set -> count."""
    counts = {}
    for word in words:
        name, _, count = word.partition("=")
        if name not in names or not count.isdecimal() or not int(count):
            raise ValueError(
                f"--hold-out takes NAME=COUNT with a name of {', '.join(names)}, not {word!r}."
            )
        counts[name] = int(count)
    return counts


def _open_all(names: Sequence[str], root: str | None) -> tuple[list[Any], list[str]]:
    """The named training sets, and a sentence for each that cannot be had, unknown names first."""
    from vsodlib.data import DATASETS, OWN, open_dataset

    opened, faults = [], []
    for name in names:
        try:
            opened.append(open_dataset(name, "train", root).labelled())
        except (ValueError, OSError) as error:
            unknown = name not in DATASETS and not name.startswith(OWN)
            faults.insert(0 if unknown else len(faults), str(error))
    return opened, faults


def _in_memory(
    opened: dict[str, Any], config: TrainConfig, held_out: dict[str, int]
) -> tuple[Any, Any]:
    """Training sets as one, decoded once and kept at one and a half times crop height; and of what
    is held out the videos of several frames, or None.
    """
    from vsodlib.data import concat

    height = round(1.5 * max(phase.height for _, phase in config.schedule))
    kept, validation = [], []
    for name, dataset in opened.items():
        held = dataset.spread_out(held_out.get(name, 0))
        kept.append(dataset.subset(set(dataset.videos) - set(held)).in_memory(height))
        if clips := [video for video in held if len(dataset.videos[video]) > 1]:
            validation.append(dataset.subset(clips).in_memory(height))
    return concat(kept), concat(validation) if validation else None


def ablate(args: Namespace) -> None:
    from vsodlib.analysis.seeds import read_table
    from vsodlib.config import profile
    from vsodlib.data import open_dataset
    from vsodlib.model import checkpoint
    from vsodlib.training import ablations

    recipe = ablations.branch if args.trunk else ablations.training
    config = recipe(args.profile or profile())
    model = ModelConfig.lite()
    if args.trunk:
        trunk = ModelConfig.from_dict(checkpoint.read(args.trunk)[1]["model"])
        model = replace(trunk, self_attention=True, co_attention=True)
    table = ablations.TABLES[args.table](model, config)
    chosen = [row for row in table if row.name in (args.rows or [row.name for row in table])]
    if args.rows and len(chosen) < len(set(args.rows)):
        raise ValueError(f"{args.table} has the rows {', '.join(row.name for row in table)}.")
    csv = args.csv or Path(args.out) / f"{args.table}.csv"
    check_writable(csv, Path(args.out) / "run")
    test = open_dataset(args.test, "val", args.root).labelled()
    opened, faults = _open_all(args.datasets, args.root)
    if faults:
        raise ValueError(" ".join(faults))
    counts = _held_out_counts(args.hold_out, args.datasets)
    named = dict(zip(args.datasets, opened, strict=True))
    dataset, held_out = _in_memory(named, config, counts)
    tests = {"": test.in_memory()} | ({" (held out)": held_out} if held_out else {})
    seeds = dict.fromkeys(args.seeds)  # each once
    total = len(chosen) * len(seeds)

    def on_run() -> None:
        print(f"{ablations.collect(table, args.out, csv)} runs scored ({total} asked): {csv}")

    options = args.resume, not args.random_weights, args.trunk, on_run
    ablations.run(chosen, seeds, dataset, tests, args.out, *options)
    _report_table(read_table(csv))


def _report_table(scores: dict[str, dict[str, dict[int, float]]]) -> None:
    """Print mean and spread of every row, and its paired difference to the row before."""
    from statistics import mean, stdev

    from vsodlib.analysis.seeds import paired_difference

    for measure, rows in scores.items():
        print(f"\n{measure:20} seeds    mean  spread   against the row above")
        before = None
        for name, by_seed in rows.items():
            values = list(by_seed.values())
            spread = stdev(values) if len(values) > 1 else float("nan")
            line = f"{name:20} {len(values):5} {mean(values):7.4f} {spread:7.4f}"
            if before and before.keys() & by_seed.keys():
                change = paired_difference(by_seed, before)
                line += f"   {change.mean:+.4f} ± {change.margin():.4f}  {change.verdict()}"
            print(line)
            before = by_seed


def predict(args: Namespace) -> None:
    """Exit code 3: something was read in part; 2: something could not be read, the rest was."""
    from vsodlib.inference.video import Outputs, predict_sources
    from vsodlib.model import checkpoint

    outputs = Outputs(not args.no_overlay, args.cutout, args.background, args.sheet)
    weights = checkpoint.fingerprint(args.checkpoint)[:12]
    options = (args.height, args.flip, args.batch_size, args.bf16, True, f"weights {weights}")
    code = 0
    for done in predict_sources(load_network(args), args.sources, args.out, outputs, *options):
        if told := done.get("error") or done["damage"]:
            print(f"vsod: {told}", file=sys.stderr)
            code = 2 if "error" in done else code or 3
        if "out" in done:
            print(
                f"{done['frames']} frames ({done['kept']} kept from before) in "
                f"{done['seconds']:.1f} s, {done['fps']:.1f} frames a second: {done['out']}"
            )
    if code:
        raise SystemExit(code)


def embed(args: Namespace) -> None:
    """Write the region features of a data set, and how well the two sides are told apart."""
    from vsodlib.analysis import embeddings
    from vsodlib.data import open_dataset

    check_writable(Path(args.out).with_suffix(".npz"))
    net = load_network(args)
    dataset = open_dataset(args.dataset, args.split, args.root)
    record = record_of(args, net)
    found = embeddings.region_embeddings(net, dataset, args.height, args.every, args.batch_size)
    separation = vars(embeddings.separation(found))
    record |= {
        "every": args.every,
        "regions": len(found),
        "separation": {name: round(value, 5) for name, value in separation.items()},
    }
    path = embeddings.save(found, args.out, record)
    for name, value in separation.items():
        print(f"{name:20} {value:.4f}")
    print(f"Wrote {len(found)} regions of {len(dataset.videos)} videos: {path}")


def compare(args: Namespace) -> None:
    from vsodlib.metrics import compare as compare_scores

    check_writable(args.json)
    found = compare_scores(_read_json(args.first), _read_json(args.second))
    if found["left_out"]:
        print(f"Left out, because only one of the two has it: {', '.join(found['left_out'])}")
    names = {"first": Path(args.first).name, "second": Path(args.second).name}
    print(f"{names['second']} against {names['first']}, {len(found['sequences'])} sequences")
    print(f"{'':12} {'A':>7} {'B':>7} {'B - A':>8}  {found['level']:.0%} interval     B better in")
    for measure, row in found["measures"].items():
        low, high = row["interval"] or (math.nan, math.nan)
        n = len(row["per_sequence"])
        verdict = f"{names[row['verdict']]} is better" if row["verdict"] in names else "open"
        print(
            f"{measure:12} {row['first']:7.3f} {row['second']:7.3f} {row['difference']:+8.3f}  "
            f"{low:+.3f} to {high:+.3f}  {row['second_better']:3} of {n:<3}  {verdict}"
        )
    write_json(args.json, found)


def _read_json(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not JSON: {error}.") from error


def load_network(args: Namespace) -> Any:
    """The network of `--checkpoint`, on the device that was asked for."""
    import torch

    from vsodlib import provenance
    from vsodlib.inference.folding import fold_batch_norms
    from vsodlib.model.vsodnet import VSODNet

    mps = "mps" if torch.backends.mps.is_available() else "cpu"
    name = args.device or ("cuda" if torch.cuda.is_available() else mps)
    device = provenance.find_device(name)
    net = VSODNet.from_pretrained(args.checkpoint)
    net.encoder = fold_batch_norms(net.encoder)  # where all batch norms are
    return net.to(device, memory_format=torch.channels_last)


def record_of(args: Namespace, net: Any) -> dict[str, Any]:
    """What a number about a network on a data set is made from."""
    import torch

    from vsodlib import provenance
    from vsodlib.model import checkpoint

    return {
        "checkpoint": checkpoint.locate(args.checkpoint).stem,
        "weights_sha256": checkpoint.fingerprint(args.checkpoint),
        "dataset": args.dataset,
        "split": args.split,
        "height": args.height or net.input_height,
        "commit": provenance.commit(),
        "device": provenance.describe_device(next(net.parameters()).device),
        "torch": torch.__version__,
    }


COLUMNS = {
    "J": "J", "F": "F", "max_f": "maxF", "mean_f": "meanF", "s_measure": "S", "e_measure": "E",
    "mae": "MAE", "weighted_f": "wF", "T": "T", "consistency": "C",
}  # fmt: skip
"""The measures of the table and their headings; asked for by name, any other stands there too."""
