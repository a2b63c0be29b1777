"""The files that set the project up agree with each other, and imports flow one way."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONSTRAINTS = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if line
)

# Who may import whom inside vsodlib (shared design, section 2).
LEVELS = [
    {"config", "allocator", "files", "overlap"},
    {"attention", "losses", "metrics", "data", "pictures", "figure", "checkpoint"},
    {
        "backbone",
        "temporal",
        "clip_batch",
        "training_plots",
        "viz",
        "score_plots",
        "ablation_plots",
        "complexity_plots",
        "embedding_plots",
        "contrast_plots",
        "attention_figures",
        "attention_plots",
        "inside",
        "cutout",
        "sheet",
    },
    {"model", "attention_measures", "widgets", "contrast_widgets", "mining_plots"},
    {"predict", "picker", "optim", "run_folder", "complexity", "folding"},
    {"train", "evaluate", "embeddings", "video"},
    {"experiments"},
    {"bench"},
    {"checkpoint_commands", "commands", "data_commands"},
    {"cli"},
]


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


def imported(path):
    """Names of the vsodlib modules that a file imports, one level below vsodlib."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            here = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            parts = [*here, *(node.module or "").split(".")] if node.module else [*here]
            if parts[0] == "vsodlib":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            dotted = [alias.name.split(".") for alias in node.names]
            found |= {parts[1] for parts in dotted if parts[0] == "vsodlib" and len(parts) > 1}
    return found


@pytest.mark.parametrize(
    "path", sorted((ROOT / "vsodlib").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_imports_flow_one_way(path):
    level_of = {name: level for level, names in enumerate(LEVELS) for name in names}
    own = path.relative_to(ROOT / "vsodlib").parts[0].removesuffix(".py")
    if own == "__init__":
        return
    inside = {"footage": "data"}  # where it belongs
    own = inside.get(own, own)
    for name in {inside.get(name, name) for name in imported(path)} - {own}:
        assert level_of[name] < level_of[own], f"{own} must not import {name}"


def test_library_never_needs_a_notebook():
    """Every module but those that draw in a notebook can be imported without Jupyter."""
    code = """
import importlib, pkgutil, sys
import vsodlib
sys.modules |= dict.fromkeys(("IPython", "ipywidgets", "anywidget", "jupyterlab"))
for module in pkgutil.walk_packages(vsodlib.__path__, "vsodlib."):
    name = module.name.split(".")[1]
    if name not in ("contrast_widgets", "picker", "training_plots", "widgets"):
        importlib.import_module(module.name)
assert "vsodlib.train" in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
