"""The features of an ablation's branches: distances against loops, a table that goes on."""

import csv
from dataclasses import replace

import branch_features
import numpy as np
import pytest

from vsodlib import ModelConfig
from vsodlib.analysis.embeddings import Embeddings
from vsodlib.analysis.seeds import read_table
from vsodlib.data import synthetic_dataset
from vsodlib.training import ablations
from vsodlib.training.ablations import Experiment


def test_pull_and_push_are_loops_over_pairs():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((10, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    front = np.array([1, 0, 1, 0, 1, 0, 1, 0, 1, 0], bool)
    video = np.array(["a"] * 6 + ["b"] * 4)
    frame = np.array(["0", "0", "1", "1", "2", "2", "0", "0", "1", "1"])
    near, far = [], []
    for name in "ab":
        here = [i for i in range(10) if video[i] == name]
        pairs = [(i, j) for i in here for j in here if front[i] and i != j]
        distance = {(i, j): 1 - float(vectors[i] @ vectors[j]) for i, j in pairs}
        near.append(np.mean([d for (i, j), d in distance.items() if front[j]]))
        far.append(np.mean([d for (i, j), d in distance.items() if not front[j]]))
    found = branch_features.pull_and_push(Embeddings(vectors, front, video, frame))
    assert found["to_itself"] == pytest.approx(np.mean(near), rel=1e-5)
    assert found["to_background"] == pytest.approx(np.mean(far), rel=1e-5)


def test_a_table_of_runs_goes_on_where_it_was(tmp_path):
    model = replace(ModelConfig.lite(), channels=16)
    rows = [Experiment("plain, small", model, ablations.training("smoke"))]
    clips, test = (synthetic_dataset(split, 2, 4, 64, 96) for split in ("train", "val"))
    out = tmp_path / "features.csv"
    with pytest.raises(FileNotFoundError, match="no run of `vsod ablate`"):
        branch_features.run(tmp_path / "runs", test, out)
    for seed in (0, 1):
        ablations.run(rows, [seed], clips, {"": test}, tmp_path / "runs", progress=False)
        options = {"every": 2, "rows": ["plain, small"], "progress": False}
        assert branch_features.run(tmp_path / "runs", test, out, **options) == seed + 1
    assert branch_features.run(tmp_path / "runs", test, tmp_path / "none.csv", rows=["x"]) == 0
    table = read_table(out)
    assert {len(by_row["plain, small"]) for by_row in table.values()} == {2}
    assert {"distance_ratio", "to_itself", "to_background"} <= set(table)
    with out.open() as file:
        assert len(list(csv.DictReader(file))) == 2 * len(table)
