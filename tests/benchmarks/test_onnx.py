"""The benchmark of exported networks: every form once, and what is known of each."""

import onnx
import pytest

from benchmarks import onnx as bench


@pytest.mark.slow
def test_every_form(monkeypatch):
    kinds = {}
    session = bench.open_session

    def look(path):
        kinds[path.stem] = {node.op_type for node in onnx.load(path).graph.node}
        return session(path)

    monkeypatch.setattr(bench, "open_session", look)
    found = bench.bench_onnx(height=64, width=96, repeats=1)
    rows = {row["name"]: row for row in found["forms"]}
    assert list(rows) == ["pytorch", "float32", "float16", "dynamic", "static"]
    assert all(row["ms"] > 0 for row in rows.values())
    for exact in ("float32", "float16"):
        assert rows[exact]["largest"] < 1e-4 and rows[exact]["iou"] > 0.99
    assert "ConvInteger" in kinds["dynamic"] and "QuantizeLinear" in kinds["static"]
    for coarse in ("dynamic", "static"):
        assert 0 < rows[coarse]["mean"] < rows[coarse]["largest"] <= 1
        assert rows[coarse]["bytes"] < 0.35 * rows["float32"]["bytes"]
    assert found["turns"] == 1 and (found["height"], found["width"]) == (64, 96)
