"""The commands of `vsod` that run or train networks: read, call the library, print.

The library is imported inside the functions, so that `vsod --help` answers at once.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.files import check_writable


def train(args: Namespace) -> None:
    from vsodlib.training.fit import fit
    from vsodlib.training.run import tensorboard

    config = _overridden(getattr(TrainConfig, args.preset)(), args)
    model = _overridden(getattr(ModelConfig, args.preset)(), args)
    if args.first_step and not (args.initial or args.resume):
        raise ValueError("--first-step goes on from weights: name them with --initial.")
    if args.initial and args.resume:
        args.initial = None if (Path(args.out) / "state.pt").exists() else args.initial
    check_writable(Path(args.out) / "last.safetensors")
    names = list(config.weights) or args.datasets
    counts = _held_out_counts(args.hold_out, names)
    dataset, validation = _training_data(names, args.root, config, counts)
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
        workers=args.workers,
        device=args.device,
        on_log=tensorboard(Path(args.out) / "tensorboard") if args.tensorboard else None,
        facts={"held_out": counts} if counts else None,
    )
    print(f"Wrote {Path(args.out) / 'last.safetensors'}")


def _overridden(config: Any, args: Namespace) -> Any:
    """A preset with the fields that were given on the command line."""
    given = {f.name: getattr(args, f.name, None) for f in fields(config)}
    return replace(
        config,
        **{k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if v is not None},
    )


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


def _training_data(
    names: Sequence[str], root: str | None, config: TrainConfig, held_out: dict[str, int]
) -> tuple[Any, Any]:
    """The named training sets as one, decoded once and kept at one and a half times crop height;
    and of what is held out the videos of several frames, or None.
    """
    from vsodlib.data import concat, open_dataset

    height = round(1.5 * max(phase.height for _, phase in config.schedule))
    kept, validation = [], []
    for name in names:
        dataset = open_dataset(name, "train", root).labelled()
        held = dataset.spread_out(held_out.get(name, 0))
        kept.append(dataset.subset(set(dataset.videos) - set(held)).in_memory(height))
        if clips := [video for video in held if len(dataset.videos[video]) > 1]:
            validation.append(dataset.subset(clips).in_memory(height))
    return concat(kept), concat(validation) if validation else None


def ablate(args: Namespace) -> None:
    from vsodlib.analysis.seeds import read_table
    from vsodlib.config import profile
    from vsodlib.data import open_dataset
    from vsodlib.training import ablations

    config = ablations.training(args.profile or profile())
    table = ablations.TABLES[args.table](ModelConfig.lite(), config)
    chosen = [row for row in table if row.name in (args.rows or [row.name for row in table])]
    if args.rows and len(chosen) < len(set(args.rows)):
        raise ValueError(f"{args.table} has the rows {', '.join(row.name for row in table)}.")
    csv = args.csv or Path(args.out) / f"{args.table}.csv"
    check_writable(csv, Path(args.out) / "run")
    test = open_dataset(args.test, "val", args.root).labelled()
    dataset, _ = _training_data(args.datasets, args.root, config, {})
    test = test.in_memory()
    seeds = dict.fromkeys(args.seeds)  # each once
    total = len(chosen) * len(seeds)

    def on_run() -> None:
        print(f"{ablations.collect(table, args.out, csv)} runs scored ({total} asked): {csv}")

    ablations.run(
        chosen, seeds, dataset, test, args.out, args.resume, not args.random_weights, on_run
    )
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
                line += f"   {change.mean:+.4f} ± {change.standard_error:.4f}"
            print(line)
            before = by_seed


def predict(args: Namespace) -> None:
    from vsodlib.inference.predict import predict_maps
    from vsodlib.inference.video import predict_video, video_references
    from vsodlib.model import checkpoint

    net = load_network(args)
    references = video_references(net, args.source)
    weights = checkpoint.fingerprint(args.checkpoint)[:12]
    name = f"weights {weights}, height {args.height or net.input_height}, flip {args.flip}"
    summary = predict_video(
        args.source,
        args.out,
        lambda frames: predict_maps(
            net, frames, args.height, args.flip, args.batch_size, references
        ),
        batch_size=args.batch_size,
        overlay=not args.no_overlay,
        predictor_name=name,
    )
    print(
        f"{summary['frames']} frames ({summary['kept']} kept from before) in "
        f"{summary['seconds']:.1f} s, {summary['fps']:.1f} frames a second: {args.out}"
    )


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


def load_network(args: Namespace) -> Any:
    """The network of `--checkpoint`, on the device that was asked for."""
    import torch

    from vsodlib import provenance
    from vsodlib.inference.folding import fold_batch_norms
    from vsodlib.model.vsodnet import VSODNet

    device = provenance.find_device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
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
