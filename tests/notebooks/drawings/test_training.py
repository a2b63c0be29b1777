import numpy as np
import pytest
from drawings import training as training_plots
from drawings.training import LiveCurves, training_curves

ROWS = [
    {"step": 10, "loss": 0.9, "bce": 0.5, "lr": 1e-3},
    {"step": 20, "loss": 0.7, "bce": 0.4, "lr": 1e-3},
    {"step": 20, "validation_iou": 0.3},
]


def test_a_panel_for_every_key_that_was_logged():
    figure = training_curves({"one": ROWS})
    assert [axes.get_title() for axes in figure.axes] == ["loss", "cross-entropy", "IoU, held out"]
    np.testing.assert_allclose(figure.axes[1].lines[0].get_xydata(), [[10, 0.5], [20, 0.4]])
    np.testing.assert_allclose(figure.axes[2].lines[0].get_xydata(), [[20, 0.3]])
    assert not figure.legends


def test_two_runs_stay_visible_where_they_agree():
    figure = training_curves({"whole": ROWS, "resumed": ROWS[1:2]}, keys=["loss"])
    whole, resumed = figure.axes[0].lines
    assert whole.get_linestyle() == "-" and resumed.get_linestyle() == "--"
    np.testing.assert_allclose(resumed.get_xydata(), [[20, 0.7]])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["whole", "resumed"]


def test_a_run_without_a_key_has_no_line_there():
    figure = training_curves({"plain": ROWS, "contrast": [{"step": 10, "contrastive": 2.0}]})
    lines = {axes.get_title(): [line.get_label() for line in axes.lines] for axes in figure.axes}
    assert lines["cross-entropy"] == ["plain"] and lines["contrastive loss"] == ["contrast"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["plain", "contrast"]


def test_nothing_logged():
    with pytest.raises(ValueError, match="No row holds any of loss"):
        training_curves({"one": []})
    with pytest.raises(ValueError, match="No row holds any of speed"):
        training_curves({"one": ROWS}, keys=["speed"])


def test_live_curves_draw_into_one_output(monkeypatch):
    drawn = []

    class Handle:
        def update(self, figure):
            drawn.append(("update", figure))

    def display(figure, display_id):
        assert display_id is True
        drawn.append(("display", figure))
        return Handle()

    monkeypatch.setattr(training_plots, "display", display)
    before = ROWS[:1]
    live = LiveCurves("mine", before)
    live(ROWS[1])
    live(ROWS[2])
    assert [kind for kind, _ in drawn] == ["display", "update", "update"]
    assert [len(figure.axes) for _, figure in drawn] == [2, 2, 3]
    assert len(drawn[1][1].axes[0].lines[0].get_xdata()) == 2, (
        "earlier rows are shown too, and at once"
    )
    assert live.rows == ROWS and len(before) == 1
