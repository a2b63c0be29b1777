"""The files that set the project up agree with each other."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
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


def test_python_is_bounded_alike_everywhere():
    """scikit-image 0.25, the last that the pins name, has wheels up to Python 3.13."""
    least, below = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    if CONSTRAINTS["scikit-image"].startswith("0.25."):
        assert int(below) <= 14
    assert f"(3, {least}) <= sys.version_info < (3, {below})" in (ROOT / "Makefile").read_text()
    versions = [f"3.{minor}" for minor in range(int(least), int(below))]
    said = f"Python {', '.join(versions[:-1])} or {versions[-1]}"
    assert said in (ROOT / "README.md").read_text()
    assert said in (ROOT / "Makefile").read_text()
    assert int(least) <= sys.version_info.minor < int(below)


def test_citation_names_the_paper_and_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    paper = citation["preferred-citation"]
    assert paper["title"] in (ROOT / "README.md").read_text().replace("\n", " ")
    assert [author["family-names"] for author in paper["authors"]] == [
        "Chen",
        "Jin",
        "Shen",
        "Yang",
    ]
    assert paper["year"] == 2022


def test_changelog_tells_of_this_version():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", PROJECT["version"]]


def test_commits_run_what_make_lint_runs():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [h["entry"] for repo in config["repos"] for h in repo["hooks"]] == ["make lint"]


def test_what_contributing_names_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:vsodlib|tests|data|notebooks)/[\w/.]+)`", text)
    ours = ("my_module.py", "_NN.py", "NN_topic.ipynb")  # what the reader adds
    missing = {name for name in named if not (ROOT / name).exists()}
    assert [name for name in missing if not name.endswith(ours)] == []
    assert len(named) - len(missing) >= 8
    for name in ("IMAGE_LAYOUTS", "VIDEO_LAYOUTS", "PACKAGED_WEIGHTS", "_features"):
        assert name in text
        assert any(f"{name}" in path.read_text() for path in (ROOT / "vsodlib").rglob("*.py"))
    recipes = text.split("\n## ")[1:]
    assert [title for title in recipes if len(title.strip().splitlines()) > 11] == []


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
    if not module.name.startswith("vsodlib.viz.widgets"):
        importlib.import_module(module.name)
assert "vsodlib.training.fit" in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A wheel built from a copy of the repository, unpacked as pip would: its folder."""
    copy, site = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("site")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("vsodlib", "checkpoints", "results"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    gone = copy / "build" / "lib" / "vsodlib" / "gone.py"  # what an older build left
    gone.parent.mkdir(parents=True)
    gone.touch()
    words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", copy, copy]
    run = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (wheel,) = copy.glob("vsodlib-*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    return site


@pytest.mark.slow
def test_a_wheel_holds_the_package_the_networks_and_the_records(installed):
    def files(folder):
        inside = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return {path.as_posix() for path in inside if "__pycache__" not in path.parts}

    wanted = files(ROOT / "vsodlib")
    for name in ("checkpoints", "results"):
        wanted |= {f"bundled/{name}/{path}" for path in files(ROOT / name)}
    assert files(installed / "vsodlib") == wanted
    assert "py.typed" in wanted and "bundled/checkpoints/lite-davis.safetensors" in wanted


@pytest.mark.slow
def test_an_installed_wheel_works_from_anywhere(installed, tmp_path):
    code = """
from pathlib import Path
from vsodlib import VSODNet, bundled, demo_clips, predict_maps, provenance
assert provenance.commit() is None
maps = predict_maps(VSODNet.from_pretrained("lite-davis"), demo_clips(frames=2)["fish"].frames)
assert maps.shape == (2, 192, 336)
assert bundled("results/published/table1.csv").read_text()
print(Path(provenance.__file__).parent)
try:
    bundled("figures")
except FileNotFoundError as error:
    print(error)
"""
    env = os.environ | {"PYTHONPATH": str(installed)}
    words = [sys.executable, "-c", code]
    run = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=env)
    assert run.returncode == 0, run.stderr
    package, sentence = run.stdout.splitlines()
    assert Path(package) == installed / "vsodlib"
    assert sentence.startswith(f"figures does not come with this vsodlib, looked for in {package}")
