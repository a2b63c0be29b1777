"""An exported network in onnxruntime beside PyTorch: float32, from a float16 file, and in int8."""

import logging
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime import quantization
from torch import nn

from benchmarks.clocks import run_times
from vsodlib.data.clips import demo_clips
from vsodlib.data.transforms import to_images
from vsodlib.inference.export import export_onnx
from vsodlib.inference.folding import fold_batch_norms
from vsodlib.model.vsodnet import VSODNet

CALIBRATION, SHOWN = (0, 8, 16), (4, 12, 20)
"""Frames of every demo clip that int8 is fitted to, and those on which maps are compared."""


def bench_onnx(height: int = 240, width: int = 432, repeats: int = 20) -> dict[str, Any]:
    """Milliseconds a frame, file sizes and maps of the forms of `lite-davis`, on the CPU.

    One frame a pass; medians; the forms take turns, with PyTorch's number of threads.

    Args:
        height, width: of the frames, multiples of the output stride.
        repeats: turns of each form.

    Returns:
        `forms`, a row each: `name`, `ms`, `bytes` of the file (PyTorch: of float32 parameters), and
        against PyTorch's maps `largest` and `mean` absolute difference and `iou`, the overlap of
        the objects in both, cut at one half. `threads`, `height`, `width`, `checkpoint`.
    """
    plain = VSODNet.from_pretrained("lite-davis")
    net = fold_batch_norms(plain).to(memory_format=torch.channels_last)
    clips = demo_clips(24, height, width).values()
    fitted, shown = (
        torch.cat([to_images(clip.frames[list(times)]) for clip in clips])
        for times in (CALIBRATION, SHOWN)
    )
    with TemporaryDirectory() as folder:
        files = _write(plain, Path(folder), fitted)
        calls = {"pytorch": partial(_map, net)} | {
            name: partial(_run, open_session(path)) for name, path in files.items()
        }
        sizes = {name: path.stat().st_size for name, path in files.items()}
    sizes["pytorch"] = 4 * sum(p.numel() for p in net.parameters())
    maps = {name: np.stack([call(image[None]) for image in shown]) for name, call in calls.items()}
    seconds = run_times({n: partial(call, shown[:1]) for n, call in calls.items()}, repeats, 120.0)
    rows = []
    for name, found in maps.items():
        apart, (a, b) = abs(found - maps["pytorch"]), (found > 0.5, maps["pytorch"] > 0.5)
        rows.append(
            {
                "name": name,
                "ms": 1000 * median(seconds[name]),
                "bytes": sizes[name],
                "largest": float(apart.max()),
                "mean": float(apart.mean()),
                "iou": float((a & b).sum() / (a | b).sum()),
            }
        )
    made = {"checkpoint": "lite-davis", "height": height, "width": width}
    return made | {"threads": torch.get_num_threads(), "turns": len(seconds[name]), "forms": rows}


def _write(net: VSODNet, folder: Path, images: torch.Tensor) -> dict[str, Path]:
    """The files by the name of their form; int8 static is fitted to the images (T, 3, H, W)."""
    files = {name: folder / f"{name}.onnx" for name in ("float32", "float16", "dynamic", "static")}
    export_onnx(net, files["float32"])
    export_onnx(net, files["float16"], half=True)
    logging.getLogger().setLevel(logging.ERROR)  # or onnxruntime advises at length
    quantization.quantize_dynamic(files["float32"], files["dynamic"])
    quantization.quantize_static(
        files["float32"], files["static"], _Reader(images), per_channel=True
    )
    return files


class _Reader(quantization.CalibrationDataReader):
    """Images one by one, then None."""

    def __init__(self, images: torch.Tensor):
        self.inputs = ({"images": image[None].numpy()} for image in images)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.inputs, None)


def open_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@torch.inference_mode()
def _map(net: nn.Module, images: torch.Tensor) -> np.ndarray:
    saliency = net(images.contiguous(memory_format=torch.channels_last)).logits.sigmoid()
    return saliency.numpy()


def _run(session: onnxruntime.InferenceSession, images: torch.Tensor) -> np.ndarray:
    return session.run(None, {"images": images.numpy()})[0]
