"""Time the notebooks, each from a fresh kernel to its last cell, and let the pages quote it.

    python tests/notebooks/minutes.py notebooks/*.ipynb

Writes `results/notebook_minutes.json` and the columns of minutes in `notebooks/teaching.md` and in
the README. No notebook is saved. Those not named keep their times, if this is the machine of the
record. Run it on a quiet machine, and refresh 00 after it, which shows the minutes too.
"""

import json
import os
import platform
import re
import sys
from pathlib import Path
from time import perf_counter

import torch
from refresh import execute

from vsodlib.files import write_file
from vsodlib.provenance import commit, describe_device

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "results" / "notebook_minutes.json"
PAGES = (ROOT / "notebooks" / "teaching.md", ROOT / "README.md")
# A row of a table: a link to a notebook first, minutes last.
ROW = re.compile(r"^(\| \[[^]]*\]\((?:notebooks/)?(\d\d_\w+)\.ipynb\) .*\| )([\d.]+|-)( \|)$", re.M)


def in_minutes(seconds: float) -> str:
    """Minutes with one decimal; never less than 0.1."""
    return f"{max(seconds / 60, 0.1):.1f}"


def quote(page: str, seconds: dict[str, float]) -> str:
    """The page with the minutes of the record in the rows of its table."""

    def row(found: re.Match) -> str:
        before, name, old, after = found.groups()
        return before + (in_minutes(seconds[name]) if name in seconds else old) + after

    return ROW.sub(row, page)


def machine() -> dict[str, str | int]:
    """What times depend on; a record holds those of one machine."""
    return {
        "device": f"{describe_device(torch.device('cpu'))}, {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__,
    }


def measure(paths: list[Path], record_path: Path = RECORD) -> dict[str, float]:
    """Run the notebooks and record each as soon as it is done; returns the seconds of all."""
    here, seconds = machine(), {}
    if record_path.exists():
        before = json.loads(record_path.read_text())
        if here.items() <= before.items():
            seconds = before["seconds"]
    for path in paths:
        start = perf_counter()
        execute(path)
        seconds[path.stem] = round(perf_counter() - start, 1)
        record = {
            "what": "seconds from starting the kernel to the end of the last cell, no data set",
            "profile": "laptop",
            **here,
            "commit": commit(),
            "seconds": dict(sorted(seconds.items())),
        }
        write_file(record_path, (json.dumps(record, indent=2) + "\n").encode())
        print(f"{path.stem}: {seconds[path.stem]} s", flush=True)
    return seconds


if __name__ == "__main__":
    times = measure(sorted(map(Path, sys.argv[1:])))
    for page in PAGES:
        page.write_text(quote(page.read_text(), times))
