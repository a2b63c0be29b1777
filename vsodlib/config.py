"""Configurations and run profiles: every knob of the paper and of this repository, in one place.

Chen, Jin, Shen, Yang: "Video Salient Object Detection via Contrastive Features and Attention
Modules", WACV 2022. `ModelConfig.paper()` is the network of Sections 3.1-3.3 and 3.5 and
`TrainConfig.paper()` its training, with our choice of input size, schedule and augmentation.
"""

from __future__ import annotations

import math
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from types import UnionType
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints, is_typeddict

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
SMALLEST_SIDE, LARGEST_SIDE = 16, 8192
"""Of what a network is trained on: the larger output stride, and more than any film has."""
MOST_CHANNELS = 8192
LARGEST_RATE = 1e30
"""Of learning rates and weights of losses, which torch takes as float32."""

Profile = Literal["smoke", "laptop", "full"]
PROFILES: tuple[Profile, ...] = ("smoke", "laptop", "full")


def profile() -> Profile:
    """The run profile named by the environment variable `VSOD_PROFILE` (default `"laptop"`):
    `smoke`, seconds per notebook on synthetic clips (tests); `laptop`, minutes on a CPU; `full`,
    the paper's setting on a GPU.

        >>> from vsodlib import profile
        >>> profile() in ("smoke", "laptop", "full")
        True

    Raises:
        ValueError: the variable holds another word.
    """
    name = os.environ.get("VSOD_PROFILE", "laptop")
    if name not in PROFILES:
        raise ValueError(f"VSOD_PROFILE is {name!r}; set it to one of {', '.join(PROFILES)}.")
    return name


def check_form(value: Any, form: Any, place: str) -> None:
    """Refuse a value out of JSON without the form of a type hint, by a ValueError that begins with
    its place.

    A form is `Any`, a class, a `Literal`, a union, `list[X]`, `tuple[X, ...]`, `dict[str, X]` or a
    `TypedDict`, whose further keys are free. An int is a float too, a bool is neither; numbers are
    finite and have 64 bits.
    """
    origin, given = get_origin(form), get_args(form)
    if is_typeddict(form):
        hints = get_type_hints(form)
        if isinstance(value, dict):
            if lacking := sorted(form.__required_keys__ - value.keys()):
                raise ValueError(f"{place} lacks {', '.join(lacking)}.")
            for key in hints.keys() & value.keys():
                check_form(value[key], hints[key], f"{place} {key}")
            return
        form = f"an object with {', '.join(sorted(form.__required_keys__)) or 'named values'}"
    elif origin in (list, tuple, dict) and isinstance(value, origin):
        for one in value.values() if origin is dict else value:
            check_form(one, given[-1] if origin is dict else given[0], place)
        return
    elif _has_type(value, form):
        return
    wanted = form.__name__ if isinstance(form, type) else form
    wanted = " or ".join(map(repr, given)) if origin is Literal else wanted
    found = type(value).__name__ if isinstance(value, dict | list | tuple) else f"{value!r:.40}"
    raise ValueError(f"{place} must be {wanted}, not {found}.")


def _has_type(value: Any, form: Any) -> bool:
    if form is Any or form is None:
        return form is Any or value is None
    if get_origin(form) is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(form))
    if get_origin(form) in (Union, UnionType):
        return any(_has_type(value, one) for one in get_args(form))
    if isinstance(value, bool):
        return form is bool
    if form not in (int, float):
        return isinstance(value, get_origin(form) or form)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return form is float and isinstance(value, float) and math.isfinite(value)


def too_few(counts: Mapping[str, int]) -> list[str]:
    """A sentence for each count below 1, by its name."""
    return [f"{name} must be at least 1, got {n!r}." for name, n in counts.items() if n < 1]


def wrong_forms(config: Any) -> Iterator[str]:
    """A sentence for each field of a dataclass whose value has not the form of its type hint."""
    for name, form in get_type_hints(type(config)).items():
        try:
            check_form(getattr(config, name), form, name)
        except ValueError as error:
            yield str(error)


