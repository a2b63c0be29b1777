"""`vsod …`: a thin face over the library; the other modules of this folder hold its commands.

Every command has `--help`. A mistake in the input ends with one sentence and exit code 2, a film
that breaks off with 3, Ctrl-C with 130; `VSOD_DEBUG=1` shows the traceback behind the sentence.
"""

import atexit
import gc
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import is_dataclass
from difflib import get_close_matches
from io import StringIO, TextIOWrapper
from typing import Any, NoReturn, get_type_hints

import tyro
from tyro import _errors  # private, but it tells what was refused: pyproject.toml pins the release

from vsodlib.cli import checkpoints, data, network, scores, training
from vsodlib.cli.options import REGISTRY, Command
from vsodlib.notes import one_line
from vsodlib.training.allocator import keep_freed_memory

COMMANDS: dict[str, type[Command]] = {
    "data list": data.List,
    "data fetch": data.Fetch,
    "data check": data.Check,
    "data pack": data.Pack,
    "data make-synthetic": data.MakeSynthetic,
    "train": training.Train,
    "predict": network.Predict,
    "evaluate": scores.Evaluate,
    "score": scores.Score,
    "compare": scores.Compare,
    "average": checkpoints.Average,
    "publish": checkpoints.Publish,
    "export": checkpoints.Export,
    "embed": network.Embed,
    "ablate": training.Ablate,
}


def parse(words: Sequence[str]) -> Command:
    """The command that the words of a command line ask for.

    Raises:
        ValueError: they make no sense, in one sentence.
        SystemExit: they ask for help, which is printed.
    """
    name = next((n for n in (" ".join(words[:2]), *words[:1]) if n in COMMANDS), "")
    if not name:
        raise ValueError(_no_command(words))
    command = COMMANDS[name]
    known = options(command)
    words = words[len(name.split()) :]
    if any(re.fullmatch("(--[^=]*=)?", word) for word in words):
        raise ValueError(f"{name} was given an empty word, as of a variable that is not set.")

    def refuse(event: _errors.ParseErrorEvent) -> None:
        raise ValueError(f"{name} {_sentence(event, known)} (see `vsod {name} --help`).")

    with _errors.on_parse_error(refuse), REGISTRY:
        return tyro.cli(
            command,
            prog=f"vsod {name}",
            args=words,
            default=command.start(words),
            config=(tyro.conf.DisallowNone, tyro.conf.PositionalMetavarFromFieldName),
        )


def options(command: Any) -> list[str]:
    """The options of a command, `--batch-size` and the like."""
    found: list[str] = []
    for name, kind in get_type_hints(command).items():
        if is_dataclass(kind):
            found += options(kind)
        elif not name.startswith("_"):
            found.append(f"--{name.replace('_', '-')}")
    return found


def _no_command(words: Sequence[str]) -> str:
    """What to say of words that name no command; help, where they ask for it."""
    group = words[:1] if any(name.split()[:-1] == list(words[:1]) for name in COMMANDS) else []
    names = [name for name in COMMANDS if name.split()[: len(group)] == list(group)]
    asked = words[len(group) : len(group) + 1]
    if asked and asked[0] in ("-h", "--help"):
        print(
            f"usage: {' '.join(['vsod', *group])} COMMAND [OPTIONS]\n\nCommands, each with --help:"
        )
        for name in names:
            print(f"  {name:20} {(COMMANDS[name].__doc__ or '').splitlines()[0]}")
        sys.exit(0)
    given = " ".join([*group, *asked])
    if asked and (close := get_close_matches(given, names, 1)):
        return f"there is no command {given!r}; did you mean {close[0]}?"
    begun = f"there is no command {given!r}" if asked else f"{given or 'vsod'} needs a command"
    return f"{begun}; there are {', '.join(names)} (see `vsod --help`)."


def _sentence(event: _errors.ParseErrorEvent, known: Iterable[str]) -> str:
    """Why tyro refused the words, to follow the name of the command."""
    match event:
        case (
            _errors.UnrecognizedArgs(tokens=[word, *_])
            | _errors.MissingArgs(unrecognized_tokens=[word, *_])
        ):
            close = get_close_matches(word.partition("=")[0], known, 1)
            return f"does not know {word!r}" + "".join(f"; did you mean {name}?" for name in close)
        case _errors.MissingArgs(missing_arguments=missing):
            return f"needs {' and '.join(_name(each.arg) for each in missing)}"
        case _errors.MissingMutexGroup(groups=[group, *_]):
            return f"needs {' or '.join(_name(each.arg) for each in group)}"
        case _errors.MutexConflict(first=first, second=second):
            return f"takes {_name(first)} or {_name(second)}, not both"
        case _errors.InvalidChoice(argument=argument, value=value, choices=choices):
            allowed = ", ".join(sorted(set(choices) - {"None"}))
            return f"{_name(argument)}: give one of {allowed}, not {value!r}"
        case _errors.BadValue(argument=argument):
            return f"{_name(argument)}: give a value"
        case _errors.InstantiationFailure(argument=argument, message=message) if argument:
            return f"{_name(argument)}: {message}"
    return "does not understand its options"


def _name(argument: Any) -> str:
    """An option or a positional argument as help shows it."""
    return argument.lowered.metavar if argument.is_positional() else argument.display_name()


def console() -> NoReturn:
    """`vsod` as a program of its own, which starts and ends without looking for garbage.

    torch and what it imports are 400,000 objects: looking through them again and again while they
    are made takes half a second, and to free them one by one at the end takes another.
    """
    while os.open(os.devnull, os.O_RDWR) < 3:
        pass  # no file takes the place of a closed stream: C libraries write to it by its number
    gc.set_threshold(10_000)
    code = main()
    atexit._run_exitfuncs()  # all that an ordinary end does before it frees memory
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError):  # nobody may read it any more
            stream.flush()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `vsod` and return its exit code: 0, 1 (nobody reads on), 2 (bad input), 130 (Ctrl-C)."""
    # None where they were closed: `vsod ... 2>&-`
    sys.stdout, sys.stderr = sys.stdout or StringIO(), sys.stderr or StringIO()
    if isinstance(sys.stdout, TextIOWrapper):  # names of files may be bytes of no encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            command = parse(sys.argv[1:] if argv is None else argv)
            keep_freed_memory()
            command.run()
        finally:  # also where it raises SystemExit, as for help
            print(end="", flush=True)
    except BrokenPipeError:  # of `vsod ... | head`, which has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains as it ends
        return 1
    except Exception as error:
        # torch, numpy and OpenCV each raise an exception of their own where memory is short.
        told = re.search("out of ?memory|allocate", str(error), re.IGNORECASE)
        short = told or isinstance(error, MemoryError)
        # Before Python 3.13 pathlib calls a link to itself a RuntimeError.
        known = isinstance(error, ValueError | OSError) or str(error).startswith("Symlink loop")
        if os.environ.get("VSOD_DEBUG") or not (known or short):
            raise
        if isinstance(error, OSError) and error.filename and error.strerror:
            error = OSError(f"{error.filename}: {error.strerror}.")  # without its number
        hint = "" if known else " Memory is short: use smaller batches or frames."
        said, code = f"vsod: {one_line(error)}{hint}", 2
    except KeyboardInterrupt as stop:
        said, code = f"\nvsod: {str(stop) or 'Stopped.'}", 130
    else:
        return 0
    with suppress(OSError):  # nobody hears it
        print(said, file=sys.stderr)
    return code


if __name__ == "__main__":
    console()
