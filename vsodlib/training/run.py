"""A training run: network, optimiser and average on a device, kept in a folder."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import broadcast_object_list, parse_flag_from_env
from torch import nn

from vsodlib import provenance
from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.data import FrameDataset
from vsodlib.inference.evaluate import mean_iou
from vsodlib.model import checkpoint
from vsodlib.model.vsodnet import VSODNet
from vsodlib.notes import note
from vsodlib.training.log import Log
from vsodlib.training.optimizer import Clock, WeightAverage, build_optimizer
from vsodlib.training.speed import fast_view, has_bfloat16, seconds_per_step
from vsodlib.training.state import STATE, load_state, load_tensors, save_state

FACTS = ("held_out", "foreground", "void", "random_weights")
"""What a record says of the data and the start of a run besides their names."""


def described(dataset: FrameDataset) -> str:
    """What a record says that a run was trained on."""
    return f"{dataset.name}, {len(dataset.videos)} videos, {len(dataset)} frames"


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
        before = state["record"].get("precision") if state else None
        precision = choose_precision(config, net, place, before)
        self.accelerator = Accelerator(mixed_precision=precision)
        if self.accelerator.num_processes > 1 and place.type == "cuda":
            net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
        self.net, self.validation, self.best = net, validation, -1.0
        optimizer = build_optimizer(net, config)
        self.average = WeightAverage(net, config.ema_decay) if config.ema_decay else None
        self.record = facts | {
            "model": model_config.to_dict(),
            "input_height": config.schedule[-1][1].height,
            "train": config.to_dict(),
            "data": described(dataset),
            "precision": precision,
            **provenance.made_with(place),
        }
        if initial:
            self.record["initial"] = checkpoint.origin(initial)
            for name, count in facts.get("held_out", {}).items():
                if checkpoint.may_know(self.record["initial"], name, count):
                    note(f"{initial} may have seen what is held out of {name}.")
        if net.own_modules:
            self.record["own_modules"] = net.own_modules
        if first_step:
            self.record["first_step"] = first_step
        self.clock = Clock(config, first_step, last=last_step)
        if state is not None:
            self._restore(state, optimizer)
        view = fast_view(net, config.freeze_batch_norm)
        self.model, self.optimizer = self.accelerator.prepare(view, optimizer)
        self.out.mkdir(parents=True, exist_ok=True)

    def _restore(self, state: dict[str, Any], optimizer: torch.optim.Optimizer) -> None:
        """Put the run where a state left it; a ValueError of a state of other modules or data."""
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
        first = before.get("first_step", 0)
        if self.record.get("first_step", first) != first:
            raise ValueError(
                f"{self.out} holds a run from step {first} on, not from step "
                f"{self.record['first_step']}; resume it without first_step."
            )
        start = ("initial", "first_step")
        self.record = {key: value for key, value in self.record.items() if key not in start}
        self.record |= {key: before[key] for key in start if key in before}
        self.best = state["best"]
        load_tensors(self.out, state, self.net, self.average, optimizer)
        self.clock = Clock(self.config, state["step"], state["elapsed"], self.clock.last)

    @property
    def chosen(self) -> VSODNet:
        """The network that is validated and written: the average where there is one."""
        return self.average.net if self.average else self.net

    @property
    def finite(self) -> bool:
        """Whether the weights are numbers still; the losses tell only at a later step."""
        return all(bool(tensor.isfinite().all()) for tensor in self.net.state_dict().values())

    def save(self, log: Log) -> None:
        """Validate, and write checkpoints and the state to resume from; a ValueError of weights
        that are not finite, before anything is replaced.
        """
        if not self.finite:
            raise ValueError(
                f"The weights stopped being finite by step {self.clock.step}; start anew with a "
                "lower learning rate."
            )
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


@contextmanager
def saved_on_failure(run: Run) -> Iterator[None]:
    """Save what is trained so far when a frame, the disk or a loading process fails."""
    first = run.clock.step
    try:
        yield
    except (OSError, ValueError):
        if run.clock.step > first and run.finite:
            run.save_state()
        raise


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


def choose_precision(
    config: TrainConfig, net: VSODNet, device: torch.device, before: str | None = None
) -> str:
    """The precision of a run: what is asked for, or for "auto" that of the run `before` which it
    goes on with, or else what a trial step finds faster.

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
    if before:
        return before
    view = fast_view(copy.deepcopy(net), config.freeze_batch_norm)  # whose statistics it spoils
    images = torch.rand(config.batch_size, 3, config.height, config.width, device=device)
    plain, half = (seconds_per_step(view, images, bf16) for bf16 in (False, True))
    found = ["bf16" if half < plain else "no"]
    return broadcast_object_list(found)[0]  # the clocks of several processes may disagree
