"""Faults that no test can or need notice, each with the reason: survivors.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LIST = Path(__file__).with_name("survivors.toml")


class Fault(Protocol):
    """A fault as far as the list names it."""

    @property
    def file(self) -> str:
        """Module, below the package."""

    @property
    def function(self) -> str:
        """The function it is in."""

    @property
    def operator(self) -> str:
        """Cosmic Ray's operator."""

    @property
    def line(self) -> str:
        """The line."""

    @property
    def becomes(self) -> str:
        """What the line becomes."""

    @property
    def nth(self) -> int:
        """Which of the equal lines of the file it is, from 0."""


@dataclass(frozen=True)
class Survivor:
    """One entry: the fault, and why it is equivalent or does not matter."""

    file: str
    function: str
    operator: str
    line: str
    becomes: str
    why: str
    nth: int = 0

    def explains(self, fault: Fault) -> bool:
        """Tell whether it is about this fault."""
        return _key(self) == _key(fault)


def explained(path: Path = LIST) -> list[Survivor]:
    """Return the entries of the list."""
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    found = [Survivor(**row) for row in rows]
    bare = [each.line for each in found if len(each.why) < 20]
    if bare:
        raise SystemExit(f"survivors.toml does not say why: {'; '.join(bare)}")
    return found


def _key(of: Fault) -> tuple[str | int, ...]:
    return of.file, of.function, of.operator, of.line, of.nth, of.becomes
