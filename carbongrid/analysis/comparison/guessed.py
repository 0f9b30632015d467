"""What runs that are held against each other rest on first guesses of totals, by their ledgers (docs/decisions/0098)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from carbongrid.errors import Problem
from carbongrid.method.ledger import FIRST_GUESSES, GUESSED, GUESSED_PARTS, SHARED_BY_GUESSES

if TYPE_CHECKING:
    import pandas as pd

    from carbongrid.analysis.finished import FinishedRun

MARKS = {"guessed": GUESSED, "shared_by_guess": GUESSED_PARTS}
"""What a row of a ledger says of its total, by what tables call such mass."""

_WARNINGS = {"guessed": FIRST_GUESSES, "shared_by_guess": SHARED_BY_GUESSES}


def marked_grams(ledger: pd.DataFrame, mark: str) -> list[int]:
    """Return the total of each row of a ledger that bears a mark, one of ``MARKS``, and 0 of each other; grams."""
    return [
        grams if MARKS[mark] in reason.split("; ") else 0
        for grams, reason in zip(_totals(ledger), ledger["reason"], strict=True)
    ]


def notes_of_guessed_runs(runs: Sequence[FinishedRun]) -> Iterator[Problem]:
    """Yield a warning of each run that rests on guesses, with what and how much, and one of what is guessed in some of the runs alone."""
    guessed = []
    for run in runs:
        totals = _by_category(run, _totals(run.ledger))
        for mark, warning in _WARNINGS.items():
            masses = _by_category(run, marked_grams(run.ledger, mark))
            if masses:
                emission, sinks = _shares(run, masses, totals)
                yield Problem(f"{warning}: {', '.join(masses)}, {emission} of its emission and {sinks} of its sinks.", run.name, level="warning")  # fmt: skip
        guessed.append(_known_by(run))
    mixed = dict.fromkeys(
        name
        for one, other in itertools.permutations(guessed, 2)
        for name, region in one[True]
        if (name, region) in other[False]
    )
    if mixed:
        yield Problem(f"A guess in one run, none in another: {', '.join(mixed)}. Their change is also one of how they are known.", level="warning")  # fmt: skip


def _totals(ledger: pd.DataFrame) -> list[int]:
    return [int(grams) for grams in ledger["total_g"].fillna(0)]


def _known_by(run: FinishedRun) -> dict[bool, dict[tuple[str, str], None]]:
    """Return what is guessed (True) and what is a figure (False): categories that are wholly so, with no region, and each region of each."""
    ledger, marked = run.ledger, marked_grams(run.ledger, "guessed")
    rows = list(zip(ledger["category"], ledger["region"], _totals(ledger), marked, strict=True))
    by_guess = {(name, "") for name, _, grams, mark in rows if mark}
    found: dict[bool, dict[tuple[str, str], None]] = {True: {}, False: {}}
    for name, region, grams, mark in rows:
        if grams:
            found[mark > 0][name, f"of {region}"] = None
            found[(name, "") in by_guess][name, ""] = None
    return found


def _by_category(run: FinishedRun, grams: Sequence[int]) -> dict[str, int]:
    """Return the sum of each category that has some."""
    sums = Counter[str]()
    for name, mass in zip(run.ledger["category"], grams, strict=True):
        sums[name] += mass
    return {name: sums[name] for name in run.categories if sums[name]}


def _shares(run: FinishedRun, part: dict[str, int], whole: dict[str, int]) -> tuple[str, str]:
    """Return what a part is of all emission and of all sinks, in words."""
    shares = []
    for sink in (False, True):
        of_part, of_whole = (sum(mass for name, mass in each.items() if run.categories[name].sink == sink) for each in (part, whole))  # fmt: skip
        shares.append(f"{of_part / of_whole:.1%}" if of_whole else "nothing")
    return shares[0], shares[1]
