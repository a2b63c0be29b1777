"""Multiply-adds counted by hand, the budget of Table 5, the clock and the memory gauge."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models.segmentation import deeplabv3_resnet101

from vsodlib import ModelConfig, VSODNet
from vsodlib.analysis.cost import Cost, budget, cost, multiply_adds, total
from vsodlib.model.co_attention import attend, literal_attend
from vsodlib.model.self_attention import literal_non_local, non_local

N, C = 60 * 107, 256
X = (1, C, 60, 107)
G = 1e9


def test_a_convolution_by_hand():
    conv = nn.Conv2d(3, 5, 3, stride=2, padding=1)
    assert cost(conv, 8, 12) == Cost(3 * 5 * 9 + 5, 4 * 6 * 5 * 3 * 9)


def test_attention_by_hand():
    """Both products of Eq. 4 and of Eq. 6, in every form."""
    assert multiply_adds(non_local, X) == 2 * N * C**2
    assert multiply_adds(literal_non_local, X) == 2 * N**2 * C
    query = (1, N, C)
    assert (
        multiply_adds(attend, query, X) == multiply_adds(literal_attend, query, X) == 2 * N**2 * C
    )


@pytest.fixture(scope="module")
def paper():
    return budget(ModelConfig.paper())


def test_paper_against_table_5(paper):
    """59.3 M; with x (xᵀ x) for (x xᵀ) x about 5 % fewer multiply-adds than the 425.7 G printed."""
    whole = total(paper.values())
    assert int(whole.parameters / 1e5) == 593
    assert 398 * G < whole.multiply_adds < 408 * G
    literal = total(budget(ModelConfig.paper(), literal=True).values())
    assert literal.parameters == whole.parameters
    assert literal.multiply_adds - whole.multiply_adds == 2 * N**2 * C - 2 * N * C**2
    assert 0.985 < literal.multiply_adds / 425.7e9 < 1


def test_parts_add_up_to_the_network(paper):
    with torch.device("meta"):
        net = VSODNet(ModelConfig.paper())
    assert total(paper.values()) == cost(net)


def test_parts_of_the_paper(paper):
    assert list(paper) == [
        *("stem", "layer1", "layer2", "layer3", "layer4", "ASPP", "x"),
        *("self-attention", "co-attention", "gates", "head", "decoder"),
    ]
    assert paper["head"] == Cost(3 * C + 1, N * 3 * C)
    assert paper["gates"] == Cost(2 * (C + 1), 2 * N * C)
    assert paper["x"] == Cost(9 * C * C + 2 * C, N * 9 * C * C)
    # filters and y, then 9 products a position and channel
    assert paper["self-attention"].multiply_adds == 9 * C**2 + 2 * N * C**2 + 9 * N * C
    # v and v W, then softmax(A) x
    assert paper["co-attention"].multiply_adds == 2 * N * C**2 + 2 * N**2 * C


def test_encoder_of_the_paper_is_deeplab(paper):
    """58.6 M and 378 G without attention: torchvision's DeepLabv3, as shared with the paper."""
    with torch.device("meta"):
        deeplab = deeplabv3_resnet101(weights=None, weights_backbone=None, num_classes=1)
    parameters, adds = cost(deeplab)
    assert 58.62e6 < parameters < 58.63e6
    assert 377.5 * G < adds < 378.5 * G
    encoder = total(paper[part] for part in list(paper)[:7])
    assert encoder.parameters == parameters - (C + 1)  # its last 1x1 convolution
    assert encoder.multiply_adds == adds - N * C


def test_budget_follows_the_configuration(tiny_config):
    plain = replace(
        tiny_config, self_attention=False, co_attention=False, gates=False, skip_connections=False
    )
    parts = budget(plain, 64, 96)
    assert {"blocks.0", "blocks.6", "ASPP", "head"} < set(parts)
    assert {"self-attention", "co-attention", "gates", "decoder"}.isdisjoint(parts)
    assert budget(plain, 64, 96, literal=True) == parts
    doubled = total(budget(plain, 128, 192).values())
    assert doubled.parameters == total(parts.values()).parameters
    # ASPP's branch on the pooled feature does not grow with the image.
    assert doubled.multiply_adds == pytest.approx(4 * total(parts.values()).multiply_adds, rel=1e-2)


def test_references_are_counted(tiny_config):
    """Six frames through the encoder, five co-attentions, one head."""
    alone = budget(replace(tiny_config, self_attention=False, co_attention=False), 64, 96)
    config = replace(
        tiny_config, self_attention=False, co_attention=False, inter_frame_attention=True
    )
    parts = budget(config, 64, 96)
    n, c = 4 * 6, 8
    assert parts["blocks.3"].multiply_adds == 6 * alone["blocks.3"].multiply_adds
    between = parts["co-attention between frames"].multiply_adds
    assert between == n * c**2 + 5 * (2 * n**2 * c + n * c)
    assert parts["decoder"] == alone["decoder"]


def test_counting_leaves_the_network_alone(tiny_config):
    net = VSODNet(tiny_config).train()
    cost(net, 64, 96)
    assert net.training
    assert next(net.parameters()).device.type == "cpu"
