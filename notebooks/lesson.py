"""What a lesson shows about the library itself."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from IPython.display import Markdown


def code_of(*functions: Callable[..., Any]) -> Markdown:
    """The code of functions as the library has it now, without docstrings."""
    return Markdown("```python\n" + "\n\n".join(map(_bare, functions)) + "\n```")


def _bare(function: Callable[..., Any]) -> str:
    source = textwrap.dedent(inspect.getsource(function))
    (tree,) = ast.parse(source).body
    lines = source.splitlines()
    if ast.get_docstring(tree):
        first = tree.body[0]
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines).rstrip()
