"""Notebooks in a real JupyterLab in a real browser: run all, move what can be moved, look."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest

from page.chromium import CHROMIUM, FLAGS

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "vsodlib-test"
WEBGL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
EXPLORER = """
import numpy as np
from explorer import Explorer
from vsodlib.analysis.embeddings import Embeddings

places = np.array([(0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1), (0, 0.5)])
names = np.array(["a"] * 3 + ["b"] * 3), np.array(["0", "1", "2"] * 2)
regions = Embeddings(np.eye(6), np.array([True, False] * 3), *names)
mask = np.indices((40, 80))[1] < 40
pictures = {key: (np.full((40, 80, 3), 90, np.uint8), mask) for key in zip(*names)}
Explorer({"one": places, "two": places[::-1]}, regions, pictures)
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab on copies of the notebooks, with its own home: its address."""
    home = tmp_path_factory.mktemp("home")
    notebooks = home / "repository" / "notebooks"
    shutil.copytree(ROOT / "notebooks", notebooks)
    cell = nbformat.v4.new_code_cell(EXPLORER)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else Lab asks
    small = nbformat.v4.new_notebook(cells=[cell], metadata=kernel)
    nbformat.write(small, notebooks / "explorer.ipynb")
    settings = home / ".jupyter" / "labconfig"
    settings.mkdir(parents=True)
    news = "@jupyterlab/apputils-extension:announcements"
    (settings / "page_config.json").write_text(json.dumps({"disabledExtensions": {news: True}}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ("VSOD_", "JUPYTER", "IPYTHON")
    env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    env |= {"HOME": str(home), "VSOD_PROFILE": "smoke", "PYTHONPATH": str(ROOT)}
    options = {
        "ServerApp.root_dir": notebooks,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": TOKEN,
        "LabApp.expose_app_in_browser": True,
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in options.items())]
    address, log = f"http://127.0.0.1:{port}", home / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env=env, cwd=home, stdout=out, stderr=out)
        try:
            _wait_until_up(f"{address}/api/status?token={TOKEN}", server, log)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_up(address, server, log):
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            return urlopen(address, timeout=5).close()
        except (URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def page(lab):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *WEBGL])
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(240_000)  # patient with busy machines
        yield page
        browser.close()


def open_saved(page, lab, name, width):
    """Open a notebook as saved, and wait for the picture of its widget, WIDTH pixels wide."""
    page.goto(f"{lab}/lab/tree/{name}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    # Cells are drawn as they come into view, so walk through them.
    page.evaluate(
        """async () => {
             const panel = jupyterapp.shell.currentWidget;
             await panel.context.ready;
             await panel.sessionContext.ready;
             await panel.sessionContext.session.kernel.info;
             for (let i = 0; i < panel.content.widgets.length; i++)
               await panel.content.scrollToItem(i);
           }"""
    )
    page.wait_for_function(
        """width => [...document.querySelectorAll('.jp-OutputArea img[src^="data:image/jpeg"]')]
                 .some(image => image.naturalWidth === width)""",
        arg=width,
    )


def run_all(page):
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    errors = page.locator('.jp-OutputArea-output[data-mime-type*="error"]')
    assert errors.count() == 0, errors.first.inner_text()


def test_the_first_notebook_in_jupyterlab(lab, page):
    open_saved(page, lab, "00_start_here.ipynb", 912)
    assert page.locator("img.widget-image").count() == 0

    run_all(page)

    picture = page.locator("img.widget-image").first
    picture.scroll_into_view_if_needed()
    caption = page.locator(".widget-html", has_text=re.compile(r"frame \d+ \(")).first
    before, text = picture.screenshot(), caption.inner_text()
    page.locator(".widget-slider .noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        """before => [...document.querySelectorAll('.widget-html')]
                     .some(e => /frame \\d+ \\(/.test(e.innerText) && e.innerText !== before)""",
        arg=text,
    )
    moved = [int(re.search(r"frame (\d+)", t).group(1)) for t in (text, caption.inner_text())]
    assert moved[1] == moved[0] + 1
    assert picture.screenshot() != before


def test_pick_a_pixel_with_mouse_and_keyboard(lab, page):
    open_saved(page, lab, "03_non_local_self_attention.ipynb", 520)
    assert page.locator(".vsod-scope").count() == 0
    run_all(page)

    frame, panel = page.locator(".vsod-frame"), page.locator(".vsod-panels canvas").nth(1)

    def moved_to(time, row, column):
        page.wait_for_function(
            "text => document.querySelector('.vsod-caption').textContent === text",
            arg=f"frame {time} of 13: row {row}, column {column}",
        )
        return panel.screenshot()

    # Unlike page.mouse, these wait until it stands still: pictures above may still arrive.
    frame.hover()
    box = frame.bounding_box()  # of a frame of 96 x 160
    frame.click(position={"x": 40.5 / 160 * box["width"], "y": 48.5 / 96 * box["height"]})
    clicked = moved_to(7, 48, 40)
    active = page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex")
    page.keyboard.press("ArrowDown")
    below = moved_to(7, 64, 40)
    assert below != clicked
    page.keyboard.press("ArrowLeft")
    moved_to(7, 64, 24)
    page.keyboard.press("Shift+ArrowUp")
    before = moved_to(7, 0, 24)
    page.keyboard.press("]")
    assert moved_to(8, 0, 24) != before
    assert page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex") == active
    whole = page.locator(".vsod-scope").bounding_box()
    for part in (panel, page.locator(".vsod-strip").first):
        place = part.bounding_box()
        assert place["x"] + place["width"] <= whole["x"] + whole["width"] + 1, "no scrolling"


def test_choose_regions_with_keyboard_and_lasso(lab, page):
    page.goto(f"{lab}/lab/tree/explorer.ipynb?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.ready")
    run_all(page)
    told, sheet = page.locator("[role=status]"), page.locator("img.widget-image")

    def chosen(words):
        page.wait_for_function(
            "words => document.querySelector('[role=status]')?.innerText.includes(words)",
            arg=words,
        )
        return sheet.screenshot()

    nothing = chosen("0 of 6 regions")
    page.locator(".widget-slider .noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    assert chosen("2 of 6 regions chosen. a, foreground: 2.") != nothing
    plot = page.locator("canvas").first.bounding_box()
    x, y = plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2
    page.mouse.move(x + 2, y)
    page.mouse.move(x, y)
    page.wait_for_function(  # the thumbnail
        """() => [...document.querySelectorAll('*')].some((element) =>
             /url\\("(blob:|data:image.jpeg)/.test(getComputedStyle(element).backgroundImage))"""
    )
    page.mouse.move(x + 30, y + 30)
    page.mouse.down()
    page.wait_for_timeout(1500)  # until the ring has closed
    for a, b in ((40, 40), (40, -40), (-40, -40), (-40, 40), (40, 40)):
        page.mouse.move(x + a, y + b, steps=8)
    page.mouse.up()
    chosen("1 of 6 regions chosen. a, foreground: 1.")
    assert told.count() == 1
