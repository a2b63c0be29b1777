"""What several test modules share."""

import os
from pathlib import Path

import pytest

from vsodlib.config import ModelConfig


@pytest.fixture
def tiny_config() -> ModelConfig:
    """The lite network at eight channels."""
    return ModelConfig("tf_efficientnet_lite0", 16, channels=8, aspp_rates=(1, 2))


@pytest.fixture(scope="session")
def davis_root() -> Path:
    """The data root that holds DAVIS, where this machine has one."""
    root = Path(os.environ.get("VSOD_DATA", "data"))
    if not (root / "DAVIS").is_dir():
        pytest.skip("DAVIS is not here; set VSOD_DATA")
    return root
