"""Tables on a terminal."""

from __future__ import annotations

_WIDEST = 48


def aligned_columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Return lines whose columns stand below each other; wide cells are cut."""
    cut = [
        [cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 3]}..." for cell in row]
        for row in rows
    ]
    widths = [max(len(row[place]) for row in cut) for place in range(len(cut[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cut
    ]
