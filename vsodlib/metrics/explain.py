"""A number that someone reports: which measure, under which protocol, gives it for these maps?"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from tqdm.auto import tqdm

from vsodlib.metrics import scoring
from vsodlib.metrics.averaging import FrameScores, SequenceScores, overall
from vsodlib.metrics.protocol import PRESETS, SALIENCY, TEMPORAL, Protocol, choose
from vsodlib.metrics.scoring import Frame, Measures

PER_FRAME: dict[tuple[str, ...], dict[str, tuple[Any, ...]]] = {
    ("J", "F"): {"mask_threshold": (0.5, 1 / 255)},
    SALIENCY: {
        "stretch": (False, True),
        "beta_squared": (0.3, 1.0),
        "centroid_ties": ("even", "up"),
    },
    ("weighted_f",): {"stretch": (False, True)},
    TEMPORAL: {},
}
"""The choices that are tried when a frame is scored, by the measures that they can change."""
AVERAGING: dict[str, tuple[Any, ...]] = {
    "skip_ends": (True, False),
    "average": ("sequences", "frames"),
    "maximum": ("data set", "sequence", "frame"),
    "skip_in_t": (PRESETS["davis2016"].skip_in_t, ()),
}
"""The choices that are tried when frames are averaged."""
AVERAGED = tuple(name for name in AVERAGING if name != "skip_ends")
"""Those that need the frames' scores alone; without the ends there are other pairs of frames."""
CHOICES = (*AVERAGING, "mask_threshold", "stretch", "beta_squared", "centroid_ties")
Variant = tuple[Protocol, tuple[str, ...]]


@dataclass(frozen=True)
class Explanation:
    """One way to a number."""

    measure: str
    value: float
    protocol: str
    """The nearest preset."""
    changes: dict[str, Any]
    """What must be chosen unlike it."""


def explain(
    frames: Sequence[Frame],
    number: str,
    measures: Measures = "default",
    workers: int = 1,
    progress: bool = True,
    stills: bool = False,
) -> tuple[bool, list[Explanation]]:
    """Every measure and protocol that gives a number, to the decimals it is written with.

    Tried are the presets and all combinations of `PER_FRAME` and `AVERAGING`; of those that give a
    measure the same value the one closest to a preset is named.

    Args:
        frames: of every video one after the other, the ends included; those whose `prediction` is
            None are left out.
        number: as it was printed, `"0.83"` or in percent, `"83.0"`.
        measures, workers, progress, stills: as in `score_stream`.

    Returns:
        Whether the number was found, and the ways, fewest changes first; if it was not, the three
        ways whose values are nearest.

    Raises:
        ValueError: no number, or as `score_stream`.
    """
    target, half = _as_written(number)
    found: dict[tuple[str, float], Explanation] = {}
    for variant, chosen, sequences in _collect(frames, measures, workers, progress, stills):
        for choice in product(*(AVERAGING[name] for name in AVERAGED)):
            protocol = replace(variant, **dict(zip(AVERAGED, choice, strict=True)))
            preset, changes = _nearest_preset(protocol)
            for measure, value in _numbers(overall(sequences, protocol, chosen)).items():
                key = measure, round(value, 9)
                if key not in found or len(changes) < len(found[key].changes):
                    found[key] = Explanation(measure, value, preset, changes)
    hits = [e for e in found.values() if abs(e.value - target) <= half]
    if hits:
        return True, sorted(hits, key=lambda e: (len(e.changes), abs(e.value - target)))
    return False, sorted(found.values(), key=lambda e: abs(e.value - target))[:3]


def _as_written(number: str) -> tuple[float, float]:
    """The fraction that was meant, and half a unit of its last decimal."""
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", number):
        raise ValueError(f"Give the number as it is printed, such as 0.83 or 83.0, not {number!r}.")
    value, decimals = float(number), len(number.partition(".")[2])
    if value > 1:
        value, decimals = value / 100, decimals + 2
    return value, 0.5 * 10**-decimals + 1e-9


def _collect(
    frames: Sequence[Frame], measures: Measures, workers: int, progress: bool, stills: bool
) -> list[tuple[Protocol, tuple[str, ...], dict[str, SequenceScores]]]:
    """The scores of all frames under every variant, with the ends and without."""
    asked = choose(measures, stills)
    variants: list[Variant] = []
    for group, choices in PER_FRAME.items():
        if chosen := tuple(name for name in group if name in asked):
            for values in product(*choices.values()):
                changes = dict(zip(choices, values, strict=True))
                variants.append((replace(PRESETS["davis2016"], **changes), chosen))
    videos: dict[str, list[Frame]] = {}
    for frame in frames:
        videos.setdefault(frame.video, []).append(frame)
    ends = {(v, f[k].name) for v, f in videos.items() for k in (0, -1)}
    firsts = {(v, f[1].name) for v, f in videos.items() if len(f) > 1}
    unpaired = dict.fromkeys(TEMPORAL, math.nan)
    tables: dict[tuple[int, bool], dict[str, SequenceScores]] = {
        (k, skip): {} for k in range(len(variants)) for skip in AVERAGING["skip_ends"]
    }
    there = [frame for frame in frames if frame.prediction is not None]
    tasks = ((before, run, variants) for before, run in scoring.chunks(there, scoring.CHUNK))
    bar = tqdm(total=len(there), desc="explain", unit="frame", disable=None if progress else True)
    with bar, scoring.one_opencv_thread():
        for found in scoring.in_order(_score_variants, tasks, workers):
            for by_variant in found:
                for k, scores in enumerate(by_variant):
                    place = scores.video, scores.name
                    tables[k, False].setdefault(place[0], SequenceScores()).add(scores)
                    if place in ends:
                        continue
                    if place in firsts:  # without the ends there is none before it
                        lone = {m: unpaired.get(m, v) for m, v in scores.scalars.items()}
                        scores = replace(scores, scalars=lone)
                    tables[k, True].setdefault(place[0], SequenceScores()).add(scores)
                bar.update()
    return [
        (replace(variants[k][0], skip_ends=skip), variants[k][1], table)
        for (k, skip), table in tables.items()
        if table.keys() == videos.keys()  # or a sequence is all ends
    ]


def _score_variants(
    before: Frame | None, run: list[Frame], variants: list[Variant]
) -> list[tuple[FrameScores, ...]]:
    """Every frame, read once, under every variant."""

    def held(frame: Frame) -> scoring.ArrayFrame:
        return scoring.ArrayFrame(frame.video, frame.name, *frame.load(variants[0][0])[:2])

    paired = any(m in TEMPORAL for _, chosen in variants for m in chosen)
    first, here = held(before) if before and paired else None, [held(frame) for frame in run]
    scores = (scoring.score_chunk(first, here, *variant) for variant in variants)
    return list(zip(*scores, strict=True))


def _numbers(overall: dict[str, Any]) -> dict[str, float]:
    """By the name that a table would have: `J mean`, `J&F mean`, `max_f`."""
    out: dict[str, float] = {}
    for name, value in overall.items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        out |= {f"{name} {part}".strip(): v for part, v in parts if v is not None}
    if "J mean" in out and "F mean" in out:
        out["J&F mean"] = (out["J mean"] + out["F mean"]) / 2
    return out


def _nearest_preset(protocol: Protocol) -> tuple[str, dict[str, Any]]:
    """The preset with the fewest choices unlike a protocol's, and these."""
    unlike = {
        name: {
            k: getattr(protocol, k) for k in CHOICES if getattr(protocol, k) != getattr(preset, k)
        }
        for name, preset in PRESETS.items()
    }
    return min(unlike.items(), key=lambda item: len(item[1]))
