"""Every relative link and every anchor leads somewhere: in notebooks, README, pages and records."""

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(
    r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)"
    r"|<img[^>]* src=\"([^\"]+)\""
)
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.S | re.M)
HEADING = re.compile(r"^#{1,6} +(.*)$", re.M)


def sources():
    """The tracked pages and notebooks, or those there are where there is no git."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    return [ROOT / n for n in names if n.endswith((".md", ".ipynb")) and (ROOT / n).is_file()]


def prose(path):
    """Markdown of a page; of a notebook the cells and what its code shows as markdown."""
    if path.suffix == ".md":
        return path.read_text()
    parts = []
    for cell in nbformat.read(path, as_version=4).cells:
        parts += [cell.source] if cell.cell_type == "markdown" else []
        parts += [o.data.get("text/markdown", "") for o in cell.get("outputs", ()) if "data" in o]
    return "\n\n".join(parts)


def anchors(text):
    """The anchors of its headings, as GitHub and the book make them, and those written out."""
    headings = HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    words = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    made = {re.sub(r"[^\w\- ]", "", w.strip()).replace(" ", "-") for w in words}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def broken(path, text):
    """The links of a page that lead nowhere."""
    found = []
    for groups in LINK.findall(CODE.sub("", text)):
        link = unquote("".join(groups))
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        there = not name or (target.exists() and target.is_relative_to(ROOT))
        page = prose(target) if there and name and anchor else text
        if not there or (anchor and anchor not in anchors(page)):
            found.append(link)
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    assert broken(path, prose(path)) == []


def test_there_is_something_to_check():
    links = [link for path in sources() for link in LINK.findall(CODE.sub("", prose(path)))]
    assert len(sources()) > 20 and len(links) > 300


@pytest.mark.parametrize(
    ("link", "good"),
    [
        ("README.md", True),
        ("README.md#the-notebooks", True),
        ("#here-and-there", True),
        ("https://example.org/nowhere", True),
        ("READNE.md", False),
        ("README.md#the-notebook", False),
        ("#there", False),
        ("../outside.md", False),
    ],
)
def test_a_broken_link_is_found(link, good):
    text = f"## Here, and *there*!\n\n[words [more]]({link}) ![a picture](LICENSE)\n"
    assert broken(ROOT / "page.md", text) == ([] if good else [link])
