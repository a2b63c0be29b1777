"""The commands of `vsod` that make checkpoints out of checkpoints."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from vsodlib.files import check_writable, write_file


def average(args: Namespace) -> None:
    """Write the mean of several networks."""
    from vsodlib.model import checkpoint

    check_writable(f"{args.out}.safetensors")
    print(checkpoint.write(args.out, *checkpoint.average(args.checkpoints)))


def publish(args: Namespace) -> None:
    """Copy a trained checkpoint to `checkpoints/`: scores in its record, and a card to read."""
    from vsodlib import provenance
    from vsodlib.cli.card import model_card
    from vsodlib.model import checkpoint

    tensors, record = checkpoint.read(args.checkpoint)
    try:
        scores = json.loads(Path(args.scores).read_text())
        made = scores["record"]
        names = ("mae", "max_f", "s_measure", "J", "F", "T", "frames")
        kept = {name: scores[name] for name in names}
        kept |= {name: made[name] for name in ("dataset", "split", "height", "flip")}
        kept["protocol"] = scores["protocol"]["name"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{args.scores} was not written by `vsod evaluate --json` ({error})."
        ) from error
    if made.get("weights_sha256") != checkpoint.fingerprint(args.checkpoint):
        raise ValueError(f"{args.scores} holds scores of other weights than {args.checkpoint}.")
    record |= {"input_height": made["height"], "scores": kept}
    path = checkpoint.write(provenance.REPOSITORY / "checkpoints" / args.name, tensors, record)
    write_file(path.with_suffix(".md"), model_card(args.name, record).encode())
    print(path)
