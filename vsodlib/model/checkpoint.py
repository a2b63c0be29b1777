"""Checkpoints to share: NAME.safetensors holds the weights, NAME.json says what they are.

The JSON holds the model's configuration, the normalisation of its input, and whatever record the
maker adds (training configuration, data, scores, commit, device). Nothing is unpickled.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from vsodlib import provenance
from vsodlib.config import IMAGENET_MEAN, IMAGENET_STD, LARGEST_SIDE, ModelConfig, check_form
from vsodlib.files import aside, check_size, read_json

FORMAT = "vsodlib-1"
LARGEST_WEIGHTS = 1 << 31
"""Bytes of a checkpoint; the paper's network has 0.12 GB."""
NORMALISATION = {"mean": list(IMAGENET_MEAN), "std": list(IMAGENET_STD)}


class Schedule(TypedDict):
    """Of a run's `TrainConfig`, which may be of another version, what others read."""

    height: int
    width: int
    steps: int
    batch_size: int
    contrastive_weight: NotRequired[float]  # the first runs lack it and phases
    phases: NotRequired[list[str]]


class Stage(TypedDict, total=False):
    """What a record says of the run that made the weights, and in `initial` of that before it."""

    train: Schedule
    data: str
    commit: str | None
    device: str | None
    first_step: int
    step: int
    initial: "Stage"
    held_out: dict[str, int]
    own_modules: dict[str, str]
    input_height: int | None


def available() -> list[str]:
    """Names of the checkpoints that come with vsodlib."""
    folder = provenance.REPOSITORY / "checkpoints"
    return sorted(path.stem for path in folder.glob("*.safetensors"))


def locate(name_or_path: str | Path) -> Path:
    """The .safetensors file of a name in `checkpoints/` or of a path.

    Raises:
        FileNotFoundError: there is none; the message lists the names there are.
        ValueError: it has more than `LARGEST_WEIGHTS` bytes.
    """
    given = Path(name_or_path)
    for path in (given, Path(f"{given}.safetensors")):
        if path.is_file() and path.suffix == ".safetensors":
            check_size(path, path.stat().st_size, LARGEST_WEIGHTS)
            return path
    if len(given.parts) == 1 and given.name in available():
        return provenance.bundled(f"checkpoints/{given.name}.safetensors")
    raise FileNotFoundError(
        f"There is no checkpoint {str(name_or_path)!r}: give a .safetensors file or a name in "
        f"{provenance.REPOSITORY / 'checkpoints'} ({', '.join(available()) or 'none yet'})."
    )


def fingerprint(name_or_path: str | Path) -> str:
    """SHA-256 of a checkpoint's weights, so that a score says exactly what was scored."""
    return hashlib.sha256(locate(name_or_path).read_bytes()).hexdigest()


