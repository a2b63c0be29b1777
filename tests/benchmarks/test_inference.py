"""`python -m benchmarks inference` measures what it says."""

import json

import pytest
from torch.nn.modules.module import register_module_forward_pre_hook

from benchmarks import inference as bench
from vsodlib import VSODNet
from vsodlib.analysis.cost import cost
from vsodlib.model.encoder import Encoder


def test_figures(monkeypatch):
    monkeypatch.setattr(bench, "peak_memory", lambda make, cases, device: [7] * len(cases))
    names = ("lite", "lraspp_mobilenet_v3_large")
    figures = bench.bench_inference([(64, 96)], names, repeats=2, frames=3)
    json.dumps(figures, allow_nan=False)
    lite, rival = figures["networks"]
    assert (lite["name"], rival["name"]) == names
    assert (lite["parameters"], lite["multiply_adds"]) == cost(bench.build("lite"), 64, 96)
    assert lite["turns"] == 2 and lite["peak_bytes"] == 7
    fastest = min(lite["plain_ms"], lite["folded_ms"])
    assert lite["frames_per_second"] == pytest.approx(1000 / fastest)
    assert lite["matrix_rate"] == rival["matrix_rate"] > 1e8
    rows = figures["temporal"]
    assert [row["name"] for row in rows] == [
        "baseline",
        "+ inter-frame co-attention",
        "+ hard mining",
    ]
    assert all(row["seconds_per_frame"] > 0 for row in rows)
    assert all(row["seconds_per_frame_alone"] > 0 for row in rows)
    assert [row["mode"] for row in figures["modes"]] == [
        "plain",
        "bf16",
        "flip",
        "refine",
        "motion",
    ]
    assert all(row["frames_per_second"] > 0 and row["frames"] == 3 for row in figures["modes"])
    (run,) = figures["end_to_end"]
    assert (run["height"], run["width"], run["frames"]) == (64, 96, 3)
    assert run["frames_per_second"] > 0


def test_temporal_counts_references(monkeypatch):
    """The clock counts images through the encoder: five references a pass, shared by its frames."""
    images = []

    def count(module, inputs):
        if isinstance(module, Encoder):
            images.append(len(inputs[0]))

    def clock(calls, repeats):
        counts = {}
        for name, call in calls.items():
            images.clear()
            call()
            counts[name] = [float(sum(images))] * repeats
        return counts

    monkeypatch.setattr(bench, "run_times", clock)
    hook = register_module_forward_pre_hook(count)
    try:
        rows = bench.temporal(64, 96, repeats=1)
    finally:
        hook.remove()
    assert [row["seconds_per_frame_alone"] for row in rows] == [1, 1 + 5, 1]
    assert [row["seconds_per_frame"] for row in rows] == [1, (8 + 5) / 8, 1]


def test_folded_is_folded():
    folded = bench.prepare("lite", "folded", 64, 96, "cpu").args[0]
    plain = bench.prepare("lite", "plain", 64, 96, "cpu").args[0]
    assert "encoder.backbone.bn1.running_mean" in plain.state_dict()
    assert not any("running_mean" in name for name in folded.state_dict())


def test_build():
    net = bench.build("lite")
    assert isinstance(net, VSODNet) and not net.training
    for name in bench.TORCHVISION:
        assert not bench.build(name).training
    with pytest.raises(ValueError, match=r"no network 'resnet'; there are lite, deeplabv3"):
        bench.build("resnet")


def test_refused():
    with pytest.raises(ValueError, match="repeats must be at least 1, got 0"):
        bench.bench_inference(repeats=0)


def test_table_5():
    rows = bench.table5()
    values = {(row["method"], row["metric"]): float(row["value"]) for row in rows}
    assert len(values) == len(rows) == 6 + 5 + 5  # DFNet has neither FLOPs nor a run time
    assert values["Chen et al.", "parameters_M"] == 59.3
    assert values["Chen et al.", "flops_G"] == 425.7
    assert values["Chen et al.", "runtime_s"] == 0.26
    assert values["AGNN", "flops_G"] == 1921.0
    best = {metric: min(v for (_, m), v in values.items() if m == metric) for _, metric in values}
    assert best == {"parameters_M": 59.3, "flops_G": 425.7, "runtime_s": 0.26}  # bold in print
