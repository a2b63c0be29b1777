"""A training run: its folder, its state, and the signals that stop it.

`log.jsonl` holds the losses, `state.pt` everything that is needed to resume; the state before it
stays as `state.previous.pt`.
"""

from __future__ import annotations

import copy
import json
import math
import os
import shutil
import signal
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import broadcast_object_list, parse_flag_from_env
from filelock import FileLock, Timeout
from torch import Tensor, nn

from vsodlib import provenance
from vsodlib.config import ModelConfig, TrainConfig, check_form
from vsodlib.data import FrameDataset
from vsodlib.files import aside, disk_full_named, read_file, write_file
from vsodlib.inference.evaluate import mean_iou
from vsodlib.model import checkpoint
from vsodlib.model.vsodnet import VSODNet
from vsodlib.notes import note
from vsodlib.training.optimizer import Clock, WeightAverage, build_optimizer
from vsodlib.training.speed import fast_view, has_bfloat16, seconds_per_step

STATE = "state.pt"
LOG = "log.jsonl"
LOCK = "state.lock"
LOG_EVERY = 10
FACTS = ("held_out", "foreground", "void", "random_weights")
"""What a record says of the data and the start of a run besides their names."""


class Start(TypedDict, total=False):
    """Where a run began, if not at step 0 or with new weights."""

    initial: dict
    first_step: int


class Record(Start):
    """What `training_record` says and `fit` compares or keeps."""

    data: str


class State(TypedDict):
    """What `state.pt` holds, tensors apart."""

    step: int
    elapsed: float
    best: float
    updates: int
    record: Record
    model_config: dict
    config: dict
    net: dict
    optimizer: dict
    average: dict | None


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
                    values.setdefault(name, []).append(value)
            kept = {name: [v for v in found if v == v] for name, found in values.items()}
            means = {name: float(np.mean(found)) for name, found in kept.items() if found}
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


@contextmanager
def sole_process(out: Path, active: bool = True) -> Iterator[None]:
    """Keep other processes out of a run's folder, by a ValueError there; those of the run itself
    that write nothing are not `active`.
    """
    with ExitStack() as held:
        try:
            if active:
                held.enter_context(FileLock(out / LOCK, blocking=False))
        except Timeout:
            raise ValueError(
                f"Another process is training in {out}; wait for it, or name another folder."
            ) from None
        yield


class StopRequest:
    """Whether somebody asked this process of the run to stop."""

    asked = False

    def agreed(self, accelerator: Accelerator) -> bool:
        """Whether any process was asked: all must leave the loop after the same step."""
        if accelerator.num_processes == 1:
            return self.asked
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
    """Write a whole file or none, keeping the previous state as `.previous`.

    Raises:
        OSError: the disk is full; the state before stays.
    """
    try:
        with aside(path) as part:
            torch.save(state, part)
            if path.exists():
                os.replace(path, path.with_suffix(".previous.pt"))
    except (RuntimeError, OSError) as error:  # RuntimeError: torch's word for a full disk
        free = shutil.disk_usage(path.parent).free / 1e6
        raise OSError(
            f"{path} cannot be written ({free:.1f} MB are free there); make room and resume."
        ) from error


