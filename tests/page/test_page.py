"""The page in a real browser that reaches nothing else: its maps are PyTorch's."""

import io
import threading

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from page.chromium import CHROMIUM, FLAGS
from page.make import make, server
from vsodlib import VSODNet
from vsodlib.data.clips import demo_clips
from vsodlib.data.transforms import to_images
from vsodlib.data.video_files import VideoWriter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""Chromium's own camera, which films a turning disc, and its leave to use it."""
PIXELS = """id => { const c = document.getElementById(id);
    return [c.width, c.height, Array.from(c.getContext('2d').getImageData(0, 0, c.width,
    c.height).data)]; }"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the page, built and served."""
    folder = tmp_path_factory.mktemp("page")
    try:
        make(folder)
    except OSError as error:
        pytest.skip(str(error))
    serving = server(folder, 0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://localhost:{serving.server_port}/"
    serving.shutdown()


@pytest.fixture
def tab(site):
    """The page, loaded; whatever it asks of another address fails and is remembered."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *CAMERA])
        page = browser.new_page()
        page.set_default_timeout(240_000)  # patient with busy machines
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.route(lambda url: not url.startswith((site, "blob:")), lambda route: route.abort())
        page.goto(site)
        page.wait_for_function("() => state.textContent.startsWith('Ready')")
        yield page
        assert len(asked) >= 5 and all(url.startswith((site, "blob:")) for url in asked)
        browser.close()


def drawn(tab, name):
    width, height, values = tab.evaluate(PIXELS, name)
    return np.array(values, np.uint8).reshape(height, width, 4)


def png(picture):
    """A photograph as a visitor drops it."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return {"name": "photo.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_map_and_cutout(tab):
    picture = np.array(Image.fromarray(skimage.data.chelsea()).resize((432, 240)))
    assert "threads" in tab.inner_text("#state") and tab.evaluate("crossOriginIsolated")
    tab.set_input_files("#file", png(picture))
    tab.wait_for_function("() => state.textContent.startsWith('Done')")
    with torch.no_grad():
        net = VSODNet.from_pretrained("lite-davis")
        expected = net(to_images(picture[None])).logits.sigmoid()[0, 0].numpy()
    assert expected.std() > 0.2
    found = drawn(tab, "map")
    np.testing.assert_allclose(found[..., 0] / 255, expected, atol=1e-2, rtol=0)
    cut = drawn(tab, "cutout")
    np.testing.assert_array_equal(cut[..., 3], found[..., 0])
    np.testing.assert_array_equal(cut[cut[..., 3] == 255][:, :3], picture[cut[..., 3] == 255])


def test_a_clip_plays_until_a_photograph_takes_its_place(tab, tmp_path):
    frames = next(iter(demo_clips(8, 240, 432).values())).frames
    with VideoWriter(tmp_path / "clip.webm", 8) as write:
        for frame in frames:
            write(frame)
    tab.set_input_files("#file", tmp_path / "clip.webm")
    tab.wait_for_function("() => state.textContent.endsWith('frames a second')")
    url = tab.evaluate("() => map.toDataURL()")
    assert drawn(tab, "map").shape == (240, 432, 4) and drawn(tab, "map")[..., 0].std() > 20
    tab.wait_for_function("before => map.toDataURL() !== before", arg=url)
    print(tab.inner_text("#state"), "on", tab.evaluate("navigator.hardwareConcurrency"), "threads")
    tab.set_input_files("#file", png(skimage.data.coffee()))
    tab.wait_for_function("() => state.textContent.startsWith('Done')")
    tab.wait_for_timeout(1000)
    assert tab.inner_text("#state").startswith("Done")


def test_camera(tab):
    tab.click("#camera")
    tab.wait_for_function("() => state.textContent.endsWith('frames a second')")
    first = tab.evaluate("() => cutout.toDataURL()")
    tab.wait_for_function("before => cutout.toDataURL() !== before", arg=first)
    assert drawn(tab, "cutout").shape[0] == 240
    tab.set_input_files("#file", png(skimage.data.coffee()))
    tab.wait_for_function("() => state.textContent.startsWith('Done')")


def test_no_picture(tab):
    tab.set_input_files(
        "#file", {"name": "a.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    tab.wait_for_function("() => state.textContent.includes('a.png cannot be shown')")
