"""Films that we write, in a real browser: they play at their pace, in colour, see-through."""

import base64
import io
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image
from small_clips import tone

from page.chromium import CHROMIUM, FLAGS
from vsodlib.data.video_files import VideoWriter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
COLOURS = [(230, 30, 30), (30, 200, 60), (40, 60, 220), (240, 220, 40)]
PAGE = """<body style="margin: 0; background: rgb(0, 0, 255)">
<video id="film" src="%s" muted></video><canvas id="canvas"></canvas></body>"""
PLAY = """async () => {
    const film = document.getElementById('film'), seen = [];
    film.playbackRate = 1;
    await film.play();
    while (!film.ended && seen.length < 400) {
        seen.push(film.currentTime);
        await new Promise(done => setTimeout(done, 50));
    }
    return {seen, ended: film.ended, duration: film.duration, ready: film.readyState,
            width: film.videoWidth, height: film.videoHeight,
            decoded: film.getVideoPlaybackQuality().totalVideoFrames,
            heard: film.webkitAudioDecodedByteCount};
}"""
PIXELS = """async time => {
    const film = document.getElementById('film'), canvas = document.getElementById('canvas');
    await new Promise(done => { film.onseeked = done; film.currentTime = time; });
    canvas.width = film.videoWidth; canvas.height = film.videoHeight;
    const pen = canvas.getContext('2d');
    pen.drawImage(film, 0, 0);
    const at = (x, y) => Array.from(pen.getImageData(x, y, 1, 1).data);
    return [at(16, 16), at(canvas.width - 16, 16)];
}"""


@pytest.fixture
def show():
    """Opens a film in Chromium, inside a page as a notebook holds it, and gives the page."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    with playwright.sync_playwright() as driver:
        flags = [*FLAGS, "--autoplay-policy=no-user-gesture-required"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page()
        page.set_default_timeout(240_000)  # patient with busy machines

        def opened(path):
            film = base64.b64encode(path.read_bytes()).decode()
            page.set_content(PAGE % f"data:video/webm;base64,{film}")
            page.wait_for_function("() => document.getElementById('film').readyState === 4")
            return page

        yield opened
        browser.close()


def test_film_plays_with_its_times_colours_and_sound(show, tmp_path):
    tone(tmp_path / "tone.wav", 2.0)
    times, durations = [0.0, 0.2, 1.2, 1.6], [0.2, 1.0, 0.4, 0.4]  # a variable rate
    with VideoWriter(tmp_path / "film.webm", 10, tmp_path / "tone.wav") as write:
        for colour, time, duration in zip(COLOURS, times, durations, strict=True):
            write(np.full((97, 131, 3), colour, np.uint8), time, duration)
    page = show(tmp_path / "film.webm")
    played = page.evaluate(PLAY)
    assert played["ended"] and played["ready"] >= 2
    assert played["duration"] == pytest.approx(2.0, abs=0.1)
    moments = np.array(played["seen"])
    assert len(np.unique(moments)) > 5 and (np.diff(moments) >= 0).all()
    assert (played["width"], played["height"]) == (131, 97)
    assert played["decoded"] == 4 and played["heard"] > 0
    for moment, colour in ((0.1, 0), (0.3, 1), (1.1, 1), (1.4, 2), (1.8, 3)):
        for pixel in page.evaluate(PIXELS, moment):
            assert np.abs(np.array(pixel[:3]) - COLOURS[colour]).max() < 12
            assert pixel[3] == 255


def test_cutout_is_see_through(show, tmp_path):
    frame = np.zeros((96, 128, 4), np.uint8)
    frame[:, :64] = (230, 30, 30, 255)
    frame[40:60, 100:110] = (0, 200, 0, 128)
    with VideoWriter(tmp_path / "cutout.webm", 10) as write:
        for _ in range(8):
            write(frame)
    page = show(tmp_path / "cutout.webm")
    left, right = page.evaluate(PIXELS, 0.45)
    assert np.abs(np.array(left) - (230, 30, 30, 255)).max() < 8
    assert right[3] < 8
    shown = np.array(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    assert np.abs(shown[16, 112] - (0, 0, 255)).max() < 8  # the page itself, through the film
    assert np.abs(shown[16, 16] - (230, 30, 30)).max() < 8
    assert np.abs(shown[50, 105] - (0, 100, 127)).max() < 20  # half and half


def test_film_in_the_saved_notebook_plays(show, tmp_path):
    path = Path(__file__).resolve().parents[2] / "notebooks" / "15_your_own_video.ipynb"
    (html,) = (
        output.data["text/html"]
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", ())
        if "<video" in output.get("data", {}).get("text/html", "")
    )
    assert len(html) < 150_000
    assert len(re.search(r'aria-label="(.*?)"', html).group(1)) > 20
    film = re.search(r'src="data:video/webm;base64,([^"]+)"', html).group(1)
    (tmp_path / "film.webm").write_bytes(base64.b64decode(film))
    played = show(tmp_path / "film.webm").evaluate(PLAY)
    assert played["ended"] and played["ready"] >= 2
    assert len(set(played["seen"])) > 5 and played["decoded"] > 5
