"""The checks of notebooks 08 to 17 refuse wrong answers, each with the sentence that helps."""

import importlib
import math
import statistics
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"


def cosine(step, steps, warmup, peak):
    return peak * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


def paired(after, before):
    differences = [a - b for a, b in zip(after, before, strict=True)]
    return 4.303 * statistics.stdev(differences) / 3**0.5


def mean(a, b):
    return statistics.mean(a) - statistics.mean(b)


def spread(a, b):
    """Forgets the root of n."""
    return statistics.stdev(x - y for x, y in zip(a, b, strict=True))


PLANTED = {
    "08": [
        (1, "MAE", "compares values"),
        (1, "everything", "use 'MAE', 'S', 'max F', 'mean F'"),
        (2, lambda c: (c.max(axis=1).mean(), c.mean(axis=0).max()), "wrong order"),
        (2, lambda c: (c.mean(axis=1).max(), c.max(axis=0).mean()), "axes"),
        (2, lambda c: c.max(), "shape"),
        (3, {"J", "max F"}, "no first and second"),
        (3, set(), "precision and recall"),
        (3, "max F", "a set"),
        (4, "last", "other way"),
    ],
    "09": [
        (1, (8, 8), "the anchor itself"),
        (1, (16, 7), "no anchors"),
        (2, lambda s, n, w, p: p * (1 + math.cos(math.pi * s / n)) / 2, "the rates"),
        (2, lambda s, n, w, p: p * s / w if s < w else cosine(s, n, w, p), "do nothing"),
        (3, "loss", "the loss falls"),
    ],
    "10": [
        (1, math.log(4), "normalised"),
        (1, 4 / 256, "logarithm"),
        (2, lambda row, m: ((row * m).sum() / row.sum(), m.mean()), "cancel"),
        (2, lambda row, m: ((row.abs() * m).sum(), m.mean()), "sum to one"),
        (3, "yes", "never saw"),
    ],
    "11": [
        (1, 0, "perfect"),
        (2, lambda a, b: b - a, "the larger"),
        (2, lambda a, b: (a - b) / max(a, b), "sign"),
        (3, "distances", "min_dist"),
    ],
    "12": [
        (1, "it does not help", "gains of up to"),
        (2, lambda a, b: statistics.stdev(a[s] - b[s] for s in b) / 3**0.5, "Student's factor"),
        (2, lambda a, b: paired(a.values(), b.values()), "by seed, not by place"),
        (3, "mean", "used once"),
    ],
    "13": [
        (1, 2370, "anew"),
        (1, 911.4, "in the 500"),
        (2, lambda x, w, r: (x @ w @ r.T).softmax(0) @ r, "reference's positions"),
        (2, lambda x, w, r: (x @ r.T).softmax(1) @ r, "W is missing"),
        (3, "yes", "no order"),
    ],
    "14": [
        (1, "yes", "turn the ranking"),
        (2, lambda v, n, h=True: 1 + sum(o > v[n] for o in v.values()), "changes nothing"),
        (2, lambda v, n, h=True: sum((o > v[n]) == h and o != v[n] for o in v.values()), "not 0"),
        (3, "neither", "without the hardest"),
    ],
    "16": [
        (1, "both", "logarithm of the far"),
        (2, lambda a, b: (mean(a, b), 2.365 * spread(a, b)), "divide by the root"),
        (2, lambda a, b: (-mean(a, b), 2.365 * spread(a, b) / 8**0.5), "a - b"),
        (2, lambda a, b: (mean(a, b), spread(a, b) / 8**0.5), "Student's factor"),
        (3, ("smaller", "larger"), "still used once"),
        (3, ("same", "same"), "no longer cancels"),
    ],
    "17": [
        (1, 4, "a row AND a column"),
        (2, lambda i, o, k, h, w, g=1: 2 * o * h * w * (i // g) * k * k, "FLOPs"),
        (2, lambda i, o, k, h, w, g=1: o * h * w * i * k * k, "groups"),
        (3, 854, "closer"),
    ],
}
"""notebook -> (number of the exercise, a wrong answer, part of what is said)."""


@pytest.fixture
def checks(request, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield lambda notebook: importlib.import_module(f"checks_{notebook}")
    for name in [name for name in sys.modules if name.startswith("checks")]:
        del sys.modules[name]


@pytest.mark.parametrize("notebook", PLANTED)
def test_wrong_answers_are_refused_with_a_reason(notebook, checks):
    module = checks(notebook)
    wrong_answer = importlib.import_module("checks").WrongAnswer
    assert len(PLANTED[notebook]) >= 3
    for number, answer, said in PLANTED[notebook]:
        with pytest.raises(wrong_answer, match=said):
            getattr(module, f"check_{number}")(answer)


@pytest.mark.parametrize("notebook", PLANTED)
def test_every_check_is_planted_and_waits_for_an_answer(notebook, checks, capsys):
    module = checks(notebook)
    numbers = {name[6:] for name in vars(module) if name.startswith("check_")}
    assert numbers == {str(number) for number, *_ in PLANTED[notebook]}
    for number in numbers:
        getattr(module, f"check_{number}")(None)
    assert capsys.readouterr().out.splitlines() == ["Not answered yet."] * len(numbers)
