"""Notes on what a number depends on, said where it is made."""

from __future__ import annotations

import multiprocessing
import sys

from tqdm.auto import tqdm


def one_line(text: object) -> str:
    """A sentence as one line; what names of strangers' files may hold to steer a terminal is shown,
    not sent.
    """
    words = " ".join(str(text).split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)


def note(sentence: str) -> None:
    """Say a sentence on the error stream, between progress bars, once for all workers."""
    if multiprocessing.parent_process() is None:
        tqdm.write(f"note: {one_line(sentence)}", file=sys.stderr)
