"""The whole network: parameter budgets, shapes, switches, errors."""

from dataclasses import replace
from functools import partial
from itertools import product

import pytest
import torch
from torch import nn

from vsodlib import ModelConfig, VSODNet
from vsodlib.data import synthetic_clip
from vsodlib.inference.predict import predict_maps
from vsodlib.model import checkpoint
from vsodlib.model.vsodnet import class_names


def count(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.slow
def test_paper_has_the_parameters_of_table_5():
    with torch.device("meta"):
        net = VSODNet(ModelConfig.paper())
    assert 59.2e6 < count(net) < 59.4e6


def test_parts_of_the_paper_budget():
    """The 0.67 M that Table 5 has above DeepLabv3: filters, W, v, gates, wider head, skips."""
    with torch.device("meta"):
        net = VSODNet(ModelConfig.paper())
    c = 256
    assert count(net.self_attention) == 9 * c * (c + 1)
    assert count(net.co_attention) == c * c + c * (c + 1)
    assert count(net.head) == 3 * c + 1
    assert count(net.decoder) == 9 * (256 + 64 + 3) + 3


def test_lite_is_under_six_million():
    assert count(VSODNet(ModelConfig.lite())) < 6e6


def test_shapes_with_height_and_width_apart(tiny_config):
    net = VSODNet(tiny_config).eval()
    out = net(torch.randn(2, 3, 65, 98))
    assert out.logits.shape == (2, 1, 65, 98)
    assert out.features.shape == (2, 24, 5, 7)
    assert out.attention is None


def test_stride_eight(tiny_config):
    net = VSODNet(replace(tiny_config, output_stride=8)).eval()
    assert net(torch.randn(1, 3, 65, 98)).features.shape == (1, 24, 9, 13)
    assert net.decoder.strides == [4, 2, 1]  # upsampled three times by 2, Section 3.5


@pytest.mark.parametrize(
    "switches", list(product([True, False], repeat=5)), ids=lambda s: "".join("01"[i] for i in s)
)
def test_every_module_can_be_switched_off(tiny_config, switches):
    names = ("self_attention", "co_attention", "gates", "dynamic_filters", "skip_connections")
    config = replace(tiny_config, **dict(zip(names, switches, strict=True)))
    net = VSODNet(config)
    out = net(torch.randn(2, 3, 32, 48))
    assert out.features.shape[1] == 8 * (1 + switches[0] + switches[1])
    out.logits.square().mean().backward()
    # A switched-off module leaves no parameters behind, and each one left is trained.
    untrained = [name for name, p in net.named_parameters() if p.grad is None]
    assert untrained == []


def test_frames_do_not_influence_each_other(tiny_config):
    net = VSODNet(tiny_config).eval()
    frames = torch.randn(3, 3, 32, 48)
    together = net(frames).logits
    apart = (together[1] - together[0]).abs().max()
    assert apart > 0
    assert (together[1:2] - net(frames[1:2]).logits).abs().max() < 1e-2 * apart


def test_attention_is_returned_when_asked(tiny_config):
    net = VSODNet(tiny_config).eval()
    images = torch.randn(2, 3, 33, 50)  # x is 3 x 4
    attention = net(images, return_attention=[(0, 0), (32, 49)]).attention
    everything = net(images, return_attention=True).attention
    assert attention.self_rows.shape == attention.co_rows.shape == (2, 2, 3, 4)
    assert everything.co_rows.shape == (2, 12, 3, 4)
    torch.testing.assert_close(everything.self_rows[:, [0, 11]], attention.self_rows)
    torch.testing.assert_close(attention.co_rows.sum((2, 3)), torch.ones(2, 2))
    assert attention.self_gate.shape == (2, 1, 3, 4)
    assert 0 < attention.co_gate.min() < attention.co_gate.max() < 1


def test_attention_of_what_is_switched_off_is_none(tiny_config):
    net = VSODNet(replace(tiny_config, co_attention=False, gates=False)).eval()
    attention = net(torch.randn(1, 3, 32, 48), return_attention=True).attention
    assert attention.co_rows is None
    assert attention.self_gate is None
    assert attention.self_rows is not None


def test_residual_decoder_of_lite_is_small():
    sizes = [
        sum(
            p.numel() for p in VSODNet(replace(ModelConfig.lite(), decoder_channels=c)).parameters()
        )
        for c in (0, 24)
    ]
    assert 0 < sizes[1] - sizes[0] < 100_000


def test_a_trunk_gives_what_both_have(tiny_config, tmp_path):
    """Modules are added as identities: the map stays what it was."""
    plain = replace(tiny_config, self_attention=False, co_attention=False)
    net = VSODNet(plain).eval()
    torch.nn.init.normal_(net.head.weight)
    checkpoint.write(tmp_path / "trunk", net.state_dict(), {"model": plain.to_dict()})
    net = VSODNet.from_pretrained(tmp_path / "trunk")  # half precision
    images = torch.rand(2, 3, 32, 48)
    full = VSODNet(replace(tiny_config, decoder_channels=4)).eval()
    full.load_trunk(tmp_path / "trunk")
    torch.testing.assert_close(full(images).logits, net(images).logits)
    only_co = VSODNet(replace(tiny_config, self_attention=False)).eval()
    checkpoint.write(tmp_path / "full", full.state_dict(), {"model": full.config.to_dict()})
    only_co.load_trunk(tmp_path / "full")
    c = tiny_config.channels
    expected = full.head.weight[:, [*range(c), *range(2 * c, 3 * c)]]
    torch.testing.assert_close(only_co.head.weight, expected, atol=1e-3, rtol=1e-3)


def test_a_trunk_of_another_architecture_is_refused(tiny_config, tmp_path):
    trunk = replace(tiny_config, decoder_channels=2)
    record = {"model": trunk.to_dict()}
    checkpoint.write(tmp_path / "trunk", VSODNet(trunk).state_dict(), record)
    for change, said in (
        ({"channels": 4}, "channels is 8, not 4"),
        ({"decoder_channels": 3}, "decoder_channels is 2, not 3"),
    ):
        with pytest.raises(ValueError, match=f"holds another network: {said}"):
            VSODNet(replace(trunk, **change)).load_trunk(tmp_path / "trunk")


def test_the_map_does_not_depend_on_the_heights_remainder():
    """Heights that are no multiple of the stride used to stretch the map (J 0.82 for 0.86)."""
    clip = synthetic_clip(3, frames=2, height=240, width=240)  # rows and columns round alike
    net = VSODNet.from_pretrained("lite-davis")
    scores = {}
    for height in (416, 420, 424, 428, 432):  # up to the rows that the network was trained for
        maps = predict_maps(net, clip.frames, height) >= 0.5
        both, either = (maps & clip.masks).sum(), (maps | clip.masks).sum()
        scores[height] = both / either
    assert scores[416] == scores[420] and scores[424] == scores[428] == scores[432]
    assert abs(scores[416] - scores[432]) < 0.05


@pytest.mark.parametrize(
    ("images", "asked", "message"),
    [
        (torch.zeros(3, 32, 32), False, r"\(B, 3, H, W\) .* got torch.float32 \(3, 32, 32\)"),
        (torch.zeros(1, 1, 32, 32), False, r"got torch.float32 \(1, 1, 32, 32\)"),
        (torch.zeros(0, 3, 32, 32), False, r"got torch.float32 \(0, 3, 32, 32\)"),
        (torch.zeros(1, 3, 32, 32).byte(), False, r"float .* in \[0, 1\], got torch.uint8"),
        (None, False, "must be one tensor of frames of one size, got NoneType"),
        (
            [torch.zeros(3, 32, 32), torch.zeros(3, 32, 48)],
            False,
            r"of one size, got \(3, 32, 32\), \(3, 32, 48\)",
        ),
        (torch.zeros(1, 3, 15, 32), False, "15x32 are smaller than the output stride, 16"),
        (torch.zeros(1, 3, 32, 32), [(32, 0)], r"\(32, 0\) lies outside the 32x32"),
        (torch.zeros(1, 3, 32, 32), (3, 5), r"takes pixels \[\(row, column\), ...\], got \(3, 5\)"),
        (torch.zeros(1, 3, 32, 32), [(0.5, 1)], r"takes pixels .* got \[\(0.5, 1\)\]"),
        (torch.zeros(1, 3, 32, 32), [], r"takes pixels .* got \[\]"),
    ],
)
def test_bad_images(tiny_config, images, asked, message):
    with pytest.raises(ValueError, match=message):
        VSODNet(tiny_config).eval()(images, return_attention=asked)


def test_images_and_weights_of_other_precision(tiny_config):
    net, images = VSODNet(tiny_config).eval(), torch.rand(2, 3, 32, 48)
    expected = net(images).logits
    torch.testing.assert_close(net(images.double()).logits, expected)
    torch.testing.assert_close(net.double()(images).logits.float(), expected)
    assert net.bfloat16()(images).logits.isfinite().all()


class Own(nn.Module):
    """A self-attention of one's own."""

    def __init__(self, channels):
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, 1, 1), 0.5))

    def forward(self, x):
        return self.scale * x


