r"""What the loss does to the features, seed by seed: the branches of an ablation, embedded.

    python notebooks/branch_features.py runs/removed --out results/table3_removed_features.csv \
        --rows "+ both" "+ L_cl" "+ hard mining"

takes the runs that `vsod ablate` has left in a folder, collects the vectors of foreground and
background on DAVIS val as `vsod embed` does, and writes how far apart they lie, one number a row:
experiment, seed, measure, score, as in the table of scores; the record lies beside it as JSON.
Started again, it goes on where it was. Our own question; the paper shows scores only.
"""

import argparse
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from vsodlib import VSODNet
from vsodlib.analysis.embeddings import Embeddings, region_embeddings, separation
from vsodlib.data import FrameDataset, open_dataset
from vsodlib.files import read_json, write_file
from vsodlib.model.checkpoint import fingerprint
from vsodlib.provenance import commit, describe_device


def pull_and_push(embeddings: Embeddings) -> dict[str, float]:
    """Mean over videos of the cosine distance from foreground to foreground, and to background."""
    to_itself, to_background = [], []
    for name in dict.fromkeys(embeddings.video.tolist()):
        own = embeddings.pick(embeddings.video == name)
        distance = (1 - own.vectors @ own.vectors.T)[own.is_foreground]
        front = distance[:, own.is_foreground]
        to_itself.append(front[~np.eye(len(front), dtype=bool)].mean())
        to_background.append(distance[:, ~own.is_foreground].mean())
    return {
        "to_itself": float(np.mean(to_itself)),
        "to_background": float(np.mean(to_background)),
    }


def run(
    runs: str | Path,
    dataset: FrameDataset,
    out: str | Path,
    every: int = 5,
    rows: Sequence[str] = (),
    progress: bool = True,
) -> int:
    """Measure the scored runs below the folder `runs` that `out` does not hold yet.

    Args:
        runs: the `--out` of `vsod ablate`.
        dataset: frames with masks.
        out: the CSV.
        every: frames from one to the next.
        rows: only these rows of the ablation; none: all.
        progress: show a bar.

    Returns:
        How many runs `out` holds.

    Raises:
        FileNotFoundError: there is no scored run.
        ValueError: a network that puts every region of a video at one place.
    """
    out = Path(out)
    folders = sorted(path.parent for path in Path(runs).glob("*/scores.json"))
    if not folders:
        raise FileNotFoundError(f"There is no run of `vsod ablate` with its scores in {runs}.")
    table = [["experiment", "seed", "measure", "score"]]
    if out.exists():
        table = list(csv.reader(out.read_text().splitlines()))
    record = {
        "data": f"{dataset.name}, {len(dataset.videos)} videos, every {every}th frame",
        "commit": commit(),
        "device": describe_device(torch.device("cpu")),
        "torch": torch.__version__,
        "weights_sha256": {},
    }
    if out.exists():
        record["weights_sha256"] = read_json(out.with_suffix(".json"))["weights_sha256"]
    for folder in tqdm(folders, unit="run", leave=False, disable=not progress):
        found = read_json(folder / "scores.json")
        name = [found["experiment"], str(found["seed"])]
        if name in (line[:2] for line in table) or (rows and name[0] not in rows):
            continue
        net = VSODNet.from_pretrained(folder / "last")
        embeddings = region_embeddings(net, dataset, every=every)
        for measure, score in (vars(separation(embeddings)) | pull_and_push(embeddings)).items():
            table.append([*name, measure, f"{score:.5f}"])
        record["weights_sha256"][folder.name] = fingerprint(folder / "last")
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(table)
        write_file(out, text.getvalue().encode())
        write_file(out.with_suffix(".json"), (json.dumps(record, indent=1) + "\n").encode())
    return len({tuple(line[:2]) for line in table[1:]})


def main() -> None:
    """Embed the runs of a folder on DAVIS val, or go on with it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("runs", type=Path, help="the --out of `vsod ablate`")
    parser.add_argument("--out", type=Path, required=True, help="the CSV to write")
    parser.add_argument("--rows", nargs="+", default=(), help="only these rows; else all")
    args = parser.parse_args()
    count = run(args.runs, open_dataset("davis2016", "val"), args.out, rows=args.rows)
    print(f"{args.out}: {count} runs")


if __name__ == "__main__":
    main()
