"""Files that are whole or not there; unwritable places met before the work, not after it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write aside and rename; a full disk is reported with the file's name."""
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_bytes(data)
        os.replace(aside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        aside.unlink(missing_ok=True)


def check_writable(*paths: str | Path | None) -> None:
    """Meet an unwritable place before the work, not after it.

    Raises:
        OSError: a file cannot be written there.
    """
    for path in (p for p in paths if p):
        folder = Path(path).parent
        with suppress(FileExistsError, NotADirectoryError):  # then it is no folder: see below
            folder.mkdir(parents=True, exist_ok=True)
        if Path(path).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise PermissionError(f"{path} cannot be written; name a file in another folder.")