class OwnPair(nn.Module):
    """A co-attention of one's own."""

    def __init__(self, low_channels, channels):
        super().__init__()
        self.mix = nn.Conv2d(low_channels, channels, 1)

    def forward(self, low, x):
        return nn.functional.adaptive_avg_pool2d(self.mix(low), x.shape[2:])


def test_modules_of_ones_own(tiny_config, tmp_path):
    net = VSODNet(tiny_config, self_attention=Own, co_attention=OwnPair).eval()
    images = torch.rand(1, 3, 48, 64)
    out = net(images, return_attention=[(0, 0)])
    assert out.attention.self_rows is None and out.attention.co_rows is None
    assert out.attention.self_gate.shape == (1, 1, 3, 4)
    c = tiny_config.channels
    z = net.self_gate(0.5 * out.features[:, :c])
    torch.testing.assert_close(out.features[:, c : 2 * c], z)

    record = {"model": tiny_config.to_dict(), "own_modules": net.own_modules}
    checkpoint.write(tmp_path / "own", net.state_dict(), record)
    with pytest.raises(ValueError, match="give from_pretrained self_attention=Own, co_attention=O"):
        VSODNet.from_pretrained(tmp_path / "own")
    again = VSODNet.from_pretrained(tmp_path / "own", self_attention=Own, co_attention=OwnPair)
    assert (again(images).logits - out.logits).abs().max() < 0.05  # float16
    with pytest.raises(ValueError, match="give from_pretrained none of your own"):
        VSODNet.from_pretrained("lite-davis", self_attention=Own)