def read(name_or_path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights and record of a checkpoint.

    Returns:
        tensors: name -> tensor on the CPU, floating ones as float32.
        record: the JSON next to it; `record["model"]` holds the model's configuration.

    Raises:
        FileNotFoundError: no such checkpoint, or its JSON is missing.
        ValueError: a file is corrupt or was not written by vsodlib, or a weight is not finite;
            names it.
    """
    path = locate(name_or_path)
    record_path = path.with_suffix(".json")
    if not record_path.is_file():
        raise FileNotFoundError(f"{record_path} is missing; it belongs next to {path.name}.")
    record = read_json(record_path)
    if record.get("format") != FORMAT or "model" not in record:
        raise ValueError(f"{record_path} does not describe a vsodlib checkpoint ({FORMAT}).")
    try:
        ModelConfig.from_dict(record["model"])
        check_form(record, Stage, "its")
        if other := record.get("own_modules", {}).keys() - {"self_attention", "co_attention"}:
            raise ValueError(f"own_modules cannot be {', '.join(sorted(other))}.")
        height = record.get("input_height")
        if height is not None and not 1 <= height <= LARGEST_SIDE:
            raise ValueError(f"input_height must be 1 to {LARGEST_SIDE}.")
        if record.get("normalisation", NORMALISATION) != NORMALISATION:
            raise ValueError("its normalisation is not ImageNet's.")
        tensors = load_file(path)
    except ValueError as error:
        raise ValueError(f"{record_path} describes no network: {error}") from error
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is not a readable safetensors file ({error}).") from error
    if strange := [name for name, tensor in tensors.items() if tensor.is_complex()]:
        raise ValueError(f"{path} holds complex numbers in {strange[0]}; weights are real.")
    try:
        tensors = {k: t.float() if t.is_floating_point() else t for k, t in tensors.items()}
    except NotImplementedError as error:
        raise ValueError(f"{path} holds numbers that torch cannot convert ({error}).") from error
    if endless := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(f"{path} holds numbers that are not finite in {endless[0]}.")
    return tensors, record


def origin(name_or_path: str | Path) -> dict[str, Any]:
    """What the record of a run that starts from a checkpoint says of it, a `Stage`."""
    _, record = read(name_or_path)
    kept = ("train", "first_step", "step", "data", "held_out", "commit", "device", "initial")
    found = {"weights_sha256": fingerprint(name_or_path)}
    return found | {key: record[key] for key in kept if key in record}


def may_know(before: Mapping[str, Any] | None, dataset: str, held_out: int) -> bool:
    """Whether a run, or one that it went on from, may have seen what `spread_out(held_out)` of a
    data set holds out: it trained on the set and held out another number of its videos.
    """
    if not before:
        return False
    trained_on = before.get("data", "").partition(",")[0].split("+")
    seen = dataset in trained_on and before.get("held_out", {}).get(dataset) != held_out
    return seen or may_know(before.get("initial"), dataset, held_out)


def write(path: str | Path, tensors: dict[str, Tensor], record: dict[str, Any]) -> Path:
    """Write PATH.safetensors and PATH.json, each whole or not at all.

    Matrices and filters are stored as float16 unless they are too large for it, vectors (biases,
    batch-norm statistics) as they are.

    Args:
        path: with or without the ending `.safetensors`.
        tensors: name -> tensor.
        record: JSON-ready; needs `"model"`, the configuration of the network.

    Returns:
        The path of the .safetensors file.

    Raises:
        OSError: no space, no permission.
    """
    path = Path(path).with_suffix("") if Path(path).suffix == ".safetensors" else Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = {name: _short(tensor).contiguous().cpu() for name, tensor in tensors.items()}
    weights, described = Path(f"{path}.safetensors"), Path(f"{path}.json")
    record = {"format": FORMAT, "normalisation": NORMALISATION} | record
    try:
        with aside(described) as part:
            part.write_text(json.dumps(record, indent=2) + "\n")
            with aside(weights) as heavy:
                save_file(stored, heavy)
                heavy.chmod(0o644)  # safetensors lets only the owner read
    except SafetensorError as error:
        raise OSError(f"{weights} cannot be written ({error}).") from error
    return weights


def _short(tensor: Tensor) -> Tensor:
    """Matrices and filters in half precision, where that holds them."""
    if tensor.ndim < 2 or not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    return half if half.isfinite().all() else tensor


def average(names_or_paths: Sequence[str | Path]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The mean of networks that descend from one another, as at the ends of several learning-rate
    cycles (Izmailov et al., UAI 2018): flatter, and often better than each of them.

    Batch-norm statistics are averaged too, which is exact only where they were frozen.

    Returns:
        The mean weights, and the record of the last with `average_of`, the SHA-256 of all, but
        without its scores.

    Raises:
        FileNotFoundError, ValueError: as `read`, or networks of several configurations.
    """
    networks = [read(name) for name in names_or_paths]
    tensors, record = networks[-1]
    for name, (weights, other) in zip(names_or_paths, networks, strict=True):
        if other["model"] != record["model"] or _shapes(weights) != _shapes(tensors):
            raise ValueError(f"{name} is another network than {names_or_paths[-1]}: no average.")
    means = {
        key: torch.stack([weights[key] for weights, _ in networks]).mean(dim=0)
        if tensor.is_floating_point()
        else tensor
        for key, tensor in tensors.items()
    }
    record = {k: v for k, v in record.items() if k not in ("scores", "validation_iou")}
    if "held_out" in record:  # what one of them has seen the mean has seen
        held = [other.get("held_out", {}).items() for _, other in networks]
        record["held_out"] = dict(set(held[0]).intersection(*held))
    return means, record | {"average_of": [fingerprint(name) for name in names_or_paths]}


def _shapes(tensors: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}
