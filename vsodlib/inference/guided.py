"""Maps to the frame's size along its edges: the fast guided filter."""

import cv2
import numpy as np


def guided_upsampling(
    saliency: np.ndarray, frame: np.ndarray, radius: int = 8, eps: float = 1e-4
) -> np.ndarray:
    """A map at its frame's size, in every window a linear function of the frame's colours.

    q = ā·I + b̄ with a = (Cov(I) + eps·1)⁻¹ cov(I, p) and b = mean(p) - a·mean(I) in windows of
    (2 radius + 1)² pixels of the map p. a and b are found at the map's size, averaged over the
    windows (ā, b̄) and enlarged. He, Sun, Tang: "Guided image filtering", PAMI 2013; He, Sun:
    "Fast guided filter", arXiv:1505.00996.

    Args:
        saliency: (h, w) float in [0, 1].
        frame: (H, W, 3) uint8.
        radius: of the windows, in pixels of `saliency`.
        eps: how much a colour must vary within a window to steer the map, a variance in [0, 1].

    Returns:
        (H, W) float32 in [0, 1].

    Raises:
        ValueError: `radius` below 1, or `eps` not above 0.
    """
    if radius < 1 or not eps > 0:
        raise ValueError(f"Give a radius of at least 1 and an eps above 0, not {radius}, {eps}.")
    (h, w), (H, W) = saliency.shape, frame.shape[:2]
    full, p = frame.astype(np.float32) / 255, saliency.astype(np.float32)[..., None]
    small = cv2.resize(full, (w, h), interpolation=cv2.INTER_AREA)

    def mean(x: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(x, -1, (2 * radius + 1, 2 * radius + 1)).reshape(x.shape)

    products = (small[..., :, None] * small[..., None, :]).reshape(h, w, 9)
    mean_i, mean_p = mean(small), mean(p)
    outer = mean_i[..., :, None] * mean_i[..., None, :]
    variance = mean(products).reshape(h, w, 3, 3) - outer + eps * np.eye(3, dtype=np.float32)
    a = np.linalg.solve(variance, (mean(small * p) - mean_i * mean_p)[..., None])[..., 0]
    b = mean_p - (a * mean_i).sum(-1, keepdims=True)
    line = cv2.resize(mean(np.concatenate([a, b], -1)), (W, H), interpolation=cv2.INTER_LINEAR)
    return np.clip((line[..., :3] * full).sum(-1) + line[..., 3], 0, 1)
