"""What became of each category's evidence: points, people, lines, rasters, facilities (docs/decisions/0037)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from carbongrid.errors import Problem

FACILITIES = "facilities"
"""Evidence that is mass at a place of its own."""

UNIT_OF_FACILITIES = "t CO2e"
"""What it is counted in, where a run's gas is not CO2 alone."""

_OF_ONE_CATEGORY = ("pois", "people", "roads", "lines")
"""Weight rules whose evidence is of their category alone: what of it is lost is missed."""

WORTH_A_WARNING, MAX_LOST = 100, 2
"""One part in this many may be lost without a warning, without an error."""

MIN_CARRIERS = 5
"""Fewer parcels with a weight carry too much each, if they are no more than half of those that could have one."""

DENSEST = 50.0
"""Mt CO2e per km2 and year that no land emits: 1.5 times the power block of a coal plant that never rests."""

_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_LARGER = {"m2": (1e4, "ha"), "m": (1e3, "km")}
_WORDS = {"POI": "POIs", "person": "people", "m": "m of lines"}


@dataclass(frozen=True)
class EvidenceRow:
    """One kind of evidence of one category: what came in, what reached land that carries it, and where the mass lies.

    Parameters
    ----------
    category
        Its name.
    evidence
        The weight rule, or ``facilities``.
    unit
        Of the evidence: POI, person, m, m2, the name of a column, % of a raster's sum, t CO2e.
    given, used, lost
        Whole quanta, given = used + lost; None where they are not published. People are evidence of all categories of
        homes together, and the same in the row of each.
    per_unit
        Quanta of one unit.
    carriers, weighted
        Parcels that may carry the category, and those of them with a weight (of facilities: all parcels, those that hold one).
    spread
        Grams that were placed by this evidence, or by what it fell back to; without facilities, but in their own row.
    top_share
        Of these grams, on the parcel with most; None where there are none, or where it is not published.
    densest
        t CO2e per km2 that the densest hundredth of these grams lies at or above; None likewise.
    """

    category: str
    evidence: str
    unit: str
    given: int | None
    used: int | None
    lost: int | None
    per_unit: float
    carriers: int
    weighted: int
    spread: int
    top_share: float | None
    densest: float | None

    @property
    def lost_share(self) -> float:
        """Lost over given; 0 where nothing was given, or it is not published."""
        return self.lost / self.given if self.lost and self.given else 0.0

    @property
    def rate(self) -> tuple[float, str] | None:
        """Return t CO2e for each unit of the evidence that was used, and that unit, ha for m2 and km for m; None where it says nothing."""
        used = self.in_units(self.used)
        if not used or not self.spread or self.unit == "%" or self.evidence == FACILITIES:
            return None
        size, unit = _LARGER.get(self.unit, (1.0, self.unit))
        return self.spread / 1e6 / used * size, unit

    def in_units(self, quanta: int | None) -> float | None:
        """Return quanta as units of the evidence."""
        return None if quanta is None else quanta / self.per_unit


Evidences = tuple[EvidenceRow, ...]


def evidence_problems(rows: Iterable[EvidenceRow], allowed: Collection[str] = ()) -> list[Problem]:
    """Return what is to be said of evidence that did not reach its land, or that put too much in one place.

    Parameters
    ----------
    rows
        Of all categories.
    allowed
        Categories whose loss the case allows by name.

    Returns
    -------
    list of Problem
        An error for a category that lost more than half of its evidence, unless it is allowed or all is lost (then the limit
        of fallbacks holds); warnings for one that lost more than 1 %, whose mass lies on fewer than five parcels where twice
        as many could have some, or of which a hundredth lies denser than on any land.
    """
    spread = [row for row in rows if row.evidence != FACILITIES and row.spread]
    return [
        *_lost(spread, set(allowed)),
        *(problem for row in spread for problem in (*_few(row), *_dense(row))),
    ]


