"""`make book`: no warning, nothing from elsewhere, and pages that anyone can read."""

import html
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import pytest
from filelock import FileLock

from page.chromium import CHROMIUM, FLAGS

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PAGES = [f"notebooks/{name}" for name in (*LESSONS, "notation", "teaching")]
PAGES += ["book/index", "book/api/index", "book/api/vsodlib.metrics.saliency", "genindex", "search"]
REMOTE = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"')

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("sphinx_book_theme") is None, reason="needs `make book` once"),
]


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The book, built once for all processes of pytest, every warning an error: its folder."""
    base = tmp_path_factory.getbasetemp()
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "book"
    with FileLock(f"{out}.lock"):
        if not (out / "built").exists():
            words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
            words += ["-c", "book", ".", str(out)]
            run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
            assert run.returncode == 0, run.stderr
            (out / "built").touch()
    return out


@pytest.fixture(scope="module")
def tab():
    """A browser that reaches files only; what else is asked for is remembered in `tab.asked`."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(240_000)  # patient with busy machines
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.route(re.compile("^(?!file:|data:|blob:)"), lambda route: route.abort())
        yield page
        browser.close()


def serious(tab):
    """What axe finds on the page that is shown, without what it calls minor or moderate."""
    axe = pytest.importorskip("axe_playwright_python", reason="needs `make setup` once more")
    tab.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text())
    found = tab.evaluate("async () => (await axe.run(document, {preload: false})).violations")
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_nothing_comes_from_elsewhere(book):
    pages = [path for path in book.rglob("*.html") if "_static" not in path.parts]
    assert len(pages) > 100
    assert {name for path in pages for name in REMOTE.findall(path.read_text())} == set()


def test_links_lead_somewhere(book):
    pages = [path.resolve() for path in book.rglob("*.html") if "_static" not in path.parts]
    texts = {
        path: re.sub(r"<script.*?</script>", "", path.read_text(), flags=re.S) for path in pages
    }
    ids = {path: set(re.findall(r'\bid="([^"]*)"', text)) for path, text in texts.items()}
    broken = set()
    for path, text in texts.items():
        for link in re.findall(r'<[^>]*\b(?:href|src)="([^"]*)"', text):
            name, _, anchor = unquote(html.unescape(link)).partition("#")
            target = (path.parent / name.partition("?")[0]).resolve() if name else path
            known = anchor in ids.get(target, {anchor}) or not anchor
            if not re.match(r"[a-z]+:", link) and not (target.exists() and known):
                broken.add((path.name, link))
    assert broken == set()


@pytest.mark.parametrize("name", PAGES)
def test_no_serious_finding(book, tab, name):
    tab.goto((book / f"{name}.html").as_uri())
    assert serious(tab) == []


def test_no_serious_finding_in_the_dark_or_on_a_telephone(book, tab):
    for scheme, width in (("dark", 1300), ("light", 390)):
        tab.emulate_media(color_scheme=scheme)
        tab.set_viewport_size({"width": width, "height": 1000})
        for name in ("notebooks/14_where_we_stand", "book/api/vsodlib.metrics.saliency"):
            tab.goto((book / f"{name}.html").as_uri())
            assert serious(tab) == []
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size({"width": 1300, "height": 1000})


def test_equations_are_set_without_a_network(book, tab):
    tab.asked.clear()
    tab.goto((book / "notebooks/03_non_local_self_attention.html").as_uri())
    # Set for the eye, and as MathML for who listens.
    tab.wait_for_function(
        """() => window.MathJax?.Hub?.getAllJax().length > 50 &&
                 document.querySelectorAll('.MJX_Assistive_MathML math').length > 50"""
    )
    assert tab.locator(".MathJax_Error, .merror").count() == 0
    assert len(tab.asked) > 5
    assert [url for url in tab.asked if not url.startswith(("file:", "data:", "about:"))] == []


def test_axe_would_find_something(tab):
    """A picture without alt text and pale text on white: the audit can fail."""
    tab.set_content(
        "<html lang=en><title>t</title><main><h1>t</h1><img src='data:image/gif;base64,R0lGODlhAQAB"
        "AAAAACwAAAAAAQABAAA='><p style='color:#ccc'>pale</p></main></html>"
    )
    assert {line.split(":")[0] for line in serious(tab)} == {"color-contrast", "image-alt"}