def load_state(
    out: Path, model_config: ModelConfig, config: TrainConfig, resume: bool, tell: bool = True
) -> dict[str, Any] | None:
    """The state to resume from, or None to start anew; where it is the one before, `tell` so.

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
    reasons: list[Exception] = []
    for path in paths:
        try:
            if not path.is_file():
                raise ValueError("it is no regular file")
            state = torch.load(path, map_location="cpu", weights_only=True)
            check_form(state, State, "the state:")
            json.dumps(state["record"], indent=1)  # as checkpoints will have to
            theirs = TrainConfig.from_dict(state["config"])
            their_model = ModelConfig.from_dict(state["model_config"])
            if not (1 <= state["step"] <= theirs.steps and -1 <= state["best"] <= 1):
                raise ValueError(f"step {state['step']} of {theirs.steps}, best {state['best']}")
            if min(state["updates"], state["elapsed"]) < 0:
                raise ValueError("its average or its clock has gone backwards")
            break
        except ValueError as error:
            reasons.append(error)
        except Exception:  # torch raises many kinds, and advises to execute what the file says
            reasons.append(ValueError("it is damaged, or holds more than tensors"))
    else:
        raise ValueError(
            f"{paths[0]} is not a readable training state ({reasons[0]})."
        ) from reasons[0]
    if reasons and tell:
        note(
            f"{paths[0]} is not a readable training state ({reasons[0]}): going on from "
            f"{paths[1].name}, step {state['step']}."
        )
    theirs = replace(theirs, checkpoint_every=config.checkpoint_every)
    for given, stored in ((config, theirs), (model_config, their_model)):
        if differing := [k for k, v in given.to_dict().items() if stored.to_dict()[k] != v]:
            raise ValueError(
                f"{out} holds a run with another {', '.join(differing)}; give the same "
                "configuration to resume it, or name another folder."
            )
    return state


class Run:
    """One training run: its network, optimiser and average, kept in a folder; put where the run
    there stopped, or where `initial` begins.

    Args: as in `fit`.

    Attributes:
        net: the plain network, which is saved; `model` is the quick view of it that is called.
        average: the moving average of its weights, or None.
        clock: how far the run is.

    Raises:
        ValueError: as `load_state`; a device that is not there; a precision it has no units for.
    """

    def __init__(
        self,
        out: Path,
        model_config: ModelConfig,
        config: TrainConfig,
        dataset: FrameDataset,
        validation: FrameDataset | None,
        device: str | None,
        facts: dict[str, Any],
        net: VSODNet | None,
        resume: bool,
        pretrained_encoder: bool,
        initial: str | Path | None,
        first_step: int,
        last_step: int,
    ):
        if net is not None and net.config != model_config:
            raise ValueError("The network given has another configuration: pass net.config.")
        if net is not None and net.own_modules:
            facts = facts | {"own_modules": net.own_modules}
        self.out, self.model_config, self.config = out, model_config, config
        state = load_state(out, model_config, config, resume)
        if validation is not None:
            validation.check_sizes()  # refused now, not after training
        AcceleratorState._reset_state()  # it remembers the precision of an earlier run
        place = choose_device(device)
        check_span(config, state["step"] if state else first_step, last_step, state is not None)
        torch.manual_seed(config.seed)
        fresh = state is None and initial is None
        net = net or VSODNet(model_config, pretrained_encoder and fresh)
        if initial and state is None:
            net.load_trunk(initial)
        net = net.to(place).to(memory_format=torch.channels_last)
        if config.freeze_stages:
            for stage in net.encoder.stages(config.freeze_stages):
                stage.requires_grad_(False)
        precision = choose_precision(config, net, place)
        self.accelerator = Accelerator(mixed_precision=precision)
        if self.accelerator.num_processes > 1 and place.type == "cuda":
            net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
        self.net, self.validation, self.best = net, validation, -1.0
        optimizer = build_optimizer(net, config)
        self.average = WeightAverage(net, config.ema_decay) if config.ema_decay else None
        self.record = facts | training_record(
            model_config, config, dataset, place, initial, precision
        )
        if first_step:
            self.record["first_step"] = first_step
        self.clock = Clock(config, first_step, last=last_step)
        if state is not None:
            self._restore(state, optimizer)
        view = fast_view(net, config.freeze_batch_norm)
        set_training_mode(view, config)
        self.model, self.optimizer = self.accelerator.prepare(view, optimizer)
        self.out.mkdir(parents=True, exist_ok=True)

    def _restore(self, state: dict[str, Any], optimizer: torch.optim.Optimizer) -> None:
        """Put the run where a state left it.

        Raises:
            ValueError: the state is of other modules or data, or does not fit the network, its
                average or the optimiser.
        """
        before = state["record"]
        made = [record.get("own_modules", {}) for record in (before, self.record)]
        if made[0] != made[1]:
            raise ValueError(f"{self.out} holds a run with other modules of one's own: {made[0]}.")
        was, now = (
            ", ".join([record["data"], *(f"{key} {record[key]}" for key in FACTS if key in record)])
            for record in (before, self.record)
        )
        if was != now:
            raise ValueError(
                f"{self.out} holds a run on {was}, not on {now}; give the same data to resume it, "
                "or name another folder."
            )
        start = ("initial", "first_step")
        self.record = {key: value for key, value in self.record.items() if key not in start}
        self.record |= {key: before[key] for key in start if key in before}
        self.best = state["best"]
        fresh = optimizer.state_dict()
        try:
            tensors = [*state["net"].values(), *(state["average"] or {}).values()]
            if any(tensor.is_complex() or not tensor.isfinite().all() for tensor in tensors):
                raise ValueError("weights are real and finite")
            self.net.load_state_dict(state["net"])
            if self.average:
                self.average.net.load_state_dict(state["average"])
                self.average.updates = state["updates"]
            # The groups' settings follow from the configuration alone.
            optimizer.load_state_dict(
                {"state": state["optimizer"]["state"], "param_groups": fresh["param_groups"]}
            )
            _check_moments(optimizer)
        except Exception as error:  # torch raises many kinds for tensors and keys out of place
            told = str(error).splitlines()[-1].strip()
            raise ValueError(
                f"{self.out / STATE} does not fit the network it was saved for ({told})."
            ) from error
        self.clock = Clock(self.config, state["step"], state["elapsed"], self.clock.last)

    @property
    def chosen(self) -> VSODNet:
        """The network that is validated and written: the average where there is one."""
        return self.average.net if self.average else self.net

    def save(self, log: Log) -> None:
        """Validate, and write checkpoints and the state to resume from."""
        if not self.accelerator.is_main_process:
            return
        step, record = self.clock.step, self.record | {"step": self.clock.step}
        checkpoint.write(self.out / "last", self.chosen.state_dict(), record)
        if self.validation is not None:
            height = self.config.schedule[-1][1].height
            score = mean_iou(self.chosen, self.validation, height)
            log.write({"step": step, "validation_iou": score})
            if score > self.best:
                self.best = score
                found = record | {"validation_iou": score}
                checkpoint.write(self.out / "best", self.chosen.state_dict(), found)
        self.save_state()

    def save_state(self) -> None:
        """Write the state alone."""
        if not self.accelerator.is_main_process:
            return
        save_state(
            self.out / STATE,
            {
                "step": self.clock.step,
                "elapsed": self.clock.elapsed,
                "best": self.best,
                "model_config": self.model_config.to_dict(),
                "config": self.config.to_dict(),
                "record": self.record,
                "net": self.net.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average.net.state_dict() if self.average else None,
                "updates": self.average.updates if self.average else 0,
            },
        )

    def trained(self) -> VSODNet:
        """The network as it is now, on the CPU, in evaluation mode."""
        self.accelerator.wait_for_everyone()
        net = copy.deepcopy(self.chosen).cpu().eval().requires_grad_(True)
        net.input_height = self.record["input_height"]
        return net


def check_span(config: TrainConfig, first: int, last: int, resumed: bool = False) -> None:
    """Whether a run from a step on, to the last or to the end (0), has something to do; a run that
    is `resumed` may be at its end already.

    Raises:
        ValueError: it has not.
    """
    end = last or config.steps
    if not first - resumed < end <= config.steps:
        raise ValueError(
            f"A run of {config.steps} steps cannot go from step {first} to step {end} (first_step, "
            "last_step)."
        )


def choose_device(name: str | None = None) -> torch.device:
    """The device of this name, as `find_device`, which Accelerate takes from now on; None: this
    process's GPU, else the CPU.
    """
    if name is None:
        # Without a GPU, several processes find each other only where told that it is the CPU.
        return PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU")).device
    PartialState._reset_state()
    device = provenance.find_device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    PartialState(cpu=device.type == "cpu")
    return device


def set_training_mode(net: nn.Module, config: TrainConfig) -> None:
    """Training mode, batch norms excepted where the configuration freezes them."""
    net.train()
    if config.freeze_batch_norm:
        for module in net.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


def choose_precision(config: TrainConfig, net: VSODNet, device: torch.device) -> str:
    """The precision of a run: what is asked for, or for "auto" what a trial step finds faster.

    Raises:
        ValueError: bfloat16 is asked for on a device without units for it.
    """
    if config.precision == "bf16" and not has_bfloat16(device):
        raise ValueError(
            f"This {device.type} has no bfloat16 units, which would make training slower; set "
            "precision to no, or to auto."
        )
    if config.precision != "auto":
        return config.precision
    if not has_bfloat16(device):
        return "no"
    view = fast_view(net, config.freeze_batch_norm)
    set_training_mode(view, config)
    images = torch.rand(config.batch_size, 3, config.height, config.width, device=device)
    plain, half = (seconds_per_step(view, images, bf16) for bf16 in (False, True))
    net.zero_grad()
    found = ["bf16" if half < plain else "no"]
    return broadcast_object_list(found)[0]  # the clocks of several processes may disagree


def _check_moments(optimizer: torch.optim.Optimizer) -> None:
    """Whether an optimiser's loaded state is such as one step makes it."""
    kind = type(optimizer)
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    known = signature(kind).parameters.keys() & optimizer.defaults.keys()
    example = kind([weight], **{name: optimizer.defaults[name] for name in known})
    example.step()
    parameters = {p for group in optimizer.param_groups for p in group["params"]}
    if not optimizer.state.keys() <= parameters or not (optimizer.state or not example.state):
        raise ValueError("the optimiser's state is of other weights")
    for parameter, moments in optimizer.state.items():
        if moments.keys() != example.state[weight].keys():
            raise ValueError(f"the optimiser's state has {', '.join(map(str, moments))}")
        for name, value in moments.items():
            like = example.state[weight][name]
            shape = parameter.shape if like.ndim else like.shape
            if value.shape != shape or value.is_complex() or value.layout != like.layout:
                raise ValueError(f"{name} of the optimiser is {tuple(value.shape)}, not {shape}")


