"""The table of counts, and its place in docs/reliability.md."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: nox -s faults -->", "<!-- end: nox -s faults -->"
MACHINES = "<!-- begin: nox -s faults, machines -->", "<!-- end: nox -s faults, machines -->"


@dataclass
class Row:
    """One kind of fault.

    Parameters
    ----------
    kind
        What was done.
    cases
        How many times.
    lost
        Cases in which a finished result, or a finished step, was gone or another afterwards.
    silent
        Cases that nobody told of.
    tracebacks
        Cases that ended in a traceback.
    failures
        What went wrong, in words.
    """

    kind: str
    cases: int = 0
    lost: int = 0
    silent: int = 0
    tracebacks: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def case(self, name: str, *, lost: bool = False, silent: bool = False, text: str = "") -> None:
        """Count a case; ``text`` is all that the program said."""
        traceback = "Traceback" in text or "This is a fault of carbongrid" in text
        self.cases += 1
        self.lost += lost
        self.silent += silent
        self.tracebacks += traceback
        self.seconds = time.monotonic() - self._since
        marks = [
            word
            for word, bad in (("lost", lost), ("silent", silent), ("traceback", traceback))
            if bad
        ]
        if marks:
            self.failures.append(f"{self.kind}, {name}: {', '.join(marks)}: {text[:600]}")

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, silent or a traceback."""
        return not self.failures and self.cases > 0


def table_of(rows: list[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| fault | cases | lost | silent | tracebacks |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.kind} | {row.cases} | {row.lost} | {row.silent} | {row.tracebacks} |"
        for row in rows
    ]
    whole = [
        sum(getattr(row, each) for row in rows)
        for each in ("cases", "lost", "silent", "tracebacks")
    ]
    lines.append("| all | " + " | ".join(map(str, whole)) + " |")
    return "\n".join(lines)


def write_into_page(table: str, page: Path = PAGE, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Put the table between its two marks."""
    begin, end = marks
    text = page.read_text(encoding="utf-8")
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    page.write_text(f"{head}{begin}\n\n{table}\n\n{end}{tail}", encoding="utf-8")
