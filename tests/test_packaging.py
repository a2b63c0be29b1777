"""The files that set the project up agree with each other."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONSTRAINTS = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if line
)


def name_of(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement).group().lower().replace("_", "-")


def test_environment_yml_follows_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == PROJECT["name"]
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-c constraints.txt", "-e .[dev]"]
    assert "dev" in PROJECT["optional-dependencies"]


def test_constraints_hold_names_and_versions_only():
    assert all(re.fullmatch(r"[0-9][\w.]*", version) for version in CONSTRAINTS.values())


def test_every_dependency_is_pinned():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    pinned = {name.lower().replace("_", "-") for name in CONSTRAINTS}
    wanted = {name_of(requirement) for group in groups for requirement in group} - {"vsodlib"}
    assert wanted - pinned == set()


def test_opencv_without_windows():
    """opencv-python and opencv-python-headless must never be installed together."""
    assert "opencv-python-headless" in CONSTRAINTS
    assert "opencv-python" not in CONSTRAINTS


def test_library_never_needs_a_notebook():
    """Every module but those that draw in a notebook can be imported without Jupyter."""
    code = """
import importlib, pkgutil, sys
import vsodlib
sys.modules |= dict.fromkeys(("IPython", "ipywidgets", "anywidget", "jupyterlab"))
for module in pkgutil.walk_packages(vsodlib.__path__, "vsodlib."):
    if not module.name.startswith(("vsodlib.viz.widgets", "vsodlib.viz.training")):
        importlib.import_module(module.name)
assert "vsodlib.training.fit" in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
