import io
import json

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from vsodlib import viz
from vsodlib.viz.style import keep, save_figure, show, style, to_png

FRAMES = np.random.default_rng(0).integers(0, 255, (7, 20, 30, 3), np.uint8)


def open_image(data):
    return Image.open(io.BytesIO(data))


def test_style_is_left_as_it_was():
    mpl.get_backend()  # settles the one setting that is lazy
    before = mpl.rcParams.copy()
    with style():
        assert mpl.rcParams["font.size"] == 13
    viz.curves({"a": [1]}, x_label="", y_label="")
    assert mpl.rcParams == before


def test_plots_show_themselves_as_png_with_a_palette():
    figure = viz.curves({"a": [1, 2]}, x_label="x", y_label="y")
    picture = open_image(figure._repr_png_())
    assert (picture.format, picture.mode, picture.size) == ("PNG", "P", (900, 340))
    assert picture.info.keys() <= {"dpi"}, "no version, no date"
    assert figure._repr_jpeg_() is None


def test_frames_show_themselves_as_jpeg_and_are_saved_in_all_their_colours():
    figure = viz.strip(FRAMES)
    picture = open_image(figure._repr_jpeg_())
    assert picture.format == "JPEG"
    assert picture.size == (900, round(100 * figure.get_size_inches()[1]))
    assert figure._repr_png_() is None
    assert open_image(to_png(figure)).mode == "RGB"


def test_save_figure_writes_picture_and_numbers_twice_the_same(tmp_path):
    figure = viz.curves({"a": [1, 2]}, x_label="x", y_label="y")
    path = save_figure(figure, "03_test", {"b": 1, "a": [0.5]}, directory=tmp_path / "new")
    assert path == tmp_path / "new" / "03_test.png"
    first = path.read_bytes()
    assert open_image(first).size == (900, 340)
    numbers = json.loads((tmp_path / "new" / "03_test.json").read_text())
    assert list(numbers.items()) == [("a", [0.5]), ("b", 1)]
    save_figure(figure, "03_test", {"b": 1, "a": [0.5]}, directory=tmp_path / "new")
    assert path.read_bytes() == first


def test_save_figure_refuses_nan_before_writing_anything(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        save_figure(viz.strip(FRAMES), "03_test", {"a": float("nan")}, directory=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_notebook_that_is_merely_run_writes_no_figure(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("VSOD_FIGURES", raising=False)
    for profile in ("smoke", "laptop", "full"):
        monkeypatch.setenv("VSOD_PROFILE", profile)
        assert save_figure(viz.strip(FRAMES), "03_test", {}) is None
        assert keep("03_test.gif", b"GIF") is None
    assert [path.name for path in tmp_path.rglob("*")] == ["notebooks"]
    monkeypatch.setenv("VSOD_FIGURES", str(tmp_path / "drawn"))  # as `make figures` does
    assert save_figure(viz.strip(FRAMES), "03_test", {}) == tmp_path / "drawn" / "03_test.png"
    path = keep("03_test.gif", b"GIF")
    assert path == tmp_path / "drawn" / "03_test.gif" and path.read_bytes() == b"GIF"


def test_show_puts_the_alt_text_into_the_outputs_metadata(tmp_path, monkeypatch):
    monkeypatch.setenv("VSOD_FIGURES", str(tmp_path / "figures"))
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    plot, pictures = viz.curves({"a": [1, 2]}, x_label="x", y_label="y"), viz.strip(FRAMES)
    show(plot, "A line that rises.", save_as="03_test", numbers={"a": [1, 2]})
    show(pictures, "Five frames of noise.")
    assert shown == [plot, pictures]
    assert plot._repr_png_() == (to_png(plot), {"alt": "A line that rises."})
    assert pictures._repr_jpeg_()[1] == {"alt": "Five frames of noise."}
    assert json.loads((tmp_path / "figures" / "03_test.json").read_text()) == {"a": [1, 2]}
    assert len(list((tmp_path / "figures").iterdir())) == 2
    with pytest.raises(ValueError, match="alt text"):
        show(plot, " ")
