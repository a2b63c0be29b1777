"""Feature maps as the rows of the paper's matrices and back; positions are numbered row by row."""

from torch import Tensor


def to_positions(features: Tensor) -> Tensor:
    """Lay a feature map out as the rows of the paper's matrices: (B, C, H, W) -> (B, H*W, C)."""
    return features.flatten(2).transpose(1, 2)


def to_map(positions: Tensor, height: int, width: int) -> Tensor:
    """Undo `to_positions`: (B, H*W, C) -> (B, C, H, W)."""
    return positions.transpose(1, 2).unflatten(2, (height, width))


def check_queries(queries: Tensor, height: int, width: int) -> None:
    """Refuse queries (Q,) int64 that are no positions of a height x width grid."""
    N = height * width
    for position in queries.tolist():
        if not 0 <= position < N:
            raise ValueError(
                f"position {position} lies outside x of {height}x{width} (0 to {N - 1})."
            )
