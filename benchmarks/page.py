"""The page of `make page` in headless Chromium: frames a second of a clip that it plays."""

import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from page.chromium import CHROMIUM, FLAGS
from page.make import make, server
from vsodlib.data.clips import demo_clips
from vsodlib.data.video_files import VideoWriter


def bench_page(height: int = 240, width: int = 432, seconds: float = 20.0) -> dict[str, Any]:
    """What a visitor sees under the clip that he dropped: every frame decoded, run and painted.

    Args:
        height, width: of the clip, multiples of the network's stride.
        seconds: for how long it plays before the number is read.

    Returns:
        `frames_per_second`, `threads` of onnxruntime-web, `browser` with its version, `height`,
        `width`, `seconds`.

    Raises:
        OSError: no npm, no Chromium or no playwright.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise OSError("This measurement needs playwright: pip install playwright.") from None
    if not CHROMIUM:
        raise OSError("This measurement needs Chromium: apt-get install chromium.")
    clip = next(iter(demo_clips(24, height, width).values()))
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        make(Path(folder))
        film = Path(folder) / "clip.webm"
        with VideoWriter(film, 24) as write:
            for frame in clip.frames:
                write(frame)
        serving = server(Path(folder), 0)
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page()
        tab.set_default_timeout(240_000)
        tab.goto(f"http://localhost:{serving.server_port}/")
        tab.wait_for_function("() => state.textContent.startsWith('Ready')")
        tab.fill("#rows", str(height))
        threads = tab.inner_text("#state").split()[1]
        tab.set_input_files("#file", film)
        tab.wait_for_function("() => state.textContent.endsWith('frames a second')")
        tab.wait_for_timeout(1000 * seconds)
        shown = tab.inner_text("#state")
        version = f"Chromium {browser.version}"
        browser.close()
        serving.shutdown()
    return {
        "frames_per_second": float(shown.split()[0]),
        "threads": int(threads),
        "browser": version,
        "height": height,
        "width": width,
        "seconds": seconds,
    }
