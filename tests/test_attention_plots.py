import numpy as np
import pytest
from matplotlib.colors import to_rgb

from vsodlib import attention_plots as plots

H, W = 33, 50
FRAME = np.random.default_rng(0).integers(0, 255, (H, W, 3), np.uint8)


def green(picture):
    """Where there is much more green than red."""
    return picture[..., 1].astype(int) - picture[..., 0] > 60


def brown(picture):
    """Where there is much more red than blue."""
    return picture[..., 0].astype(int) - picture[..., 2] > 60


def test_pca_gives_equal_colours_to_equal_features_in_all_maps():
    generator = np.random.default_rng(1)
    kinds = generator.normal(size=(4, 6))
    which = generator.integers(0, 4, (2, 5, 7))
    pictures = plots.pca_pictures(kinds[which].transpose(0, 3, 1, 2))
    assert pictures.shape == (2, 5, 7, 3) and pictures.dtype == np.uint8
    colors = [np.unique(pictures[which == k], axis=0) for k in range(4)]
    assert [len(c) for c in colors] == [1] * 4
    assert len(np.unique(np.concatenate(colors), axis=0)) == 4


def test_pca_orders_its_components_and_fixes_their_sign():
    strong, weak = np.linspace(-1, 1, 12), np.tile([-0.1, 0.1], 6)
    features = np.zeros((1, 3, 3, 4))
    features[0, 1], features[0, 2] = strong.reshape(3, 4), weak.reshape(3, 4)
    picture = plots.pca_pictures(features)[0].reshape(12, 3).astype(int)
    assert (np.diff(picture[1:-1, 0]) > 0).all(), "red follows the strongest channel, upwards"
    assert picture[::2, 1].max() < picture[1::2, 1].min(), "green the second, upwards"
    assert not plots.pca_pictures(np.ones((1, 3, 2, 2))).any(), "nothing varies, nothing to divide"


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 2, 4, 5)])
def test_pca_needs_three_channels(shape):
    with pytest.raises(ValueError, match="C >= 3"):
        plots.pca_pictures(np.zeros(shape))


