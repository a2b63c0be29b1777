"""Notes on what a number depends on, said where it is made."""

import multiprocessing
import re
import sys

from tqdm.auto import tqdm


def one_line(text: object) -> str:
    """A sentence as one line; what could steer a terminal, as in strangers' names, is spelt out."""
    line = re.sub(r"\s*\n\s*", " ", str(text).strip())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def note(sentence: str) -> None:
    """Say a sentence on the error stream, between progress bars, once for all workers."""
    if multiprocessing.parent_process() is None:
        tqdm.write(f"note: {one_line(sentence)}", file=sys.stderr)
