"""Eq. 6 against loops written from the paper."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from vsodlib.model.co_attention import CrossLevelCoAttention, attend, literal_attend
from vsodlib.model.positions import to_map, to_positions
from vsodlib.model.self_attention import (
    DynamicDepthwiseConv,
    NonLocalSelfAttention,
    literal_non_local,
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


def loop_co_attention(v, weight, x):
    """Eq. 6: A_ij = v_i W x_j, softmax over j, weighted sum of x_j."""
    z = torch.zeros_like(x)
    for b in range(len(x)):
        for i in range(N):
            row = torch.stack(
                [v[b, :, i // W, i % W] @ weight @ x[b, :, j // W, j % W] for j in range(N)]
            )
            share = row.exp() / row.exp().sum()
            z[b, :, i // W, i % W] = sum(share[j] * x[b, :, j // W, j % W] for j in range(N))
    return z


def randomise(module):
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return module.double()


def test_co_attention_equals_loop(x):
    module = randomise(CrossLevelCoAttention(6, C))
    low = torch.randn(B, 6, 2 * H, 2 * W, dtype=torch.float64)
    pooled = low.unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5))
    v = module.to_v(pooled)
    torch.testing.assert_close(module(low, x), loop_co_attention(v, module.weight, x))


def test_co_attention_rows_make_z(x):
    module = randomise(CrossLevelCoAttention(6, C))
    low = torch.randn(B, 6, 5, 9, dtype=torch.float64)  # odd sizes, as strided convolutions leave
    rows = module.attention_rows(low, x, torch.arange(N)).flatten(2)
    assert rows.min() >= 0
    torch.testing.assert_close(rows.sum(2), torch.ones(B, N, dtype=torch.float64))
    torch.testing.assert_close(to_map(rows @ to_positions(x), H, W), module(low, x))


def test_co_attention_of_constant_x_returns_it():
    module = randomise(CrossLevelCoAttention(6, C))
    x = torch.ones(1, C, H, W, dtype=torch.float64) * torch.arange(C).view(1, C, 1, 1)
    torch.testing.assert_close(module(torch.randn(1, 6, H, W, dtype=torch.float64), x), x)


def test_co_attention_gradients(x):
    module = randomise(CrossLevelCoAttention(3, C))
    low = torch.randn(B, 3, H, W, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, (low, x.requires_grad_()))


def gradients(function, *inputs):
    """The output, and the gradient of half its squared length by every input."""
    inputs = [tensor.clone().requires_grad_() for tensor in inputs]
    out = function(*inputs)
    return [out.detach(), *torch.autograd.grad(out, inputs, out.detach())]


def relative(found, expected):
    return ((found.double() - expected).abs().max() / expected.abs().max()).item()


@pytest.fixture(scope="module")
def frame():
    """query (1, N, 64) and x (1, 64, 31, 17), as wide apart as after a ReLU."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 64, 31, 17, generator=generator).relu()
    return 0.2 * torch.randn(1, 31 * 17, 64, generator=generator), x


def test_literal_forms_equal_the_loops(x):
    torch.testing.assert_close(literal_non_local(x), loop_non_local(x))
    v, weight = torch.randn_like(x), torch.randn(C, C, dtype=x.dtype)
    query = to_positions(v) @ weight
    torch.testing.assert_close(literal_attend(query, x), loop_co_attention(v, weight, x))


@pytest.mark.parametrize("which", ["non_local", "attend"])
def test_float32_equals_the_literal_form(which, frame):
    """Within 1e-5 relative, output and gradients."""
    ours, literal, inputs = {
        "non_local": (non_local, literal_non_local, frame[1:]),
        "attend": (attend, literal_attend, frame),
    }[which]
    found = gradients(ours, *inputs)
    expected = gradients(literal, *(tensor.double() for tensor in inputs))
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == torch.float32
        assert relative(a, b) < 1e-5


@pytest.mark.parametrize("which", ["non_local", "attend"])
def test_bfloat16_is_as_good_as_its_eight_bits(which, frame):
    """bfloat16 rounds by up to 0.4 %; output and gradients stay within 2 % of float64."""
    ours, literal, inputs = {
        "non_local": (non_local, literal_non_local, frame[1:]),
        "attend": (attend, literal_attend, frame),
    }[which]
    rounded = [tensor.bfloat16() for tensor in inputs]
    found = gradients(ours, *rounded)
    expected = gradients(literal, *(tensor.double() for tensor in rounded))
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == torch.bfloat16
        assert relative(a, b) < 0.02


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_kernel_without_the_matrix_is_used(layout, frame):
    """Allowed nothing but the kernel that never holds N x N, PyTorch does not refuse."""
    query, x = frame
    x = x.clone(memory_format=layout).requires_grad_()
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        attend(query, x).sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("module", [NonLocalSelfAttention(64), CrossLevelCoAttention(64, 64)])
def test_mixed_precision(module, frame):
    """Under autocast, as in training: close to float32, gradients in the parameters' dtype."""
    x = frame[1].clone().requires_grad_()
    inputs = (x,) if isinstance(module, NonLocalSelfAttention) else (x, x)
    if isinstance(module, NonLocalSelfAttention):
        torch.manual_seed(0)
        torch.nn.init.normal_(module.depthwise.filter_generator.weight, std=0.5)
    exact = module(*inputs)
    assert relative(exact, x.double()) > 0.1  # a new module is the identity
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = module(*inputs)
    out.float().square().mean().backward()
    assert relative(out, exact.double()) < 0.02
    assert all(p.grad.dtype == torch.float32 for p in (x, *module.parameters()))


def test_sizes_that_do_not_fit_are_refused(x):
    co = CrossLevelCoAttention(6, C).double()
    low = torch.randn(B, 6, H, W, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"\(1, 6, 3, 5\) .* \(2, 4, 3, 5\)"):
        co(low[:1], x)
    with pytest.raises(ValueError, match=r"\(2, 4, 2, 5\) .* \(2, 4, 3, 5\)"):
        DynamicDepthwiseConv(C).double()(x[:, :, 1:], x)


@pytest.mark.parametrize("outside", [-1, N])
def test_queries_outside_the_frame_are_refused(x, outside):
    queries = torch.tensor([0, outside])
    message = rf"position {outside} lies outside x of 3x5 \(0 to 14\)"
    with pytest.raises(ValueError, match=message):
        NonLocalSelfAttention(C).double().attention_rows(x, queries)
    with pytest.raises(ValueError, match=message):
        CrossLevelCoAttention(C, C).double().attention_rows(x, x, queries)
