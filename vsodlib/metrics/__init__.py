"""Measures of saliency maps and masks, and the protocols that turn them into published numbers."""

from .folders import score_folder
from .outline import outline
from .protocol import Protocol
from .saliency import (
    SaliencyScores,
    e_measure,
    f_measure,
    mae,
    s_measure,
    saliency_scores,
)
from .score import score_frames
from .segmentation import Statistics, contour_accuracy, region_similarity, statistics
from .temporal import temporal_consistency, temporal_instability
from .weighted import weighted_f

__all__ = [
    "Protocol",
    "SaliencyScores",
    "Statistics",
    "contour_accuracy",
    "e_measure",
    "f_measure",
    "mae",
    "outline",
    "region_similarity",
    "s_measure",
    "saliency_scores",
    "score_folder",
    "score_frames",
    "statistics",
    "temporal_consistency",
    "temporal_instability",
    "weighted_f",
]