def test_enlarge_makes_squares_and_cuts_at_the_border():
    cells = np.arange(6).reshape(2, 3)
    large = plots.enlarge(cells, 4, 7, 10)
    assert large.shape == (7, 10)
    assert all(large[i, j] == cells[i // 4, j // 4] for i in range(7) for j in range(10))
    with pytest.raises(ValueError, match="33x50 frame has 3x4 positions at stride 16, got 2x4"):
        plots.enlarge(np.zeros((2, 4)), 16, H, W)


def test_row_picture_colours_by_sign_and_strength():
    row = np.zeros((3, 4))
    row[0, 1], row[1, 2], row[0, 3] = 0.2, -0.2, 0.04
    picture = plots.row_picture(FRAME, row, (30, 5), stride=16)
    assert picture.shape == (H, W, 3) and picture.dtype == np.uint8
    assert green(picture[:16, 16:32]).all() and brown(picture[16:32, 32:48]).all()
    assert not green(picture[:16, :16]).any() and not brown(picture[:16, :32]).any()
    excess = picture[..., 1].astype(int) - picture[..., 0]
    assert 0 < excess[:16, 48:].mean() < excess[:16, 16:32].mean() / 3, "a fifth of the weight"
    assert (picture[20:, :16] == 255).any() and (picture[20:, :16] == 0).any(), "the ring"
    bare = plots.row_picture(FRAME, row, None, stride=16)
    np.testing.assert_array_equal(plots.ring(bare, (30, 5)), picture)
    plots.row_picture(FRAME, np.zeros((3, 4)), (0, 0), stride=16)  # no weight at all


def test_signed_picture_by_hand():
    values = np.array([[0.0, 2.0, -2.0, 1.0, 9.0]])
    picture = plots.signed_picture(values, largest=2)
    full = np.round(255 * np.array([to_rgb(plots.POSITIVE), to_rgb(plots.NEGATIVE)]))
    np.testing.assert_array_equal(picture[0, :3], [[255] * 3, *full])
    np.testing.assert_allclose(picture[0, 3], (255 + full[0]) / 2, atol=1)
    np.testing.assert_array_equal(picture[0, 4], full[0])
    np.testing.assert_array_equal(plots.signed_picture(values)[0, 4], full[0])
    assert (plots.signed_picture(np.zeros((2, 2))) == 255).all()


def test_ring_leaves_its_ground_alone():
    before = FRAME.copy()
    picture = plots.ring(FRAME, (16, 25))
    np.testing.assert_array_equal(FRAME, before)
    changed = np.argwhere((picture != FRAME).any(axis=2))
    np.testing.assert_allclose(changed.mean(axis=0), (16, 25), atol=0.5)


def test_reading_picture_marks_the_largest_weight():
    rows = np.zeros((2, 3, 4))
    rows[0, 1, 2], rows[1, 2, 0] = 1, 1
    picture = plots.reading_picture(FRAME, [(2, 2), (2, 47)], rows, stride=16)
    assert green(picture[24, 40]) and green(picture[32, 8])
    assert (picture[2, [2, 47]] == 70).all(), "the queries"
    with pytest.raises(ValueError, match="1 pixels and 2 rows"):
        plots.reading_picture(FRAME, [(2, 2)], rows, stride=16)


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
        np.testing.assert_array_equal(plots.tap_counts(dilations), expected)
    with pytest.raises(ValueError, match="at least 1"):
        plots.tap_counts([1, 0])


def test_taps_tells_size_and_number():
    axes = plots.taps({"plain": [1], "wide": [3]}).axes
    assert [a.get_title() for a in axes] == ["plain", "wide"]
    assert [a.get_xlabel() for a in axes] == ["3×3, 9 touched", "7×7, 9 touched"]
    assert axes[0].get_xlim() == axes[1].get_xlim() == (-4, 4)
    shade = axes[1].collections[0].get_array()
    assert np.count_nonzero(shade) == 9 and shade[0, 0] > 0 == shade[0, 1]


def test_aspp_tells_taps_inside_from_those_outside():
    figure = plots.aspp(FRAME, (16, 25), {"a": ((1, 2), 8), "b": ((1,), 4)})
    near, outside_near, far, _ = figure.axes[0].lines
    assert len(near.get_xdata()) == 9 and len(outside_near.get_xdata()) == 0
    # Rate 2 at stride 8 reaches 16 pixels: rows 0, 16, 32 and columns 9, 25, 41, all inside.
    assert len(far.get_xdata()) == 9
    assert set(far.get_ydata()) == {0, 16, 32} and set(far.get_xdata()) == {9, 25, 41}
    higher = plots.aspp(FRAME, (10, 25), {"a": ((2,), 8)}).axes[0].lines
    assert set(higher[1].get_ydata()) == {-6} and higher[1].get_fillstyle() == "none"
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["rate 1: 17 px wide", "rate 2: 33 px wide"]


def test_kernels_share_one_scale():
    filters = {"a": np.full((2, 3, 3), 0.5), "b": -np.ones((2, 3, 3))}
    axes = plots.kernels(filters, column_labels=["x", "y"]).axes
    *axes, bar = axes
    assert bar.get_ylabel() == "weight"
    assert len(axes) == 4 and {a.collections[0].get_clim() for a in axes} == {(-1, 1)}
    assert [a.get_title() for a in axes] == ["x", "y", "", ""]
    assert [a.get_ylabel() for a in axes] == ["a", "", "b", ""]
    asymmetric = np.arange(9.0).reshape(1, 3, 3)
    drawn = plots.kernels({"a": asymmetric}).axes[0]
    np.testing.assert_array_equal(drawn.collections[0].get_array(), asymmetric[0])
    assert drawn.get_ylim() == (3, 0), "the first row is on top"


def test_matrices_keep_the_size_of_an_entry():
    figure = plots.matrices({"N": np.eye(40), "c": -np.eye(10)})
    figure.draw_without_rendering()
    large, small = figure.axes
    inches = [axes.get_window_extent().width / axes.get_xlim()[1] for axes in (large, small)]
    assert inches[0] == pytest.approx(inches[1], rel=0.05)
    np.testing.assert_array_equal(small.collections[0].get_array(), -np.eye(10))
    assert large.collections[0].get_clim() == (-1, 1)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["N", "c"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.taps({}),
        lambda: plots.aspp(FRAME, (1, 1), {}),
        lambda: plots.kernels({}),
        lambda: plots.matrices({}),
    ],
)
def test_nothing_to_draw(draw):
    with pytest.raises(ValueError, match="needs at least one"):
        draw()
