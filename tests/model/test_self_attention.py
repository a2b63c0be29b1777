"""Eq. 1-8 against loops written from the paper, on features with H != W."""

import pytest
import torch

from vsodlib.model.positions import to_positions
from vsodlib.model.self_attention import (
    DynamicDepthwiseConv,
    NonLocalSelfAttention,
    non_local,
)

B, C, H, W = 2, 4, 3, 5
N = H * W


@pytest.fixture
def x():
    return torch.randn(B, C, H, W, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def loop_non_local(x):
    """Eq. 1 with f the dot product, g the identity, C(x) = N: one position after the other."""
    y = torch.zeros_like(x)
    for b in range(len(x)):
        rows = [x[b, :, p // W, p % W] for p in range(N)]
        for i in range(N):
            y[b, :, i // W, i % W] = sum((rows[i] @ rows[j]) * rows[j] for j in range(N)) / N
    return y


def loop_depthwise(y, filters):
    """A 3x3 filter per sample and channel, zero padding."""
    z = torch.zeros_like(y)
    for b in range(len(y)):
        for c in range(C):
            for i in range(H):
                for j in range(W):
                    for di in (-1, 0, 1):
                        for dj in (-1, 0, 1):
                            if 0 <= i + di < H and 0 <= j + dj < W:
                                z[b, c, i, j] += (
                                    filters[b, c, di + 1, dj + 1] * y[b, c, i + di, j + dj]
                                )
    return z


def randomise(module):
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return module.double()


def test_non_local_equals_loop(x):
    torch.testing.assert_close(non_local(x), loop_non_local(x))


def test_non_local_by_hand():
    # Two positions, two channels: x_1 = (1, 0), x_2 = (1, 1).
    x = torch.tensor([[1.0, 1.0], [0.0, 1.0]]).view(1, 2, 1, 2)
    # y_1 = ((x_1.x_1) x_1 + (x_1.x_2) x_2) / 2 = ((1, 0) + (1, 1)) / 2
    # y_2 = ((x_2.x_1) x_1 + (x_2.x_2) x_2) / 2 = ((1, 0) + 2 (1, 1)) / 2
    expected = torch.tensor([[1.0, 1.5], [0.5, 1.0]]).view(1, 2, 1, 2)
    torch.testing.assert_close(non_local(x), expected)


def test_dynamic_convolution_equals_loop(x):
    module = randomise(DynamicDepthwiseConv(C))
    y = x.flip(0) * 2
    torch.testing.assert_close(module(y, x), loop_depthwise(y, module.filters(x)))


def test_each_sample_has_its_own_filters(x):
    module = randomise(DynamicDepthwiseConv(C))
    filters = module.filters(x)
    assert filters.shape == (B, C, 3, 3)
    assert not torch.allclose(filters[0], filters[1])
    torch.testing.assert_close(filters[:1], module.filters(x[:1]))


def test_self_attention_equals_loop(x):
    module = randomise(NonLocalSelfAttention(C))
    expected = loop_depthwise(loop_non_local(x), module.depthwise.filters(x)) + x  # Eq. 5
    torch.testing.assert_close(module(x), expected)


def test_self_attention_starts_as_identity(x):
    for dynamic in (True, False):
        assert torch.equal(NonLocalSelfAttention(C, dynamic).double()(x), x)


def test_static_filters_equal_loop(x):
    module = randomise(NonLocalSelfAttention(C, dynamic=False))
    filters = module.depthwise.weight.transpose(0, 1).expand(B, C, 3, 3)
    bias = module.depthwise.bias.view(1, C, 1, 1)
    torch.testing.assert_close(module(x), loop_depthwise(loop_non_local(x), filters) + bias + x)


def test_self_attention_rows_make_y(x):
    """The rows of the affinity are what y is made with: y_i = sum_j row_ij x_j (Eq. 4)."""
    queries = torch.tensor([0, 7, N - 1])
    rows = NonLocalSelfAttention(C).double().attention_rows(x, queries)
    assert rows.shape == (B, 3, H, W)
    y = torch.einsum("bqn,bnc->bqc", rows.flatten(2), to_positions(x))
    torch.testing.assert_close(y, to_positions(loop_non_local(x))[:, queries])


def test_non_local_stays_in_the_range_of_float16():
    """At 480x854 the sums in xᵀ x pass float16's 65504 from activations of 3.2 on."""
    x = torch.full((1, 2, 60, 107), 4.0, dtype=torch.float16)
    torch.testing.assert_close(non_local(x), torch.full_like(x, 4 * 2 * 16), rtol=5e-3, atol=0)


def test_second_derivatives(x):
    assert torch.autograd.gradgradcheck(non_local, x[:1, :2].requires_grad_())
