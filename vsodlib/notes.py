"""Notes on what a number depends on, said where it is made."""

from __future__ import annotations

import multiprocessing
import sys

from tqdm.auto import tqdm


def note(sentence: str) -> None:
    """Say a sentence on the error stream, between progress bars, once for all workers."""
    if multiprocessing.parent_process() is None:
        tqdm.write(f"note: {sentence}", file=sys.stderr)
