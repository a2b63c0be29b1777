"""What counts as a map and as a ground truth."""

import numpy as np
import pytest
from saliency_cases import CASES, close

from vsodlib.metrics import mae, saliency_scores, weighted_f


@pytest.mark.parametrize(
    ("p", "g", "sentence"),
    [
        (np.zeros((4, 5, 3)), np.zeros((4, 5), bool), "RGB"),
        (np.zeros((4, 5)), np.zeros((5, 4), bool), "resize"),
        (np.full((4, 5), 1.5), np.zeros((4, 5), bool), r"\[0, 1\]"),
        (np.full((4, 5), 1 + 1e-9), np.zeros((4, 5), bool), "values between 1.000000001 and"),
        (np.full((4, 5), -0.1), np.zeros((4, 5), bool), r"\[0, 1\]"),
        (np.full((4, 5), np.nan), np.zeros((4, 5), bool), "NaN"),
        (np.zeros((4, 5), np.int32), np.zeros((4, 5), bool), "int32"),
        (np.zeros((4, 5)), np.arange(20).reshape(4, 5), "binary"),
        (np.zeros((4, 5)), np.zeros((4, 5, 1), bool), "ground truth must be"),
        (np.zeros((0, 5)), np.zeros((0, 5), bool), "non-empty"),
    ],
)
def test_bad_arrays(p, g, sentence):
    with pytest.raises(ValueError, match=sentence):
        saliency_scores(p, g)
    with pytest.raises(ValueError, match=sentence):
        weighted_f(p, g)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_agree(dtype):
    p, g = CASES[2][1], CASES[2][2]
    levels = np.round(p * 255).astype(np.uint8)
    a, b = saliency_scores(levels, g), saliency_scores(p.astype(dtype), g)
    for key in ("mae", "s_measure", "adaptive_f", "adaptive_e", "f_curve", "e_curve"):
        close(getattr(a, key), getattr(b, key), key)


def test_ground_truth_encodings_agree():
    p, g = CASES[0][1], CASES[0][2]
    expected = saliency_scores(p, g).s_measure
    for truth in (g.astype(np.uint8), g.astype(np.uint8) * 255, g.astype(float)):
        assert saliency_scores(p, truth).s_measure == expected
    assert mae(g, g) == 0  # a boolean map
