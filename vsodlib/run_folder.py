"""What a training run keeps in its folder, and how it is told to stop.

`log.jsonl` holds the losses, `state.pt` everything that is needed to resume; the state before it
stays beside it as `state.previous.pt`.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from filelock import FileLock, Timeout

from vsodlib import checkpoint
from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.data import FrameDataset

STATE = "state.pt"
LOG = "log.jsonl"
LOCK = "state.lock"
LOG_EVERY = 10


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a `log.jsonl`, without a last line that a killed run left unfinished."""
    rows = []
    for line in Path(path).read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


class Log:
    """JSON lines: the means of every `LOG_EVERY` steps; lines behind a resumed step are dropped."""

    def __init__(self, path: Path, first: int, active: bool, on_log: Callable | None):
        self.path, self.active, self.on_log = path, active, on_log
        self.pending: list[dict[str, float]] = []
        self.recent = math.nan
        self.clock = time.perf_counter()
        if active:
            rows = read_log(path) if first and path.exists() else []
            kept = [row for row in rows if row["step"] <= first]
            path.write_text("".join(json.dumps(row) + "\n" for row in kept))

    def add(self, step: int, losses: dict[str, float], learning_rate: float) -> None:
        """Take in the losses of one step; every `LOG_EVERY` steps their means become a line."""
        self.pending.append(losses)
        self.recent = losses["loss"]
        if step % LOG_EVERY == 0:
            means = {k: float(np.mean([p[k] for p in self.pending])) for k in losses}
            seconds = (time.perf_counter() - self.clock) / len(self.pending)
            self.write({"step": step, **means, "lr": learning_rate, "seconds_per_step": seconds})
            self.pending, self.clock = [], time.perf_counter()

    def write(self, row: dict[str, Any]) -> None:
        """Append one line, numbers to five digits, and hand it to the listener."""
        if self.active:
            rounded = {k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in row.items()}
            with self.path.open("a") as file:
                file.write(json.dumps(rounded) + "\n")
            if self.on_log:
                self.on_log(rounded)


def tensorboard(folder: str | Path) -> Callable[[dict[str, Any]], None]:
    """A listener for `fit(on_log=...)` that writes every logged number for TensorBoard.

    Raises:
        ValueError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            "TensorBoard is not installed: pip install 'vsodlib[tensorboard]'."
        ) from error
    writer = None

    def listen(row: dict[str, Any]) -> None:
        nonlocal writer
        writer = writer or SummaryWriter(str(folder))  # at the first line: one process alone logs
        for name, value in row.items():
            if name != "step":
                writer.add_scalar(name, value, row["step"])
        writer.flush()

    return listen


@contextmanager
def sole_process(out: Path, active: bool = True) -> Iterator[None]:
    """Keep other processes out of a run's folder.

    Args:
        out: folder of the run.
        active: False in the processes of a run that write nothing.

    Raises:
        ValueError: another process trains there.
    """
    if not active:
        yield
        return
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ValueError(
            f"Another process is training in {out}; wait for it, or name another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


class StopRequest:
    """Whether somebody asked this process of the run to stop."""

    asked = False

    def agreed(self, accelerator: Accelerator) -> bool:
        """Whether any process was asked: all must leave the loop after the same step."""
        asked = torch.tensor(float(self.asked), device=accelerator.device)
        return bool(accelerator.reduce(asked))


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn the first Ctrl-C or SIGTERM into a request that the loop honours between two steps."""
    stop = StopRequest()

    def ask(number: int, _frame: Any) -> None:
        stop.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C stops at once

    try:
        before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: signals do not reach us
        before = {}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_signals_to_the_loop(_worker: int) -> None:
    """For the workers of a loader: Ctrl-C and SIGTERM may reach them too, but the step under way
    still needs their batch; they end with the loop.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write aside and rename, keeping the previous state as `.previous`.

    Raises:
        OSError: the disk is full; the state before stays.
    """
    aside = path.with_suffix(".tmp")
    try:
        torch.save(state, aside)
    except (RuntimeError, OSError) as error:  # RuntimeError: torch's word for a full disk
        aside.unlink(missing_ok=True)
        free = shutil.disk_usage(path.parent).free / 1e6
        raise OSError(
            f"{path} cannot be written ({free:.1f} MB are free there); make room and resume."
        ) from error
    if path.exists():
        os.replace(path, path.with_suffix(".previous.pt"))
    os.replace(aside, path)


def load_state(
    out: Path, model_config: ModelConfig, config: TrainConfig, resume: bool
) -> dict[str, Any] | None:
    """The state to resume from, or None to start anew.

    Raises:
        ValueError: `out` holds a run and `resume` was not asked for, the run is finished and its
            state deleted, has another configuration, or its state cannot be read.
    """
    paths = [out / STATE, (out / STATE).with_suffix(".previous.pt")]
    paths = [path for path in paths if path.exists()]
    if not paths:
        if (out / "last.safetensors").exists():
            raise ValueError(f"{out} holds a finished run without {STATE}; name another folder.")
        return None
    if not resume:
        raise ValueError(f"{out} holds a run already: resume it, or name another folder.")
    for path in paths:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            theirs = TrainConfig.from_dict(state["config"])
            their_model = ModelConfig.from_dict(state["model_config"])
            break
        except Exception as error:  # whatever a damaged file makes of unpickling
            reason = error
    else:
        raise ValueError(f"{paths[0]} is not a readable training state ({reason}).") from reason
    theirs = replace(theirs, checkpoint_every=config.checkpoint_every)
    for given, stored in ((config, theirs), (model_config, their_model)):
        if differing := [k for k, v in given.to_dict().items() if stored.to_dict()[k] != v]:
            raise ValueError(
                f"{out} holds a run with another {', '.join(differing)}; give the same "
                "configuration to resume it, or name another folder."
            )
    return state


def training_record(
    model_config: ModelConfig,
    config: TrainConfig,
    dataset: FrameDataset,
    device: torch.device,
    initial: str | Path | None,
) -> dict[str, Any]:
    """What a checkpoint's JSON says of its making, and of the making of what it started from."""
    if initial:
        _, earlier = checkpoint.read(initial)
        kept = ("train", "data", "commit", "device", "initial")
        origin = {"weights_sha256": checkpoint.fingerprint(initial)}
        origin |= {key: earlier[key] for key in kept if key in earlier}
    return {
        "model": model_config.to_dict(),
        "input_height": config.height,
        "train": config.to_dict(),
        "data": f"{dataset.name}, {len(dataset.videos)} videos, {len(dataset)} frames",
        "commit": checkpoint.commit(),
        "device": checkpoint.describe_device(device),
        "torch": str(torch.__version__),
        **({"initial": origin} if initial else {}),
    }
