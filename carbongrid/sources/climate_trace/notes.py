"""What is said of an inventory of sources that became facilities: what is left out, part of a year, not quite a place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import combinations, product

from carbongrid.errors import Level, Problem, listed
from carbongrid.inventory.factors.gwp import gwp_of
from carbongrid.method.tonnes import counted
from carbongrid.sources.climate_trace import account as why
from carbongrid.sources.climate_trace.account import CO2E, GASES, PUBLISHERS_GWP, Account, Written
from carbongrid.sources.climate_trace.published import Published, Source

Box = tuple[float, float, float, float]
"""West, south, east and north, degrees."""

_SAID: dict[str, tuple[Level, str, str, str]] = {
    why.AREA: ("note", "stands for land or a whole region, and becomes no facility", "stand for land or a whole region, and become no facility", "What they emit belongs to the totals of categories."),
    why.OUTSIDE: ("note", "lies outside the units", "lie outside the units", ""),
    why.NOTHING: ("note", "emits nothing, or less than half a gram", "emit nothing, or less than half a gram", ""),
    why.UNTOLD: ("warning", "is of a subsector that is a place only where it has no boundary, and its file has no column geometry_ref", "are of subsectors that are places only where they have no boundary, and their files have no column geometry_ref", "Take a later release, which has that column, or add the plants among them by hand."),
    why.NO_PLACE: ("warning", "has no coordinates on earth, or 0, 0", "have no coordinates on earth, or 0, 0", "Add them to the table by hand where you know their places."),
    why.NO_QUANTITY: ("warning", "has no quantity yet", "have no quantity yet", "A later release may have it."),
    why.UPTAKE: ("warning", "takes up more than it emits", "take up more than they emit", "Sinks are totals of sink categories, not facilities."),
    why.UNKNOWN: ("warning", "is of a subsector that this version does not know", "are of subsectors that this version does not know", "Add them to the table by hand, with a category."),
    why.NO_CATEGORY: ("warning", "is of a subsector that has no category", "are of subsectors that have no category", "Add them to the table by hand where they belong to your totals."),
    why.NOT_COUNTED: ("warning", "is told of in a way that is not counted here", "are told of in a way that is not counted here", "Give the files of what is counted too, or choose by --by."),
}  # fmt: skip
_INSTEAD = {
    why.AREA: "Give the files of plants, mines, ports and the like; the table in docs/howto/climate-trace.md says which these are.",
    why.NOTHING: "Give the files of another year or gas.",
}
"""Ways out of having no facility at all, where a reason has no other."""

_OTHER_SUM = Fraction(1, 10)
"""Two sums of the gases of one source that differ by more than this share of the larger are not one sum."""
_LEVELS = ("error", "warning", "note")


def notes_on(
    published: Published,
    written: Sequence[Written],
    counted: Collection[str],
    account: Account,
    *,
    everywhere: bool,
) -> tuple[Problem, ...]:
    """Return all that is worth saying, warnings first.

    Parameters
    ----------
    published
        What was read.
    written
        What became facilities.
    counted
        Gases, as published.
    account
        Of all tonnes.
    everywhere
        Whether no units were named.
    """
    notes = [
        *published.notes,
        *_on_left_out(account),
        *_on_rows(published),
        *_on_gases(written, counted, account),
        *_on_the_year(published.year, written, counted),
        *_on_places(written),
        *_on_copies(written),
    ]
    if everywhere:
        what = f"no units were named: the table has all {len(written):,} places, wherever they lie"
        notes.append(Problem(what, "", "Name them: --within UNITS.", "note"))
    return tuple(sorted(notes, key=lambda note: _LEVELS.index(note.level)))


def no_facility(
    published: Published, account: Account, units: Box | None, outside: Box | None
) -> Problem:
    """Return the error that no source becomes a facility: what became of them, and the likely cause.

    Parameters
    ----------
    published
        What was read.
    account
        Of all tonnes.
    units, outside
        What the units span and what the sources outside span, degrees; None where there are none.
    """
    counts = {
        reason: sum(sources for sources, _ in account.by_subsector(reason).values())
        for reason in _SAID
    }
    some = [
        f"{counts[reason]:,} {one if counts[reason] == 1 else many}"
        for reason, (_, one, many, _) in _SAID.items()
        if counts[reason]
    ]
    what = f"no source of {published.year} becomes a facility: {'; '.join(some)}"
    most = max(counts, key=lambda reason: counts[reason])
    hint = _INSTEAD.get(most) or _SAID[most][3]
    if units and outside:  # whatever else is there, these are places of a category that emit
        hint = (
            "Check the CRS of --within, or give the files of its place: "
            f"the units lie at {_span(units)}, the sources outside at {_span(outside)}."
        )
    return Problem(what, "", hint)


def _span(box: Box) -> str:
    west, south, east, north = box
    return f"longitude {west:.3f} to {east:.3f} and latitude {south:.3f} to {north:.3f}"


def _on_left_out(account: Account) -> Iterator[Problem]:
    for reason, (level, one, many, hint) in _SAID.items():
        found = account.by_subsector(reason)
        if found:
            count = sum(sources for sources, _ in found.values())
            together = _tonnes(mass for _, mass in found.values())
            some = listed(
                f"{name} {sources:,} with {_tonnes([mass])}"
                for name, (sources, mass) in found.items()
            )
            yield Problem(
                f"{counted(count, 'source')} {one if count == 1 else many}, {together} CO2e: {some}",
                "",
                hint,
                level,
            )


def all_over_the_turn(published: Published) -> Problem:
    """Return the error that of a year there is no row but those that begin or end in another."""
    rows = sum(count for count, _ in published.over_the_turn.values())
    what = f"no row lies within {published.year}: all {rows:,} that reach into it begin or end in another year, and how much of them is of {published.year} nobody can tell"
    return Problem(what, "", "Give files by months or years, or divide these rows at the turn of the year.")  # fmt: skip


def _on_rows(published: Published) -> Iterator[Problem]:
    for said, rows in (
        ("say again what another row says, and count once", published.repeated),
        ("go over the turn of the year, and are left out", published.over_the_turn),
    ):
        some = listed(
            f"{gas} {count:,} with {_tonnes([mass])}" for gas, (count, mass) in sorted(rows.items())
        )
        if some:
            yield Problem(f"rows {said}: {some}", "", "", "warning")


def _on_gases(
    written: Sequence[Written], counted: Collection[str], account: Account
) -> Iterator[Problem]:
    if CO2E in counted:
        hint = "For another GWP set give the files of co2, ch4 and n2o."
        yield Problem("CO2e is the publisher's own, by AR6 over 100 years", "", hint, "note")
    elif missing := [GASES[gas] for gas in GASES if gas not in counted]:
        what = f"no file holds {' or '.join(missing)}, which no facility emits here then"
        yield Problem(what, "", "Give the files of these gases too.", "warning")
    for gas in counted if len(counted) > 1 else ():
        lacking = [each.source for each in written if each.source.tonnes(gas) is None]
        if lacking:
            have = "has" if len(lacking) == 1 else "have"
            what = f"{len(lacking):,} of {_facilities(written)} {have} no quantity of {GASES[gas]}: {_called(lacking)}"
            yield Problem(what, "", "", "note")
    for gas, tonnes in account.of_gas(why.TWICE).items():
        what = f"{gas} is told beside what is counted, and is not added: {_tonnes([tonnes])}"
        yield Problem(what, "", "", "note")
    yield from _on_other_sums(written) if len(counted) == len(GASES) else _on_small_sums(written)
    for gas, tonnes in account.of_gas(why.ANOTHER_GAS).items():
        what = f"{gas} is no greenhouse gas that is counted: {_tonnes([tonnes])} of it"
        yield Problem(what, "", "", "note")


def _on_other_sums(written: Sequence[Written]) -> Iterator[Problem]:
    """Tell where the publisher's own sum is another one than that of the gases, each by the publisher's GWPs."""
    off: list[tuple[Source, Fraction, Fraction]] = []
    for each in written:
        theirs, ours = _two_sums(each)
        if theirs is not None and abs(theirs - ours) > _OTHER_SUM * max(theirs, ours):
            off.append((each.source, theirs, ours))
    if off:
        off.sort(key=lambda each: -abs(each[1] - each[2]))
        have = "has" if len(off) == 1 else "have"
        what = f"{len(off):,} of {_facilities(written)} {have} {_tonnes([theirs for _, theirs, _ in off])} of {CO2E}, which is not counted, and {_tonnes([ours for *_, ours in off])} of CO2e by their gases: {_called([source for source, *_ in off])}"
        hint = "Look whether a gas has no quantity yet, or CO2e holds gases that have no file; --by co2e counts CO2e."
        yield Problem(what, "", hint, "warning")


def _on_small_sums(written: Sequence[Written]) -> Iterator[Problem]:
    """Tell where the publisher's own sum is less than what some of its gases make: then it is of one gas, or in another unit."""
    sums = [(each.source, *_two_sums(each)) for each in written]
    small = [
        (source, theirs, ours)
        for source, theirs, ours in sums
        if theirs is not None and ours - theirs > _OTHER_SUM * ours
    ]
    if small:
        small.sort(key=lambda each: each[1] - each[2])
        have = "has" if len(small) == 1 else "have"
        what = f"{len(small):,} of {_facilities(written)} {have} {_tonnes([theirs for _, theirs, _ in small])} of {CO2E}, and {_tonnes([ours for *_, ours in small])} of CO2e by some of their gases alone: {_called([source for source, *_ in small])}"
        hint = "Look whether the files of CO2e and of gases are of one release, and hold what they are called by."
        yield Problem(what, "", hint, "warning")


