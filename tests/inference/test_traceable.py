"""A network as one function of tensors."""

import pytest
import torch
from trained_like import photographs, trained_like

from vsodlib.inference.traceable import SaliencyMap


@pytest.mark.filterwarnings("ignore")  # torch.jit is deprecated, and says what a trace fixes
@torch.no_grad()
def test_tracers_follow(tiny_config):
    net = trained_like(tiny_config)
    saliency = SaliencyMap(net)
    traced = torch.jit.trace(saliency, photographs(1, 64, 80))
    images = photographs(2, 97, 131)
    expected = net(images).logits.sigmoid()
    torch.testing.assert_close(traced(images), expected, atol=1e-5, rtol=0)
    exported = torch.export.export(saliency, (images,)).module()
    torch.testing.assert_close(exported(images), expected, atol=1e-5, rtol=0)
