"""Scores seed by seed: tables of runs, and what can be concluded from few seeds."""

import csv
import math
import statistics
from dataclasses import dataclass
from pathlib import Path

from scipy.special import stdtrit


def read_table(csv_path: str | Path) -> dict[str, dict[str, dict[int, float]]]:
    """What `collect` wrote: measure -> experiment -> seed -> score, in the table's order."""
    scores: dict[str, dict[str, dict[int, float]]] = {}
    with Path(csv_path).open(newline="") as file:
        for row in csv.DictReader(file):
            by_seed = scores.setdefault(row["measure"], {}).setdefault(row["experiment"], {})
            by_seed[int(row["seed"])] = float(row["score"])
    return scores


@dataclass(frozen=True)
class Difference:
    """How one experiment's scores differ from another's, seed by seed: mean, and standard error of
    that mean (nan with one seed).
    """

    seeds: int
    mean: float
    standard_error: float

    def margin(self, factor: float | None = None) -> float:
        """Half the width of the 95 % confidence interval: `factor` standard errors. None takes
        Student's factor, 4.30 for three seeds and 1.96 for very many.
        """
        if factor is None:
            factor = float(stdtrit(self.seeds - 1, 0.975))
        return factor * self.standard_error

    def verdict(self, factor: float | None = None) -> str:
        """In words: `above` or `below` 0, or `within noise`, no further from 0 than the margin;
        `one seed: unknown`.
        """
        margin = self.margin(factor)
        if math.isnan(margin):
            return "one seed: unknown"
        if abs(self.mean) <= margin:
            return "within noise"
        return "above" if self.mean > 0 else "below"


def paired_difference(scores: dict[int, float], reference: dict[int, float]) -> Difference:
    """The difference `scores - reference` over the seeds that both have; a ValueError of none."""
    common = sorted(scores.keys() & reference.keys())
    if not common:
        raise ValueError("The two experiments have no seed in common.")
    differences = [scores[seed] - reference[seed] for seed in common]
    spread = statistics.stdev(differences) if len(common) > 1 else float("nan")
    return Difference(len(common), statistics.mean(differences), spread / len(common) ** 0.5)
