"""What the answers of commands have in common."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.cli.console import Console
from carbongrid.errors import Problem, missing_libraries

if TYPE_CHECKING:
    import pandas as pd

_FEW = 10 * 10**6
"""Grams below which a change is told with all its digits."""


def json_rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows of a table as JSON has them, unknown as null."""
    cells = table.astype(object)
    rows: list[dict[Any, Any]] = cells.where(cells.notna(), None).to_dict("records")
    return rows


def tell_files(console: Console, folder: Path, files: Iterable[Path]) -> None:
    """Say which files were written."""
    console.say(f"In {folder}: {', '.join(file.name for file in files)}.")


def can_draw(console: Console) -> bool:
    """Return whether a page and a figure can be made; say so where they cannot."""
    if missing_libraries("jinja2", "matplotlib"):
        console.problem(Problem("without jinja2 and matplotlib there is neither page nor figure", hint='pip install "carbongrid[report]"', level="note"))  # fmt: skip
        return False
    return True


def signed_tonnes(grams: int) -> str:
    """Return a change in tonnes, a small one to the gram: less than a tonne is not none."""
    if abs(grams) < _FEW:
        return f"{grams / 1e6:+.6f}".rstrip("0").rstrip(".")
    return f"{grams / 1e6:+,.0f}"
