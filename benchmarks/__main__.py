"""`python -m benchmarks …`: one measurement, its record, its figure.

python -m benchmarks attention --json OUT.json --plot OUT.png
python -m benchmarks inference --device cuda --json OUT.json
python -m benchmarks metrics --data ROOT
python -m benchmarks motion --checkpoint runs/fold/last --height 384 --json OUT.json
python -m benchmarks training --json OUT.json
python -m benchmarks onnx --json OUT.json
python -m benchmarks page --json OUT.json
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.attention import bench_attention
from benchmarks.inference import bench_inference
from benchmarks.metrics import bench_metrics
from benchmarks.motion import bench_motion
from benchmarks.onnx import bench_onnx
from benchmarks.page import bench_page
from benchmarks.plots import plot_attention
from benchmarks.training import bench_training
from vsodlib.files import check_writable, write_json
from vsodlib.provenance import find_device, made_with
from vsodlib.viz.style import to_png

MEASUREMENTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "attention": lambda args: bench_attention(device=args.device),
    "inference": lambda args: bench_inference(device=args.device),
    "metrics": lambda args: bench_metrics(args.root),
    "motion": lambda args: bench_motion(args.checkpoint, args.height, args.root),
    "onnx": lambda _: bench_onnx(),
    "page": lambda _: bench_page(),
    "training": lambda _: bench_training(),
}


def build_parser() -> argparse.ArgumentParser:
    """The parser of `python -m benchmarks`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure.")
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("--data", dest="root", metavar="ROOT", help="data, for metrics and motion")
    parser.add_argument("--checkpoint", help="for motion: one that held videos out")
    parser.add_argument("--height", type=int, help="for motion: rows that the network sees")
    parser.add_argument("--device", default="cpu", help="for attention and inference")
    parser.add_argument("--json", metavar="OUT", help="write the figures there")
    parser.add_argument("--plot", metavar="OUT.png", help="draw attention's figures there")
    return parser


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The figures that were asked for, with their record, written where they shall be."""
    for option, given, takers in (
        ("--plot", args.plot, "attention"),
        ("--height", args.height, "motion"),
        ("--data", args.root, "metrics and motion"),
    ):
        if given is not None and args.what not in takers:
            raise ValueError(f"{option} is for {takers}, not for {args.what}.")
    if args.root and not Path(args.root).exists():
        raise ValueError(f"--data {args.root} does not exist.")
    if (args.what == "motion") != bool(args.checkpoint):
        raise ValueError("motion needs a --checkpoint, and nothing else takes one.")
    check_writable(args.json, args.plot)
    device = find_device(args.device)
    figures = MEASUREMENTS[args.what](args) | {"record": made_with(device)}
    print(json.dumps(figures, indent=1))
    if args.json:
        write_json(Path(args.json), figures)
        print(f"Wrote {args.json}")
    if args.plot:
        Path(args.plot).write_bytes(to_png(plot_attention(figures)))
        print(f"Wrote {args.plot}")
    return figures


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and return the exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    args = build_parser().parse_args(argv)
    try:
        measure(args)
    except (ValueError, OSError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("benchmarks: Stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
