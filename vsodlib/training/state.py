"""The state to resume from: `state.pt`, written whole, and read as what anyone may have made.

The state before it stays as `state.previous.pt`.
"""

import json
import os
import shutil
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import torch
from torch import nn

from vsodlib.config import ModelConfig, TrainConfig, check_form
from vsodlib.files import aside
from vsodlib.model.vsodnet import VSODNet
from vsodlib.notes import note
from vsodlib.training.optimizer import WeightAverage

STATE = "state.pt"


class Record(TypedDict):
    """What a run's record says that resuming compares or keeps."""

    data: str
    precision: NotRequired[Literal["no", "fp16", "bf16"]]
    initial: NotRequired[dict]
    first_step: NotRequired[int]


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
    both = (out / STATE, (out / STATE).with_suffix(".previous.pt"))
    paths = [path for path in both if path.exists()]
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
            if not 0 <= state["record"].get("first_step", 0) < state["step"]:
                raise ValueError("it began behind the step that it has reached, or before step 0")
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


def load_tensors(
    out: Path,
    state: dict[str, Any],
    net: VSODNet,
    average: WeightAverage | None,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Put the tensors of the state of the run in `out` where they belong.

    Raises:
        ValueError: they do not fit, or are not such as training makes them.
    """
    fresh = optimizer.state_dict()
    try:
        tensors = [*state["net"].values(), *(state["average"] or {}).values()]
        if any(tensor.is_complex() or not tensor.isfinite().all() for tensor in tensors):
            raise ValueError("weights are real and finite")
        net.load_state_dict(state["net"])
        if average:
            average.net.load_state_dict(state["average"])
            average.updates = state["updates"]
        # The groups' settings follow from the configuration alone.
        optimizer.load_state_dict(fresh | {"state": state["optimizer"]["state"]})
        _check_moments(optimizer)
    except Exception as error:  # torch raises many kinds for tensors and keys out of place
        told = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"{out / STATE} does not fit the network it was saved for ({told})."
        ) from error


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
