"""`make figures`: a notebook and its figures change together, and show nothing that is licensed."""

import importlib.util
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

_spec = importlib.util.spec_from_file_location("refresh", Path(__file__).with_name("refresh.py"))
refresh = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(refresh)

DRAWING = """
from vsodlib import open_dataset, viz
figure = viz.curves({"a": [1, 2]}, x_label="", y_label="")
print(viz.save_figure(figure, "01_test", {"a": 1}) is not None)
"""


@pytest.mark.slow
def test_figures_come_with_the_notebook_or_not_at_all(tmp_path, monkeypatch, davis_root):
    monkeypatch.setattr(refresh, "FIGURES", tmp_path / "figures")
    for name in ("VSOD_PROFILE", "VSOD_DATA", "VSOD_FIGURES"):
        monkeypatch.setenv(name, str(davis_root) if name == "VSOD_DATA" else "laptop")
    refresh.FIGURES.mkdir()
    path = tmp_path / "01_test.ipynb"

    def write(code):
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), path)
        return path.read_bytes()

    before = write(DRAWING + 'open_dataset("davis2016")')
    with pytest.raises(CellExecutionError, match="FileNotFoundError"):
        refresh.refresh(path)
    assert path.read_bytes() == before
    assert list(refresh.FIGURES.iterdir()) == []

    write(DRAWING)
    refresh.refresh(path)
    assert nbformat.read(path, 4).cells[0].outputs[0].text == "True\n"
    assert {drawn.name for drawn in refresh.FIGURES.iterdir()} == {"01_test.png", "01_test.json"}
