"""The decoder: skip predictions refine the coarse map (Section 3.3, Figure 2).

Departures from the paper, which leaves these open:
- The last of the three upsamplings reaches the input's size, where no encoder feature exists; its
  skip prediction comes from the image itself. At stride 16 there are four upsamplings.
- Skip predictions are 3x3 convolutions that start at zero: training begins with the coarse map.
- A residual decoder, off by default, corrects the map further at strides 8, 4 and 2.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class RefinementDecoder(nn.Module):
    """Upsample the map by 2 until it has the input's size, each time adding a skip prediction.

    Args:
        skip_channels: stride -> channels of the low-level feature at that stride; stride 1 is the
            image. One doubling for each.
    """

    def __init__(self, skip_channels: dict[int, int]):
        super().__init__()
        self.strides = sorted(skip_channels, reverse=True)
        self.predict = nn.ModuleDict(
            {str(s): nn.Conv2d(skip_channels[s], 1, 3, padding=1) for s in self.strides}
        )
        for parameter in self.predict.parameters():
            nn.init.zeros_(parameter)

    def corrections(self, features: Tensor, skips: dict[int, Tensor]) -> dict[int, Tensor]:
        """Stride -> what else is added to the map there; nothing in the paper's decoder."""
        return {}

    def stages(self, coarse: Tensor, features: Tensor, skips: dict[int, Tensor]) -> list[Tensor]:
        """The map after every doubling, coarse to fine: (B, 1, h_s, w_s) for each stride s."""
        maps, more = [coarse], self.corrections(features, skips)
        for stride in self.strides:
            skip = skips[stride]
            upsampled = F.interpolate(
                maps[-1], size=skip.shape[-2:], mode="bilinear", align_corners=False
            )
            maps.append(upsampled + self.predict[str(stride)](skip) + more.get(stride, 0))
        return maps

    def forward(self, coarse: Tensor, features: Tensor, skips: dict[int, Tensor]) -> Tensor:
        """Coarse logits (B, 1, h, w) to the input's size.

        Args:
            coarse: (B, 1, h, w) float.
            features: (B, C, h, w) float, what the coarse logits were made of.
            skips: stride -> feature (B, C_s, h_s, w_s) of that stride.

        Returns:
            (B, 1, H, W) logits.
        """
        return self.stages(coarse, features, skips)[-1]


class ResidualDecoder(RefinementDecoder):
    """The refinement decoder with a second correction at every stride but 1, not in the paper.

    A narrow feature h runs along with the map: it starts as a 1x1 convolution of the attended
    features, and at every stride s becomes h_s = ReLU(conv3x3(up(h) + conv1x1(skip_s))). A 1x1
    convolution of h_s, zero at the start, is added to the map.

    Args:
        skip_channels: as in `RefinementDecoder`.
        feature_channels: of [x, z̃_self, z̃_co].
        channels: of h.
    """

    def __init__(self, skip_channels: dict[int, int], feature_channels: int, channels: int):
        super().__init__(skip_channels)
        finer = [s for s in self.strides if s > 1]
        self.start = nn.Conv2d(feature_channels, channels, 1)
        self.enter = nn.ModuleDict(
            {str(s): nn.Conv2d(skip_channels[s], channels, 1) for s in finer}
        )
        self.blend = nn.ModuleDict(
            {str(s): nn.Conv2d(channels, channels, 3, padding=1) for s in finer}
        )
        self.correct = nn.ModuleDict({str(s): nn.Conv2d(channels, 1, 1) for s in finer})
        for parameter in self.correct.parameters():
            nn.init.zeros_(parameter)

    def corrections(self, features: Tensor, skips: dict[int, Tensor]) -> dict[int, Tensor]:
        """Stride -> what is added to the map there, (B, 1, h_s, w_s)."""
        h, found = self.start(features), {}
        for stride in (s for s in self.strides if s > 1):
            skip = skips[stride]
            h = F.interpolate(h, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            h = self.blend[str(stride)](h + self.enter[str(stride)](skip)).relu()
            found[stride] = self.correct[str(stride)](h)
        return found
