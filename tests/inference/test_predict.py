"""Maps of frames, and the scores of a network that is known to be right or wrong."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from vsodlib import ModelConfig, VSODNet
from vsodlib.data.image_files import write_map
from vsodlib.data.transforms import to_images
from vsodlib.inference.guided import guided_upsampling
from vsodlib.inference.predict import predict_maps
from vsodlib.inference.video import video_references
from vsodlib.model.vsodnet import Output


class Oracle(torch.nn.Module):
    """Says that reddish pixels are salient; counts the images it has seen."""

    input_height = None
    config = ModelConfig.lite()

    def __init__(self):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))
        self.seen = []
        self.eval()

    def forward(self, images):
        self.seen.append(tuple(images.shape))
        return Output(100 * (images[:, :1] - images[:, 1:2]), images)


@pytest.fixture
def frames():
    """A red rectangle on green, (3, 40, 64, 3)."""
    frames = np.zeros((3, 40, 64, 3), np.uint8)
    frames[..., 1] = 200
    frames[:, 10:30, 8:24] = (200, 0, 0)
    return frames


def test_maps_have_the_size_and_place_of_the_frames(frames):
    maps = predict_maps(Oracle(), frames)
    assert maps.shape == (3, 40, 64)
    assert maps.dtype == np.float32
    assert np.array_equal(maps[0] > 0.5, frames[0, ..., 0] > 100)


def test_height_is_what_the_network_sees(frames):
    net = Oracle()
    maps = predict_maps(net, frames, height=20, batch_size=2)
    assert net.seen == [(2, 3, 16, 32), (1, 3, 16, 32)]
    assert maps.shape == (3, 40, 64)
    net.input_height = 60
    predict_maps(net, frames)
    assert net.seen[-1] == (3, 3, 64, 96)


def test_flip_averages_with_the_mirrored_frame(frames):
    net = Oracle()
    plain, flipped = predict_maps(net, frames), predict_maps(net, frames, flip=True)
    np.testing.assert_allclose(plain, flipped, atol=1e-5)  # this network is symmetric
    assert len(net.seen) == 3


def test_refined_maps_are_those_of_the_guided_filter():
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 64, 3), np.uint8)
    net = Oracle()
    maps = predict_maps(net, frames, height=16, batch_size=2, refine=True)
    small = to_images(frames, 16, net.config.output_stride)
    coarse = (100 * (small[:, 0] - small[:, 1])).sigmoid().numpy()
    assert maps.dtype == np.float32
    expected = [guided_upsampling(one, frame) for one, frame in zip(coarse, frames, strict=True)]
    np.testing.assert_allclose(maps, expected, atol=1e-6)
    assert np.abs(maps - predict_maps(net, frames, height=16)).max() > 0.01


def test_network_and_flip(tiny_config, frames):
    net = VSODNet(tiny_config).eval()
    plain = predict_maps(net, frames)
    mirrored = predict_maps(net, frames[:, :, ::-1])[:, :, ::-1]
    both = predict_maps(net, frames, flip=True)
    np.testing.assert_allclose(both, (plain + mirrored) / 2, atol=1e-5)


def test_scales_are_averaged_each_at_its_own_multiple_of_the_height(frames):
    net = Oracle()
    first, second = (predict_maps(net, frames, height) for height in (32, 16))
    net.seen.clear()
    both = predict_maps(net, frames, 32, scales=(1, 0.5))
    assert [shape[2] for shape in net.seen] == [32, 16] * (len(net.seen) // 2)
    np.testing.assert_allclose(both, (first + second) / 2, atol=1e-6)
    assert np.abs(first - second).max() > 0.01


def test_flip_and_scales_make_one_average(tiny_config, frames):
    net = VSODNet(tiny_config).eval()
    halves = [predict_maps(net, frames, height, flip=True) for height in (32, 16)]
    both = predict_maps(net, frames, 32, flip=True, scales=(1, 0.5))
    np.testing.assert_allclose(both, sum(halves) / 2, atol=1e-6)


@pytest.mark.parametrize("scales", [(), (1, 0), (-1,), (float("nan"),), (1e308,)])
def test_scales_that_are_none(frames, scales):
    with pytest.raises(ValueError, match="scales must be one or more numbers above 0"):
        predict_maps(Oracle(), frames, scales=scales)


def test_progress_is_shown_when_asked_for(frames, capsys):
    predict_maps(Oracle(), frames)
    assert capsys.readouterr().err == ""
    predict_maps(Oracle(), frames, batch_size=1, progress=True)
    assert "0/3" in capsys.readouterr().err


def test_no_frames_give_no_maps():
    assert predict_maps(Oracle(), np.zeros((0, 40, 64, 3), np.uint8)).shape == (0, 40, 64)


@pytest.mark.parametrize("shape", [(40, 64, 3), (1, 40, 64, 1)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="uint8 \\(T, H, W, 3\\)"):
        predict_maps(Oracle(), np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="float64"):
        predict_maps(Oracle(), np.zeros((1, 40, 64, 3)))
    with pytest.raises(ValueError, match="one array of frames of one size, got NoneType"):
        predict_maps(Oracle(), None)


def test_frames_of_mixed_sizes_are_refused(frames):
    mixed = [frames[0], frames[1, :20]]
    with pytest.raises(ValueError, match=r"of one size, got \(40, 64, 3\), \(20, 64, 3\)"):
        predict_maps(Oracle(), mixed)


def test_written_map_reads_back(tmp_path):
    saliency = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    write_map(tmp_path / "a" / "0.png", saliency)
    stored = cv2.imread(str(tmp_path / "a" / "0.png"), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint8
    np.testing.assert_allclose(stored / 255, saliency, atol=0.5 / 255 + 1e-6)


def test_references_come_from_the_whole_video(frames, tmp_path, monkeypatch):
    net = Oracle()
    assert video_references(net, tmp_path) is None
    net.config = replace(net.config, inter_frame_attention=True)
    for t in range(11):
        cv2.imwrite(str(tmp_path / f"{t}.png"), frames[0] // 11 * t)
    references = video_references(net, tmp_path)
    assert references.shape == (5, 40, 64, 3)
    assert [int(frame[0, 0, 1]) // 18 for frame in references] == [1, 3, 5, 7, 9]
    webcam = SimpleNamespace(length=None)
    monkeypatch.setattr("vsodlib.inference.video.read_video", lambda source: webcam)
    with pytest.raises(ValueError, match="length of 0 is not known"):
        video_references(net, 0)


def test_maps_of_bfloat16_stay_in_range():
    """Enlarged in bfloat16, a map of ones came out as 1.0078."""
    frame = np.random.default_rng(0).integers(0, 255, (1, 75, 131, 3), np.uint8)
    net = VSODNet(replace(ModelConfig.lite(), channels=8)).eval()
    torch.nn.init.constant_(net.head.bias, 30.0)
    with torch.autocast("cpu", torch.bfloat16):
        maps = predict_maps(net, frame, 64)
    assert maps.dtype == np.float32 and maps.min() > 0.99 and maps.max() <= 1


def test_network_in_training_mode_is_refused_and_learns_nothing(frames, tiny_config):
    net = VSODNet(tiny_config)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(ValueError, match="in training mode: call eval"):
        predict_maps(net, frames)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
