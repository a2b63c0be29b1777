"""A folded network is the same network: same outputs, no batch norms, the original untouched."""

import pytest
import torch
from torch import nn

from vsodlib import ModelConfig, VSODNet
from vsodlib.inference.folding import fold_batch_norms


def with_statistics(net):
    """Batch norms as after training: nothing at its starting value."""
    generator = torch.Generator().manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
            nn.init.normal_(module.bias, 0, 0.1, generator=generator)
    return net.eval()


def norms(net):
    return sum(isinstance(module, nn.BatchNorm2d) for module in net.modules())


def test_by_hand():
    """One pixel: (2 * 3 + 1 - 4) * 5 / sqrt(9) + 6 = 11."""
    net = nn.Sequential(nn.Conv2d(3, 1, 1), nn.BatchNorm2d(1, eps=0)).eval()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([2.0, 0, 0]).view(1, 3, 1, 1))
        net[0].bias.fill_(1)
        net[1].running_mean.fill_(4)
        net[1].running_var.fill_(9)
        net[1].weight.fill_(5)
        net[1].bias.fill_(6)
    folded = fold_batch_norms(net)
    assert norms(folded) == 0
    torch.testing.assert_close(
        folded(torch.full((1, 3, 1, 1), 3.0)), torch.full((1, 1, 1, 1), 11.0)
    )


@pytest.mark.parametrize("backbone", ["tf_efficientnet_lite0", "resnet18"])
def test_the_network_is_the_same(backbone):
    config = ModelConfig(backbone, 16, channels=8, aspp_rates=(1, 2))
    torch.manual_seed(0)
    net = with_statistics(VSODNet(config))
    net.input_height = 96
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    folded = fold_batch_norms(net)
    assert norms(net) > 20 and norms(folded) == 0
    assert folded.input_height == 96 and not folded.training
    images = torch.randn(2, 3, 65, 98)
    with torch.no_grad():
        a, b = net(images), folded(images)
    assert a.logits.std() > 0.01
    torch.testing.assert_close(b.logits, a.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(b.features, a.features, atol=1e-4, rtol=1e-4)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_the_bundled_network_is_the_same():
    net = VSODNet.from_pretrained("lite-davis")
    images = torch.randn(1, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            fold_batch_norms(net)(images).logits, net(images).logits, atol=1e-4, rtol=1e-4
        )


def test_a_batch_norm_behind_something_else_stays():
    net = with_statistics(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)))
    folded = fold_batch_norms(net)
    assert norms(folded) == 1
    images = torch.randn(1, 3, 5, 7)
    torch.testing.assert_close(folded(images), net(images))


def test_a_network_in_training_comes_back_in_evaluation():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).train()
    assert not fold_batch_norms(net).training
    assert net.training
    assert net[1].num_batches_tracked == 0, "the pass that looks must not move the statistics"
