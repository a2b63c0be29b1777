import base64
import io
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from page.chromium import CHROMIUM, FLAGS
from vsodlib.analysis.attention import effective_positions, share_inside
from vsodlib.viz.widgets.microscope import microscope

PAGE = Path(__file__).resolve().parents[3] / "figures" / "10_microscope.html"
T, H, W, STRIDE = 3, 30, 48, 8
h, w, C = 4, 6, 5
N = h * w
RNG = np.random.default_rng(0)
FRAMES = np.full((T, H, W, 3), 90, np.uint8)
X = np.maximum(RNG.normal(size=(T, N, C)), 0).astype(np.float32)
KEYS = RNG.normal(size=(T, N, C)).astype(np.float32)
ROWS = torch.tensor(RNG.normal(size=(T, N, h, w)) * 3).softmax(-1).numpy().astype(np.float32)
LAYERS = {"self": (X, X), "signed": (X, KEYS), "co": ROWS}
COVERED = np.zeros((T, h, w), np.float32)
COVERED[:, 1:3, 2:4] = 1


def scope(**options):
    return microscope(FRAMES, LAYERS, STRIDE, **options)


def naive(name, t, q):
    """A row by loops."""
    if name == "co":
        return ROWS[t, q]
    row, keys = np.zeros(N), X if name == "self" else KEYS
    for j in range(N):
        for c in range(C):
            row[j] += X[t, q, c] * keys[t, j, c]
    return row.reshape(h, w)


@pytest.mark.parametrize("pixel, q", [((0, 0), 0), ((29, 47), 23), ((15, 20), 8)])
def test_rows_are_the_products_of_their_factors(pixel, q):
    rows = scope(pixel=pixel).rows(2)
    assert list(rows) == list(LAYERS)
    for name, row in rows.items():
        np.testing.assert_allclose(row, naive(name, 2, q), rtol=1e-4, atol=1e-5)


def plain(data, dtype):
    return np.frombuffer(zlib.decompress(data), dtype)


def test_what_is_sent_gives_the_rows_back_to_a_hundredth():
    sent = {layer["name"]: layer for layer in scope().content["layers"]}
    assert set(sent["self"]) == {"name", "values", "scales"}, "x is sent once"
    for t in range(T):
        for q in range(N):
            for name in ("self", "signed"):
                values = plain(sent[name]["values"], np.int8).reshape(T, C, N)[t]
                keys = plain(sent[name].get("keys", sent[name]["values"]), np.int8)
                scales = plain(sent[name]["scales"], np.float32).reshape(T, C)[t] / 127**2
                row = (scales * values[:, q]) @ keys.reshape(T, C, N)[t].astype(float)
                exact = naive(name, t, q).ravel()
                size = np.abs(scales * 127**2).sum()
                assert np.abs(row - exact).max() < 0.01 * size
            row = plain(sent["co"]["values"], np.int8).reshape(T, N, N)[t, q] / 127
            np.testing.assert_allclose(row * ROWS[t, q].max(), ROWS[t, q].ravel(), atol=0.004)


def test_without_a_kernel_a_picture_of_the_present_state_stays():
    picker = scope()
    assert picker.pixel == (15, 24) and picker.frame == 0
    pictures = []
    for pixel, frame in (((15, 24), 0), ((4, 40), 0), ((4, 40), 1)):
        picker.pixel, picker.frame = pixel, frame
        bundle, metadata = picker._repr_mimebundle_()
        assert "row {}, column {}".format(*pixel) in metadata["image/jpeg"]["alt"]
        assert "self, signed, co" in metadata["image/jpeg"]["alt"]
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert "object at 0x" not in bundle["text/plain"]
        pictures.append(bundle["image/jpeg"])
        assert Image.open(io.BytesIO(base64.b64decode(pictures[-1]))).width > 400
    assert len(set(pictures)) == 3


@pytest.mark.parametrize("name, value", [("pixel", (30, 0)), ("pixel", (0, -1)), ("frame", 3)])
def test_outside_the_clip_is_refused(name, value):
    with pytest.raises(Exception, match="lies outside 3 frames 30x48"):
        setattr(scope(), name, value)


@pytest.mark.parametrize(
    "frames, layers, covered, message",
    [
        (FRAMES[0], {}, None, "uint8"),
        (FRAMES / 255, {}, None, "uint8"),
        (FRAMES, {"self": (X[:2], X[:2])}, None, r"'self' must be \(3, 24, 5\)"),
        (FRAMES, {"self": (X, KEYS[:, :, :4])}, None, "got .*4"),
        (FRAMES, {"co": ROWS[:, :4]}, None, r"'co' must be \(3, 24, 4, 6\)"),
        (FRAMES, {"co": ROWS}, COVERED[:2], "covered must be"),
    ],
)
def test_shapes_must_belong_together(frames, layers, covered, message):
    with pytest.raises(ValueError, match=message):
        microscope(frames, layers, STRIDE, covered=covered)