def _two_sums(each: Written) -> tuple[Fraction | None, Fraction]:
    """Return the publisher's own sum of a source, and that of its gases by the publisher's GWPs."""
    weights = gwp_of(PUBLISHERS_GWP, fossil=each.subsector.fossil)
    gases = (weights[name] * (each.source.tonnes(gas) or 0) for gas, name in GASES.items())
    return each.source.tonnes(CO2E), sum(gases, start=Fraction(0))


def _on_the_year(
    year: int, written: Sequence[Written], counted: Collection[str]
) -> Iterator[Problem]:
    whole = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    short = [
        (days, each) for each in written if (days := _days_covered(each.source, counted)) < whole
    ]
    if short:
        short.sort(key=lambda each: -each[1].mass)
        together = _tonnes(each.mass for _, each in short)
        some = listed(f"{_called([each.source])} {days} days" for days, each in short)
        have, are = ("has", "is") if len(short) == 1 else ("have", "are")
        what = f"{len(short):,} of {_facilities(written)}, {together} CO2e, {have} quantities of a part of {year} only, and {are} not scaled up: {some}"
        yield Problem(what, "", "A later release or another year may be whole.", "warning")


def _days_covered(source: Source, counted: Collection[str]) -> int:
    return min(source.days(gas) for gas in counted if source.tonnes(gas) is not None)


