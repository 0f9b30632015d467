"""Tables and sentences on a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from carbongrid.outputs.numbers import text_width

_WIDEST = 48
_WORD = re.compile(r"\s*(?:`[^`]*`|carbongrid [a-z-]+ \S+(?: --[a-z-]+ \S+)*|\S)+")
"""With the blanks before it; a command is one, to be copied whole."""
_COPIED = "    "
"""Lines that stand in so far are lines of a case and commands, whose paths may have blanks."""
_NUMBER = re.compile(r"[-+<>]* ?[\d,.]+(e[-+]\d+)?( ?[t%])?|-|")


def aligned_columns(rows: Sequence[tuple[str, ...]], *, cut: bool = True) -> list[str]:
    """Return lines whose columns stand below each other, those of numbers by their right; wide cells are cut, unless they are names that are looked for."""
    cells = [tuple(map(_cut, row)) if cut else row for row in rows]
    columns = list(zip(*cells, strict=True))
    widths = [max(map(text_width, column)) for column in columns]
    of_numbers = [all(map(_NUMBER.fullmatch, column[1:])) and any(column[1:]) for column in columns]
    return ["  ".join(map(_padded, row, widths, of_numbers)).rstrip() for row in cells]


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 3]}..."


def _padded(cell: str, width: int, at_right: bool) -> str:
    blanks = " " * (width - text_width(cell))
    return blanks + cell if at_right else cell + blanks


def folded(line: str, columns: int) -> str:
    """Return a line that a terminal shows without cutting a word or a number in two; what follows stands in below its beginning."""
    if text_width(line) <= columns or line.startswith(_COPIED):
        return line
    indent = " " * (len(line) - len(line.lstrip(" ")) + 2)
    lines, room = [""], columns
    for word in _WORD.findall(line):
        if text_width(word) > room and lines != [""]:
            lines.append(indent + word.lstrip())
            room = columns - text_width(lines[-1])
        else:
            lines[-1] += word
            room -= text_width(word)
    return "\n".join(lines)
