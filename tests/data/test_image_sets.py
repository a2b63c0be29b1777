"""Sets of still images."""

import numpy as np
import pytest
from small_sets import H, W, five, frames, masks, picture

from vsodlib.data import FOLDERS, open_dataset
from vsodlib.data.check import check


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


def test_images_of_one_name_in_two_folders_share_no_mask(tmp_path):
    for video in "ab":
        frames(tmp_path / "Imgs" / video, five())
        masks(tmp_path / "Imgs" / video, five())
    with pytest.raises(ValueError, match=r"a/00000\.png and .*b/00000\.png are both masks"):
        open_dataset("msra10k", None, tmp_path)
    assert check(tmp_path) == []  # of one's own
    (tmp_path / "Imgs").rename(tmp_path / "DUT-OMRON")
    (tmp_path / "DUT-OMRON/b").rename(tmp_path / "DUT-OMRON/pixelwiseGT-new-PNG")
    frames(tmp_path / "DUT-OMRON/DUT-OMRON-image", five())
    frames(tmp_path / "DUT-OMRON/DUT-OMRON-image/more", five())
    with pytest.raises(ValueError, match="are both pictures of frame 00000"):
        check(tmp_path)