def check_counts(**counts: int) -> None:
    """Refuse counts below 1 by a ValueError that names them."""
    if faults := too_few(counts):
        raise ValueError(" ".join(faults))


@dataclass(frozen=True)
class _Config(ABC):
    """What both configurations share: all faults told at once, a dictionary there and back."""

    def __post_init__(self) -> None:
        if faults := list(wrong_forms(self)) or list(self._faults()):
            raise ValueError(" ".join(faults))

    @abstractmethod
    def _faults(self) -> Iterator[str]:
        """Everything that is wrong, a sentence each."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as a JSON-ready dictionary (tuples become lists)."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The configuration that `to_dict` wrote; a ValueError of anything but a dictionary, of an
        unknown key, and of a value of another type.
        """
        if not isinstance(values, dict):
            raise ValueError(f"{cls.__name__} needs a dictionary of fields, got {values!r}.")
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(
                f"{cls.__name__} does not know {', '.join(unknown)}; "
                f"it has {', '.join(sorted(known))}."
            )
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@dataclass(frozen=True)
class ModelConfig(_Config):
    """The network: encoder, attention modules, gates, decoder.

    An ablation is `dataclasses.replace(config, co_attention=False)`.

        >>> from vsodlib import ModelConfig
        >>> ModelConfig.paper().output_stride, ModelConfig.lite().backbone
        (8, 'tf_efficientnet_lite0')

    Raises:
        ValueError: values that contradict each other, naming them.
    """

    backbone: str = "resnet101"
    """A timm model name with `features_only` support."""
    output_stride: int = 8
    """Input pixels per position of x: 8 (paper, Section 3.5) or 16; the backbone is dilated."""
    channels: int = 256
    """c, the channels of x, v and both attended features."""
    aspp_rates: tuple[int, ...] = (12, 24, 36)
    """Dilation of the 3x3 branches of ASPP (DeepLabv3: 12, 24, 36 at stride 8; 6, 12, 18 at 16)."""
    self_attention: bool = True
    """Non-local self-attention, Eq. 4 and 5."""
    dynamic_filters: bool = True
    """W_d of Eq. 5 generated from x; False: one learned depthwise filter for all inputs."""
    co_attention: bool = True
    """Cross-level co-attention, Eq. 6."""
    inter_frame_attention: bool = False
    """Co-attention with other frames of the video (COSNet), the rival of Table 4."""
    gates: bool = True
    """Gated aggregation, Eq. 7 and 8; False: plain concatenation."""
    skip_connections: bool = True
    """Refinement with predictions from low-level features; False: one bilinear upsampling."""
    decoder_channels: int = 0
    """Channels of a residual decoder that corrects the map at strides 8, 4 and 2 (paper: none)."""

    def _faults(self) -> Iterator[str]:
        if self.output_stride not in (8, 16):
            yield f"output_stride must be 8 or 16, got {self.output_stride!r}."
        if not 1 <= self.channels <= MOST_CHANNELS:
            yield f"channels must be 1 to {MOST_CHANNELS}, got {self.channels!r}."
        if not 0 <= self.decoder_channels <= MOST_CHANNELS * self.skip_connections:
            yield (
                f"decoder_channels must be 0 to {MOST_CHANNELS}, and 0 without skip_connections, "
                f"got {self.decoder_channels!r}."
            )
        rates = self.aspp_rates
        if not 1 <= len(rates) <= 16 or any(not 1 <= rate <= LARGEST_SIDE for rate in rates):
            yield f"aspp_rates must be 1 to 16 rates up to {LARGEST_SIDE}, got {rates!r:.60}."

    @classmethod
    def paper(cls) -> Self:
        """ResNet-101, stride 8, 256 channels: 59.35 M parameters (Section 3.5; Table 5: 59.3)."""
        return cls()

    @classmethod
    def lite(cls) -> Self:
        """EfficientNet-Lite0, stride 16, 128 channels: what a laptop trains and runs."""
        return cls(
            backbone="tf_efficientnet_lite0", output_stride=16, channels=128, aspp_rates=(6, 12, 18)
        )


