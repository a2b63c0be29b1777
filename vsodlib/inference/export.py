"""A trained network as a function of tensors for tracers, and as one ONNX file.

By TorchScript's tracer: the newer exporter, on top of `torch.export`, gives no result in minutes
where sizes are free.
"""

import warnings
from copy import deepcopy
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.onnx import TrainingMode

from vsodlib.files import check_writable, write_file
from vsodlib.inference.folding import fold_batch_norms
from vsodlib.model.co_attention import CrossLevelCoAttention, attend
from vsodlib.model.positions import to_positions
from vsodlib.model.self_attention import NonLocalSelfAttention
from vsodlib.model.vsodnet import VSODNet


def export_onnx(net: VSODNet, path: str | Path, half: bool = False) -> Path:
    """Write a network as ONNX: `images` (B, 3, H, W) in [0, 1] in, `saliency` (B, 1, H, W) out.

    B, H and W are free, H and W from the output stride on, best as `input_size` gives them. The
    file's metadata name `output_stride` and, where known, `input_height`. `half` stores filters and
    matrices as float16, as checkpoints do: half the size, the same map, since the arithmetic stays
    float32.

    Raises:
        ValueError: the network compares frames, the package `onnx` is missing, or `path` ends as a
            checkpoint does.
        OSError: the file cannot be written.
    """
    try:
        import onnx
    except ImportError:
        raise ValueError("ONNX is not installed: pip install 'vsodlib[onnx]'.") from None
    check_writable(path)
    if Path(path).suffix == ".safetensors":
        raise ValueError(f"{path} is the name of a checkpoint; name the ONNX file NAME.onnx.")
    # Folded filters would be rounded to float16 once more; onnxruntime folds when it loads a file.
    traced = SaliencyMap(net, fold=not half)
    free = {0: "batch", 2: "height", 3: "width"}
    with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        file = f"{folder}/net.onnx"
        warnings.simplefilter("ignore")  # of checks of sizes, which a trace leaves out
        torch.onnx.export(
            traced,
            (torch.zeros(2, 3, *(net.config.output_stride * k for k in (4, 5))),),
            file,
            input_names=["images"],
            output_names=["saliency"],
            dynamic_axes={"images": free, "saliency": free},
            training=TrainingMode.PRESERVE if half else TrainingMode.EVAL,
            opset_version=17,
            dynamo=False,
        )
        model = onnx.load(file)
    for weights in [w for w in model.graph.initializer if half and len(w.dims) > 1]:
        narrow = onnx.numpy_helper.to_array(weights).astype(np.float16)
        widen = onnx.helper.make_node("Cast", [f"{weights.name}.half"], [weights.name], to=1)
        model.graph.node.insert(0, widen)
        weights.CopyFrom(onnx.numpy_helper.from_array(narrow, widen.input[0]))
    known = {"output_stride": net.config.output_stride, "input_height": net.input_height}
    onnx.helper.set_model_props(model, {k: str(v) for k, v in known.items() if v})
    onnx.checker.check_model(model)
    write_file(Path(path), model.SerializeToString())
    return Path(path)


class SaliencyMap(nn.Module):
    """Images (B, 3, H, W) float in [0, 1] -> maps (B, 1, H, W) in [0, 1].

    What a trace would fix, the groups and the bins of one batch and size, is written for any.

    Args:
        net: copied to the CPU, in evaluation mode; a ValueError of one that compares frames.
        fold: batch norms become part of the convolutions before them.
    """

    def __init__(self, net: VSODNet, fold: bool = True):
        super().__init__()
        if net.config.inter_frame_attention:
            raise ValueError(
                "A network with inter_frame_attention takes partners besides images; only networks "
                "that see each frame by itself can be exported."
            )
        self.net = (fold_batch_norms(net) if fold else deepcopy(net)).cpu().eval()
        for name, forward in (("self_attention", _self_attention), ("co_attention", _co_attention)):
            if hasattr(self.net, name) and name not in net.own_modules:
                module = getattr(self.net, name)
                module.forward = partial(forward, module)

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images).logits.sigmoid()


def _self_attention(module: NonLocalSelfAttention, x: Tensor) -> Tensor:
    """Eq. 4 without a gradient of its own; Eq. 5 as nine shifted products, not B·C groups."""
    _, _, H, W = x.shape
    rows = x.flatten(2)
    y = (rows @ rows.transpose(1, 2) / (H * W) @ rows).view(x.shape)
    if not module.dynamic:
        return module.depthwise(y) + x
    generated: Tensor = module.depthwise.filters(x)  # type: ignore[operator]  # it is dynamic
    filters, y = generated[..., None, None], F.pad(y, (1, 1, 1, 1))
    taps = [(i, j) for i in range(3) for j in range(3)]
    return x + sum(filters[:, :, i, j] * y[:, :, i : i + H, j : j + W] for i, j in taps)


def _co_attention(module: CrossLevelCoAttention, low: Tensor, x: Tensor) -> Tensor:
    """Eq. 6 with the adaptive average as two products of matrices."""
    (h, w), (H, W) = low.shape[2:], x.shape[2:]
    v = module.to_v(_averages(h, H) @ low @ _averages(w, W).T)
    return attend(to_positions(v) @ module.weight, x)


def _averages(source: int, target: int) -> Tensor:
    """(target, source): row i averages i·source/target ... (i+1)·source/target, rounded outward."""
    row, column = torch.arange(target)[:, None], torch.arange(source)
    inside = (column >= row * source // target) & (column * target < (row + 1) * source)
    return inside / inside.sum(1, keepdim=True)
