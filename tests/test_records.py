"""The pages of results/ name every record; the ledger of looks at val agrees with its records."""

import csv
import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from vsodlib import VSODNet
from vsodlib.model import checkpoint

RESULTS = Path(__file__).resolve().parent.parent / "results"
README = (RESULTS.parent / "README.md").read_text()
TABLE = r"^\| `(lite-davis\S*?)[ `].*\]\((results/.*?)\)\) \|(.*)\|$"


def records():
    """The tracked files of results/, or those there are where there is no git; pages apart."""
    listed = subprocess.run(["git", "ls-files", "."], cwd=RESULTS, capture_output=True, text=True)
    names = listed.stdout.split() if listed.returncode == 0 else []
    files = [RESULTS / name for name in names] or [f for f in RESULTS.rglob("*") if f.is_file()]
    return [file for file in files if file.suffix not in (".md", ".py") and file.exists()]


@pytest.mark.parametrize(
    "folder", sorted({file.parent for file in records()}), ids=lambda f: f.name
)
def test_a_page_names_every_record(folder):
    above = [place for place in (folder, *folder.parents) if place.is_relative_to(RESULTS)]
    pages = [place / "README.md" for place in above if (place / "README.md").is_file()]
    code = [re.findall(r"`([^`]+)`", page.read_text()) for page in pages]
    named = {word.rpartition("/")[2] for spans in code for span in spans for word in span.split()}
    files = [file for file in records() if file.parent == folder]
    alike = {Path(name).stem for name in named}
    unnamed = [f for f in files if f.stem not in alike]
    assert [f.name for f in unnamed if not any(fnmatch(f.name, n) for n in named)] == []


def test_the_ledger_agrees_with_its_records():
    looks = list(csv.DictReader((RESULTS / "val_looks.csv").open()))
    kept = [look for look in looks if look["record"].endswith(".json") and look["J"]]
    assert len(kept) > 40
    for look in kept:
        record = json.loads((RESULTS / look["record"]).read_text())
        found = record.get("scores", record)["J"]["mean"]
        assert abs(found - float(look["J"])) < 0.00051, look


def test_the_readme_says_what_the_records_say():
    """Its table of results, cell by cell, and the size of the networks in it."""
    rows = re.findall(TABLE, README, re.MULTILINE)
    assert len(rows) == 4
    for name, place, cells in rows:
        size, *numbers = cells.split("|")
        net = VSODNet.from_pretrained(name)
        assert size.strip() == f"{sum(p.numel() for p in net.parameters()) / 1e6:.2f} M"
        record = json.loads((RESULTS.parent / place).read_text())
        assert record["record"]["weights_sha256"] == checkpoint.fingerprint(name)
        found = [record[key] for key in ("J", "F", "T", "max_f", "s_measure", "mae")]
        means = [value["mean"] if isinstance(value, dict) else value for value in found]
        assert [cell.strip() for cell in numbers] == [f"{mean:.3f}" for mean in means]
