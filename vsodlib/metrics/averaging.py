"""From the measures of frames to those of sequences and of a data set."""

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vsodlib.metrics.bootstrap import LEVEL, RESAMPLES, interval, resamples
from vsodlib.metrics.protocol import SALIENCY, TEMPORAL, Names, Protocol
from vsodlib.metrics.segmentation import statistics

CURVES = ("precision", "recall", "f_curve", "e_curve")
MAXIMA = {"max_f": "f_curve", "max_e": "e_curve"}
"""Measures that are the maximum of a curve."""
Key = tuple[str, ...]


@dataclass(frozen=True)
class FrameScores:
    """The measures of one frame; NaN where there is none (T of the first frame of a sequence)."""

    video: str
    name: str
    scalars: dict[str, float]
    """By `per_frame_key` of the measures asked for."""
    curves: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    """The conversions that reading the frame took."""


def per_frame_key(measure: str) -> str:
    """What a frame calls a measure: its E is the mean over levels, among others of a curve."""
    return "mean_e" if measure == "e_measure" else measure


class SequenceScores:
    """Sums of the curves and the scalars of every frame of one sequence; with `keep_curves` the F
    and E curves of every frame, too.
    """

    def __init__(self, keep_curves: bool = False) -> None:
        self.names: list[str] = []
        self.scalars: dict[str, list[float]] = {}
        self.curves: dict[str, np.ndarray] = {}
        self.kept: dict[str, list[np.ndarray]] = {key: [] for key in MAXIMA.values() if keep_curves}
        self.notes: Counter[str] = Counter()

    def add(self, frame: FrameScores) -> None:
        """Take in the next frame."""
        self.names.append(frame.name)
        for key, value in frame.scalars.items():
            self.scalars.setdefault(key, []).append(value)
        for key, curve in frame.curves.items():
            self.curves[key] = self.curves.get(key, 0) + curve
            if key in self.kept:
                self.kept[key].append(curve)
        self.notes.update(frame.notes)

    def mean_curve(self, key: str) -> np.ndarray:
        """A curve averaged over the frames."""
        return self.curves[key] / len(self.names)

    def summary(self, protocol: Protocol, measures: Names) -> dict[str, Any]:
        """The sequence's measures, ready for JSON."""
        row: dict[str, Any] = {"frames": len(self.names)}
        for name in measures:
            values = self.scalars[per_frame_key(name)]
            if name in ("J", "F"):
                row[name] = asdict(statistics(values))
            elif name in MAXIMA and protocol.maximum != "frame":
                row[name] = float(self.mean_curve(MAXIMA[name]).max())
            else:
                row[name] = _number(np.nanmean(values)) if np.isfinite(values).any() else None
        return row

    def per_frame(self) -> dict[str, list]:
        """The names of the frames and the measures of each, ready for JSON."""
        values = {key: [_number(v) for v in values] for key, values in self.scalars.items()}
        return {"name": self.names, **values}


Sequences = dict[str, SequenceScores]


@dataclass(frozen=True)
class Units:
    """What is averaged over a data set, and drawn anew for the intervals: sequences or stills."""

    values: dict[Key, tuple[np.ndarray, np.ndarray]]
    """Of every number: (U,) values and (U,) weights; NaN where a unit has none."""
    curves: dict[Key, np.ndarray]
    """Of every number that is the maximum of an average curve: (U, 256)."""
    weights: np.ndarray
    """(U,) weights of the curves."""

    def averages(self, counts: np.ndarray) -> dict[Key, np.ndarray]:
        """Every number where unit u is there `counts[:, u]` times: (R,) for counts (R, U)."""
        found = {}
        for key, (values, weights) in self.values.items():
            known = np.isfinite(values) & (weights > 0)
            shares = counts[:, known] * weights[known]
            total = shares.sum(1)
            mean = np.full(len(counts), np.nan)
            found[key] = np.divide(shares @ values[known], total, out=mean, where=total > 0)
        shares = counts * self.weights
        shares /= shares.sum(1, keepdims=True)
        for key, curves in self.curves.items():
            found[key] = (shares @ curves).max(1)
        return found


