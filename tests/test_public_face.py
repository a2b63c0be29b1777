"""The names at the top of vsodlib: exactly these, lazily loaded, each with a true example."""

import ast
import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import vsodlib

ROOT = Path(__file__).resolve().parent.parent


def test_dir_shows_the_public_names_and_nothing_else():
    assert dir(vsodlib) == sorted(vsodlib.__all__)
    assert 10 <= len(dir(vsodlib)) <= 17
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        vsodlib.nothing  # noqa: B018


def test_type_checkers_see_the_same_names():
    """What stands under `if TYPE_CHECKING` is what `__getattr__` loads."""
    tree = ast.parse((ROOT / "vsodlib" / "__init__.py").read_text())
    own = {"ModelConfig", "TrainConfig", "bundled", "profile"}  # loaded at once: no torch
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {a.name: node.module.removeprefix("vsodlib.") for node in block.body for a in node.names}
    assert sorted(seen) == sorted(name for name in dir(vsodlib) if name not in own)
    assert seen == {name: home(name) for name in seen}
    assert (ROOT / "vsodlib" / "py.typed").is_file()


def test_torch_loads_only_when_needed():
    code = """
import sys
import vsodlib
dir(vsodlib), vsodlib.ModelConfig.lite(), vsodlib.profile(), vsodlib.bundled("checkpoints")
assert not {"torch", "numpy", "cv2", "timm"} & set(sys.modules)
vsodlib.Output
assert "torch" in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def home(name):
    return getattr(vsodlib, name).__module__.removeprefix("vsodlib.")


@pytest.mark.parametrize("name", vsodlib.__all__)
def test_the_example_of_every_public_name_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    public = getattr(vsodlib, name)
    found = doctest.DocTestFinder(recurse=False).find(public, name, globs={})
    assert sum(len(test.examples) for test in found) >= 1, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in found:
        log = []
        assert runner.run(test, out=log.append).failed == 0, "".join(log)
