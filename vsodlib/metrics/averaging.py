"""From the measures of frames to those of sequences and of a data set."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vsodlib.metrics.protocol import Protocol
from vsodlib.metrics.segmentation import statistics

SCALARS = (
    "J", "F", "T", "mae", "s_measure", "weighted_f", "max_f", "mean_f", "adaptive_f",
    "mean_e", "max_e", "adaptive_e", "consistency",
)  # fmt: skip
CURVES = ("precision", "recall", "f_curve", "e_curve")
PLAIN = ("mae", "s_measure", "weighted_f", "adaptive_f", "adaptive_e", "consistency")
"""Measures whose summary is the plain mean."""


@dataclass(frozen=True)
class FrameScores:
    """The measures of one frame; NaN where there is none (T of the first frame of a sequence)."""

    video: str
    name: str
    scalars: dict[str, float]
    curves: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    """The conversions that reading the frame took."""


class SequenceScores:
    """Sums of the curves and the scalars of every frame of one sequence."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.scalars: dict[str, list[float]] = {k: [] for k in SCALARS}
        self.curves = {k: np.zeros(256) for k in CURVES}
        self.notes: dict[str, int] = {}

    def add(self, frame: FrameScores) -> None:
        """Take in the next frame."""
        self.names.append(frame.name)
        for key in SCALARS:
            self.scalars[key].append(frame.scalars[key])
        for key in CURVES:
            self.curves[key] += frame.curves[key]
        for note in frame.notes:
            self.notes[note] = self.notes.get(note, 0) + 1

    def summary(self, protocol: Protocol) -> dict[str, Any]:
        """The sequence's measures, ready for JSON."""
        curves = {k: v / len(self.names) for k, v in self.curves.items()}
        means = {k: _mean(v) for k, v in self.scalars.items()}
        per_frame = protocol.maximum == "frame"
        return {
            "frames": len(self.names),
            **{k: means[k] for k in PLAIN},
            "max_f": means["max_f"] if per_frame else float(curves["f_curve"].max()),
            "mean_f": means["mean_f"],
            "e_measure": means["mean_e"],
            "max_e": means["max_e"] if per_frame else float(curves["e_curve"].max()),
            "J": asdict(statistics(self.scalars["J"])),
            "F": asdict(statistics(self.scalars["F"])),
            "T": means["T"],
            "per_frame": {
                "name": self.names,
                **{k: [None if math.isnan(x) else x for x in v] for k, v in self.scalars.items()},
            },
        }


def summarise(sequences: dict[str, SequenceScores], protocol: Protocol) -> dict[str, Any]:
    """The dictionary that `score_frames` returns."""
    per_sequence = {name: scores.summary(protocol) for name, scores in sequences.items()}
    # A sequence counts once, or as often as it has frames.
    by_frames = protocol.average == "frames"
    weights = [len(s.names) if by_frames else 1.0 for s in sequences.values()]

    def average(values: list[float | None], weights: list[float] = weights) -> float | None:
        known = [(v, w) for v, w in zip(values, weights, strict=True) if v is not None]
        return sum(v * w for v, w in known) / sum(w for _, w in known) if known else None

    def overall(key: str) -> float | None:
        return average([s[key] for s in per_sequence.values()])

    def curve(key: str) -> np.ndarray:
        stack = [s.curves[key] / len(s.names) for s in sequences.values()]
        return np.average(stack, axis=0, weights=weights)

    def paired(key: str, names: list[str]) -> float | None:
        # Values of frame pairs: where frames are pooled, so are the pairs that have one.
        counts = [
            float(np.isfinite(sequences[n].scalars[key]).sum()) if by_frames else 1.0 for n in names
        ]
        return average([per_sequence[n][key] for n in names], counts) if names else None

    def of_masks(key: str) -> dict[str, float | None]:
        found = {
            part: average([s[key][part] for s in per_sequence.values()])
            for part in ("mean", "recall")
        }
        decays = [s[key]["decay"] for s in per_sequence.values()]
        return {**found, "decay": float(np.mean(decays))}

    curves = {key: curve(key) for key in CURVES}
    last = protocol.maximum == "data set"
    notes: dict[str, int] = {}
    for scores in sequences.values():
        for note, count in scores.notes.items():
            notes[note] = notes.get(note, 0) + count
    return {
        "protocol": protocol.to_dict(),
        "mae": overall("mae"),
        "max_f": float(curves["f_curve"].max()) if last else overall("max_f"),
        "mean_f": overall("mean_f"),
        "adaptive_f": overall("adaptive_f"),
        "s_measure": overall("s_measure"),
        "e_measure": overall("e_measure"),
        "max_e": float(curves["e_curve"].max()) if last else overall("max_e"),
        "adaptive_e": overall("adaptive_e"),
        "weighted_f": overall("weighted_f"),
        "J": of_masks("J"),
        "F": of_masks("F"),
        "T": paired("T", [n for n in sequences if n not in protocol.skip_in_t]),
        "consistency": paired("consistency", list(sequences)),
        "sequences": len(sequences),
        "frames": sum(len(s.names) for s in sequences.values()),
        "conversions": notes,
        "curves": {key: values.tolist() for key, values in curves.items()},
        "per_sequence": per_sequence,
    }


def _mean(values: list[float]) -> float | None:
    """Mean of the numbers that are there."""
    known = [v for v in values if not math.isnan(v)]
    return float(np.mean(known)) if known else None
