"""Pictures of features and of the reach of convolutions."""

import numpy as np
import pytest
from drawings import encoder as encoder_plots
from drawings.attention import kernels, matrices

H, W = 33, 50
FRAME = np.random.default_rng(0).integers(0, 255, (H, W, 3), np.uint8)


def test_pca_gives_equal_colours_to_equal_features_in_all_maps():
    generator = np.random.default_rng(1)
    kinds = generator.normal(size=(4, 6))
    which = generator.integers(0, 4, (2, 5, 7))
    pictures = encoder_plots.pca_pictures(kinds[which].transpose(0, 3, 1, 2))
    assert pictures.shape == (2, 5, 7, 3) and pictures.dtype == np.uint8
    colors = [np.unique(pictures[which == k], axis=0) for k in range(4)]
    assert [len(c) for c in colors] == [1] * 4
    assert len(np.unique(np.concatenate(colors), axis=0)) == 4


def test_pca_orders_its_components_and_fixes_their_sign():
    strong, weak = np.linspace(-1, 1, 12), np.tile([-0.1, 0.1], 6)
    features = np.zeros((1, 3, 3, 4))
    features[0, 1], features[0, 2] = strong.reshape(3, 4), weak.reshape(3, 4)
    picture = encoder_plots.pca_pictures(features)[0].reshape(12, 3).astype(int)
    assert (np.diff(picture[1:-1, 0]) > 0).all(), "red follows the strongest channel, upwards"
    assert picture[::2, 1].max() < picture[1::2, 1].min(), "green the second, upwards"
    assert not encoder_plots.pca_pictures(np.ones((1, 3, 2, 2))).any(), (
        "nothing varies, nothing to divide"
    )


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 2, 4, 5)])
def test_pca_needs_three_channels(shape):
    with pytest.raises(ValueError, match="C >= 3"):
        encoder_plots.pca_pictures(np.zeros(shape))


def test_tap_counts_by_loop():
    for dilations in ([1], [4], [1, 1], [1, 2, 3], [2, 2]):
        reached = {(0, 0): 1}
        for d in dilations:
            onward = {}
            for (i, j), paths in reached.items():
                for a in (-d, 0, d):
                    for b in (-d, 0, d):
                        onward[i + a, j + b] = onward.get((i + a, j + b), 0) + paths
            reached = onward
        reach = sum(dilations)
        expected = np.zeros((2 * reach + 1,) * 2, int)
        for (i, j), paths in reached.items():
            expected[i + reach, j + reach] = paths
        np.testing.assert_array_equal(encoder_plots.tap_counts(dilations), expected)
    with pytest.raises(ValueError, match="at least 1"):
        encoder_plots.tap_counts([1, 0])


def test_taps_tells_size_and_number():
    axes = encoder_plots.taps({"plain": [1], "wide": [3]}).axes
    assert [a.get_title() for a in axes] == ["plain", "wide"]
    assert [a.get_xlabel() for a in axes] == ["3×3, 9 touched", "7×7, 9 touched"]
    assert axes[0].get_xlim() == axes[1].get_xlim() == (-4, 4)
    shade = axes[1].collections[0].get_array()
    assert np.count_nonzero(shade) == 9 and shade[0, 0] > 0 == shade[0, 1]


def test_aspp_tells_taps_inside_from_those_outside():
    figure = encoder_plots.aspp(FRAME, (16, 25), {"a": ((1, 2), 8), "b": ((1,), 4)})
    near, outside_near, far, _ = figure.axes[0].lines
    assert len(near.get_xdata()) == 9 and len(outside_near.get_xdata()) == 0
    # Rate 2 at stride 8 reaches 16 pixels: rows 0, 16, 32 and columns 9, 25, 41, all inside.
    assert len(far.get_xdata()) == 9
    assert set(far.get_ydata()) == {0, 16, 32} and set(far.get_xdata()) == {9, 25, 41}
    higher = encoder_plots.aspp(FRAME, (10, 25), {"a": ((2,), 8)}).axes[0].lines
    assert set(higher[1].get_ydata()) == {-6} and higher[1].get_fillstyle() == "none"
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["rate 1: 17 px wide", "rate 2: 33 px wide"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: encoder_plots.taps({}),
        lambda: encoder_plots.aspp(FRAME, (1, 1), {}),
        lambda: kernels({}),
        lambda: matrices({}),
    ],
)
def test_nothing_to_draw(draw):
    with pytest.raises(ValueError, match="needs at least one"):
        draw()
