"""The layout: every folder imports what lies below it, never a neighbour; the tests mirror the
folders, and ask of a module what it offers to everyone.
"""

import ast
import re
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
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py"))
PRIVATE = re.compile(r"_[^_].*[^_]|_[^_]")  # not `__file__`, not Jupyter's `_repr_png_`
OWN = {"vsodlib", "benchmarks", "tests"}
FOR_ALL = {"_replace", "_asdict", "_fields"}  # public names of named tuples


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_has_its_test(path):
    inside = path.relative_to(ROOT / "vsodlib")
    if path.name not in ("__init__.py", "notes.py"):  # a single call of tqdm
        assert (ROOT / "tests" / inside.with_name(f"test_{path.name}")).is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_hold(path):
    """A folder names its modules; a module begins with a noun; no function fills two pages."""
    tree = ast.parse(path.read_text())
    said = ast.get_docstring(tree)
    assert not re.match("What|Where|How|Things", said)
    if path.name == "__init__.py" and path.parent.name != "vsodlib":
        assert [p.stem for p in path.parent.glob("[!_]*.py") if p.stem not in said] == []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert [f.name for f in functions if f.end_lineno - f.lineno >= 90] == []


def private_names(text):
    """Private names of modules and objects that a test imports, reads or replaces."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            named = [part for alias in node.names for part in alias.name.split(".")]
        elif isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            named = [] if own else [node.attr]
        elif isinstance(node, ast.Call) and re.search("attr$|patch$", ast.unparse(node.func)):
            words = [a.value for a in node.args[:2] if isinstance(a, ast.Constant)]
            paths = [word.split(".") for word in words if isinstance(word, str)]
            named = [part for path in paths if not path[1:] or path[0] in OWN for part in path]
        else:
            continue
        yield from (name for name in named if PRIVATE.fullmatch(name) and name not in FOR_ALL)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_ask_for_public_names(path):
    assert list(private_names(path.read_text())) == []


def test_private_names_are_seen():
    text = """
from vsodlib.x import _a
import vsodlib._b
vsodlib.x._c(x.__doc__, row._replace(a=1), figure._repr_png_())
monkeypatch.setattr("vsodlib.x._d", 1)
monkeypatch.setattr(module, "_e", 1)
patch("vsodlib.x._f"), getattr(module, "_g"), patch("skimage.data._h")
"""
    assert sorted(private_names(text)) == ["_a", "_b", "_c", "_d", "_e", "_f", "_g"]
