"""Two sets of scores, sequence by sequence: which is better, and could that be chance?"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from vsodlib.metrics.bootstrap import LEVEL, interval, resamples
from vsodlib.metrics.protocol import MEASURES
from vsodlib.notes import note

LOWER_IS_BETTER = ("mae", "T")


def compare(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Paired differences of two results of `score_folder` or `score_frames`, second minus first.

    A difference is taken within every sequence, so what is hard for both methods cancels. The
    interval is of its mean (every sequence counts once), bootstrapped over sequences; the verdict
    names the better one where the interval leaves out 0. With several measures, one in twenty
    verdicts is chance. The two are dictionaries as `vsod score --json` wrote them.

        >>> from vsodlib import VSODNet, compare, evaluate, open_dataset
        >>> net, dataset = VSODNet.from_pretrained("lite-davis"), open_dataset("synthetic", "val")
        >>> dataset = dataset.subset(dataset.spread_out(2))  # two of its videos
        >>> plain, mirrored = (evaluate(net, dataset, height=96, flip=f) for f in (False, True))
        >>> found = compare(plain, mirrored)
        >>> found["measures"]["J"]["verdict"] in ("first", "second", "open")
        True

    Returns:
        `sequences` (those in both), `left_out` (the others), `level`, and in `measures` of every
        measure in both: `first`, `second` (means over sequences), `difference`, `interval` (null
        for a single sequence), `second_better` and `first_better` (counts of sequences), `verdict`
        (`"first"`, `"second"` or `"open"`) and `per_sequence`.

    Raises:
        ValueError: not results, values that are no numbers, different protocols, or no sequence or
            measure in common.
    """
    for which, scores in (("first", first), ("second", second)):
        if not isinstance(scores, dict) or not all(
            isinstance(scores.get(key), dict) for key in ("protocol", "per_sequence")
        ):
            raise ValueError(
                f"The {which} of the two holds no scores; give what `vsod score --json` wrote."
            )
    protocols = first["protocol"], second["protocol"]
    fields = protocols[0].keys() | protocols[1].keys()
    if unlike := sorted(k for k in fields if protocols[0].get(k) != protocols[1].get(k)):
        raise ValueError(
            f"The protocols differ in {', '.join(unlike)}, so the numbers do not compare; score "
            "both with one --protocol."
        )
    rows = first["per_sequence"], second["per_sequence"]
    common = [name for name in rows[0] if name in rows[1]]
    if not common:
        raise ValueError("The two have no sequence in common.")
    skipped = protocols[0].get("skip_in_t")
    skipped = skipped if isinstance(skipped, list) else []
    known: dict[str, dict[str, tuple[float, float]]] = {}
    for measure in MEASURES:
        pairs = {}
        for name in common:
            if measure == "T" and name in skipped:
                continue
            a = _value(rows[0][name], measure, f"{name} in the first")
            b = _value(rows[1][name], measure, f"{name} in the second")
            if a is not None and b is not None:
                pairs[name] = a, b
        if pairs:
            known[measure] = pairs
    if not known:
        raise ValueError("The two have no measure in common.")
    found = [{k for row in of.values() if isinstance(row, dict) for k in row} for of in rows]
    if lone := [m for m in MEASURES if (m in found[0]) != (m in found[1])]:
        note(f"Only one of the two has {', '.join(lone)}; score both with the same measures.")
    for name in common:
        counts = [of[name].get("frames") for of in rows]
        if counts[0] != counts[1]:
            note(f"{name} has {counts[0]} frames in the first and {counts[1]} in the second.")
    left_out = [name for name in (*rows[0], *rows[1]) if name not in rows[0] or name not in rows[1]]
    values = {measure: np.array(list(pairs.values())).T for measure, pairs in known.items()}
    bounds = _intervals({measure: second - first for measure, (first, second) in values.items()})
    measures = {
        measure: _paired(pairs, values[measure], bounds[measure], measure in LOWER_IS_BETTER)
        for measure, pairs in known.items()
    }
    return {"sequences": common, "left_out": left_out, "level": LEVEL, "measures": measures}


def _value(row: Any, measure: str, name: str) -> float | None:
    value: Any = row.get(measure) if isinstance(row, dict) else "missing"
    value = value.get("mean") if isinstance(value, dict) else value
    most = 1e9 if measure == "T" else 2  # E of two pixels; percent would be 0 to 100
    if value is None or (type(value) in (int, float) and 0 <= value <= most):
        return value
    raise ValueError(f"{measure} of {name} is {repr(value)[:20]}, no score; score the maps again.")


def _intervals(differences: dict[str, np.ndarray]) -> dict[str, list[float] | None]:
    """The interval of each mean; measures of equally many sequences share what is drawn."""
    found: dict[str, list[float] | None] = dict.fromkeys(differences)
    for n in {len(of) for of in differences.values()} - {1}:
        alike = {measure: of for measure, of in differences.items() if len(of) == n}
        columns = np.stack(list(alike.values()), axis=1)
        means = np.concatenate([counts @ columns / n for counts in resamples(n)])
        found |= {measure: interval(of, n) for measure, of in zip(alike, means.T, strict=True)}
    return found


def _paired(
    names: Iterable[str], values: np.ndarray, bounds: list[float] | None, lower_is_better: bool
) -> dict[str, Any]:
    first, second = values
    difference, verdict = second - first, "open"
    if bounds and (bounds[0] > 0 or bounds[1] < 0):
        verdict = "second" if (bounds[0] > 0) != lower_is_better else "first"
    gain = -difference if lower_is_better else difference
    return {
        "first": float(first.mean()),
        "second": float(second.mean()),
        "difference": float(difference.mean()),
        "interval": bounds,
        "second_better": int((gain > 0).sum()),
        "first_better": int((gain < 0).sum()),
        "verdict": verdict,
        "per_sequence": dict(zip(names, difference.tolist(), strict=True)),
    }
