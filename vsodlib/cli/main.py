"""`vsod …`: a thin face over the library; the other modules of this folder hold what it does.

Every command has `--help`. A mistake in the input ends with one sentence and exit code 2, Ctrl-C
with 130; `VSOD_DEBUG=1` shows the traceback behind the sentence.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from vsodlib.cli import checkpoints, network, scores
from vsodlib.cli import data as data_commands
from vsodlib.config import PROFILES, TrainConfig
from vsodlib.training.allocator import keep_freed_memory

PRESETS = ("lite", "paper")
DATASET_HELP = "davis2016, fbms, visal, davsod, an image set, or folder:PATH"
ROOT_HELP = "data root (default: $VSOD_DATA, else data/)"


def _add_train(subparsers: Any) -> None:
    parser = subparsers.add_parser("train", help="train a network")
    parser.set_defaults(run=network.train)
    parser.add_argument("--preset", choices=PRESETS, default="lite", help="model and training")
    parser.add_argument(
        "--datasets",
        nargs="+",
        default=["davis2016"],
        metavar="NAME",
        help="data sets to train on, e.g. davis2016 duts-tr, or folder:PATH for one's own",
    )
    parser.add_argument("--data", dest="root", metavar="ROOT", help=ROOT_HELP)
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument(
        "--hold-out",
        nargs="+",
        default=[],
        metavar="NAME=COUNT",
        help="videos or images of a data set kept out, e.g. davis2016=6; videos choose `best`",
    )
    parser.add_argument("--random-weights", action="store_true", help="no ImageNet initialisation")
    parser.add_argument("--initial", metavar="CHECKPOINT", help="start from a trained network")
    parser.add_argument(
        "--first-step", type=_whole, default=0, metavar="N", help="pass over N steps (--initial)"
    )
    parser.add_argument(
        "--last-step", type=_whole, default=0, metavar="N", help="stop the schedule at step N"
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1 ... (default: the fastest there is)")
    parser.add_argument("--workers", type=_whole, default=0, help="processes that load data")
    parser.add_argument("--tensorboard", action="store_true", help="also log for TensorBoard")
    group = parser.add_argument_group("network options (default: the preset's)")
    group.add_argument("--backbone", help="a timm model, e.g. tf_efficientnet_lite2")
    for name in ("channels", "output_stride", "decoder_channels"):
        group.add_argument("--" + name.replace("_", "-"), dest=name, type=_whole)
    kinds = {"int": _whole, "int | None": _whole, "float": _number, "bool": _yes_or_no}
    group = parser.add_argument_group("training options (default: the preset's)")
    for field in fields(TrainConfig):
        option = "--" + field.name.replace("_", "-")
        many = {"nargs": "+"} if field.type.startswith("tuple") else {}
        group.add_argument(option, dest=field.name, type=kinds.get(field.type, str), **many)


def _add_network(parser: argparse.ArgumentParser, checkpoint: str | None = None) -> None:
    parser.add_argument(
        "--checkpoint",
        default=checkpoint,
        required=checkpoint is None,
        help="a name in checkpoints/, or a file" + (f" (default: {checkpoint})" * bool(checkpoint)),
    )
    parser.add_argument("--height", type=_count, help="rows the network sees (default: as trained)")
    parser.add_argument("--flip", action="store_true", help="average with the mirrored frame")
    parser.add_argument("--batch-size", type=_count, default=8)
    parser.add_argument(
        "--device", help="cpu, cuda, cuda:1 ... (default: a GPU where there is one)"
    )


def _add_predict(subparsers: Any) -> None:
    parser = subparsers.add_parser("predict", help="saliency of any video or photographs")
    parser.set_defaults(run=network.predict)
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="film, animated GIF or WebP, photograph, folder of frames, of photographs, of films "
        "or of such folders, or a camera's number",
    )
    parser.add_argument(
        "--out", help="folder to write to (default: NAME-saliency beside each source)"
    )
    parser.add_argument("--no-overlay", action="store_true", help="no film of tinted frames")
    parser.add_argument(
        "--cutout",
        nargs="?",
        const="webm",
        choices=["webm", "mov", "png"],
        help="also the object on a transparent background (photographs: always png)",
    )
    parser.add_argument(
        "--background", metavar="COLOUR|IMAGE|blur", help="also the object before another one"
    )
    parser.add_argument("--sheet", action="store_true", help="also twelve moments on one page")
    parser.add_argument(
        "--bf16", action="store_true", help="compute in bfloat16, faster where the CPU has it"
    )
    _add_network(parser, checkpoint="lite-davis")


def _add_scoring(subparsers: Any) -> None:
    evaluate = subparsers.add_parser("evaluate", help="score a network on a data set")
    evaluate.set_defaults(run=scores.evaluate)
    _add_network(evaluate)
    evaluate.add_argument("--dataset", default="davis2016", help=DATASET_HELP)
    evaluate.add_argument(
        "--held-out", action="store_true", help="only what the checkpoint's training held out"
    )
    evaluate.add_argument("--save-maps", metavar="DIR", help="also write the maps")
    score = subparsers.add_parser("score", help="score anyone's maps or masks")
    score.set_defaults(run=scores.score)
    score.add_argument("predictions", help="folder of maps, one folder a sequence, or flat")
    truth = score.add_mutually_exclusive_group(required=True)
    truth.add_argument("--dataset", help=DATASET_HELP)
    truth.add_argument("--gt", metavar="DIR", help="folder of ground-truth masks")
    score.add_argument(
        "--allow-missing-first", action="store_true", help="sequences may lack an end frame"
    )
    asked = score.add_mutually_exclusive_group()
    asked.add_argument(
        "--measures", nargs="+", metavar="NAME", help="only these, e.g. J max_f (? lists them)"
    )
    asked.add_argument("--all", action="store_true", help="weighted F, T and consistency too: slow")
    score.add_argument(
        "--explain", metavar="NUMBER", help="say which measure and protocol give, say, 0.83"
    )
    comparison = subparsers.add_parser("compare", help="two sets of scores, sequence by sequence")
    comparison.set_defaults(run=network.compare)
    comparison.add_argument("first", metavar="A.json", help="what `vsod score --json` wrote")
    comparison.add_argument("second", metavar="B.json", help="the same of other maps")
    comparison.add_argument("--json", metavar="OUT", help="write all differences there")
    evaluate.add_argument("--workers", type=_count, default=1, help="processes that score")
    score.add_argument("--workers", type=_count, help="default: as many as there are processors")
    for parser, protocol in ((evaluate, "davis2016"), (score, None)):
        parser.add_argument("--split", help="of the data set (default: the one commonly scored)")
        parser.add_argument(
            "--foreground", type=_level, metavar="LEVEL", help="masks: object lies above"
        )
        parser.add_argument(
            "--void", type=_level, metavar="LEVEL", help="masks: pixels that do not count"
        )
        parser.add_argument("--data", dest="root", metavar="ROOT", help=ROOT_HELP)
        parser.add_argument("--protocol", default=protocol, help="davis2016, davsod or frames")
        parser.add_argument("--json", metavar="OUT", help="write all scores there")
        parser.add_argument("--per-frame", action="store_true", help="every frame's too")
    average = subparsers.add_parser("average", help="the mean of several trained networks")
    average.set_defaults(run=checkpoints.average)
    average.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT", help="e.g. runs/lite/last")
    average.add_argument("--out", required=True, help="the new checkpoint")
    publish = subparsers.add_parser(
        "publish", help="copy a trained network to checkpoints/, its scores beside it"
    )
    publish.set_defaults(run=checkpoints.publish)
    publish.add_argument("checkpoint", help="e.g. runs/lite/last")
    publish.add_argument("--name", required=True, help="its name in checkpoints/")
    publish.add_argument("--scores", required=True, help="JSON that `vsod evaluate` wrote for it")


def _add_ablate(subparsers: Any) -> None:
    parser = subparsers.add_parser("ablate", help="train and score the rows of an ablation table")
    parser.set_defaults(run=network.ablate)
    parser.add_argument("table", choices=["table3", "table4"])
    parser.add_argument("--trunk", metavar="CHECKPOINT", help="branch every run off this network")
    parser.add_argument(
        "--hold-out",
        nargs="+",
        default=[],
        metavar="NAME=COUNT",
        help="videos kept out of training and scored too, e.g. davis2016=6",
    )
    parser.add_argument("--seeds", type=_whole, nargs="+", default=[0, 1, 2], metavar="N")
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--datasets", nargs="+", default=["davis2016", "duts-tr"], metavar="NAME")
    parser.add_argument("--test", default="davis2016", metavar="NAME", help="its val is scored")
    parser.add_argument("--data", dest="root", metavar="ROOT", help=ROOT_HELP)
    parser.add_argument("--profile", choices=PROFILES, help="default: $VSOD_PROFILE, else laptop")
    parser.add_argument("--out", required=True, help="folder of the runs")
    parser.add_argument("--resume", action="store_true", help="keep what --out holds, go on")
    parser.add_argument("--csv", metavar="OUT.csv", help="default: TABLE.csv in --out")
    parser.add_argument("--random-weights", action="store_true", help="no ImageNet initialisation")


def _add_embed(subparsers: Any) -> None:
    parser = subparsers.add_parser("embed", help="features of foregrounds and backgrounds (Eq. 9)")
    parser.set_defaults(run=network.embed)
    parser.add_argument("--checkpoint", required=True, help="a name in checkpoints/, or a file")
    parser.add_argument("--dataset", default="davis2016")
    parser.add_argument("--split", default="val")
    parser.add_argument("--data", dest="root", metavar="ROOT", help=ROOT_HELP)
    parser.add_argument("--every", type=_count, default=5, help="frames from one to the next")
    parser.add_argument("--height", type=_count, help="rows the network sees (default: as trained)")
    parser.add_argument("--batch-size", type=_count, default=8)
    parser.add_argument("--device", help="cpu, cuda ... (default: a GPU where there is one)")
    parser.add_argument("--out", required=True, metavar="NAME.npz", help="NAME.json beside it")


def _add_data(subparsers: Any) -> None:
    data = subparsers.add_parser("data", help="list, fetch, check, pack or make data")
    actions = data.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="which data sets are here, where the others are")
    listing.set_defaults(run=data_commands.listing)
    listing.add_argument("--data", dest="root", metavar="ROOT", help=ROOT_HELP)
    fetch = actions.add_parser("fetch", help="download a data set from its official home")
    fetch.set_defaults(run=data_commands.fetch)
    fetch.add_argument("name")
    fetch.add_argument("--data", dest="root", metavar="ROOT", help=ROOT_HELP)
    check = actions.add_parser("check", help="report every missing, damaged or odd file")
    check.set_defaults(run=data_commands.check)
    check.add_argument("root")
    check.add_argument("--name", help="one data set (default: every one found)")
    pack = actions.add_parser("pack", help="a smaller copy of a data set in one zip")
    pack.set_defaults(run=data_commands.pack)
    pack.add_argument("root")
    pack.add_argument("--height", type=_count, required=True, help="rows of the packed frames")
    pack.add_argument("--out", required=True, metavar="FILE.zip")
    pack.add_argument("--split", help="e.g. train (default: all of it)")
    pack.add_argument("--format", choices=["jpg", "webp", "avif"], default="jpg")
    pack.add_argument("--quality", type=_count, default=90, help="of the frames, 1 to 100")
    pack.add_argument("--every", type=_count, default=1, help="keep every so manieth frame")
    pack.add_argument("--max-mib", type=_count, help="split into parts of so many MiB")
    pack.add_argument("--name", default="davis2016", help="data set (default: davis2016)")
    make = actions.add_parser("make-synthetic", help="write synthetic clips in DAVIS layout")
    make.set_defaults(run=data_commands.make_synthetic)
    make.add_argument("--out", required=True, metavar="DIR")
    for option, default in (("videos", 16), ("frames", 24), ("height", 240), ("width", 432)):
        make.add_argument(f"--{option}", type=_count, default=default)
    make.add_argument("--seed", type=_whole, default=0)


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"say yes or no, not {text!r}")
    return text == "yes"


def _whole(text: str, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"give a whole number from {least} on, not {text!r}")
    return int(text)


def _count(text: str) -> int:
    return _whole(text, least=1)


def _level(text: str) -> int:
    if not text.isdecimal() or int(text) > 255:
        raise argparse.ArgumentTypeError(f"give a level from 0 to 255, not {text!r}")
    return int(text)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"give a number from 0 on, not {text!r}")
    return value


def build_parser() -> argparse.ArgumentParser:
    """The parser of `vsod`; `args.run(args)` does what was asked."""
    parser = argparse.ArgumentParser(prog="vsod", description="Video salient object detection.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_data, _add_train, _add_predict, _add_scoring, _add_embed, _add_ablate):
        add(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `vsod` and return its exit code: 0, 1 (nobody reads on), 2 (bad input), 130 (Ctrl-C)."""
    args = build_parser().parse_args(argv)
    keep_freed_memory()
    try:
        args.run(args)
        print(end="", flush=True)
    except BrokenPipeError:  # of `vsod ... | head`, which has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains as it ends
        return 1
    except Exception as error:
        # torch, numpy and OpenCV each raise an exception of their own where memory is short.
        told = re.search("out of ?memory|allocate", str(error), re.IGNORECASE)
        short = told or isinstance(error, MemoryError)
        known = isinstance(error, ValueError | OSError)
        if os.environ.get("VSOD_DEBUG") or not (known or short):
            raise
        hint = "" if known else " Memory is short: use smaller batches or frames."
        print(f"vsod: {str(error).strip()}{hint}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"\nvsod: {str(stop) or 'Stopped.'}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
