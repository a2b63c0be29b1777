"""What a network costs: parameters, multiply-adds, run time, memory (Section 4.6, Table 5).

A multiply-add is one product and its addition; one layer that maps m numbers to n has m * n. Papers
write "FLOPs" for it, this paper too. PyTorch's counter calls one multiply-add two FLOPs, so its
figures are halved here. Products of matrices and convolutions are counted, on `meta` tensors that
hold no numbers; normalisation, activations, softmax and resizing are not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vsodlib.allocator import return_freed_memory
from vsodlib.attention import literal_non_local, non_local
from vsodlib.config import ModelConfig
from vsodlib.model import VSODNet
from vsodlib.temporal import REFERENCES


class Cost(NamedTuple):
    """Parameters, and multiply-adds for one image."""

    parameters: int
    multiply_adds: int


def multiply_adds(function: Callable[..., Any], *shapes: tuple[int, ...]) -> int:
    """Multiply-adds of `function` on tensors of these shapes; nothing is computed.

    Args:
        function: of tensors; a module must be on the device `meta`.
        shapes: one for each tensor.
    """
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        function(*(torch.empty(shape, device="meta") for shape in shapes))
    return counter.get_total_flops() // 2


def cost(net: nn.Module, height: int = 480, width: int = 854) -> Cost:
    """The cost of any network that takes an image (1, 3, height, width)."""
    net = deepcopy(net).to("meta").eval()
    return Cost(_parameters(net), multiply_adds(net, (1, 3, height, width)))


def budget(
    config: ModelConfig, height: int = 480, width: int = 854, literal: bool = False
) -> dict[str, Cost]:
    """The cost of `VSODNet(config)` part by part, in the order of the computation.

    One frame; with co-attention between frames (Table 4), the references are encoded besides.

    Args:
        config: the network.
        height, width: of the image, pixels.
        literal: count Eq. 4 as it is written, (x xᵀ) x, instead of x (xᵀ x). Eq. 6 costs the same
            in every form.

    Returns:
        part -> cost. The parts of the encoder are named as in timm: the stem, then `layer1`, ... or
        `blocks.0`, ...; then "ASPP", "x" (the last 3x3 convolution), and what the configuration
        has of "self-attention", "co-attention", "gates", "head" and "decoder". `total` adds up.

    Raises:
        ValueError: as `VSODNet`.
    """
    with torch.device("meta"):
        net = VSODNet(config).eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad(), torch.device("meta"):
        if config.inter_frame_attention:
            frames = torch.empty(1 + REFERENCES, 3, height, width)
            net(frames, partners=torch.arange(REFERENCES)[None])
        else:
            net(torch.empty(1, 3, height, width))
    counts = counter.get_flop_counts()
    parts = {}
    for name, module in _leaves_of(net):
        part = _PART.get(name, name.removeprefix("encoder.backbone."))
        added = Cost(_parameters(module), sum(counts.get(f"VSODNet.{name}", {}).values()) // 2)
        parts[part] = total((parts.get(part, Cost(0, 0)), added))
    if literal and config.self_attention:
        c, stride = config.channels, config.output_stride
        x = (1, c, -(-height // stride), -(-width // stride))
        more = multiply_adds(literal_non_local, x) - multiply_adds(non_local, x)
        parts["self-attention"] = total((parts["self-attention"], Cost(0, more)))
    return parts


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs, as of `budget(config).values()`."""
    parameters, adds = zip(*costs, strict=True)
    return Cost(sum(parameters), sum(adds))


_PART = {
    "encoder.backbone.conv1": "stem",
    "encoder.backbone.bn1": "stem",
    "encoder.backbone.conv_stem": "stem",
    "encoder.aspp": "ASPP",
    "encoder.project": "x",
    "self_attention": "self-attention",
    "co_attention": "co-attention",
    "inter_frame": "co-attention between frames",
    "self_gate": "gates",
    "co_gate": "gates",
}


def _leaves_of(net: VSODNet) -> Iterator[tuple[str, nn.Module]]:
    """Name and module of every part that holds parameters, in the order of the computation."""
    for name, module in net.named_modules():
        opened = ("", "encoder", "encoder.backbone", "encoder.backbone.blocks")
        parent = name.rpartition(".")[0]
        if name not in opened and parent in opened and _parameters(module):
            yield name, module


def _parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def run_times(
    calls: Mapping[str, Callable[[], Any]], repeats: int, limit: float = float("inf")
) -> dict[str, list[float]]:
    """Seconds of every call. The calls take turns: what else the machine does then hits all alike.

    Args:
        calls: name -> function without arguments; run once before the clock starts.
        repeats: turns of each.
        limit: after so many seconds no further turn begins; the first always does.

    Returns:
        name -> seconds, one for each turn.
    """
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    begun = now()
    for turn in range(repeats):
        if turn and now() - begun > limit:
            break
        for name, call in calls.items():
            start = now()
            call()
            seconds[name].append(now() - start)
    return seconds


def now() -> float:
    """Seconds on a clock, read when the GPU, if one is in use, has done what it was told."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


def peak_memory(
    make: Callable[..., Callable[[], Any]], cases: Sequence[tuple], device: str = "cpu"
) -> list[int] | list[None]:
    """The most memory that a call holds at once beyond what is held before it, in bytes.

    Every call runs twice and the second run counts, when all code is loaded. On a GPU: what
    PyTorch's allocator counts. On the CPU: the high-water mark of resident memory that Linux keeps
    for a process, in a process of its own whose allocator gives back at once what is freed.

    Args:
        make: `make(*case)` prepares a call's inputs and returns the call; a module's function.
        cases: arguments of `make`.
        device: where the calls run.

    Returns:
        Bytes, one for each case; Nones where nothing can be measured (CPU without Linux's /proc).

    Raises:
        RuntimeError: the process died, as it does when memory runs out.
    """
    if torch.device(device).type == "cuda":
        return [_cuda_peak(make(*case)) for case in cases]
    if not _CLEAR_REFS.exists():
        return [None] * len(cases)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return [pool.submit(_resident_peak, make, case).result() for case in cases]


_CLEAR_REFS = Path("/proc/self/clear_refs")


def _cuda_peak(call: Callable[[], Any]) -> int:
    call()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    call()
    return torch.cuda.max_memory_allocated() - before


def _resident_peak(make: Callable[..., Callable[[], Any]], case: tuple) -> int:
    return_freed_memory()
    call = make(*case)
    call()
    _CLEAR_REFS.write_text("5")  # the high-water mark falls to what is resident now
    before = _high_water()
    call()
    return _high_water() - before


def _high_water() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
