"""The import rule of the layout: every folder imports what lies below it, never a neighbour."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEVELS = [
    {"config", "files", "notes", "provenance"},
    {"model", "losses", "metrics", "data", "viz"},
    {"inference", "analysis"},
    {"training"},
    {"cli"},
]
LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
FACE = {"profile", "ModelConfig", "TrainConfig"}  # names of `vsodlib` itself that cost no torch
FILES = sorted(path for path in (ROOT / "vsodlib").rglob("*.py"))


def room_of(path):
    """The folder of a module, or its name where it lies at the top."""
    return path.relative_to(ROOT / "vsodlib").parts[0].removesuffix(".py")


def for_types_only(tree):
    """Nodes under `if TYPE_CHECKING:`, which never run."""
    blocks = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)
    ]
    return {id(node) for block in blocks for child in block.body for node in ast.walk(child)}


def imported(text):
    """The rooms of vsodlib that a module imports, at the top or inside functions."""
    tree = ast.parse(text)
    skipped = for_types_only(tree)
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            parts = node.module.split(".")
            if parts[0] in ("benchmarks", "tests"):
                yield parts[0]
            elif parts == ["vsodlib"]:
                yield from (alias.name for alias in node.names if alias.name not in FACE)
            elif parts[0] == "vsodlib":
                yield parts[1]
        elif isinstance(node, ast.Import):
            dotted = (alias.name.split(".") for alias in node.names)
            yield from (parts[1] for parts in dotted if parts[0] == "vsodlib" and len(parts) > 1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_flow_down(path):
    own = room_of(path)
    if own == "__init__":
        return
    assert own in LEVEL_OF, f"{path} has no place in the layout"
    for room in imported(path.read_text()):
        assert room in LEVEL_OF, f"{own} must not import {room}"
        assert room == own or LEVEL_OF[room] < LEVEL_OF[own], f"{own} must not import {room}"


def test_the_rule_sees_what_is_hidden():
    text = "def f():\n    from vsodlib import training\n    import vsodlib.cli.main\n"
    assert list(imported(text)) == ["training", "cli"]
    text = "if TYPE_CHECKING:\n    from vsodlib.analysis.cost import Cost\n"
    assert list(imported(text)) == []
