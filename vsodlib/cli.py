"""`vsod …`: a thin face over the library.

Every command has `--help`. A mistake in the input ends with one sentence and exit code 2, Ctrl-C
with 130; `VSOD_DEBUG=1` shows the traceback behind the sentence.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from vsodlib.config import ModelConfig, TrainConfig

PRESETS = ("lite", "paper")


def _train(args: argparse.Namespace) -> None:
    from vsodlib.train import fit

    given = {f.name: getattr(args, f.name) for f in fields(TrainConfig)}
    overrides = {name: value for name, value in given.items() if value is not None}
    config = replace(getattr(TrainConfig, args.preset)(), **overrides)
    dataset = _training_data(args.data, args.root, config)
    validation = None
    if args.hold_out:
        videos = [name for name, frames in dataset.videos.items() if len(frames) > 1]
        if args.hold_out >= len(videos):
            raise ValueError(f"--hold-out {args.hold_out} leaves nothing of {len(videos)} videos.")
        held = videos[:: len(videos) // args.hold_out][: args.hold_out]
        validation = dataset.subset(held)
        dataset = dataset.subset([name for name in dataset.videos if name not in held])
        print(f"Held out: {', '.join(held)}")
    fit(
        getattr(ModelConfig, args.preset)(),
        config,
        dataset,
        args.out,
        validation=validation,
        resume=args.resume,
        pretrained_encoder=not args.random_weights,
        workers=args.workers,
    )
    print(f"Wrote {Path(args.out) / 'last.safetensors'}")


def _training_data(names: Sequence[str], root: str | None, config: TrainConfig) -> Any:
    """The named training sets as one, decoded once and kept at one and a half times crop height."""
    from vsodlib.data import concat, open_dataset

    height = round(1.5 * config.height)
    opened = [open_dataset(name, "train", root).labelled() for name in names]
    return concat([dataset.in_memory(height) for dataset in opened])


def _add_train(commands: Any) -> None:
    parser = commands.add_parser("train", help="train a network")
    parser.set_defaults(run=_train)
    parser.add_argument("--preset", choices=PRESETS, default="lite", help="model and training")
    parser.add_argument(
        "--data", nargs="+", default=["davis2016"], metavar="NAME", help="data sets to train on"
    )
    parser.add_argument("--root", help="data root (default: $VSOD_DATA, else data/)")
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument(
        "--hold-out", type=int, default=0, metavar="N", help="training videos kept to choose `best`"
    )
    parser.add_argument("--random-weights", action="store_true", help="no ImageNet initialisation")
    parser.add_argument("--workers", type=int, default=0, help="processes that load data")
    kinds = {"int": int, "float": float, "bool": _yes_or_no}
    group = parser.add_argument_group("training options (default: the preset's)")
    for field in fields(TrainConfig):
        option = "--" + field.name.replace("_", "-")
        group.add_argument(option, dest=field.name, type=kinds.get(field.type, str))


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"say yes or no, not {text!r}")
    return text == "yes"


def build_parser() -> argparse.ArgumentParser:
    """The parser of `vsod`; `args.run(args)` does what was asked."""
    parser = argparse.ArgumentParser(prog="vsod", description="Video salient object detection.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `vsod` and return its exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    args = build_parser().parse_args(argv)
    try:
        args.run(args)
    except (ValueError, OSError) as error:
        if os.environ.get("VSOD_DEBUG"):
            raise
        print(f"vsod: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"\nvsod: {stop or 'Stopped.'}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