def _on_places(written: Sequence[Written]) -> Iterator[Problem]:
    for note in sorted({each.subsector.note for each in written} - {""}):
        those = [each for each in written if each.subsector.note == note]
        names = ", ".join(sorted({each.subsector.name for each in those}))
        together = _tonnes(each.mass for each in those)
        what = f"{note}: {_facilities(those)} of {names}, {together} CO2e"
        yield Problem(what, "", "Take them out if your totals do not count that.", "warning")
    hint = "Look at them on a map."
    unbounded = [each.source for each in written if each.subsector.place == "boundary"]
    if unbounded:
        said = "are of subsectors that the publisher's schema 5.0.0 has by region, but have no boundary, and count as places"
        if len(unbounded) == 1:
            said = "is of a subsector that the publisher's schema 5.0.0 has by region, but has no boundary, and counts as a place"
        what = f"{_facilities(unbounded)} {said}: {_called(unbounded)}"
        yield Problem(what, "", hint, "warning")
    named = [each.source for each in written if each.source.boundary]
    if named:
        said = "has a geometry_ref of an unknown kind, and counts as a place" if len(named) == 1 else "have a geometry_ref of an unknown kind, and count as places"  # fmt: skip
        what = f"{_facilities(named)} {said}: {_called(named)}"
        yield Problem(what, "", hint, "note")
    moved = [each.source for each in written if each.source.moved]
    if moved:
        change = "changes its" if len(moved) == 1 else "change their"
        what = f"{_facilities(moved)} {change} place from row to row, and the first counts: {_called(moved)}"
        yield Problem(what, "", hint, "warning")


_NAMELESS = {"", "unknown", "unnamed", "n/a", "na", "none"}


def _on_copies(written: Sequence[Written]) -> Iterator[Problem]:
    """Tell works that stand under several numbers, as where files of two releases are given: their masses need not agree."""
    alike: dict[tuple[object, ...], list[Written]] = {}
    for each in written:
        own = each.source
        if own.name.casefold() not in _NAMELESS:
            key = (own.subsector, own.kind.casefold(), own.name.casefold(), own.x, own.y)
            alike.setdefault(key, []).append(each)
    again = [same for same in alike.values() if len(same) > 1 and _share_a_period(same)]
    if again:
        more = _tonnes(each.mass for same in again for each in sorted(same, key=lambda one: one.mass)[:-1])  # fmt: skip
        sources = [each.source for same in again for each in same]
        what = f"{len(sources):,} of {_facilities(written)} agree with another one in subsector, type, name and place, and count as well, {more} CO2e more than the larger ones alone: {_called(sources)}"
        hint = "Give the files of one release; if they are one works under several numbers, leave one of each."
        yield Problem(what, "", hint, "warning")


def _share_a_period(same: Sequence[Written]) -> bool:
    """Whether two of some sources have quantities of one gas on one day, as a year has and each of its months; numbers that change within a year share none."""
    for one, other in combinations((each.source.series for each in same), 2):
        for gas in one.keys() & other.keys():
            pairs = product(one[gas], other[gas])
            if any(first <= end and begin <= last for (first, last), (begin, end) in pairs):
                return True
    return False


def _facilities(those: Sequence[Source] | Sequence[Written]) -> str:
    return counted(len(those), "facility", "facilities")


def _called(sources: Sequence[Source]) -> str:
    return listed(f"{source.name or source.subsector} ({source.number})" for source in sources)


def _tonnes(masses: Collection[Fraction] | Iterator[Fraction]) -> str:
    return f"{float(sum(masses, start=Fraction(0))):,.1f} t"
