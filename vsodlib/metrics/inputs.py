"""Inputs of the measures, and one clear sentence for everything that they refuse."""

from collections.abc import Sequence

import numpy as np


def check_mask(mask: np.ndarray, role: str = "ground truth") -> np.ndarray:
    """A binary (H, W) as uint8 of 0 and 1; accepts bool, {0, 1} and {0, 255}.

    Raises:
        ValueError: not two-dimensional, empty, or other values than those.
    """
    mask = _array(mask, role)
    if mask.ndim != 2 or mask.size == 0:
        raise ValueError(f"The {role} must be a non-empty (H, W) array, got shape {mask.shape}.")
    if mask.dtype == bool:
        return np.ascontiguousarray(mask).view(np.uint8)
    high = mask.max()
    if mask.dtype == np.uint8 and high <= 1:
        return np.ascontiguousarray(mask)
    if high in (0, 1, 255) and not np.any((mask != 0) & (mask != high)):
        return np.ascontiguousarray(mask != 0).view(np.uint8)
    raise ValueError(
        f"The {role} must be binary (bool, 0/1 or 0/255), got {mask.dtype} values between "
        f"{mask.min()} and {high}; threshold it first."
    )


def check_map(prediction: np.ndarray) -> np.ndarray:
    """A saliency map (H, W) as contiguous uint8 (v/255), float32 or float64 in [0, 1].

    Raises:
        ValueError: RGB, another integer type, values outside [0, 1], NaN.
    """
    p = _array(prediction, "saliency map")
    if p.ndim != 2 or p.size == 0:
        hint = "; an RGB image must be made grey first" if p.ndim == 3 else ""
        raise ValueError(f"A saliency map must be a non-empty (H, W) array, got {p.shape}{hint}.")
    if p.dtype == bool:
        return np.ascontiguousarray(p).view(np.uint8) * np.uint8(255)
    if p.dtype == np.uint8:
        return np.ascontiguousarray(p)
    if not np.issubdtype(p.dtype, np.floating):
        raise ValueError(
            f"A saliency map must be uint8 (0-255) or float in [0, 1], got {p.dtype}; "
            "scale it to one of these."
        )
    if p.dtype not in (np.float32, np.float64):
        p = p.astype(np.float32)
    low, high = p.min(), p.max()
    if not (low >= 0 and high <= 1):  # false for NaN too
        found = "NaN" if np.isnan(low) else f"values between {low} and {high}"
        raise ValueError(f"A float saliency map must lie in [0, 1], got {found}.")
    return np.ascontiguousarray(p)


def _array(values: np.ndarray, role: str) -> np.ndarray:
    """As an array of real numbers, which numpy makes of no bfloat16 and no tensor on a GPU."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"The {role} must be a numpy array ({error}).") from None
    if array.dtype.kind not in "buif":
        raise ValueError(f"The {role} must hold real numbers, got {array.dtype}.")
    return array


def check_pair(
    prediction: np.ndarray, ground_truth: np.ndarray, role: str = "map"
) -> tuple[np.ndarray, np.ndarray]:
    """A map, or of the role "mask" a mask, and its ground truth, checked and of one size.

    Raises:
        ValueError: as `check_map` and `check_mask`, or different sizes.
    """
    p = check_map(prediction) if role == "map" else check_mask(prediction, role)
    g = check_mask(ground_truth)
    if p.shape != g.shape:
        raise ValueError(
            f"The {role} is {p.shape} and its ground truth {g.shape}; resize the {role} first."
        )
    return p, g


def around(box: Sequence[int], margin: int, within: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns of an OpenCV box and of `margin` more on each side inside another box."""
    slices = []
    for axis in (1, 0):
        first, low = box[axis], within[axis]
        last, high = first + box[axis + 2], low + within[axis + 2]
        slices.append(
            slice(min(first, max(first - margin, low)), max(last, min(last + margin, high)))
        )
    return slices[0], slices[1]
