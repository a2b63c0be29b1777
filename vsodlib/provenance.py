"""Records of origin: what comes with vsodlib, its commit, the device that a number was made on."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_PACKAGE = Path(__file__).resolve().parent
REPOSITORY = next(p for p in (_PACKAGE / "bundled", _PACKAGE.parent) if p.is_dir())
"""The repository, or what an installed wheel carries of it: `checkpoints/` and `results/`."""


def bundled(name: str) -> Path:
    """A file or folder that comes with vsodlib, wherever Python was started.

        >>> from vsodlib import bundled
        >>> bundled("results/published/table1.csv").is_file()
        True

    Args:
        name: its path in the repository; an installed wheel has `checkpoints/` and `results/`.

    Raises:
        FileNotFoundError: it is not there; the message says where it was looked for.
    """
    path = REPOSITORY / name
    if not path.exists():
        raise FileNotFoundError(
            f"{name} does not come with this vsodlib, looked for in {REPOSITORY}; a clone of the "
            "repository has everything, an installed wheel only checkpoints/ and results/."
        )
    return path


def commit() -> str | None:
    """The repository's commit, with `+` behind it when tracked files differ; None outside git."""
    if not (REPOSITORY / ".git").exists():  # or a wheel in somebody's project would give its commit
        return None
    try:
        words = ["git", "-C", str(REPOSITORY), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def find_device(name: str) -> torch.device:
    """The torch device of this name, tried out; a ValueError where there is none here."""
    import torch  # here and below: `vsodlib.bundled` is free of it

    try:
        torch.zeros(1, device=name).cpu()
    except (RuntimeError, AssertionError) as error:  # torch asserts where a device is not built in
        raise ValueError(f"Nothing can run on the device {name!r} ({error}).") from error
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """A device in words for a record: the GPU's name, or the CPU with its thread count."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"


def made_with(device: torch.device) -> dict[str, Any]:
    """What records say of the making of a number: `commit`, `device` in words, release of torch."""
    import torch

    version = str(torch.__version__)
    return {"commit": commit(), "device": describe_device(device), "torch": version}
