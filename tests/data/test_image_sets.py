"""Sets of still images."""

import numpy as np
import pytest
from small_sets import H, W, picture

from vsodlib.data import FOLDERS, open_dataset


@pytest.mark.parametrize(
    ("name", "image", "mask"),
    [
        ("msra10k", "Imgs/7.jpg", "Imgs/7.png"),
        ("dut-omron", "DUT-OMRON-image/7.jpg", "pixelwiseGT-new-PNG/7.png"),
        ("duts-tr", "DUTS-TR-Image/7.jpg", "DUTS-TR-Mask/7.png"),
    ],
)
def test_image_sets(tmp_path, name, image, mask):
    picture(tmp_path / FOLDERS[name] / image, (10, 20, 30))
    soft = np.zeros((H, W), np.uint8)
    soft[:4], soft[4], soft[5] = 255, 128, 127
    picture(tmp_path / FOLDERS[name] / mask, soft)
    dataset = open_dataset(name, "train", tmp_path)
    assert dataset.videos == {"7": [0]}
    np.testing.assert_array_equal(dataset.mask(0), soft > 127)
    with pytest.raises(ValueError, match="only the split train, not 'val'"):
        open_dataset(name, "val", tmp_path)
    (tmp_path / FOLDERS[name] / mask).unlink()
    with pytest.raises(ValueError, match=r"1 of 1 frames have no mask.*7\.jpg"):
        open_dataset(name, None, tmp_path)
