"""Notes on what a number depends on, said where it is made."""

from __future__ import annotations

import multiprocessing
import re
import sys

from tqdm.auto import tqdm


def one_line(text: object) -> str:
    """A sentence as one line; what names of strangers' files may hold to steer a terminal is shown,
    not sent.
    """
    line = re.sub(r"\s*\n\s*", " ", str(text).strip())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def note(sentence: str) -> None:
    """Say a sentence on the error stream, between progress bars, once for all workers."""
    if multiprocessing.parent_process() is None:
        tqdm.write(f"note: {one_line(sentence)}", file=sys.stderr)
