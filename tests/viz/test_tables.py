import numpy as np
import pytest

from vsodlib import viz

ROWS = {"fish": {"J": 0.5, "frames": 1200}, "a <b>": {"J": np.float32(0.25), "sure": True}}


def test_table_is_html_with_heads_for_rows_and_columns():
    html = viz.table(ROWS, "What & where", digits=2)._repr_html_()
    assert "What &amp; where</caption>" in html
    assert html.count('scope="col"') == 3 and html.count('scope="row"') == 2
    assert "<td>0.50</td><td>1,200</td><td></td>" in html
    assert '"row">a &lt;b&gt;</th><td>0.25</td><td></td><td>yes</td>' in html


def test_table_is_text_where_there_is_no_html():
    lines = repr(viz.table(ROWS, digits=1)).splitlines()
    assert [line.split() for line in lines] == [
        ["J", "frames", "sure"],
        ["fish", "0.5", "1,200"],
        ["a", "<b>", "0.2", "yes"],
    ]


def test_table_needs_a_row():
    with pytest.raises(ValueError, match="at least one row"):
        viz.table({})
