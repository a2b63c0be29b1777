"""Cut-outs on composites whose parts are known."""

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodlib.inference.cutout import Background, cutout, foreground, opacity


@pytest.fixture(scope="module")
def composite():
    """Smoothly coloured object, background, opacity, and the frame that they make."""
    H, W = 120, 160
    x, y = np.meshgrid(np.linspace(0, 1, W), np.linspace(0, 1, H))
    front = 255 * np.dstack([0.8 + 0.2 * x, 0.2 + 0.2 * y, 0.1 * x])
    back = 255 * np.dstack([0.1 * y, 0.3 + 0.1 * x, 0.7 + 0.3 * y])
    alpha = np.zeros((H, W))
    cv2.circle(alpha, (80, 60), 35, 1, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 4)
    frame = np.rint(alpha[..., None] * front + (1 - alpha[..., None]) * back).astype(np.uint8)
    return front, back, alpha, frame


def loop_foreground(frame, alpha):
    """The equations of `foreground`, pixel by pixel."""
    image = frame.astype(float)
    H, W = alpha.shape
    front, back = image, image
    for radius in (max(2, min(H, W) // 6), 6):
        new_front, new_back = np.empty_like(image), np.empty_like(image)
        rows = cv2.copyMakeBorder(np.arange(H), radius, radius, 0, 0, cv2.BORDER_REFLECT_101)[:, 0]
        columns = cv2.copyMakeBorder(np.arange(W), radius, radius, 0, 0, cv2.BORDER_REFLECT_101)
        for i in range(H):
            for j in range(W):
                window = np.ix_(rows[i : i + 2 * radius + 1], columns[j : j + 2 * radius + 1, 0])
                a = alpha[window][..., None]
                f = (front[window] * a).mean((0, 1)) / (a.mean() + 1e-5)
                b = (back[window] * (1 - a)).mean((0, 1)) / (1 - a.mean() + 1e-5)
                a = alpha[i, j]
                new_front[i, j] = np.clip(f + a * (image[i, j] - a * f - (1 - a) * b), 0, 255)
                new_back[i, j] = b
        front, back = new_front, new_back
    return front


def test_foreground_is_the_equation():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (24, 30, 3), dtype=np.uint8)
    alpha = rng.random((24, 30), dtype=np.float32)
    np.testing.assert_allclose(foreground(frame, alpha), loop_foreground(frame, alpha), atol=0.05)


def test_rim_is_cleaned_of_the_background(composite):
    front, _, alpha, frame = composite
    rim = (alpha > 0.05) & (alpha < 0.95)
    before = np.abs(frame - front)[rim].mean()
    after = np.abs(foreground(frame, alpha) - front)[rim].mean()
    assert before > 60
    assert after < before / 4


def test_cutout_on_another_background(composite):
    front, _, alpha, frame = composite
    saliency = 0.1 + 0.8 * alpha  # the map whose opacity is alpha
    np.testing.assert_allclose(opacity(saliency), alpha, atol=1e-6)
    layer = cutout(frame, saliency)
    assert layer.shape == (120, 160, 4) and layer.dtype == np.uint8
    np.testing.assert_allclose(layer[..., 3], 255 * alpha, atol=0.51)
    assert layer[alpha == 0].max() == 0
    shown = Background("#00ff00")(frame, saliency)
    truth = alpha[..., None] * front + (1 - alpha[..., None]) * np.array([0, 255, 0])
    assert np.abs(shown - truth).mean() < 2
    naive = alpha[..., None] * frame + (1 - alpha[..., None]) * np.array([0, 255, 0])
    assert np.abs(naive - truth).mean() > 2 * np.abs(shown - truth).mean()


def test_opacity_by_hand():
    assert opacity(np.array([[0.0, 0.1, 0.3, 0.5, 0.9, 1.0]])) == pytest.approx(
        np.array([[0, 0, 0.25, 0.5, 1, 1]]), abs=1e-6
    )


def test_empty_and_full_maps(composite):
    frame = composite[-1]
    assert cutout(frame, np.zeros((120, 160))).max() == 0
    whole = cutout(frame, np.ones((120, 160)))
    np.testing.assert_allclose(whole[..., :3], frame, atol=1)
    assert whole[..., 3].min() == 255


@pytest.mark.parametrize(
    ("frame", "saliency", "message"),
    [
        (
            np.zeros((4, 6, 3), np.uint8),
            np.zeros((4, 5)),
            r"\(4, 5\) does not fit a frame \(4, 6, 3",
        ),
        (np.zeros((4, 5, 4), np.uint8), np.zeros((4, 5)), r"does not fit a frame \(4, 5, 4\)"),
        (np.zeros((4, 5, 3)), np.zeros((4, 5)), r"float64; a frame is uint8"),
        (np.zeros((4, 5, 3), np.uint8), np.full((4, 5), 255.0), r"must lie in \[0, 1\]"),
    ],
)
def test_frames_and_maps_that_do_not_fit(frame, saliency, message):
    with pytest.raises(ValueError, match=message):
        cutout(frame, saliency)


def test_map_as_its_file_holds_it(composite):
    frame, levels = composite[-1], np.rint(255 * composite[2]).astype(np.uint8)
    np.testing.assert_array_equal(cutout(frame, levels), cutout(frame, levels / 255))


def test_picture_covers_the_frame_from_its_middle(tmp_path):
    stripes = np.zeros((10, 40, 3), np.uint8)
    stripes[:, 15:25] = 200  # the middle square, all that a square frame shows
    Image.fromarray(stripes).save(tmp_path / "behind.png")
    shown = Background(str(tmp_path / "behind.png"))(
        np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20))
    )
    assert shown.shape == (20, 20, 3)
    assert (shown[:, 2:18] == 200).all()


def test_blur_smooths_and_leaves_the_object_out(composite):
    _, back, alpha, frame = composite
    rng = np.random.default_rng(0)
    noisy = frame.copy()
    noisy[alpha == 0] = rng.integers(0, 2, (120, 160, 1), dtype=np.uint8)[alpha == 0] * 255
    shown = Background("blur")(noisy, alpha)
    assert shown[alpha == 0].std() < noisy[alpha == 0].std() / 2
    clean = Background("blur")(frame, 0.1 + 0.8 * alpha)
    near = (alpha > 0) & (alpha < 0.02)  # where a plain blur would shine red
    assert np.abs(clean[near] - back[near]).mean() < 8


def test_background_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="'no-colour' is neither `blur`, nor a colour"):
        Background("no-colour")
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(ValueError, match=r"a\.png is not a picture"):
        Background(str(tmp_path / "a.png"))
