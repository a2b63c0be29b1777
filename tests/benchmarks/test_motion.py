"""The trial of the ways of `Motion`: on what was held out, against the network's own maps."""

import numpy as np
import pytest

from benchmarks import motion
from benchmarks.motion import SHIPPED, bench_motion
from vsodlib import Motion, VSODNet, open_dataset, predict_maps
from vsodlib.metrics import score_frames
from vsodlib.model import checkpoint


@pytest.fixture
def net(tmp_path, tiny_config):
    def write(held_out: dict[str, int]) -> str:
        record = {"model": tiny_config.to_dict(), "input_height": 32, "held_out": held_out}
        checkpoint.write(tmp_path / "net", VSODNet(tiny_config).state_dict(), record)
        return str(tmp_path / "net")

    return write


def test_every_way_is_held_against_the_networks_own_maps(net, monkeypatch):
    way = SHIPPED | {"against": 1}
    monkeypatch.setattr(motion, "WAYS", [SHIPPED, way])
    name = net({"synthetic": 2})
    found = bench_motion(name, 48, dataset="synthetic")
    held_out = open_dataset("synthetic", "train")
    held_out = held_out.subset(held_out.spread_out(2))
    assert found["videos"] == sorted(held_out.videos) and len(found["ways"]) == 2

    def expected(weigh):
        for video, indices in held_out.videos.items():
            change = weigh()
            for index in indices:
                frame = held_out.image(index)
                saliency = predict_maps(VSODNet.from_pretrained(name), frame[None], 48)[0]
                saliency = np.rint(saliency * 255).astype(np.uint8) / np.float32(255)
                record = held_out.records[index]
                yield video, record.frame, change(frame, saliency), held_out.mask(index)

    for side, weigh in (("first", lambda: lambda _, p: p), ("second", lambda: Motion(**way))):
        scores = score_frames(expected(weigh), "davis2016", ("J", "mae"), progress=False)
        assert found["ways"][1]["J"][side] == pytest.approx(scores["J"]["mean"], abs=1e-5)
        assert found["ways"][1]["mae"][side] == pytest.approx(scores["mae"], abs=1e-5)


def test_a_network_that_knows_all_videos_is_refused(net):
    with pytest.raises(ValueError, match="held nothing of synthetic out"):
        bench_motion(net({}), dataset="synthetic")