@pytest.fixture
def opened():
    """Opens a saved page in Chromium, from the file; it may ask for nothing, nor fail."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 850})
        page.set_default_timeout(240_000)  # patient with busy machines
        asked, faults = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)

        def go(path):
            page.goto(path.as_uri())
            page.wait_for_selector(".vsod-help")
            return page

        yield go
        assert len(asked) == 1 and not faults
        browser.close()


def told(page):
    return page.locator(".vsod-live").inner_text()


@pytest.mark.slow
def test_a_saved_page_draws_the_rows_and_follows_the_keyboard(opened, tmp_path):
    picker = scope(covered=COVERED, pixel=(12, 20))
    path = tmp_path / "page.html"
    path.write_text(picker.html("A <b>", "</script> stays text"), encoding="utf-8")
    page = opened(path)
    assert page.locator("h1").inner_text() == "A <b>"
    assert page.locator("main > p").inner_text() == "</script> stays text"
    page.keyboard.press("Tab")  # the frame is the first that can be reached
    for key in ("ArrowUp", "ArrowLeft", "Shift+ArrowRight", "]", "]", "]", "["):
        page.keyboard.press(key)
    picker.pixel, picker.frame = (4, 44), 1
    assert told(page).startswith("frame 2 of 3: row 4, column 44. self:")
    covered = torch.from_numpy(COVERED[1])
    for name, row in picker.rows(1).items():
        row = torch.from_numpy(row)
        found = re.search(
            rf"{name}: largest share ([\d.]+) %, (\d+) of 24 .*?, ([\d.]+) %", told(page)
        )
        largest, used, mass = (float(number) for number in found.groups())
        assert largest == pytest.approx(100 * (row.abs().max() / row.abs().sum()).item(), abs=1)
        assert used == pytest.approx(effective_positions(row.abs()).item(), abs=1)
        assert mass == pytest.approx(100 * share_inside(row.abs(), covered).item(), abs=1.5)
    page.keyboard.press("ArrowDown")
    box = page.locator(".vsod-frame").bounding_box()
    page.mouse.click(box["x"] + 20.5 / W * box["width"], box["y"] + 12.5 / H * box["height"])
    assert "row 12, column 20" in told(page)
    strip = page.locator(".vsod-strip").last.bounding_box()
    page.mouse.click(strip["x"] + 0.8 * strip["width"], strip["y"] + 9)
    assert told(page).startswith("frame 3 of 3")


@pytest.mark.slow
def test_the_largest_weight_is_green_and_one_below_zero_brown(opened, tmp_path):
    keys = np.zeros((1, N, 1), np.float32)
    keys[0, 3], keys[0, 22] = 1, -1
    layers = {"signed": (np.ones((1, N, 1), np.float32), keys)}
    path = tmp_path / "page.html"
    picker = microscope(FRAMES[:1], layers, STRIDE, pixel=(12, 12))
    path.write_text(picker.html("One frame"), encoding="utf-8")
    page = opened(path)
    assert page.locator(".vsod-strip").count() == 0
    colours = page.evaluate(
        """() => { const canvas = document.querySelectorAll('.vsod-panels canvas')[1];
          const at = (q) => Array.from(canvas.getContext('2d').getImageData(
            (q % 6 + 0.5) * canvas.width / 6, (Math.floor(q / 6) + 0.4) * 8 * canvas.width / 48,
            1, 1).data);
          return [at(3), at(22), at(10)]; }"""
    )
    green, brown, grey = (
        0.9 * np.array(c) + 0.1 * 155 for c in ((0, 158, 115), (140, 81, 10), (155,) * 3)
    )
    for seen, wanted in zip(colours, (green, brown, grey), strict=True):
        assert seen[:3] == pytest.approx(wanted, abs=4)


@pytest.mark.slow
def test_the_page_of_notebook_10_is_small_and_answers_at_once(opened):
    assert PAGE.stat().st_size < 2_000_000
    assert re.search(r"""(src|href)=|https?://|import\(""", PAGE.read_text()) is None
    page = opened(PAGE)
    assert "frame 1 of 12" in told(page)
    labels = page.locator("canvas").evaluate_all(
        "all => all.map(c => c.getAttribute('aria-label'))"
    )
    assert len(labels) == 5 and all(len(label) > 20 for label in labels)
    times = page.evaluate(
        """async () => {
             const frame = document.querySelector('.vsod-frame'), times = [];
             const { left, top } = frame.getBoundingClientRect();
             for (let k = 0; k < 12; k++) {
               const [clientX, clientY] = [left + 25 * k, top + 12 * k], began = performance.now();
               frame.dispatchEvent(new PointerEvent('pointerdown', { clientX, clientY }));
               times.push(performance.now() - began);
               await new Promise(requestAnimationFrame);
             }
             return times;
           }"""
    )
    assert "column" in told(page)
    print(f"{np.median(times):.0f} ms a click")
    assert min(times) < 100, "the quickest, as other processes share the machine"
