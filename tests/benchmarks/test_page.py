"""The benchmark of the page: it plays, and says how fast."""

import pytest

from benchmarks.page import bench_page
from page.chromium import CHROMIUM


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_it_plays():
    pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    try:
        found = bench_page(height=64, width=96, seconds=0.5)
    except OSError as error:
        pytest.skip(str(error))
    assert found["frames_per_second"] > 0 and found["threads"] >= 1
    assert (found["height"], found["width"]) == (64, 96)


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setattr("benchmarks.page.CHROMIUM", None)
    with pytest.raises(OSError, match="needs"):
        bench_page()
