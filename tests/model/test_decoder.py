"""The decoder against its definition."""

import torch
import torch.nn.functional as F

from vsodlib.model.decoder import RefinementDecoder, ResidualDecoder


def test_decoder_adds_skip_predictions():
    """Section 3.5: upsample by 2, add the prediction of the low-level feature, again and again."""
    decoder = RefinementDecoder({4: 5, 2: 3, 1: 3})
    coarse, features = torch.randn(1, 1, 3, 4), torch.randn(1, 7, 3, 4)
    skips = {
        4: torch.randn(1, 5, 6, 8),
        2: torch.randn(1, 3, 12, 16),
        1: torch.randn(1, 3, 24, 32),
    }
    torch.testing.assert_close(
        decoder(coarse, features, skips),
        _double(_double(_double(coarse))),  # skip predictions start at zero
    )
    for conv in decoder.predict.values():
        torch.nn.init.normal_(conv.weight)
    expected = coarse
    for stride in (4, 2, 1):
        expected = _double(expected) + decoder.predict[str(stride)](skips[stride])
    torch.testing.assert_close(decoder(coarse, features, skips), expected)
    assert [m.shape[-1] for m in decoder.stages(coarse, features, skips)] == [4, 8, 16, 32]


def test_residual_decoder_as_written():
    """h_s = ReLU(conv3x3(up(h) + conv1x1(skip))); its 1x1 prediction is added to the map."""
    torch.manual_seed(0)
    decoder = ResidualDecoder({4: 5, 2: 3, 1: 3}, feature_channels=7, channels=6)
    features, coarse = torch.randn(2, 7, 3, 4), torch.randn(2, 1, 3, 4)
    shapes = {4: (5, 6, 8), 2: (3, 12, 16), 1: (3, 24, 32)}
    skips = {s: torch.randn(2, *shape) for s, shape in shapes.items()}
    plain = RefinementDecoder({4: 5, 2: 3, 1: 3})
    torch.testing.assert_close(  # it starts as the plain decoder
        decoder(coarse, features, skips), plain(coarse, features, skips)
    )
    for conv in (*decoder.correct.values(), *decoder.predict.values()):
        torch.nn.init.normal_(conv.weight)
    h, expected = decoder.start(features), coarse
    for s in ("4", "2"):
        h = torch.relu(decoder.blend[s](_double(h) + decoder.enter[s](skips[int(s)])))
        expected = _double(expected) + decoder.predict[s](skips[int(s)]) + decoder.correct[s](h)
    expected = _double(expected) + decoder.predict["1"](skips[1])
    torch.testing.assert_close(decoder(coarse, features, skips), expected)


def _double(saliency):
    return F.interpolate(saliency, scale_factor=2, mode="bilinear", align_corners=False)
