"""The whole network: encoder -> attention -> gated fusion -> refinement decoder (Figure 2).

Chen et al., WACV 2022, Sections 3.1-3.3 and 3.5. Departures from the paper: see each part.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsodlib.config import ModelConfig
from vsodlib.model import checkpoint
from vsodlib.model.co_attention import CrossLevelCoAttention
from vsodlib.model.decoder import RefinementDecoder, ResidualDecoder
from vsodlib.model.encoder import Encoder
from vsodlib.model.gate import AttentionGate
from vsodlib.model.inter_frame import InterFrameCoAttention
from vsodlib.model.self_attention import NonLocalSelfAttention


@dataclass(frozen=True)
class Attention:
    """What the attention modules did; None for a module that is switched off.

    `self_rows` (Eq. 4, signed) and `co_rows` (Eq. 6, rows sum to 1): (B, Q, h, w) for Q queries.
    `self_gate` and `co_gate` (Eq. 7): (B, 1, h, w) in [0, 1]; None without gates.
    """

    self_rows: Tensor | None = None
    co_rows: Tensor | None = None
    self_gate: Tensor | None = None
    co_gate: Tensor | None = None


@dataclass(frozen=True)
class Output:
    """What the network returns.

    `logits`: (B, 1, H, W) float, before the sigmoid. `features`: (B, 3c, h, w) float, what the
    output layer sees and Eq. 9 works on, [x, z̃_self, z̃_co] (fewer channels with a module switched
    off). `attention`: only when asked for.

        >>> import torch
        >>> from vsodlib import Output
        >>> out = Output(logits=torch.zeros(1, 1, 32, 64), features=torch.zeros(1, 48, 4, 8))
        >>> out.logits.sigmoid().mean(), out.attention
        (tensor(0.5000), None)
    """

    logits: Tensor
    features: Tensor
    attention: Attention | None = None


class VSODNet(nn.Module):
    """Video salient object detection with self-attention and cross-level co-attention (Figure 2).

        >>> import torch
        >>> from vsodlib import VSODNet
        >>> net = VSODNet.from_pretrained("lite-davis")
        >>> out = net(torch.rand(1, 3, 96, 160), return_attention=[(48, 80)])
        >>> out.logits.shape, out.attention.co_rows.shape
        (torch.Size([1, 1, 96, 160]), torch.Size([1, 1, 6, 10]))

    Args:
        config: every module can be switched off there.
        pretrained_encoder: start the backbone from ImageNet weights (see `encoder`); otherwise
            nothing touches the network or the disk.
        self_attention: a module of one's own in place of Eq. 4 and 5: called with c, it makes a
            module from x (B, c, h, w) to features of the same shape.
        co_attention: likewise in place of Eq. 6: called with the channels of l and with c, it makes
            a module from l (B, c_l, H/4, W/4) and x to features of x's shape.

    Attributes:
        input_height: rows of the frames the checkpoint was made for; None for a new network.
        own_modules: which modules are one's own, and the names of their classes. Checkpoints keep
            these names; what maps such a module's attention has is unknown: None.

    Raises:
        ValueError: a configuration that cannot be built, or a module of one's own where it has
            none.
    """

    input_height: int | None = None

    def __init__(
        self,
        config: ModelConfig | None = None,
        pretrained_encoder: bool = False,
        self_attention: Callable[[int], nn.Module] | None = None,
        co_attention: Callable[[int, int], nn.Module] | None = None,
    ):
        super().__init__()
        self.config = config = config or ModelConfig.paper()
        self.own_modules = class_names(self_attention=self_attention, co_attention=co_attention)
        if unused := [name for name in self.own_modules if not getattr(config, name)]:
            raise ValueError(f"A module of one's own is given for {unused[0]}, which is off.")
        c = config.channels
        self.encoder = Encoder(config, pretrained_encoder)
        low = self.encoder.channels_at
        if config.self_attention:
            ours = partial(NonLocalSelfAttention, dynamic=config.dynamic_filters)
            self.self_attention = (self_attention or ours)(c)
        if config.co_attention:
            self.co_attention = (co_attention or CrossLevelCoAttention)(low[4], c)
        if config.inter_frame_attention:
            self.inter_frame = InterFrameCoAttention(c)
        if config.gates:
            if config.self_attention:
                self.self_gate = AttentionGate(c)
            if config.co_attention:
                self.co_gate = AttentionGate(c)
        self.head = nn.Conv2d(len(_features(config)) * c, 1, kernel_size=1)  # D, Figure 2
        if config.skip_connections:
            skips = {s: n for s, n in low.items() if s < config.output_stride}
            if config.decoder_channels:
                inside = self.head.in_channels, config.decoder_channels
                self.decoder: RefinementDecoder = ResidualDecoder(skips, *inside)
            else:
                self.decoder = RefinementDecoder(skips)

    def attend(
        self, images: Tensor, queries: Tensor | None = None, partners: Tensor | None = None
    ) -> tuple[Tensor, dict[int, Tensor], Attention | None]:
        """Encoder, attention, gates: images -> [x, z̃_self, z̃_co], skip features, attention."""
        config = self.config
        x, low = self.encoder(images)
        inter_frame = []
        if config.inter_frame_attention:
            partners = cast(Tensor, partners)  # `forward` has seen to it
            inter_frame = [self.inter_frame(x, partners)]
            x, low = x[: len(partners)], {s: f[: len(partners)] for s, f in low.items()}
        features = [x]
        seen: dict[str, Tensor | None] = {}
        if config.self_attention:
            z_self = self._attended("self_attention", x)  # Eq. 5
            features.append(self.self_gate(z_self) if config.gates else z_self)  # Eq. 8
        if config.co_attention:
            z_co = self._attended("co_attention", low[4], x)  # Eq. 6
            features.append(self.co_gate(z_co) if config.gates else z_co)  # Eq. 8
        if queries is not None:
            if config.self_attention:
                seen["self_rows"] = self._rows("self_attention", x, queries)
                seen["self_gate"] = self.self_gate.gate(z_self) if config.gates else None
            if config.co_attention:
                seen["co_rows"] = self._rows("co_attention", low[4], x, queries)
                seen["co_gate"] = self.co_gate.gate(z_co) if config.gates else None
        attention = None if queries is None else Attention(**seen)
        return torch.cat(features + inter_frame, dim=1), low, attention

    def _attended(self, name: str, *inputs: Tensor) -> Tensor:
        """z of an attention module, checked where it is one's own."""
        z = getattr(self, name)(*inputs)
        if name in self.own_modules and z.shape != inputs[-1].shape:
            raise ValueError(
                f"{self.own_modules[name]} in place of {name} returned {tuple(z.shape)}, not "
                f"features of the shape of x, {tuple(inputs[-1].shape)}."
            )
        return z

    def _rows(self, name: str, *inputs: Tensor) -> Tensor | None:
        """The attention of some positions; None of a module of one's own."""
        return None if name in self.own_modules else getattr(self, name).attention_rows(*inputs)

    def forward(
        self,
        images: Tensor,
        return_attention: bool | Sequence[tuple[int, int]] = False,
        partners: Tensor | None = None,
    ) -> Output:
        """Predict the saliency of every pixel.

        Args:
            images: (B, 3, H, W) float in [0, 1], RGB, H and W at least the output stride. The
                network normalises them itself.
            return_attention: pixels (row, column) whose attention to return; True: every position
                of x, an N x N map. False: none.
            partners: only for a network with `inter_frame_attention`, which needs it: (A, K) int64,
                for each of the first A images the K images of this batch it is compared with;
                the images behind the first A serve as references alone.

        Returns:
            `Output`, of A images where there are partners.

        Raises:
            ValueError: images of another shape, or a query outside the image.
        """
        if not isinstance(images, Tensor):
            found = type(images).__name__
            if isinstance(images, (list, tuple)):
                found = ", ".join(str(tuple(image.shape)) for image in images)
            raise ValueError(f"images must be one tensor of frames of one size, got {found}.")
        kind, shape = images.dtype, tuple(images.shape)
        if not kind.is_floating_point or len(shape) != 4 or shape[1] != 3 or not shape[0]:
            raise ValueError(f"images must be float (B, 3, H, W) in [0, 1], got {kind} {shape}.")
        _, _, H, W = images.shape
        stride = self.config.output_stride
        if (partners is not None) != self.config.inter_frame_attention:
            wants = "needs" if self.config.inter_frame_attention else "does not take"
            raise ValueError(f"This network {wants} partners, the frames to compare with.")
        if min(H, W) < stride:
            raise ValueError(f"images of {H}x{W} are smaller than the output stride, {stride}.")
        queries = self._query_positions(return_attention, H, W, images.device)
        features, skips, attention = self.attend(images, queries, partners)
        coarse = self.head(features)
        if self.config.skip_connections:
            logits = self.decoder(coarse, features, skips)
        else:
            logits = F.interpolate(coarse, size=(H, W), mode="bilinear", align_corners=False)
        return Output(logits, features, attention)

    def _query_positions(
        self, asked: bool | Sequence[tuple[int, int]], H: int, W: int, device: torch.device
    ) -> Tensor | None:
        """Pixels -> row-by-row positions of x's grid, which is ceil(H/stride) x ceil(W/stride)."""
        if asked is False:
            return None
        stride = self.config.output_stride
        columns = -(-W // stride)
        if asked is True:
            return torch.arange(-(-H // stride) * columns, device=device)
        pixels = torch.as_tensor(asked)
        if pixels.ndim != 2 or pixels.shape[1] != 2 or pixels.is_floating_point():
            raise ValueError(f"return_attention takes pixels [(row, column), ...], got {asked!r}.")
        for row, column in pixels.tolist():
            if not (0 <= row < H and 0 <= column < W):
                raise ValueError(f"query ({row}, {column}) lies outside the {H}x{W} image.")
        rows, across = pixels.to(device).T // stride
        return rows * columns + across

    def load_trunk(self, name_or_path: str | Path) -> None:
        """Start from a trained network that may lack modules of this one, or have more.

        What both have is taken over. The output layer starts with zeros for the features of a
        module that is new, so that the map begins as that of the trained network.

        Raises:
            FileNotFoundError: no such checkpoint.
            ValueError: its encoder or residual decoder is another, or the files are damaged.
        """
        tensors, record = checkpoint.read(name_or_path)
        theirs = ModelConfig.from_dict(record["model"])
        for name in ("backbone", "output_stride", "channels", "aspp_rates", "decoder_channels"):
            mine, other = getattr(self.config, name), getattr(theirs, name)
            if mine and other and mine != other:  # a residual decoder may be new, or left out
                raise ValueError(
                    f"{name_or_path} holds another network: {name} is {other!r}, not {mine!r}."
                )
        check_weights(name_or_path, tensors, record)
        own = self.own_modules.keys() | record.get("own_modules", {}).keys()
        for name, mine in self.state_dict().items():
            if name not in tensors or name.partition(".")[0] in own:
                continue
            if name in ("head.weight", "decoder.start.weight"):
                mine.zero_()
                c = self.config.channels
                known = dict(zip(_features(theirs), tensors[name].split(c, 1), strict=True))
                for feature, part in zip(_features(self.config), mine.split(c, 1), strict=True):
                    if feature in known and feature not in own:
                        part.copy_(known[feature])
            elif mine.shape == tensors[name].shape:
                mine.copy_(tensors[name])

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | Path,
        self_attention: Callable[[int], nn.Module] | None = None,
        co_attention: Callable[[int, int], nn.Module] | None = None,
    ) -> Self:
        """A trained network in evaluation mode, from `checkpoints/NAME` or from a path.

        Args:
            name_or_path: of the .safetensors file; its JSON lies in the same folder.
            self_attention, co_attention: the modules of one's own that it was made with.

        Raises:
            FileNotFoundError: no such checkpoint; the message lists the bundled names.
            ValueError: the files are corrupt, foreign, or do not fit each other, or a module of
                one's own is missing.
        """
        tensors, record = checkpoint.read(name_or_path)
        config = ModelConfig.from_dict(record["model"])
        theirs = record.get("own_modules", {})
        modules = {"self_attention": self_attention, "co_attention": co_attention}
        if theirs != class_names(**modules):
            needed = ", ".join(f"{name}={made}" for name, made in theirs.items())
            raise ValueError(
                f"{name_or_path} was made with other modules: in Python, give from_pretrained "
                f"{needed or 'none of your own'}."
            )
        check_weights(name_or_path, tensors, record, **modules)
        net = cls(config, False, self_attention, co_attention)
        net.load_state_dict(tensors)
        net.input_height = record.get("input_height")
        return net.eval()


def check_weights(
    place: str | Path,
    tensors: Mapping[str, Tensor],
    record: Mapping[str, Any],
    **modules: Callable[..., nn.Module] | None,
) -> None:
    """Whether a checkpoint's weights are those of the network that its record describes.

    Args:
        place: of the checkpoint, for messages.
        tensors, record: as `checkpoint.read` gives them.
        modules: those of one's own that it was made with; weights of others are not looked at.

    Raises:
        ValueError: they are not, or there is no such network.
    """
    unknown = record.get("own_modules", {}).keys() - class_names(**modules).keys()
    try:
        with torch.device("meta"):  # without memory: a JSON may ask for all there is
            net = VSODNet(ModelConfig.from_dict(record["model"]), False, **modules)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    wanted, found = (
        {
            name: (tuple(tensor.shape), tensor.is_floating_point())
            for name, tensor in weights.items()
            if name.partition(".")[0] not in unknown
        }
        for weights in (net.state_dict(), tensors)
    )
    if odd := sorted(name for name, _ in wanted.items() ^ found.items()):
        raise ValueError(
            f"The weights of {place} do not fit the model its JSON describes: {odd[0]} differs."
        )


def check_pass(net: VSODNet, height: int | None, batch_size: int) -> None:
    """Refuse a network in training mode, and sizes below 1, by a ValueError."""
    if net.training:
        raise ValueError("The network is in training mode: call eval(), or maps depend on batches.")
    if batch_size < 1 or (height is not None and not 1 <= height < math.inf):
        raise ValueError(f"height and batch_size must be at least 1, got {height}, {batch_size}.")


def class_names(**modules: Callable[..., nn.Module] | None) -> dict[str, str]:
    """By what names records know the modules of one's own that are given."""
    for name, made in modules.items():
        if isinstance(made, nn.Module):
            found = type(made).__qualname__
            raise ValueError(f"{name} takes what makes a module, as the class {found}, not one.")
    return {  # of a partial its arguments too, but no place in memory, new in every process
        name: re.sub(" at 0x[0-9a-f]+", "", getattr(made, "__qualname__", str(made)))
        for name, made in modules.items()
        if made
    }


def _features(config: ModelConfig) -> list[str]:
    """The parts of [x, z̃_self, z̃_co, z̃_frames] that a network has, c channels each."""
    names = ("self_attention", "co_attention", "inter_frame_attention")
    return ["x", *(name for name in names if getattr(config, name))]
