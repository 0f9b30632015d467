"""Where an inventory is of, and whether a factor holds there: country and region come before how well a number is documented."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from carbongrid.errors import InputError
from carbongrid.inventory.factors import Catalogue, Factor
from carbongrid.inventory.units_of_measure import in_usual_width
from carbongrid.method.landuse import packaged_table

WORLD = "world"
"""Region of what holds everywhere; the country of an inventory of which nothing tells one."""

DEVELOPED, DEVELOPING = "developed countries", "developing countries"
"""Where defaults of the IPCC hold that differ by it. The Guidelines list neither: developed are the countries of Annex I of the UNFCCC."""

_COUNTRY = re.compile(r"[A-Z]{2}")
_SPELT = re.compile(
    r"[\s_-]+(?:province|municipality|special administrative region|(?:(?:zhuang|hui|uygh?ur) )?autonomous region)$"
    r"|[\s_-]+|(?:特别行政|(?:壮族|回族|维吾尔)?自治)区$|[省市]$"
)


@dataclass(frozen=True)
class Place:
    """The regions that an inventory lies in.

    Parameters
    ----------
    regions
        From the narrowest to the world: ``CN/jiangsu``, ``CN/east``, ``CN``, ``Asia``, ``developing countries``, ``world``.
    told_by
        What told the country, for people.
    grid
        The grid that told the narrowest region; blank if something else did.
    """

    regions: tuple[str, ...] = (WORLD,)
    told_by: str = "nothing told the country"
    grid: str = ""

    @property
    def country(self) -> str:
        """Two letters, or ``world``."""
        return next((name for name in self.regions if _COUNTRY.fullmatch(name)), WORLD)

    def distance(self, factor: Factor) -> int:
        """Return how far from here a factor's region is: 0 the narrowest, more for wider ones; of another place the farthest.

        A factor of no region is the user's own, which holds where the user says.
        """
        if not factor.region:
            return 0
        return (
            self.regions.index(factor.region) if factor.region in self.regions else self.elsewhere
        )

    @property
    def grid_cuts(self) -> bool:
        """Whether its narrowest region is that of a grid whose provinces lie in several regions of the guidelines."""
        return bool(self.grid) and self.regions[0] in _cut_by_grids()

    @property
    def elsewhere(self) -> int:
        """The distance of a factor of another place."""
        return len(self.regions)


ANYWHERE = Place()
"""The place of an inventory of which nothing tells one."""


@cache
def _within() -> Mapping[str, str]:
    table = packaged_table("inventory/places.csv")
    return dict(zip(table["place"], table["within"], strict=True))


@cache
def _cut_by_grids() -> frozenset[str]:
    table = packaged_table("inventory/places.csv")
    return frozenset(table["place"][table["grid_cuts"] == "true"])


@cache
def _by_name() -> Mapping[str, str]:
    """Return provinces and regions by what they are called, and what is no province but might be taken for one."""
    table = packaged_table("inventory/places.csv")
    return {
        _folded(name): place
        for place, names in zip(table["place"], table["names"], strict=True)
        for name in (place.partition("/")[2], *names.split("|"))
        if name
    }


def _folded(name: str) -> str:
    """Return a name without what spellings differ by: case, blanks, hyphens, and the kind of place."""
    return _SPELT.sub("", name.strip().casefold())


@cache
def _developed() -> frozenset[str]:
    return frozenset(packaged_table("inventory/developed.csv")["country"])


def _outward(place: str) -> Iterator[str]:
    """Yield a place and the wider ones that it is in, the world last."""
    development = ""
    while place != WORLD:
        yield place
        if _COUNTRY.fullmatch(place):
            development = DEVELOPED if place in _developed() else DEVELOPING
        place = _within().get(place) or place.rpartition("/")[0] or WORLD
    if development:
        yield development
    yield WORLD


def place_of(factors: Catalogue, grid: str = "", country: str = "", code_system: str = "") -> Place:
    """Return where an inventory is of: the country that is named, else that of the grid, else that of the land survey's codes.

    Parameters
    ----------
    factors
        Whose grids are known.
    grid
        Whose electricity is used: the name of a grid or the key of a factor; it narrows the country down to a region.
    country
        Two letters (ISO 3166), a province such as ``CN/shandong`` (or in Chinese), or ``world``, in any case; blank if not named.
    code_system
        Of the land survey.

    Raises
    ------
    InputError
        If the country is not written so.
    """
    country = _as_known(country)
    nation, slash, name = country.partition("/")
    if country and country != WORLD and not _COUNTRY.fullmatch(nation):
        meant = _by_name().get(_folded(country), "CN, GB, LI ... (ISO 3166), or world for the IPCC's defaults")  # fmt: skip
        raise InputError(
            f"expected a country in two letters, not {country!r}", hint=f"Write {meant}."
        )
    if nation == "UK":
        raise InputError(
            "expected a country in two letters of ISO 3166, which UK is not", hint="Write GB."
        )
    if slash and country not in _within():
        raise InputError(
            f"unknown place {country!r}; of a country of two letters a province is known in China only",
            hint=_what_place(nation, name),
        )
    of_grid = _region_of_grid(factors, grid)
    if country:
        if of_grid.partition("/")[0] == country:
            return Place(tuple(_outward(of_grid)), "named", grid)
        return Place(tuple(_outward(country)), "named")
    if of_grid not in ("", WORLD):
        return Place(tuple(_outward(of_grid)), f"told by the electricity grid {grid}", grid)
    of_survey = _within().get(f"codes:{code_system}", "")
    if of_survey:
        return Place(tuple(_outward(of_survey)), f"told by the land survey's codes {code_system}")
    return ANYWHERE


def _as_known(country: str) -> str:
    """Return a country in large letters, the world in small ones, and a province as the table writes it; anything else as it is."""
    written = in_usual_width(country)
    if written.casefold() == WORLD:
        return WORLD
    nation, slash, name = written.partition("/")
    nation = nation.strip()
    if not nation.isascii() or not _COUNTRY.fullmatch(nation.upper()):
        return country
    known = _by_name().get(_folded(name), "")
    return known if known.startswith(f"{nation.upper()}/") else f"{nation.upper()}{slash}{name}"


def _what_place(nation: str, name: str) -> str:
    """Return what to write for a place of a nation that is not known: what is called so, else what is spelt nearly so, else what there is."""
    named = _by_name()
    if _folded(name) in named:
        return f"Write {named[_folded(name)]}."
    inside = [known for known, place in named.items() if place.startswith(f"{nation}/")]
    if not inside:
        return f"Write {nation}."
    close = difflib.get_close_matches(_folded(name), inside, 1, 0.8)
    if close:
        return f"Did you mean {named[close[0]]!r}?"
    return f"Write {nation}, or a place in it: {', '.join(sorted({named[known] for known in inside}))}."


def _region_of_grid(factors: Catalogue, grid: str) -> str:
    if grid in factors:
        return _region_of(factors, factors[grid])
    name = re.compile(rf"cn\.grid\.(?:province\.|region\.)?{re.escape(grid)}\.\d{{4}}")
    regions = (_region_of(factors, factor) for factor in factors if name.fullmatch(factor.key))
    return next(filter(None, regions), "")


def _region_of(factors: Catalogue, factor: Factor) -> str:
    """Return where a factor holds: with a number of a user's own it holds where it did."""
    if factor.region or factor.key not in factors.overridden:
        return factor.region
    return factors.overridden[factor.key].region
