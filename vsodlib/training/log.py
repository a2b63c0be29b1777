"""The log of a run: its losses as lines of JSON, and listeners to them."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from vsodlib.config import check_form
from vsodlib.files import disk_full_named, read_file, write_file

LOG = "log.jsonl"
LOG_EVERY = 10


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a `log.jsonl`, without a last line that a killed run left unfinished.

    Raises:
        OSError: there is no such file.
        ValueError: another line is no row of a log; names it.
    """
    lines = [line for line in read_file(path).split(b"\n") if line.strip()]
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
            check_form(rows[-1], dict[str, float], "it")
            check_form(rows[-1].get("step"), int, "its step")
        except (ValueError, RecursionError) as error:
            if number < len(lines):
                raise ValueError(f"{path}, line {number} is no row of a log ({error}).") from None
            return rows[: number - 1]
    return rows


class Log:
    """JSON lines: the means of every `LOG_EVERY` steps; lines behind a resumed step are dropped."""

    def __init__(self, path: Path, first: int, active: bool, on_log: Callable | None):
        self.path, self.active, self.on_log = path, active, on_log
        self.pending: list[tuple[int, str, dict[str, Tensor]]] = []
        self.shown = ""
        self.clock = time.perf_counter()
        if active:
            rows = read_log(path) if first and path.exists() else []
            kept = [row for row in rows if row["step"] <= first]
            write_file(path, "".join(json.dumps(row) + "\n" for row in kept).encode())

    def add(self, step: int, losses: dict[str, Tensor], learning_rate: float, what: str) -> None:
        """Take in the losses of one step; every `LOG_EVERY` steps their means become a line.

        They are read from the device then, not before: reading makes it wait.

        Args:
            losses: scalars by name; a part that a step lacks is NaN there.
            what: the frames of the step, for the message of `check`.
        """
        self.pending.append((step, what, {k: v.detach() for k, v in losses.items()}))
        if step % LOG_EVERY == 0:
            seconds = (time.perf_counter() - self.clock) / len(self.pending)
            values: dict[str, list[float]] = {}
            for row in self.check():
                for name, value in row.items():
                    if not math.isnan(value):
                        values.setdefault(name, []).append(value)
            means = {name: float(np.mean(found)) for name, found in values.items()}
            self.write({"step": step, **means, "lr": learning_rate, "seconds_per_step": seconds})
            self.pending, self.clock = [], time.perf_counter()

    def check(self) -> list[dict[str, float]]:
        """The losses since the last line as numbers; a ValueError where one is not finite."""
        found = []
        for step, what, losses in self.pending:
            found.append({name: float(value) for name, value in losses.items()})
            loss = found[-1]["loss"]
            self.shown = f"loss={loss:.3f}"
            if not math.isfinite(loss):
                raise ValueError(
                    f"The loss stopped being finite at step {step} (frames {what}); start anew "
                    "with a lower learning rate."
                )
        return found

    def write(self, row: dict[str, Any]) -> None:
        """Append one line, numbers to five digits, and hand it to the listener."""
        if self.active:
            rounded = {k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in row.items()}
            with disk_full_named(self.path), self.path.open("a") as file:
                file.write(json.dumps(rounded) + "\n")
            if self.on_log:
                self.on_log(rounded)


def tensorboard(folder: str | Path) -> Callable[[dict[str, Any]], None]:
    """A listener for `fit(on_log=...)` that writes every logged number for TensorBoard, or a
    ValueError where that is not installed.
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
