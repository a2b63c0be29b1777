"""The published numbers in results/published: complete, in range, and as printed."""

import csv
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from vsodlib import ModelConfig, TrainConfig
from vsodlib.training.ablations import table3, table4

PUBLISHED = Path(__file__).resolve().parent.parent / "results" / "published"
DATASETS = ("DAVIS", "FBMS", "ViSal", "DAVSOD")


def read(name):
    with (PUBLISHED / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def numbers(name):
    """(method, data set, measure) -> percent."""
    return {(r["method"], r["dataset"], r["metric"]): float(r["percent"]) for r in read(name)}


@pytest.mark.parametrize("name, table", [("table1", 1), ("table2", 2)])
def test_every_row_names_its_source_once(name, table):
    rows = read(name)
    assert len(numbers(name)) == len(rows), "the same number twice"
    assert {r["source"] for r in rows} == {f"Chen et al. WACV 2022, Table {table}"}
    for r in rows:
        assert r["venue"] and 2018 <= int(r["year"]) <= 2022 and r["group"] in ("image", "video")
        assert r["reference"].isdigit() or r["method"] == "Chen et al."
        low, high = (1, 12) if r["metric"] == "MAE" else (50, 96)
        assert low < float(r["percent"]) < high, r


def test_table_1_is_complete():
    of = Counter((r["dataset"], r["metric"]) for r in read("table1"))
    # Counted in the paper: 17 rows; AnDiff and DFNet give no S; nine rows have numbers on DAVSOD.
    assert {d: of[d, "maxF"] for d in DATASETS} == dict(zip(DATASETS, (17, 17, 17, 9), strict=True))
    assert {d: of[d, "S"] for d in DATASETS} == dict(zip(DATASETS, (15, 15, 15, 9), strict=True))
    assert {d: of[d, "MAE"] for d in DATASETS} == {d: of[d, "maxF"] for d in DATASETS}
    groups = {r["method"]: r["group"] for r in read("table1")}
    assert Counter(groups.values()) == {"image": 7, "video": 10}


def test_table_1_as_printed():
    found = numbers("table1")
    for method, dataset, values in (
        ("C2SNet", "DAVIS", (77.1, 81.3, 5.2)),
        ("PiCANet", "ViSal", (93.2, 93.7, 2.2)),
        ("F3Net", "DAVSOD", (56.4, 68.9, 11.7)),
        ("GateNet", "FBMS", (83.2, 85.7, 6.5)),
        ("MBN", "ViSal", (88.3, 89.8, 2.0)),
        ("MGA", "DAVIS", (90.1, 91.1, 2.4)),
        ("PCSA", "DAVSOD", (65.5, 74.1, 8.6)),
        ("Chen et al.", "DAVIS", (90.9, 91.8, 1.5)),
        ("Chen et al.", "DAVSOD", (66.2, 75.3, 8.3)),
    ):
        assert tuple(found[method, dataset, m] for m in ("maxF", "S", "MAE")) == values
    assert found["AnDiff", "ViSal", "MAE"] == 3.0 and ("AnDiff", "ViSal", "S") not in found
    assert found["DFNet", "DAVIS", "maxF"] == 89.9 and ("MBN", "DAVSOD", "maxF") not in found


def test_table_2_as_printed():
    found = numbers("table2")
    assert len(found) == 24  # twelve methods, J and F
    for method, j, f in (
        ("MBN", 80.4, 78.5),
        ("MotAdapt", 77.2, 77.4),
        ("AGNN", 80.7, 79.1),
        ("EpO+", 80.6, 75.5),
        ("DFNet", 83.4, 81.8),
        ("Chen et al.", 83.5, 82.0),
    ):
        assert (found[method, "DAVIS", "J_mean"], found[method, "DAVIS", "F_mean"]) == (j, f)


def ablation(name, column):
    """(experiment, data set, measure) -> value."""
    rows = read(name)
    found = {(r["experiment"], r["dataset"], r["metric"]): float(r[column]) for r in rows}
    assert len(found) == len(rows), "the same number twice"
    assert {r["source"] for r in rows} == {f"Chen et al. WACV 2022, Table {name[-1]}"}
    assert len({(r["experiment"], r["printed_as"]) for r in rows}) == len(
        {r["experiment"] for r in rows}
    )
    return found


def test_table_3_as_printed():
    found = ablation("table3", "percent")
    rows = [experiment.name for experiment in table3(ModelConfig.lite(), TrainConfig.lite())]
    assert list(dict.fromkeys(name for name, *_ in found)) == rows
    assert len(found) == 6 * 4 * 3
    for row, dataset, values in (
        ("baseline", "DAVIS", (86.8, 88.4, 3.1)),
        ("+ co-attention", "FBMS", (88.6, 86.3, 5.2)),
        ("+ self-attention", "ViSal", (93.9, 93.0, 2.3)),
        ("+ both", "DAVSOD", (65.4, 74.4, 8.7)),
        ("+ L_cl", "DAVIS", (89.9, 91.1, 1.8)),
        ("+ hard mining", "FBMS", (91.5, 90.9, 2.6)),
    ):
        assert tuple(found[row, dataset, m] for m in ("maxF", "S", "MAE")) == values


def test_each_row_of_table_3_is_better_than_the_baseline_everywhere():
    """And the last is Table 1's: a slip of the keyboard would show."""
    found, first = ablation("table3", "percent"), numbers("table1")
    for (row, dataset, metric), value in found.items():
        gain = value - found["baseline", dataset, metric]
        assert row == "baseline" or (-gain if metric == "MAE" else gain) > 0
        if row == "+ hard mining":
            assert value == first["Chen et al.", dataset, metric]


def test_table_4_as_printed():
    found, third = ablation("table4", "value"), ablation("table3", "percent")
    rows = [experiment.name for experiment in table4(ModelConfig.lite(), TrainConfig.lite())]
    assert list(dict.fromkeys(name for name, *_ in found)) == rows
    rival = rows[1]
    assert [found[row, "", "runtime_s"] for row in rows] == [0.11, 0.45, 0.26]
    assert [found[rival, "DAVIS", m] for m in ("maxF", "S", "MAE")] == [88.1, 89.3, 2.9]
    assert [found[rival, "DAVSOD", m] for m in ("maxF", "S", "MAE")] == [64.6, 74.1, 8.7]
    shared = {key: value for key, value in found.items() if key[0] != rival and key[1]}
    assert shared == {key: third[key] for key in shared} and len(shared) == 24


def test_citations_as_printed():
    cited = {r["method"]: (r["venue"], r["year"], r["reference"]) for r in read("table1")}
    cited |= {r["method"]: (r["venue"], r["year"], r["reference"]) for r in read("table2")}
    assert cited["FCNS"] == ("TIP", "2018", "48") and cited["SSAV"] == ("CVPR", "2019", "13")
    assert cited["MATNet"] == ("AAAI", "2020", "56") and cited["EpO+"] == ("WACV", "2020", "11")


def site():
    return {
        (r["method"], r["metric"], r["statistic"]): float(r["value"])
        for r in read("davis2016_site")
    }


def test_the_sites_table():
    found = site()
    assert len(found) == len(read("davis2016_site")) == 59 * 7
    assert all(count == 7 for count in Counter(method for method, *_ in found).values())
    for (_, _, statistic), value in found.items():
        assert (-0.1 if statistic == "decay" else 0) <= value < 1
    assert found["stm", "J", "mean"] == 0.887 and found["sflab", "T", "mean"] == 0.811
    assert found["pdb", "F", "decay"] == -0.002


def test_the_paper_and_the_site_agree():
    paper, there = numbers("table2"), site()
    shared = {m for m, *_ in paper if (m.lower(), "J", "mean") in there}
    assert shared == {"MotAdapt", "AGS", "COSNet", "AnDiff", "EpO+", "MATNet"}
    for method in shared:
        for metric in "JF":
            printed = paper[method, "DAVIS", f"{metric}_mean"]
            # The paper prints 79.4 where the site has 79.5, for F of COSNet.
            slip = 0.1 if (method, metric) == ("COSNet", "F") else 0
            expected = 100 * there[method.lower(), metric, "mean"] - slip
            assert printed == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("method", ["matnet", "andiff", "pdb", "ags"])
def test_our_scores_of_published_masks_agree_with_the_site(method):
    rows = [r for r in read("per_sequence_J") if r["method"] == method]
    assert len({r["sequence"] for r in rows}) == len(rows) == 20
    assert sum(int(r["frames"]) for r in rows) == 1376 - 2 * 20
    official = [
        r
        for r in read("protocols")
        if (r["method"], r["skip_ends"], r["average"]) == (method, "True", "sequences")
    ]
    for metric in "JF":
        mean = sum(float(r[f"{metric}_mean"]) for r in rows) / 20
        recall = sum(float(r[f"{metric}_recall"]) for r in rows) / 20
        assert mean == pytest.approx(site()[method, metric, "mean"], abs=0.0006)
        assert recall == pytest.approx(site()[method, metric, "recall"], abs=0.0006)
        assert float(official[0][f"{metric}_mean"]) == pytest.approx(mean, abs=0.0001)


def test_agreement_with_the_site():
    rows = read("agreement")
    assert len(rows) == 4 * 5 + 1
    for r in rows:
        difference = float(r["ours"]) - float(r["site"])
        assert float(r["difference"]) == pytest.approx(difference, abs=0.0001)
        if r["method"] != "ground truth":
            assert float(r["site"]) == site()[r["method"], r["metric"], r["statistic"]]
        # T of ragged masks is ours alone, see vsodlib.metrics.instability.
        assert abs(difference) < (0.0145 if r["metric"] == "T" else 0.0006)


def test_protocols_list_every_choice_of_every_method():
    rows = read("protocols")
    assert len({(r["method"], r["skip_ends"], r["average"]) for r in rows}) == len(rows) == 16


def test_the_sites_table_is_a_copy():
    source = Path(os.environ.get("VSOD_DATA", "data")) / "published/davis2016-val/table.json"
    if not source.is_file():
        pytest.skip("the site's table is not here; set VSOD_DATA")
    table = json.loads(source.read_text())
    names = {("J", s): f"J{s}" for s in ("mean", "recall", "decay")}
    names |= {("F", s): f"F{s}" for s in ("mean", "recall", "decay")} | {("T", "mean"): "T"}
    for (method, metric, statistic), value in site().items():
        assert value == float(table[method][names[metric, statistic]])