PHASE_FIELDS = (
    "batch_size", "frames_per_video", "height", "width", "image_fraction", "scale_min",
    "color_jitter", "contrastive_weight", "iou_weight", "edge_weight", "mix",
)  # fmt: skip
"""What may change from one phase of a training run to the next."""


def batch_faults(
    size: int, stills: int, frames_per_video: int, videos: int = 1, images: int = 1
) -> Iterator[str]:
    """A sentence for each reason why batches of `size` samples, `stills` of them still images,
    cannot be drawn from so many videos (of two frames or more) and images.
    """
    frames = size - stills
    if frames % frames_per_video:
        yield (
            f"{frames} samples of a batch of {size} come from videos (the others are images, by "
            f"image_fraction or mix): frames_per_video ({frames_per_video}) must divide that."
        )
    if stills and not images:
        yield (
            f"{stills} samples of a batch come from still images, but the data holds none: add an "
            "image data set such as duts-tr or set image_fraction to 0."
        )
    if frames and not videos:
        yield (
            f"{frames} samples of a batch come from videos, but the data holds none of two frames "
            "or more: add a video data set or set image_fraction to 1."
        )


def number(text: str) -> float:
    """The number that a text is, or NaN."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _phase_changes(words: list[str]) -> dict[str, Any]:
    """FIELD=VALUE words of a phase as the values of these fields."""
    hints, changes = get_type_hints(TrainConfig), {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in PHASE_FIELDS:
            raise ValueError(
                f"phases cannot change {name!r}; they can change {', '.join(PHASE_FIELDS)}."
            )
        try:
            names = tuple(re.sub(r":([^:=]*)$", r"=\1", word) for word in text.split(","))
            changes[name] = names if name == "mix" else hints[name](text)
        except ValueError:
            raise ValueError(f"phases give {name} the value {text!r}, not a number.") from None
    return changes


@dataclass(frozen=True)
class TrainConfig(_Config):
    """One training run: objective, optimiser, schedule, batches, augmentation.

    From the paper (Section 3.5): SGD, learning rate 1e-4, batch 8. Momentum, weight decay, length,
    input size and augmentation are not given there and are ours.

        >>> from vsodlib import TrainConfig
        >>> paper = TrainConfig.paper()
        >>> paper.optimizer, paper.learning_rate, paper.batch_size, paper.samples
        ('sgd', 0.0001, 8, 4)

    Raises:
        ValueError: values that contradict each other, naming them.
    """

    steps: int = 1000
    """Optimiser steps in all."""
    batch_size: int = 8
    """Frames per step (over all devices)."""
    frames_per_video: int = 8
    """Frames drawn from one video within a batch; must divide the video part of the batch."""
    image_fraction: float = 0.0
    """Share of a batch taken from image data sets (one-frame videos), between 0 and 1."""
    mix: tuple[str, ...] = ()
    """How often each data set is drawn, e.g. "davis2016=1" "duts-tr=3", in place of
    image_fraction. Empty: by image_fraction, each video alike."""
    phases: tuple[str, ...] = ()
    """Changes on the way: a share of the schedule and what holds from there on, each in quotes,
    e.g. "0.75 height=320 width=544"."""
    minutes: float = 0.0
    """Length in minutes of wall-clock in place of steps, which then only caps it; 0: by steps."""
    height: int = 240
    """Rows of the training crops, pixels."""
    width: int = 432
    """Columns of the training crops, pixels."""
    optimizer: Literal["sgd", "adamw"] = "sgd"
    """Stochastic gradient descent with momentum (paper), or AdamW."""
    learning_rate: float = 1e-4
    """Peak learning rate of everything but the encoder's trunk."""
    encoder_learning_rate: float = 1e-4
    """Peak learning rate of the pretrained trunk."""
    momentum: float = 0.9
    """Momentum of SGD."""
    weight_decay: float = 5e-4
    """Weight decay of either optimiser."""
    warmup_steps: int | None = None
    """Steps of linear warm-up before the cosine decays to zero; None: a twentieth, at most 500."""
    contrastive_weight: float = 1.0
    """Weight of L_cl in Eq. 10; 0 switches it off."""
    mining: Literal["hard", "random"] = "hard"
    """Which positives and negatives L_cl takes (Section 3.4)."""
    samples: int = 4
    """Positives, and as many negatives, per anchor."""
    temperature: float = 0.1
    """tau of Eq. 9."""
    region_grid: int = 1
    """Cells per side that cut a frame into regions; 1: foreground and background are whole."""
    iou_weight: float = 0.0
    """Weight of a soft-IoU term added to binary cross-entropy (paper: none)."""
    edge_weight: float = 0.0
    """Extra weight of pixels near the outline in both terms (F3Net: 5; paper: none)."""
    ema_decay: float = 0.0
    """Exponential moving average of the weights; 0 switches it off."""
    scale_min: float = 0.5
    """Smallest share of the frame's height a random crop covers; 1: the whole frame."""
    flip: bool = True
    """Mirror half of the samples."""
    color_jitter: float = 0.2
    """Strength of random brightness, contrast and saturation, between 0 and 1."""
    paste: float = 0.0
    """Share of samples into which the object of another frame is pasted."""
    paste_as: Literal["object", "distractor"] = "object"
    """What the pasted object counts as: foreground in front, or background behind the object."""
    clip_gradient: float = 1.0
    """Largest gradient norm; 0 switches clipping off."""
    precision: Literal["no", "fp16", "bf16", "auto"] = "no"
    """Mixed precision, in Accelerate's words; auto: bf16 where a trial step is faster with it."""
    freeze_batch_norm: bool = False
    """Keep the batch norms' statistics as they are at the start."""
    freeze_stages: int = 0
    """The stem and so many stages of the backbone are not trained (0: all of it is trained)."""
    checkpoint_every: int = 200
    """Steps between checkpoints (a checkpoint is also written at the end and on Ctrl-C)."""
    seed: int = 0
    """Seed of weights, batches and augmentation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.schedule  # each phase would tell the faults above again

    def _faults(self) -> Iterator[str]:
        counts = ("steps", "batch_size", "frames_per_video", "samples")
        more = ("region_grid", "checkpoint_every")
        yield from too_few({name: getattr(self, name) for name in (*counts, *more)})
        for name in ("height", "width"):
            if not SMALLEST_SIDE <= getattr(self, name) <= LARGEST_SIDE:
                sides = f"{SMALLEST_SIDE} to {LARGEST_SIDE} pixels"
                yield f"{name} must be {sides}, got {getattr(self, name)!r}."
        if self.seed < 0:
            yield f"seed must be 0 or more, got {self.seed!r}."
        for name in ("image_fraction", "color_jitter", "paste", "ema_decay", "momentum"):
            if not 0 <= getattr(self, name) <= 1:
                yield f"{name} must lie between 0 and 1, got {getattr(self, name)!r}."
        if not 0 < self.scale_min <= 1:
            yield f"scale_min must lie in (0, 1], got {self.scale_min!r}."
        if self.ema_decay == 1:
            yield "ema_decay of 1 would never follow the weights; use 0.999 or less."
        rates = ("learning_rate", "encoder_learning_rate", "weight_decay", "minutes")
        weights = ("contrastive_weight", "iou_weight", "edge_weight", "clip_gradient")
        for name in (*rates, *weights):
            if not 0 <= getattr(self, name) <= LARGEST_RATE:
                yield (
                    f"{name} must lie between 0 and {LARGEST_RATE:g}, got {getattr(self, name)!r}."
                )
        if self.temperature <= 0:
            yield f"temperature must be positive, got {self.temperature!r}."
        if self.freeze_stages < 0 or (self.freeze_stages and not self.freeze_batch_norm):
            yield (
                f"freeze_stages must be 0 or more, and 0 without freeze_batch_norm, got "
                f"{self.freeze_stages!r}."
            )
        if self.warmup_steps is not None and not 0 <= self.warmup_steps < max(2, self.steps):
            yield (
                f"warmup_steps ({self.warmup_steps}) must not be negative and be smaller than "
                f"steps ({self.steps})."
            )
        if not self.mix and self.frames_per_video >= 1:
            stills = round(self.batch_size * self.image_fraction)
            yield from batch_faults(self.batch_size, stills, self.frames_per_video)
        try:
            _ = self.weights
        except ValueError as error:
            yield str(error)

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """`mix` as data set -> weight."""
        weights = {}
        for word in self.mix:
            name, _, weight = word.rpartition("=")
            if name in weights:
                raise ValueError(f"mix names {name} twice; give it one weight.")
            weights[name] = number(weight)
            if not name or not 0 < weights[name] < math.inf:
                raise ValueError(f"mix takes NAME=WEIGHT with a positive weight, not {word!r}.")
        return weights

    @cached_property
    def schedule(self) -> tuple[tuple[float, TrainConfig], ...]:
        """The phases: the share of the schedule at which each begins, and what holds from there."""
        if not self.phases:
            return ((0.0, self),)
        phases = [(0.0, replace(self, phases=()))]
        for text in self.phases:
            share, *changes = text.split() or [""]
            start = number(share)
            if not phases[-1][0] < start < 1:
                raise ValueError(
                    "phases begin with the share of the schedule at which they start, rising "
                    f"between 0 and 1, not with {share!r}."
                )
            phases.append((start, replace(phases[-1][1], **_phase_changes(changes))))
            if phases[-1][1].mix and any(word.startswith("image_fraction") for word in changes):
                raise ValueError(f"mix takes the place of image_fraction, which {text!r} changes.")
        return tuple(phases)

    def phase_at(self, progress: float) -> int:
        """The number of the phase in force at a share of the schedule, from 0 on."""
        return max(i for i, (start, _) in enumerate(self.schedule) if start <= progress or i == 0)

    def for_data(
        self, given: dict[str, Any], videos: int, images: int, share: float | None = None
    ) -> Self:
        """This configuration with some values (by field) given, and those that are not made to fit
        them and the data: no share of images where there are none, batches that the frames divide.

        Args:
            videos: how many videos of two frames or more the data holds; images: still images.
            share: what `mix` takes from data sets of still images alone; None: not known.

        Raises:
            ValueError: all that contradicts itself or the data, at once.
        """
        values = dict(given)
        if not images or not videos:
            values.setdefault("image_fraction", float(not videos))
        if not images and videos and "image_fraction" not in given:
            values.setdefault("batch_size", round(self.batch_size * (1 - self.image_fraction)))
        batch, mixed = values.get("batch_size", self.batch_size), values.get("mix", self.mix)
        if not mixed:
            share = values.get("image_fraction", self.image_fraction)
        stills = round(batch * (share or 0))
        if "frames_per_video" not in given and share is not None:
            fitting = [n for n in range(1, self.frames_per_video + 1) if (batch - stills) % n == 0]
            values["frames_per_video"] = max(fitting, default=1)
        faults = list(batch_faults(batch, stills, 1, videos, images))
        if mixed and "image_fraction" in given:
            faults.append("mix takes the place of image_fraction: give one of them.")
        try:
            config = replace(self, **values)
        except ValueError as error:
            faults.insert(0, str(error))
        if faults:
            raise ValueError(" ".join(faults))
        return config

    @property
    def warmup(self) -> int:
        """Steps of warm-up."""
        return min(500, self.steps // 20) if self.warmup_steps is None else self.warmup_steps

    @classmethod
    def paper(cls) -> Self:
        """SGD, 1e-4, batches of 8 frames (Section 3.5); that they share a video is our reading."""
        return cls(steps=20_000, height=480, width=854, precision="bf16")

    @classmethod
    def lite(cls) -> Self:
        """A laptop's hour: AdamW, 1500 batches of eight frames of a video and four images."""
        return cls(
            steps=1500,
            batch_size=12,
            height=192,
            width=336,
            optimizer="adamw",
            learning_rate=1e-3,
            encoder_learning_rate=1e-4,
            weight_decay=1e-2,
            image_fraction=1 / 3,
            iou_weight=1.0,
            ema_decay=0.998,
        )
