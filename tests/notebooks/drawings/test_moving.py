import base64
import io

import numpy as np
import pytest
from drawings.moving import moving_picture, pull_push_player, temperature_slider
from PIL import Image

from vsodlib.viz.widgets.clip_player import clip_player

ANGLES = np.linspace(0, 3, 5) + np.linspace(0, 0.5, 4)[:, None]
HISTORY = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
FOREGROUND = np.array([1, 1, 1, 0, 0], bool)
VIDEO = np.array([0, 0, 1, 0, 1])
POSITIVES = np.array([0, 1, 1, 0, 0], bool)


def player():
    return pull_push_player(HISTORY, np.linspace(2, 1, 4), FOREGROUND, VIDEO)


def slider():
    return temperature_slider(HISTORY[0], 0, POSITIVES, ~FOREGROUND)


@pytest.mark.parametrize(("make", "value"), [(player, 2), (slider, 3.0)])
def test_moving_the_slider_redraws(make, value):
    widget = make()
    before = widget.picture.value
    widget.slider.value = value
    assert widget.picture.value != before
    picture = Image.open(io.BytesIO(widget.picture.value))
    assert picture.format == "PNG" and picture.width > 600


@pytest.mark.parametrize("make", [player, slider])
def test_without_a_kernel_a_picture_stays(make):
    widget = make()
    bundle, metadata = widget._repr_mimebundle_()
    assert f"{widget.slider.description} at" in metadata["image/png"]["alt"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert base64.b64decode(bundle["image/png"]) == widget.picture.value
    assert "object at 0x" not in bundle["text/plain"]


def test_the_player_ends_at_the_last_step():
    widget = player()
    assert widget.slider.max == 3
    widget.slider.value = 3  # nothing comes after it, so no arrows, and no error


def test_the_player_says_where_it_is(monkeypatch):
    from drawings import moving

    seen = []

    def circle(panels, is_foreground, video, forces):
        seen.append((list(panels), forces[0]))
        return original(panels, is_foreground, video, forces)

    original = moving.circle
    monkeypatch.setattr(moving, "circle", circle)
    widget = player()
    widget.slider.value = 1
    assert [titles for titles, _ in seen] == [["step 0, loss 2.000"], ["step 1, loss 1.667"]]
    np.testing.assert_allclose(seen[1][1], HISTORY[2] - HISTORY[1])


def test_every_step_has_its_loss():
    with pytest.raises(ValueError, match="got 3 for 4 steps"):
        pull_push_player(HISTORY, np.zeros(3), FOREGROUND, VIDEO)
    with pytest.raises(ValueError, match="got 0 for 0 steps"):
        pull_push_player(HISTORY[:0], np.zeros(0), FOREGROUND, VIDEO)


def clip():
    frames = np.repeat(np.arange(5, dtype=np.uint8) * 50, 30 * 40 * 3).reshape(5, 30, 40, 3)
    return clip_player(frames)


def test_a_moving_picture_shows_every_value_plays_twice_and_puts_the_slider_back():
    shown = clip()
    data = moving_picture(shown.picture, shown.frame, [0, 2, 4], width=152)
    film = Image.open(io.BytesIO(data))
    assert (film.format, film.n_frames, film.info["loop"], film.width) == ("GIF", 3, 1, 152)
    assert shown.frame.value == 2
    greys = []
    for k in range(3):
        film.seek(k)
        assert film.info["duration"] == 200
        greys.append(film.convert("RGB").getpixel((76, film.height - 20))[0])
    assert greys == pytest.approx([0, 100, 200], abs=3)


def test_a_moving_picture_needs_a_value():
    shown = clip()
    with pytest.raises(ValueError, match="at least one value"):
        moving_picture(shown.picture, shown.frame, [])
