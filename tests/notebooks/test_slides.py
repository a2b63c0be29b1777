"""`make slides`: the lectures, one slide a page, whole, that need nothing from elsewhere."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

from page.chromium import CHROMIUM, FLAGS

pytest.importorskip("sphinx_revealjs", reason="needs `make setup` once more")
_spec = importlib.util.spec_from_file_location("slides", Path(__file__).with_name("slides.py"))
slides = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(slides)

pytestmark = pytest.mark.slow
LECTURES = ["01", "02", "03", "04", "05", "06", "07", "08", "10", "11", "13"]
KINDS = {"slide", "subslide", "fragment", "notes", "skip", None}
CUT = """() => Reveal.getSlides().filter(slide => {
  const { h, v } = Reveal.getIndices(slide);
  Reveal.slide(h, v);
  const high = slide.scrollHeight > slide.clientHeight + 1 || (slide.style.zoom || 1) < 0.75;
  return high || slide.scrollWidth > slide.clientWidth + 1;
}).map(slide => slide.innerText.slice(0, 60))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return slides.write_slides(tmp_path_factory.mktemp("slides"))


def test_no_script_style_or_picture_from_elsewhere(pages):
    assert [page.stem[:2] for page in pages] == LECTURES
    for page in pages:
        text = page.read_text()
        loaded = re.findall(r'<(?:script|link|img)\b[^>]*\b(?:src|href)="([^"]*)"', text)
        local = [name for name in loaded if not name.startswith("data:")]
        assert {"reveal/dist/reveal.js", "mathjax/MathJax.js"} <= set(local)
        assert [name for name in local if not (page.parent / name).is_file()] == []
        assert "@import" not in text and not re.search(r"\bimport [^;]*['\"]https?:", text)


def test_every_cell_has_its_place(pages):
    """What is drawn is seen, what is for the learner alone is not."""
    for page in pages:
        notebook = nbformat.read(slides.ROOT / "notebooks" / f"{page.stem}.ipynb", as_version=4)
        kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]
        assert set(kinds) <= KINDS and kinds[0] == "slide" and kinds[1:3] == ["skip", "skip"]
        exercises = [cell.source.startswith("## Exercises") for cell in notebook.cells].index(True)
        assert set(kinds[exercises:]) == {"skip"}
        drawn = [k for k, cell in zip(kinds, notebook.cells, strict=True) if slides.draws(cell)]
        assert drawn and "skip" not in drawn[:-1]
        assert "<summary>Solution" not in page.read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_slides_in_a_browser_without_a_network(pages):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 760})
        tab.set_default_timeout(240_000)  # patient with busy machines
        asked = []
        tab.on("request", lambda request: asked.append(request.url))
        for page in pages:
            tab.goto(page.as_uri())
            tab.wait_for_function("() => window.MathJax?.isReady && !MathJax.Hub.queue.pending")
            assert tab.evaluate("MathJax.Hub.getAllJax().length") > 5
            assert tab.evaluate("Reveal.getTotalSlides()") > 20
            assert tab.locator(".merror").count() == 0
            places = []
            for key in ("ArrowRight", "Space", "ArrowLeft"):  # next section, next slide, back
                tab.keyboard.press(key)
                places.append(tab.evaluate("Object.values(Reveal.getIndices()).slice(0, 2)"))
            assert places[0] == [1, 0] and places[1] in ([1, 1], [2, 0]) and places[2] < places[1]
            shown = tab.evaluate("Reveal.getCurrentSlide().innerText.length")
            assert shown > 20 or tab.evaluate("!!Reveal.getCurrentSlide().querySelector('img')")
            assert tab.evaluate(CUT) == [], page.stem
        assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
        browser.close()
