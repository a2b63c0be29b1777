"""Speed and memory, measured side by side in one run: `vsod bench metrics|attention|inference`."""

from vsodlib.bench.attention import bench_attention
from vsodlib.bench.inference import bench_inference
from vsodlib.bench.metrics import bench_metrics
from vsodlib.bench.plots import plot_attention

__all__ = ["bench_attention", "bench_inference", "bench_metrics", "plot_attention"]
