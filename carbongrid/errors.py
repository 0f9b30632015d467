"""Every exception of the package, and the problems that they carry.

A message says what is wrong, where (file, row or key, id), and the way out. That the library of an optional part is not
installed is such a message too: :func:`require_extra`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Literal

Level = Literal["error", "warning", "note"]


_QUOTED = re.compile(r"""(?<!\w)(['"])((?:\\.|(?!\1)[^\\])*+)\1(?!\w)""", re.DOTALL)
"""What stands in quotes, a name or a cell; an apostrophe begins none."""
_LONG = 400
"""So many characters of a name or a place are more than anybody reads, and hide what is said behind them."""


def _shortened(text: str) -> str:
    """Return a text without its middle if it is long."""
    return text if len(text) <= _LONG else f"{text[:80]}...{text[-40:]}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, odd or worth saying about the input.

    Parameters
    ----------
    what
        The rule and the offending value, a sentence; of a value in quotes that is very long the middle is left out, as in the hint.
    where
        File, and in it the key, row, column or id; empty if the whole case is meant.
    hint
        What the user can do; a sentence, or empty for a note.
    level
        ``error`` stops the run, ``warning`` and ``note`` do not.
    """

    what: str
    where: str = ""
    hint: str = ""
    level: Level = "error"

    def __post_init__(self) -> None:
        for name, text in (("what", self.what), ("hint", self.hint)):
            if len(text) > _LONG:
                shortened = _QUOTED.sub(lambda quoted: _shortened(quoted[0]), text)
                object.__setattr__(self, name, shortened)
        object.__setattr__(self, "where", _shortened(self.where))

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        if not self.hint:
            return f"{where}{self.what}"
        stop = "" if self.what.endswith((".", "!", "?", ":", ";")) else "."
        return f"{where}{self.what}{stop} {self.hint}"


MAX_EQUAL = 3
"""So many equal problems are told one by one; more are one problem with a count."""


def merged(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems with those that differ in their place in a file alone as one, with a count and the first places.

    Parameters
    ----------
    problems
        In the order in which they are told; one of several stands where the first of them stood.
    """
    alike: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        file = problem.where.partition(", ")[0]
        alike.setdefault((problem.level, problem.what, problem.hint, file), []).append(problem)
    told: list[Problem] = []
    for same in alike.values():
        told += same if len(same) <= MAX_EQUAL else [_as_one(same)]
    return tuple(told)


def _as_one(same: list[Problem]) -> Problem:
    first = same[0]
    places = [problem.where.partition(", ")[2] for problem in same[1:MAX_EQUAL]]
    some = "; ".join(place for place in places if place)
    such_as = f", such as {some}" if some else ""
    where = f"{first.where} (and {len(same) - 1:,} more{such_as})".lstrip()
    return replace(first, where=where)


_COMMANDS = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal obeys instead of showing it: control characters but the tab, those that turn the direction of writing; and
halves of characters, which no terminal can be sent."""


def shown(text: str) -> str:
    r"""Return a text of one line as a terminal may show it, whoever wrote it: what is a command stands there as ``\\u001b``."""
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def listed(
    items: Iterable[str],
    limit: int = 10,
    *,
    count: int | None = None,
    more: str = " and {} more",
    between: str = ", ",
) -> str:
    """Return the first items as one text, and that there are more.

    Parameters
    ----------
    items
        Ids, codes, rows or the like.
    limit
        So many are named.
    count
        How many there are, if known: then no more items are made than are named.
    more
        What stands behind the named ones if there are others, ``{}`` for how many: ``", ..."`` counts none.
    between
        What joins them.
    """
    first = list(items if count is None else islice(items, limit))
    others = (len(first) if count is None else count) - limit
    return between.join(first[:limit]) + (more.format(others) if others > 0 else "")


_PACKAGE = str(Path(__file__).parent)


def warn_of(problem: Problem) -> None:
    """Give a problem as a warning of the line outside of the package that called it."""
    warnings.warn(str(problem), skip_file_prefixes=(_PACKAGE,), stacklevel=2)


class CarbongridError(Exception):
    """Base of all errors that carbongrid raises on purpose."""

    exit_code = 1


class InputError(CarbongridError):
    """The input is wrong: one or more problems, all found at once (exit code 2).

    Parameters
    ----------
    problems
        The problems, or the text of a single one; the message has equal ones as one, :attr:`problems` keeps all.
    where, hint
        Taken with a single text.
    """

    exit_code = 2

    def __init__(
        self, problems: str | Problem | Iterable[Problem], where: str = "", hint: str = ""
    ) -> None:
        if isinstance(problems, str):
            problems = Problem(problems, where, hint)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in merged(self.problems)))

    def at(self, where: str) -> InputError:
        """Return the error with a place for problems that have none."""
        return InputError([replace(each, where=each.where or where) for each in self.problems])

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class NotKeptError(InputError):
    """A question that a finished run cannot answer, since it keeps too little of what decides it."""


class RunError(CarbongridError):
    """The run itself failed: disk, memory, a lock, a worker (exit code 1)."""


class VerificationError(CarbongridError):
    """A finished run directory is damaged, or its numbers do not add up (exit code 1)."""


Extra = Literal["report", "inventory", "distributed", "verify", "statistics", "explore"]
"""An optional part, as in ``pip install "carbongrid[report]"``; which libraries it brings stands in pyproject.toml."""


_IMPORTED_AS = {"pillow": "PIL"}
"""Modules of libraries that are installed by another name."""


def missing_libraries(*libraries: str) -> tuple[str, ...]:
    """Return those of the libraries, by the names they are installed by, that are not there; none is imported."""
    return tuple(name for name in libraries if not _is_installed(name))


def _is_installed(library: str) -> bool:
    try:
        return find_spec(_IMPORTED_AS.get(library, library)) is not None
    except ModuleNotFoundError:
        return False


def how_to_install(extra: Extra) -> str:
    """Return the sentence that says how an optional part is installed."""
    return f'Install it with: pip install "carbongrid[{extra}]"'


def require_extra(
    extra: Extra, *libraries: str, purpose: str, where: str = "", or_else: str = ""
) -> None:
    """Check that the libraries of an optional part are installed; called just before they are imported.

    Parameters
    ----------
    extra
        The part that brings them.
    libraries
        Those that are needed now.
    purpose
        What needs them, the beginning of a sentence: ``an XLSX workbook``.
    where
        File or key, if one is meant.
    or_else
        Another way out, a sentence.

    Raises
    ------
    InputError
        If one of them is not installed.
    """
    missing = missing_libraries(*libraries)
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        what = f"{purpose} needs {' and '.join(missing)}, which {verb} not installed"
        hint = how_to_install(extra)
        raise InputError(what, where, f"{hint}. {or_else}" if or_else else hint)
