"""What the tests of data sets share."""

import shutil
from pathlib import Path

import pytest
from small_sets import H, W

from vsodlib.data.synthetic import make_synthetic


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """A data root with one small data set in DAVIS's layout: 3 training videos and 1 for val."""
    root = tmp_path_factory.mktemp("drawn")
    make_synthetic(root / "DAVIS", videos=4, frames=3, height=H, width=W)
    return root


@pytest.fixture
def root(drawn, tmp_path) -> Path:
    """A copy to break."""
    shutil.copytree(drawn, tmp_path / "root")
    return tmp_path / "root"
