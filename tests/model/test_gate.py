"""Eq. 7 and 8 against loops written from the paper."""

import pytest
import torch

from vsodlib.model.gate import AttentionGate
from vsodlib.model.self_attention import (
    NonLocalSelfAttention,
)

B, C, H, W = 2, 4, 3, 5


@pytest.fixture
def x():
    return torch.randn(B, C, H, W, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def randomise(module):
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return module.double()


def test_gate_equals_loop(x):
    module = randomise(AttentionGate(C))
    weight, bias = module.conv.weight.view(C), module.conv.bias
    expected = torch.zeros_like(x)
    for b in range(B):
        for i in range(H):
            for j in range(W):
                z = x[b, :, i, j]
                expected[b, :, i, j] = z / (1 + torch.exp(-(weight @ z + bias)))  # Eq. 7, 8
    torch.testing.assert_close(module(x), expected)
    assert module.gate(x).shape == (B, 1, H, W)


@pytest.mark.parametrize("make", [NonLocalSelfAttention, AttentionGate])
def test_gradients(make, x):
    module = randomise(make(C))
    assert torch.autograd.gradcheck(module, x.requires_grad_())
