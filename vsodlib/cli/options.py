"""Parts of commands: their common class, words read as numbers, and shared options. A command is a
dataclass whose fields are its options, the docstrings below them their help; a field without a
default must be given.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, get_args

import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

Flag: TypeAlias = tyro.conf.FlagCreatePairsOff[bool]
"""A switch that is off until it is named; a plain bool gets `--no-...` as well."""
Spec: TypeAlias = PrimitiveConstructorSpec[Any]
"""How words become a value, and a value is shown."""


def _spec(nargs: Any, metavar: str, read: Callable[[list[str]], Any]) -> Spec:
    def shown(value: Any) -> list[str]:
        values = value if isinstance(value, tuple) else [value]
        return [f"{one:.4g}" if isinstance(one, float) else str(one) for one in values]

    return PrimitiveConstructorSpec(nargs, metavar, read, lambda value: True, shown)


def _words(kind: type, least: int = 0, most: int | None = None, several: bool = False) -> Spec:
    """How words become values: finite numbers from `least` on; of `several`, one or more."""

    def read(words: list[str]) -> Any:
        if not words:
            raise ValueError("give one or more")
        values = tuple(word if kind is str else _number(word, kind, least, most) for word in words)
        return values if several else values[0]

    return _spec("*" if several else 1, kind.__name__.upper() + " ..." * several, read)


def one_of(*choices: str) -> Spec:
    """How an option is read that takes one of some words, the first where it stands alone."""

    def read(words: list[str]) -> str:
        word = words[0] if words else choices[0]
        if word not in choices:
            raise ValueError(f"give one of {', '.join(choices)}, not {word!r}")
        return word

    return _spec((0, 1), "[{" + ",".join(choices) + "}]", read)


def _number(word: str, kind: type, least: int, most: int | None) -> Any:
    try:
        value = kind(word)
    except ValueError:
        value = math.nan
    limit = 2**63 if kind is int else math.inf  # a record's whole numbers have 64 bits
    if not least <= value < limit or (most is not None and value > most):
        what = "a whole number" if kind is int else "a number"
        end = "on" if most is None else f"to {most}"
        raise ValueError(f"give {what} from {least} {end}, not {word!r}")
    return value


Count: TypeAlias = Annotated[int, _words(int, least=1)]
MaybeCount: TypeAlias = Annotated[int | None, _words(int, least=1)]
Processes: TypeAlias = Annotated[int, _words(int, most=256)]  # 5000 would take hours to start
Level: TypeAlias = Annotated[int | None, _words(int, most=255)]
REGISTRY = ConstructorRegistry()


@REGISTRY.primitive_rule
def _rule(info: PrimitiveTypeInfo) -> Spec | None:
    """Other numbers are from 0 on; tyro itself takes any, and no word where several may stand."""
    for kind in (int, float):
        if info.type in (kind, kind | None):
            return _words(kind)
    return _words(get_args(info.type)[0], several=True) if info.type_origin is tuple else None


@contextmanager
def gathered(faults: list[str]) -> Iterator[None]:
    """Put what is refused among the faults, to be told with others."""
    try:
        yield
    except (ValueError, OSError) as error:
        faults.append(str(error))


def many(name: str) -> object:
    """How help shows a positional argument of several words."""
    return tyro.conf.arg(metavar=f"{name} ...", help_behavior_hint="(required)")


class Command(ABC):
    """A command of `vsod`: the docstring is its help, the fields are its options."""

    @classmethod
    def start(cls, words: Sequence[str]) -> Any:
        """An instance whose values the options change; none: those of the class."""
        return tyro.MISSING_NONPROP

    @abstractmethod
    def run(self) -> None:
        """Do what was asked."""


@dataclass(kw_only=True)
class DataRoot:
    data: str | None = None
    """Folder or zip that holds the data sets; None: $VSOD_DATA, else data/."""


@dataclass(kw_only=True)
class MaskLevels:
    foreground: Level = None
    """Level of a mask above which the object lies, 0 to 255; None: found from the masks."""
    void: Level = None
    """Level of a mask whose pixels do not count, 0 to 255; None: found from the masks."""


@dataclass(kw_only=True)
class Network:
    checkpoint: str
    """A name in checkpoints/, or a file."""
    height: MaybeCount = None
    """Rows the network sees; None: as trained."""
    batch_size: Count = 8
    """Frames that go through the network at once."""
    device: str | None = None
    """cpu, cuda, cuda:1 ...; None: a GPU where there is one."""
