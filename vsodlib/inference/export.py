"""A trained network as one ONNX file, for runtimes without PyTorch.

By TorchScript's tracer, which takes a second and no package but `onnx`. The newer exporter, on top
of `torch.export`, was tried with free sizes and gave no result in minutes.
"""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch.onnx import TrainingMode

from vsodlib.files import check_writable, write_file
from vsodlib.inference.traceable import SaliencyMap
from vsodlib.model.vsodnet import VSODNet


def export_onnx(net: VSODNet, path: str | Path, half: bool = False) -> Path:
    """Write a network as ONNX: `images` (B, 3, H, W) in [0, 1] in, `saliency` (B, 1, H, W) out.

    B, H and W are free, H and W from the output stride on, best as `input_size` gives them. The
    file's metadata name `output_stride` and, where known, `input_height`.

    Args:
        net: without `inter_frame_attention`; left as it is.
        half: store filters and matrices as float16, as checkpoints do: half the size, the same map,
            since the arithmetic stays float32.

    Raises:
        ValueError: the network compares frames, or the package `onnx` is missing, or
            `path` ends as a checkpoint does.
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
