"""Protocols: the choices that silently change published numbers, by name."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vsodlib.config import wrong_forms
from vsodlib.metrics.instability import UNSTABLE
from vsodlib.metrics.level_counts import CentroidTies

SALIENCY = (
    "max_f", "mean_f", "adaptive_f", "s_measure", "e_measure", "max_e", "adaptive_e", "mae",
)  # fmt: skip
"""Measures of a map that one sweep over its pixels yields."""
TEMPORAL = ("T", "consistency")
"""Measures of two consecutive frames."""
Names = tuple[str, ...]
"""Measures by name."""
DEFAULT = ("J", "F", *SALIENCY)
MEASURES = (*DEFAULT, "weighted_f", *TEMPORAL)
"""All measures; those behind the default ones take several times as long."""


def choose(measures: str | Sequence[str] = "default", stills: bool = False) -> Names:
    """The measures asked for, `"default"`, `"all"` or by name, in the order of `MEASURES`.

    Raises:
        ValueError: no names, an unknown one, or one of two frames where there are only stills.
    """
    if isinstance(measures, str) and measures in ("default", "all"):
        names = DEFAULT if measures == "default" else MEASURES
        return tuple(name for name in names if not (stills and name in TEMPORAL))
    asked = {measures} if isinstance(measures, str) else set(measures)
    if not asked or (unknown := sorted(asked - set(MEASURES))):
        wrong = f"No measure {', '.join(unknown)}" if asked else "No measure asked for"
        raise ValueError(f"{wrong}; there are {', '.join(MEASURES)}.")
    if stills and (pairs := [name for name in TEMPORAL if name in asked]):
        raise ValueError(
            f"{' and '.join(pairs)} compare consecutive frames of a video, and these are pictures "
            "side by side; put every video into a folder of its own."
        )
    return tuple(name for name in MEASURES if name in asked)


@dataclass(frozen=True)
class Protocol:
    """The choices behind one set of numbers; `Protocol.preset(name)` gives the official ones.

    Raises:
        ValueError: values outside their range.
    """

    name: str = "davis2016"
    skip_ends: bool = True
    """Leave out the first and the last frame of every sequence."""
    stretch: bool = False
    """Min-max stretch every map to cover [0, 1] before the saliency measures."""
    mask_threshold: float = 0.5
    """J, F and T see the object where the map is at least this (before any stretch)."""
    average: Literal["sequences", "frames"] = "sequences"
    """Mean within a sequence, then over sequences; or over all frames at once."""
    maximum: Literal["data set", "sequence", "frame"] = "data set"
    """max F and max E are taken of the curve averaged over the data set, of each sequence's mean
    curve, or of each frame's curve (and then averaged)."""
    beta_squared: float = 0.3
    """Weight of recall in F."""
    centroid_ties: CentroidTies = "even"
    """S-measure: see `vsodlib.metrics.s_measure`."""
    resize: bool = True
    """Bring predictions of another size to the ground truth's: bilinear maps, nearest masks."""
    skip_in_t: tuple[str, ...] = ()
    """Sequences left out of the mean T over the data set."""

    def __post_init__(self) -> None:
        if faults := list(wrong_forms(self)):
            raise ValueError(" ".join(faults))
        if not 0 < self.mask_threshold <= 1:
            raise ValueError(f"mask_threshold must lie in (0, 1], got {self.mask_threshold!r}.")
        if not self.beta_squared > 0:
            raise ValueError(f"beta_squared must be positive, got {self.beta_squared!r}.")

    @classmethod
    def preset(cls, name: str) -> "Protocol":
        """`davis2016`: the DAVIS 2016 site; `davsod`: the DAVSOD tool (stretched maps, curves
        averaged over frames, then sequences, maximum last); `frames`: every frame counts alike.
        """
        if name not in PRESETS:
            raise ValueError(f"No protocol {name!r}; there are {', '.join(PRESETS)}.")
        return PRESETS[name]

    def to_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return {**asdict(self), "skip_in_t": list(self.skip_in_t)}


PRESETS = {
    "davis2016": Protocol(skip_in_t=tuple(sorted(UNSTABLE))),
    "davsod": Protocol(name="davsod", stretch=True, centroid_ties="up"),
    "frames": Protocol(name="frames", skip_ends=False, average="frames"),
}
"""The official choices, by name."""