def _lost(rows: Sequence[EvidenceRow], allowed: set[str]) -> Iterator[Problem]:
    shared: dict[tuple[str, str], list[EvidenceRow]] = {}
    for row in rows:
        rule = row.evidence.partition(":")[0]
        # What has no weight at all falls back, of which the ledger's limits speak; lines by their own rule.
        if rule in _OF_ONE_CATEGORY and row.lost and (row.used or rule == "lines"):
            name = "" if rule == "people" else row.category
            shared.setdefault((row.evidence, name), []).append(row)
    for (rule, _), same in shared.items():
        row, names = same[0], [each.category for each in same]
        given, lost = row.given or 0, row.lost or 0
        if lost * WORTH_A_WARNING <= given:
            continue
        error = lost * MAX_LOST > given and not allowed.issuperset(names)
        per_unit, things = row.per_unit, _WORDS.get(row.unit, row.unit)
        if row.unit == "m" and given >= 1000 * per_unit:
            per_unit, things = 1000 * per_unit, "km of lines"
        what = (
            f"{in_words(lost / per_unit)} of the {in_words(given / per_unit)} {things} "
            f"({row.lost_share:.1%}) of {', '.join(names)} reach no land that carries it"
        )
        hint = "Check where they lie and what land is there: their CRS, the code system, the types of the category."
        if error:
            hint += f" Or allow it: [allow] lost = {names}."
        yield Problem(what, f"evidence: {rule}", hint, "error" if error else "warning")


def _few(row: EvidenceRow) -> Iterator[Problem]:
    if 0 < row.weighted < MIN_CARRIERS and 2 * row.weighted <= row.carriers:
        yield Problem(
            f"{_mass(row.spread)} of {row.category} lie on {row.weighted} of the {row.carriers:,} parcels that may carry it,"
            f" {row.top_share or 0:.1%} on one",
            f"evidence: {row.evidence}",
            "Name its emitters as facilities, give more evidence, or let it go by area: weight area in the case's categories.csv.",
            "warning",
        )


def _dense(row: EvidenceRow) -> Iterator[Problem]:
    density = (row.densest or 0.0) / 1e6
    if density > DENSEST:
        yield Problem(
            f"{row.category} comes to {density:,.0f} Mt per km2 on its densest parcels, more than the {DENSEST:g} of any land",
            f"evidence: {row.evidence}",
            "Check what land carries it, and by what evidence; name its emitters as facilities.",
            "warning",
        )


def _mass(grams: int) -> str:
    for scale, unit in ((1e12, "Mt"), (1e9, "kt")):
        if grams >= 0.9995 * scale:
            return f"{_three(grams / scale)} {unit}"
    return f"{_three(grams / 1e6)} t"


def in_words(number: float) -> str:
    """Return a number in a sentence: whole from a hundred on, with three digits below."""
    return f"{number:,.0f}" if number >= 99.95 else _three(number)


def short(number: float | None) -> str:
    """Return a number in at most six characters, thousands as k, M, G; a dash where it is not known."""
    if number is None:
        return "–"
    for scale, letter in _SCALES:
        if number >= 0.9995 * scale:
            return f"{_three(number / scale)}{letter}"
    return _three(number)


def _three(number: float) -> str:
    """Return three significant digits, whole numbers whole."""
    if number >= 99.95 or number == int(number):
        return f"{number:.0f}"
    return f"{number:.3g}"


_WIDTHS = (25, 6, 6, 6, 6, 8, 8, 6)
_HEAD = ("evidence", "unit", "given", "used", "lost", "carriers", "weighted", "on top")


def evidence_lines(rows: Iterable[EvidenceRow]) -> list[str]:
    """Return the table for a terminal of 80 columns: counts as given, shares in percent."""
    lines = [
        (
            "  at facilities" if row.evidence == FACILITIES else row.category,
            row.unit,
            short(row.in_units(row.given)),
            short(row.in_units(row.used)),
            "–" if row.lost is None else f"{row.lost_share:.1%}",
            _counted(row.carriers),
            _counted(row.weighted),
            "–" if row.top_share is None else f"{row.top_share:.0%}",
        )
        for row in rows
    ]
    return [_line(cells) for cells in (_HEAD, *lines)] if lines else []


def _counted(number: int) -> str:
    return f"{number:,}" if number < 10**6 else short(number)


def _line(cells: tuple[str, ...]) -> str:
    sized = list(zip(cells, _WIDTHS, strict=True))
    name, *numbers = (
        each if len(each) <= width else f"{each[: width - 1]}…" for each, width in sized
    )
    told = (each.rjust(width) for each, width in zip(numbers, _WIDTHS[1:], strict=True))
    return " ".join((name.ljust(_WIDTHS[0]), *told))