def test_a_module_of_ones_own_starts_as_an_identity_of_the_trunk(tiny_config, tmp_path):
    trunk = VSODNet(tiny_config).eval()
    checkpoint.write(tmp_path / "trunk", trunk.state_dict(), {"model": tiny_config.to_dict()})
    images = torch.rand(1, 3, 48, 64)
    net = VSODNet(tiny_config, self_attention=Own).eval()
    net.load_trunk(tmp_path / "trunk")
    c = tiny_config.channels
    assert not net.head.weight[:, c : 2 * c].any()
    with torch.no_grad():  # what the trunk knew of its own self-attention is left out
        trunk.head.weight[:, c : 2 * c] = 0
    torch.testing.assert_close(net(images).logits, trunk(images).logits, atol=0.02, rtol=0)


def test_a_module_of_ones_own_that_does_not_fit(tiny_config):
    with pytest.raises(ValueError, match="given for self_attention, which is off"):
        VSODNet(replace(tiny_config, self_attention=False), self_attention=Own)
    with pytest.raises(ValueError, match=r"self_attention takes .* as the class Identity, not one"):
        VSODNet(tiny_config, self_attention=nn.Identity())
    net = VSODNet(tiny_config, self_attention=lambda c: nn.AvgPool2d(2)).eval()
    with pytest.raises(ValueError, match=r"returned \(1, 8, 1, 2\), not features of the shape"):
        net(torch.rand(1, 3, 48, 64))


def test_own_modules_have_the_same_names_in_every_process():
    names = class_names(self_attention=partial(lambda c, k: nn.Conv2d(c, c, k), k=1))
    assert "0x" not in names["self_attention"] and "k=1" in names["self_attention"]
