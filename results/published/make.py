"""Write the tables that come from the DAVIS site and from our scorer on the masks published there.

    python results/published/make.py DATA

DATA holds `DAVIS` and `published/davis2016-val` (README.md beside this file says what lies there).
Tables 1 to 5 are the paper's, typed from it; this program does not touch them.
"""

import csv
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vsodlib.inference.score_folder import find_truth, match_frames
from vsodlib.metrics import Protocol, contour_accuracy, outline, region_similarity, statistics
from vsodlib.metrics.instability import T_SCALE, UNSTABLE, contour_instability

HERE = Path(__file__).parent
METHODS = ("matnet", "andiff", "pdb", "ags")
SITE = "DAVIS 2016 site, table of results on the validation set"
OURS = "masks published on the DAVIS 2016 site, scored with vsodlib.metrics"
ENDS = Protocol(skip_ends=False)


def write(name: str, rows: list[dict]) -> None:
    """The rows as CSV."""
    with (HERE / name).open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    print(f"{name}: {len(rows)} rows")


def site(published: Path) -> list[dict]:
    """One row per method and measure."""
    table = json.loads((published / "table.json").read_text())
    names = {f"{m}{s}": (m, s) for m in "JF" for s in ("mean", "recall", "decay")}
    names["T"] = ("T", "mean")
    return [
        {
            "method": method,
            "dataset": "DAVIS 2016 val",
            "metric": metric,
            "statistic": statistic,
            "value": table[method][key],
            "source": SITE,
        }
        for method in table["techniques"]
        for key, (metric, statistic) in names.items()
    ]


def frame_scores(root: Path, masks: Path) -> dict[str, np.ndarray]:
    """J and F, (2, T), of every frame of every sequence; NaN where the method has no mask."""
    scores: dict[str, list] = {}
    truth, records = find_truth("davis2016", root=root)
    frames = match_frames(masks, truth, records, allow_missing_first=True)
    for frame in tqdm(frames, desc=masks.name, disable=None):
        values = (np.nan, np.nan)
        if frame.prediction is not None:
            mask, true, _ = frame.load(ENDS)
            values = region_similarity(mask > 0, true), contour_accuracy(mask > 0, true)
        scores.setdefault(frame.video, []).append(values)
    return {video: np.array(values).T for video, values in scores.items()}


def by_sequence(method: str, scores: dict[str, np.ndarray]) -> list[dict]:
    """J and F of every sequence under the official protocol, without its ends."""
    rows = []
    for video, values in scores.items():
        J, F = (statistics(v[1:-1]) for v in values)
        rows.append(
            {"method": method, "sequence": video, "frames": values.shape[1] - 2}
            | {"J_mean": round(J.mean, 4), "J_recall": round(J.recall, 4)}
            | {"F_mean": round(F.mean, 4), "F_recall": round(F.recall, 4), "source": OURS}
        )
    return rows


def by_protocol(method: str, scores: dict[str, np.ndarray]) -> list[dict]:
    """Mean J and F over the data set, ends scored or not, averaged in both ways."""
    rows = []
    for skip in (True, False):
        kept = [v[:, 1:-1] if skip else v[:, ~np.isnan(v[0])] for v in scores.values()]
        for average in ("sequences", "frames"):
            parts = [v.mean(1, keepdims=True) for v in kept] if average == "sequences" else kept
            J, F = np.concatenate(parts, axis=1).mean(1)
            rows.append(
                {"method": method, "skip_ends": skip, "average": average}
                | {"J_mean": round(J, 4), "F_mean": round(F, 4), "source": OURS}
            )
    return rows


def instability(root: Path, masks: Path | None) -> float:
    """Our T under the official protocol; of the true masks where `masks` is None."""
    truth, records = find_truth("davis2016", root=root)
    frames = match_frames(masks, truth, records, allow_missing_first=True) if masks else []
    shown = {(f.video, f.name): f for f in frames}
    means = []
    for video in tqdm(sorted({r.video for r in records} - UNSTABLE), desc="T", disable=None):
        ours = [record for record in records if record.video == video][1:-1]
        pictures = [shown[video, r.frame].load(ENDS)[0] if masks else truth.mask(r) for r in ours]
        contours = [outline((picture > 0).astype(np.uint8)) for picture in pictures]
        costs = [contour_instability(*pair) for pair in pairwise(contours)]
        means.append(T_SCALE * np.nanmean(costs))
    return float(np.mean(means))


def agreement(published: Path, scores: dict[str, list[dict]], T: dict[str, float]) -> list[dict]:
    """The site's numbers of the four methods, ours, and the difference."""
    table = json.loads((published / "table.json").read_text())
    rows = [("ground truth", "T", "mean", float(table["Tgt"]), T["ground truth"])]
    for method in METHODS:
        for metric in "JF":
            for statistic in ("mean", "recall"):
                ours = np.mean([row[f"{metric}_{statistic}"] for row in scores[method]])
                site = float(table[method][metric + statistic])
                rows.append((method, metric, statistic, site, ours))
        rows.append((method, "T", "mean", float(table[method]["T"]), T[method]))
    names = ("method", "metric", "statistic", "site", "ours", "difference")
    return [
        dict(zip(names, (*row, row[-1] - row[-2]), strict=True))
        | {"ours": round(float(row[-1]), 4), "difference": round(float(row[-1] - row[-2]), 4)}
        for row in rows
    ]


if __name__ == "__main__":
    root = Path(sys.argv[1])
    published = root / "published" / "davis2016-val"
    write("davis2016_site.csv", site(published))
    found = {method: frame_scores(root, published / "masks" / method) for method in METHODS}
    rows = {method: by_sequence(method, found[method]) for method in METHODS}
    write("per_sequence_J.csv", [row for m in METHODS for row in rows[m]])
    write("protocols.csv", [row for m in METHODS for row in by_protocol(m, found[m])])
    T = {method: instability(root, published / "masks" / method) for method in METHODS}
    T["ground truth"] = instability(root, None)
    write("agreement.csv", agreement(published, rows, T))
