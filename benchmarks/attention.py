"""The attention modules against their literal N x N forms: time and memory, forward and backward.

Section 3.5 puts x at stride 8: a frame of 480x854 has N = 60 * 107 = 6420 positions.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from benchmarks.clocks import now
from benchmarks.memory import peak_memory
from vsodlib.config import check_counts
from vsodlib.model.co_attention import CrossLevelCoAttention, attend, literal_attend
from vsodlib.model.self_attention import NonLocalSelfAttention, literal_non_local, non_local

SIZES = ((120, 216), (240, 432), (480, 854), (720, 1280), (1080, 1920))
STRIDE = 8
LIMIT = 15.0
"""Seconds after which a size gets no further turn."""
_SMALL = (20, 36)
_MAPS = 3  # N x N maps alive at once in the literal forms: softmax(A) and two gradients


def _literal_self_attention(net: NonLocalSelfAttention, x: Tensor, _: Tensor) -> Tensor:
    """Eq. 4 and 5 as written, the dynamic convolution sample by sample."""
    depthwise: Any = net.depthwise  # the dynamic one of the two
    y, filters = literal_non_local(x), depthwise.filters(x).unsqueeze(2)
    convolved = [
        F.conv2d(y[b : b + 1], filters[b], padding=1, groups=x.shape[1]) for b in range(len(x))
    ]
    return torch.cat(convolved) + x


def _literal_co_attention(net: CrossLevelCoAttention, x: Tensor, low: Tensor) -> Tensor:
    return literal_attend(net.queries(low, *x.shape[2:]), x)


FORMS: dict[str, dict[str, Callable[..., Tensor]]] = {
    "self_attention": {"literal": _literal_self_attention, "ours": lambda net, x, _: net(x)},
    "co_attention": {"literal": _literal_co_attention, "ours": lambda net, x, low: net(low, x)},
}


def bench_attention(
    sizes: Sequence[tuple[int, int]] = SIZES,
    channels: int = 256,
    repeats: int = 7,
    device: str = "cpu",
) -> dict[str, Any]:
    """Milliseconds and peak extra memory of both attention modules, one frame at stride 8.

    `self_attention`: Eq. 4 and 5, with the dynamic convolution. `co_attention`: Eq. 6 with v on
    the grid of x. Each is one forward and one backward pass; `literal` and `ours` take turns, the
    times are medians. A literal form whose maps would fill more than half of the memory is skipped.

    Args:
        sizes: heights and widths of frames, pixels.
        channels: C.
        repeats: turns of each form.
        device: "cpu", "cuda", ...

    Returns:
        `sizes`: for each its N, and for both modules what `literal` and `ours` took, with
        `times_faster` and `times_less_memory`; `agreement`: the largest differences from float64.

    Raises:
        ValueError: a size below the stride, or fewer than one repeat.
    """
    check_counts(repeats=repeats)
    for height, width in sizes:
        if min(height, width) < STRIDE:
            raise ValueError(f"A frame of {height}x{width} is smaller than the stride, {STRIDE}.")
    rows = []
    for height, width in tqdm(sizes, desc="bench", disable=None):
        h, w = _grid(height, width)
        row: dict[str, Any] = {"height": height, "width": width, "N": h * w}
        for module in FORMS:
            row[module] = _time(module, (channels, h, w), repeats, device)
        rows.append(row)
    _gauge(rows, channels, device)
    return {
        "channels": channels,
        "stride": STRIDE,
        "passes": "one forward and one backward pass of one frame, float32; medians",
        "memory": "peak of PyTorch's allocator"
        if torch.device(device).type == "cuda"
        else "peak of the process's resident memory above that before the call",
        "sizes": rows,
        "agreement": agreement(channels, device=device),
    }


def _grid(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of x."""
    return -(-height // STRIDE), -(-width // STRIDE)


def _time(module: str, shape: tuple[int, int, int], repeats: int, device: str) -> dict[str, Any]:
    """Milliseconds of `literal` and `ours` of one module at one size."""
    _, h, w = shape
    needed = 4 * _MAPS * (h * w) ** 2
    fits = needed < free_memory(device) / 2
    calls = {
        form: prepare(module, form, shape, device)
        for form in FORMS[module]
        if fits or form != "literal"
    }
    seconds: dict[str, list[tuple[float, float]]] = {form: [] for form in calls}
    for form in calls:
        prepare(module, form, (shape[0], *_SMALL), device)()
    begun = now()
    while len(seconds["ours"]) < repeats and (now() - begun < LIMIT or not seconds["ours"]):
        for form, call in calls.items():
            seconds[form].append(call())
    result: dict[str, Any] = {}
    for form, turns in seconds.items():
        forward, backward = (1000 * median(part) for part in zip(*turns, strict=True))
        result[form] = {"turns": len(turns), "forward_ms": forward, "backward_ms": backward}
        result[form]["total_ms"] = 1000 * median(map(sum, turns))
    if fits:
        result["times_faster"] = result["literal"]["total_ms"] / result["ours"]["total_ms"]
    else:
        result["skipped"] = f"the literal form needs about {needed / 1e9:.0f} GB for its maps"
    return result


def _gauge(rows: list[dict[str, Any]], channels: int, device: str) -> None:
    """Add the peak extra memory of every form that was timed."""
    timed = [
        (row, module, form)
        for row in rows
        for module, forms in FORMS.items()
        for form in forms
        if form in row[module]
    ]
    cases = [
        (module, form, (channels, *_grid(row["height"], row["width"])), device)
        for row, module, form in timed
    ]
    for (row, module, form), peak in zip(timed, peak_memory(prepare, cases, device), strict=True):
        result = row[module]
        result[form]["peak_bytes"] = peak
        if form == "ours" and "literal" in result and peak:
            result["times_less_memory"] = result["literal"]["peak_bytes"] / peak


def prepare(
    module: str, form: str, shape: tuple[int, int, int], device: str
) -> Callable[[], tuple[float, float]]:
    """A forward and backward pass of one form on random features, which returns its seconds."""
    torch.manual_seed(0)
    C, h, w = shape
    if module == "self_attention":
        net: torch.nn.Module = NonLocalSelfAttention(C).to(device)
        torch.nn.init.normal_(net.get_parameter("depthwise.filter_generator.weight"), std=0.01)
    else:
        net = CrossLevelCoAttention(C, C).to(device)
    inputs = [torch.randn(1, C, h, w, device=device).relu().requires_grad_() for _ in range(2)]
    gradient = torch.randn(1, C, h, w, device=device)
    return partial(_passes, FORMS[module][form], net, inputs, gradient)


def _passes(
    form: Callable[..., Tensor], net: torch.nn.Module, inputs: list[Tensor], gradient: Tensor
) -> tuple[float, float]:
    start = now()
    out = form(net, *inputs)
    middle = now()
    out.backward(gradient)
    end = now()
    for tensor in (*inputs, *net.parameters()):
        tensor.grad = None
    return middle - start, end - middle


def agreement(
    channels: int = 256, height: int = 240, width: int = 432, device: str = "cpu"
) -> dict[str, Any]:
    """How far `non_local` and `attend`, and their literal forms, are from float64.

    Returns:
        function -> dtype -> form -> `output` and `gradient`: the largest difference over the
        largest magnitude of the literal form in float64, on the same (rounded) input.
    """
    torch.manual_seed(0)
    h, w = _grid(height, width)
    x = torch.randn(1, channels, h, w, device=device).relu()
    query = 0.1 * torch.randn(1, h * w, channels, device=device)
    result: dict[str, Any] = {}
    for name, literal, ours, inputs in (
        ("non_local", literal_non_local, non_local, (x,)),
        ("attend", literal_attend, attend, (query, x)),
    ):
        result[name] = {}
        for dtype in (torch.float32, torch.bfloat16):
            rounded = [tensor.to(dtype) for tensor in inputs]
            exact = _with_gradients(literal, [tensor.double() for tensor in rounded])
            result[name][str(dtype).removeprefix("torch.")] = {
                form: _errors(function, rounded, exact)
                for form, function in (("literal", literal), ("ours", ours))
            }
    return result


def _errors(
    function: Callable[..., Tensor], inputs: list[Tensor], exact: list[Tensor]
) -> dict[str, float]:
    found = _with_gradients(function, inputs)
    output, *gradients = (
        ((a.double() - b).abs().max() / b.abs().max()).item()
        for a, b in zip(found, exact, strict=True)
    )
    return {"output": output, "gradient": max(gradients)}


def _with_gradients(function: Callable[..., Tensor], inputs: list[Tensor]) -> list[Tensor]:
    """The output, and the gradient of half its squared length by every input."""
    inputs = [tensor.detach().requires_grad_() for tensor in inputs]
    out = function(*inputs)
    return [out.detach(), *torch.autograd.grad(out, inputs, out.detach())]


def free_memory(device: str) -> float:
    """Bytes of memory that the device has."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 8 * 2.0**30  # Windows does not tell without a further package