@contextmanager
def saved_on_failure(run: Run) -> Iterator[None]:
    """Save what is trained so far when a frame, the disk or a loading process fails."""
    first = run.clock.step
    try:
        yield
    except (OSError, ValueError):
        finite = all(tensor.isfinite().all() for tensor in run.net.state_dict().values())
        if run.clock.step > first and finite:  # losses are looked at only now and then
            run.save_state()
        raise


def from_workers(loader: Iterable[Any]) -> Generator[Any, None, None]:
    """The batches of a loader, and one sentence for what befell its workers.

    Raises:
        ChildProcessError: a worker was killed.
        ValueError, OSError: what a worker raised, without the traceback that torch puts before it.
    """
    batches = iter(loader)
    # torch would tell of a worker's death at once, in the middle of a step that then is half done.
    # Without its handler, the next batch tells.
    told_by = signal.getsignal(signal.SIGCHLD)
    with suppress(ValueError):  # not in the main thread: nor is torch's
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    try:
        yield from batches
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise ChildProcessError(
            "A process that loads data was killed, most often for want of memory: resume with "
            "fewer --workers."
        ) from error
    except (ValueError, OSError) as error:
        if "DataLoader worker" not in str(error):
            raise
        told = str(error).strip().splitlines()[-1].partition(": ")[2]
        raise type(error)(told) from None
    finally:
        with suppress(ValueError):
            signal.signal(signal.SIGCHLD, told_by)
        # While a traceback keeps `batches` alive its workers, deaf to SIGTERM, would outlive us.
        getattr(batches, "_shutdown_workers", bool)()


def described(dataset: FrameDataset) -> str:
    """What a record says that a run was trained on."""
    return f"{dataset.name}, {len(dataset.videos)} videos, {len(dataset)} frames"


def training_record(
    model_config: ModelConfig,
    config: TrainConfig,
    dataset: FrameDataset,
    device: torch.device,
    initial: str | Path | None,
    precision: str,
) -> dict[str, Any]:
    """What a checkpoint's JSON says of its making, and of the making of what it started from."""
    if initial:
        _, earlier = checkpoint.read(initial)
        kept = ("train", "first_step", "step", "data", "commit", "device", "initial")
        origin = {"weights_sha256": checkpoint.fingerprint(initial)}
        origin |= {key: earlier[key] for key in kept if key in earlier}
    return {
        "model": model_config.to_dict(),
        "input_height": config.schedule[-1][1].height,
        "train": config.to_dict(),
        "data": described(dataset),
        "precision": precision,
        "commit": provenance.commit(),
        "device": provenance.describe_device(device),
        "torch": str(torch.__version__),
        **({"initial": origin} if initial else {}),
    }
