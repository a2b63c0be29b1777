"""The same network in fewer operations, for a training step.

Not in the paper. `fast_view` computes what the plain network computes, to rounding, with its own
parameters: gradients arrive there, and what is saved, averaged and validated is the plain network.

- A batch norm whose statistics are frozen becomes part of the convolution before it, by
  W γ / σ and β - μ γ / σ, computed anew in every step so that W, γ and β learn as before.
- A dilated depthwise convolution works on the d x d grids of positions that never meet
  (Chen et al., "DeepLab", arXiv:1606.00915, Section 3.1): on each it is a convolution without
  dilation, for which PyTorch has fast kernels in both directions.
- Depthwise convolutions stay in float32 under bfloat16, whose kernels are far slower backward.
The last two hold for the CPU; a GPU gets the convolutions as they are.
"""

import time
from copy import deepcopy

import torch
import torch.nn.functional as F
from timm.layers import Conv2dSame, pad_same
from torch import Tensor, nn

from vsodlib.inference.folding import conv_norm_pairs
from vsodlib.model.vsodnet import VSODNet


def fast_view(net: VSODNet, frozen_norms: bool = False) -> VSODNet:
    """A network that shares every parameter and buffer with `net` and takes less time per step.

    Args:
        net: the plain network; it is left as it is.
        frozen_norms: the batch norms work with fixed statistics: fold them.

    Returns:
        A module to call in place of `net`, in training mode.
    """
    shared = {id(tensor): tensor for tensor in (*net.parameters(), *net.buffers())}
    view = deepcopy(net, shared)
    pairs = dict(conv_norm_pairs(view.encoder.eval())) if frozen_norms else {}
    acts = {norm: getattr(norm, "act", nn.Identity()) for norm in pairs.values()}
    for name, module in list(view.named_modules()):
        if module in acts:
            view.set_submodule(name, acts[module])
        elif isinstance(module, nn.Conv2d) and (module in pairs or _is_depthwise(module)):
            view.set_submodule(name, FastConv2d(module, pairs.get(module)))
    set_training_mode(view, frozen_norms)
    return view


def set_training_mode(net: nn.Module, frozen_norms: bool) -> None:
    """Training mode, batch norms excepted where they are frozen."""
    for module in net.train().modules():
        if frozen_norms and isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 numbers in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False


def seconds_per_step(model: nn.Module, images: Tensor, bfloat16: bool, trials: int = 2) -> float:
    """Seconds of a forward and a backward pass, the first one, which warms up, not counted.

    Args:
        model: takes `images` (B, 3, H, W); its parameters get gradients.
        bfloat16: under autocast to bfloat16.
    """
    device = images.device
    for trial in range(1 + trials):
        if trial == 1:
            start = time.perf_counter()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
            logits = model(images).logits
        logits.float().mean().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    return (time.perf_counter() - start) / trials


class FastConv2d(nn.Module):
    """A convolution and, where there is one, the frozen batch norm behind it, as one convolution.

    Args:
        conv: its weights are used, not copied.
        norm: a batch norm in evaluation mode; an activation inside it is not applied here.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d | None = None):
        super().__init__()
        self.conv, self.norm = conv, norm
        self.depthwise = _is_depthwise(conv)

    def fused(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of the one convolution."""
        weight, bias, norm = self.conv.weight, self.conv.bias, self.norm
        if norm is None:
            return weight, bias
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None and variance is not None, "frozen statistics"
        scale = norm.weight * torch.rsqrt(variance + norm.eps)
        mean = mean if bias is None else mean - bias
        return weight * scale.view(-1, 1, 1, 1), norm.bias - mean * scale

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C_out, h, w), as the convolution and its batch norm."""
        conv, (weight, bias) = self.conv, self.fused()
        if not self.depthwise or x.device.type != "cpu":
            return _convolve(conv, x, weight, bias)
        with torch.autocast(x.device.type, enabled=False):
            y = x.to(weight.dtype)
            if conv.stride == (1, 1) and max(conv.dilation) > 1 and _keeps_size(conv):
                return _in_phases(y, weight, bias, conv.dilation).to(x.dtype)
            return _convolve(conv, y, weight, bias).to(x.dtype)


def _is_depthwise(conv: nn.Conv2d) -> bool:
    return 1 < conv.groups == conv.in_channels


def _keeps_size(conv: nn.Conv2d) -> bool:
    reach = [d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
    return isinstance(conv, Conv2dSame) or list(conv.padding) == [r // 2 for r in reach]


def _convolve(conv: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    padding = conv.padding
    if isinstance(conv, Conv2dSame):
        x = pad_same(x, list(conv.kernel_size), list(conv.stride), list(conv.dilation))
        padding = (0, 0)
    return F.conv2d(x, weight, bias, conv.stride, padding, conv.dilation, conv.groups)


def _in_phases(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: tuple) -> Tensor:
    """A size-keeping dilated depthwise convolution, on each of the grids it never mixes.

    (B, C, H, W) -> pad to multiples of the dilation -> (B dy dx, C, H/dy, W/dx) -> back.
    """
    B, C, H, W = x.shape
    dy, dx = dilation
    x = F.pad(x, (0, -W % dx, 0, -H % dy))
    h, w = x.shape[2] // dy, x.shape[3] // dx
    rows = x.permute(0, 2, 3, 1).reshape(B, h, dy, w, dx, C)
    grids = rows.permute(2, 4, 0, 1, 3, 5).reshape(dy * dx * B, h, w, C).permute(0, 3, 1, 2)
    padding = [k // 2 for k in weight.shape[2:]]
    y = F.conv2d(grids, weight, bias, padding=padding, groups=C)
    y = y.permute(0, 2, 3, 1).reshape(dy, dx, B, h, w, C).permute(2, 3, 0, 4, 1, 5)
    return y.reshape(B, h * dy, w * dx, C).permute(0, 3, 1, 2)[:, :, :H, :W]
