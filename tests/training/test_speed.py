"""The quick view computes what the plain network computes, and its gradients arrive there."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vsodlib import ModelConfig, VSODNet
from vsodlib.training.speed import FastConv2d, fast_view


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("size", [(6, 12), (7, 11)])
def test_depthwise_equals_the_definition(kernel, dilation, size):
    torch.manual_seed(0)
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(4, 4, kernel, padding=padding, dilation=dilation, groups=4)
    x = torch.randn(2, 4, *size)
    found = FastConv2d(conv)(x)
    H, W = size
    expected = torch.zeros(2, 4, H, W)
    for i in range(H):
        for j in range(W):
            for a in range(kernel):
                for b in range(kernel):
                    y, z = i + dilation * a - padding, j + dilation * b - padding
                    if 0 <= y < H and 0 <= z < W:
                        expected[:, :, i, j] += conv.weight[:, 0, a, b] * x[:, :, y, z]
    torch.testing.assert_close(found, expected + conv.bias.view(1, -1, 1, 1), atol=1e-5, rtol=1e-5)


def with_statistics(net):
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return net


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("decoder_channels", [0, 4])
def test_outputs_and_gradients_equal_the_plain_networks(tiny_config, frozen, decoder_channels):
    torch.manual_seed(0)
    net = with_statistics(VSODNet(replace(tiny_config, decoder_channels=decoder_channels)))
    net.double()
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    view = fast_view(net, frozen)
    assert all(torch.equal(before[name], buffer) for name, buffer in net.named_buffers())
    assert sum(isinstance(m, FastConv2d) for m in view.modules()) > (50 if frozen else 10)
    net.eval()
    view.eval()
    images = torch.rand(2, 3, 64, 80, dtype=torch.float64)
    gradients = []
    for model in (net, view):
        net.zero_grad()
        output = model(images)
        output.logits.square().mean().backward()
        gradients.append(
            {k: p.grad.clone() for k, p in net.named_parameters() if p.grad is not None}
        )
        gradients[-1]["logits"] = output.logits.detach()
    assert gradients[0].keys() == gradients[1].keys()
    for name, expected in gradients[0].items():
        scale = expected.abs().max()
        torch.testing.assert_close(
            gradients[1][name], expected, atol=1e-9 * scale, rtol=1e-6, msg=name
        )


def test_the_view_learns_statistics_for_the_plain_network(tiny_config):
    net = VSODNet(tiny_config)
    view = fast_view(net).train()
    view(torch.rand(4, 3, 32, 32))
    norm = net.encoder.backbone.bn1
    assert norm.num_batches_tracked == 1 and norm.running_mean.abs().sum() > 0


def test_depthwise_convolutions_stay_in_float32(tiny_config):
    net = VSODNet(replace(tiny_config, channels=8)).eval()
    view, seen = fast_view(net, frozen_norms=True), []
    for module in view.modules():
        if isinstance(module, FastConv2d) and module.depthwise:
            module.register_forward_hook(
                lambda m, args, out: seen.append((args[0].dtype, out.dtype))
            )
    inside = torch.nn.functional.conv2d

    def conv2d(x, weight, *rest, **options):
        groups = options.get("groups", rest[-1] if len(rest) == 5 else 1)
        if groups > 1 and groups == weight.shape[0] and not torch.is_autocast_enabled("cpu"):
            assert x.dtype == weight.dtype == torch.float32
            seen.append("float32")
        return inside(x, weight, *rest, **options)

    torch.nn.functional.conv2d = conv2d
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            view(torch.rand(1, 3, 32, 32))
    finally:
        torch.nn.functional.conv2d = inside
    assert seen.count("float32") == sum(isinstance(s, tuple) for s in seen) == 16
    assert all(
        dtypes == (torch.bfloat16, torch.bfloat16) for dtypes in seen[1:] if dtypes != "float32"
    )


def test_paper_network_has_a_view():
    config = replace(ModelConfig.paper(), backbone="resnet18", channels=8)
    net = VSODNet(config).eval()
    images = torch.rand(1, 3, 64, 64)
    view = fast_view(net, frozen_norms=True).eval()
    torch.testing.assert_close(view(images).logits, net(images).logits, atol=1e-4, rtol=1e-4)
