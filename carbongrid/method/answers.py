"""What an answer of several tables says of itself where Python prints it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from carbongrid.errors import Problem, shown
from carbongrid.method.tonnes import counted

_WIDTH = 100


class Answer:
    """A dataclass of tables, which a session shows as what each is called and holds: all their rows, and the manifest of the run, are pages."""

    def __repr__(self) -> str:
        """Return a line for each part, and what has to be said beside the numbers in full."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]
        widest = max(map(len, parts))
        notes = (f"  {each}" for part in parts.values() for each in _said(part))
        lines = (f"  {name:<{widest}}  {_in_brief(part)}" for name, part in parts.items())
        return "\n".join([f"<{type(self).__name__}>", *map(shown, lines), *map(shown, notes)])


def _said(part: Any) -> Iterator[str]:
    """Return what has to be said beside the numbers: problems, some with the same in Chinese, and sentences."""
    for each in part if isinstance(part, tuple) else ():
        said = each[0] if isinstance(each, tuple) else each
        if isinstance(said, Problem):
            yield f"{said.level}: {said}"
        elif isinstance(said, str):
            yield f"note: {said}"


def _in_brief(part: Any) -> str:
    """Return one line: of a table its rows and columns, of an array its shape, of several how many."""
    if isinstance(part, pd.DataFrame):
        columns = textwrap.shorten(", ".join(map(str, part.columns)), _WIDTH, placeholder=" ...")
        return f"{counted(len(part), 'row')}{': ' * bool(columns)}{columns}"
    if isinstance(part, np.ndarray):
        return f"array of shape {part.shape}"
    if isinstance(part, tuple) and part and isinstance(part[0], Problem | Mapping | str | tuple):
        return f"{len(part):,}"
    if isinstance(part, str):
        return textwrap.shorten(part, _WIDTH, placeholder=" ...")
    return textwrap.shorten(repr(part).partition("\n")[0], _WIDTH, placeholder=" ...")
