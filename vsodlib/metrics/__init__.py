"""Measures of saliency maps and masks, and the protocols that turn them into published numbers.

saliency, level_counts   MAE, F, S, E, and the counts that they need; weighted_f: weighted F
segmentation             J and F of DAVIS
instability, contours    T of DAVIS; consistency: soft maps from frame to frame
protocol, scoring        choices by name; streams of frames scored under them
averaging, bootstrap     from frames to a data set, with intervals
compare, explain         two results side by side; a number someone reports
inputs, compiled         what is accepted; loops as fast as in C
"""

from vsodlib.metrics.compare import compare
from vsodlib.metrics.consistency import temporal_consistency
from vsodlib.metrics.contours import outline
from vsodlib.metrics.explain import explain
from vsodlib.metrics.instability import temporal_instability
from vsodlib.metrics.protocol import Protocol
from vsodlib.metrics.saliency import (
    SaliencyScores,
    e_measure,
    f_measure,
    mae,
    s_measure,
    saliency_scores,
)
from vsodlib.metrics.scoring import score_frames
from vsodlib.metrics.segmentation import Statistics, contour_accuracy, region_similarity, statistics
from vsodlib.metrics.weighted_f import weighted_f

__all__ = [
    "Protocol", "SaliencyScores", "Statistics", "compare", "contour_accuracy", "e_measure",
    "explain", "f_measure", "mae", "outline", "region_similarity", "s_measure", "saliency_scores",
    "score_frames", "statistics", "temporal_consistency", "temporal_instability", "weighted_f",
]  # fmt: skip
