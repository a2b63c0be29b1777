"""Small tables of numbers as HTML, readable by screen readers and narrow windows alike."""

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from vsodlib.viz.style import check_some


class Table:
    """A few rows of named values; a notebook shows them as HTML, a terminal as text.

    Args:
        rows: row -> column -> value; columns in the order of their first appearance; a value that
            is missing stays empty.
        caption: what it shows, in a sentence.
        digits: decimals of floats; whole numbers get separators, texts stay as they are.

    Raises:
        ValueError: no row.
    """

    def __init__(
        self, rows: Mapping[str, Mapping[str, Any]], caption: str = "", digits: int = 3
    ) -> None:
        check_some(rows, "table", "row")
        self._caption = caption
        self.columns = list(dict.fromkeys(column for row in rows.values() for column in row))
        self._rows = {
            str(name): [_text(row.get(column), digits) for column in self.columns]
            for name, row in rows.items()
        }

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(str(c))}</th>' for c in self.columns)
        lines = ["<table>"]
        if self._caption:
            lines.append(f'<caption style="text-align: left">{escape(self._caption)}</caption>')
        lines.append(f"<thead><tr><td></td>{head}</tr></thead>\n<tbody>")
        for name, cells in self._rows.items():
            body = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            lines.append(f'<tr><th scope="row">{escape(name)}</th>{body}</tr>')
        return "\n".join([*lines, "</tbody>", "</table>"])

    def __repr__(self) -> str:
        lines = [["", *map(str, self.columns)], *([name, *c] for name, c in self._rows.items())]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = [[c.ljust(w) for c, w in zip(line, widths, strict=True)] for line in lines]
        return "\n".join([self._caption, *("  ".join(line).rstrip() for line in padded)]).strip()


table = Table  # called as the other parts of viz are, as the last line of a cell


def _text(value: Any, digits: int) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value:,}"
    return f"{float(value):,.{digits}f}"