def summarise(
    sequences: Sequences, protocol: Protocol, measures: Names, stills: bool = False
) -> dict[str, Any]:
    """The dictionary that `score_frames` returns; of `stills`, whose sequences kept their curves,
    the intervals are over pictures.
    """
    per_sequence = {name: s.summary(protocol, measures) for name, s in sequences.items()}
    units = _sequence_units(sequences, per_sequence, protocol, measures)
    for name, row in per_sequence.items():
        row["per_frame"] = sequences[name].per_frame()
    notes = sum((scores.notes for scores in sequences.values()), Counter())
    curves = {}
    for key in CURVES if set(SALIENCY) & set(measures) else ():
        stack = [scores.mean_curve(key) for scores in sequences.values()]
        curves[key] = np.average(stack, axis=0, weights=units.weights).tolist()
    drawn = _still_units(sequences, protocol, measures) if stills else units
    return {
        "protocol": protocol.to_dict(),
        "measures": list(measures),
        **_whole(units, measures),
        "sequences": len(sequences),
        "frames": sum(len(s.names) for s in sequences.values()),
        "conversions": dict(notes),
        "intervals": _intervals(drawn, measures, stills),
        "curves": curves,
        "per_sequence": per_sequence,
    }


def overall(sequences: Sequences, protocol: Protocol, measures: Names) -> dict[str, Any]:
    """The measures of the whole data set alone."""
    per_sequence = {name: s.summary(protocol, measures) for name, s in sequences.items()}
    return _whole(_sequence_units(sequences, per_sequence, protocol, measures), measures)


def _whole(units: Units, measures: Names) -> dict[str, Any]:
    once = units.averages(np.ones((1, len(units.weights))))
    return _nested({key: _number(values[0]) for key, values in once.items()}, measures)


def _sequence_units(
    sequences: Sequences, per_sequence: dict[str, Any], protocol: Protocol, measures: Names
) -> Units:
    # A sequence counts once, or as often as it has frames.
    by_frames = protocol.average == "frames"
    once = np.ones(len(sequences))
    weights = np.array([len(s.names) for s in sequences.values()], float) if by_frames else once
    units = Units({}, {}, weights)
    for name in measures:
        column = [row[name] for row in per_sequence.values()]
        if name in ("J", "F"):
            for part, counted in (("mean", weights), ("recall", weights), ("decay", once)):
                units.values[name, part] = np.array([cell[part] for cell in column]), counted
        elif name in MAXIMA and protocol.maximum == "data set":
            means = [s.mean_curve(MAXIMA[name]) for s in sequences.values()]
            units.curves[name,] = np.stack(means)
        else:
            counted = weights.copy()
            if name in TEMPORAL and by_frames:  # values of frame pairs: those that have one count
                pairs = [np.isfinite(s.scalars[name]).sum() for s in sequences.values()]
                counted = np.array(pairs, float)
            if name == "T":
                counted[[sequence in protocol.skip_in_t for sequence in sequences]] = 0
            units.values[name,] = np.array(column, float), counted
    return units


def _still_units(sequences: Sequences, protocol: Protocol, measures: Names) -> Units:
    """Every picture as a unit of its own, where the pictures of a folder are no video."""
    sizes = np.array([len(s.names) for s in sequences.values()])
    weights = np.repeat(np.ones(len(sizes)) if protocol.average == "frames" else 1 / sizes, sizes)
    units = Units({}, {}, weights)
    for name in measures:
        column = np.concatenate([s.scalars[per_frame_key(name)] for s in sequences.values()])
        if name in ("J", "F"):
            units.values[name, "mean"] = column, weights
            units.values[name, "recall"] = (column > 0.5).astype(float), weights
        elif name in MAXIMA and protocol.maximum != "frame":
            kept = [s.kept[MAXIMA[name]] for s in sequences.values()]
            units.curves[name,] = np.concatenate(kept)
        else:
            units.values[name,] = column, weights
    return units


def _intervals(units: Units, measures: Names, stills: bool) -> dict[str, Any] | None:
    """The 95 % interval of every number; None where there is one unit, which says nothing."""
    U = len(units.weights)
    if U < 2:
        return None
    blocks = [units.averages(counts) for counts in resamples(U)]
    drawn = {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}
    found = {key: interval(values, U) for key, values in drawn.items()}
    kind = "pictures" if stills else "sequences"
    how = {"level": LEVEL, "over": kind, "units": U, "resamples": RESAMPLES}
    return how | _nested(found, measures)


def _nested(values: dict[Key, Any], measures: Names) -> dict[str, Any]:
    """By measure, and within J and F by part."""
    out: dict[str, Any] = {}
    for name in measures:
        parts = {key[1]: value for key, value in values.items() if key[0] == name and key[1:]}
        out[name] = parts or values[name,]
    return out


def _number(value: float | np.floating) -> float | None:
    """What JSON can hold: None for NaN."""
    return None if math.isnan(value) else float(value)
