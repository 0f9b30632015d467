"""What only shows when the tables of a case are held side by side."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.located import PER_ONE
from carbongrid.case.readers.people import PeopleGrid, km2_of_cell
from carbongrid.case.readers.points import crosswalk_categories
from carbongrid.case.readers.regions import masses_here
from carbongrid.errors import InputError, Level, Problem, listed
from carbongrid.method.categories import Category, by_people_unasked, homes
from carbongrid.method.landuse import SETTLEMENT, carrying_types
from carbongrid.method.weights import people_points
from carbongrid.method.weights.people import PeoplePoints
from carbongrid.pipeline.bare_units import units_without_their_land
from carbongrid.pipeline.far_land import FarLand, land_far_away
from carbongrid.pipeline.land import Land, fine_grid
from carbongrid.pipeline.regional_totals import level_of
from carbongrid.pipeline.residents import census_of, shared_over
from carbongrid.pipeline.weights_step import regions_of, weight_rasters
from carbongrid.raster.chunked.rasters import WeightRaster, problems_of_finer_cells, problems_of_top
from carbongrid.raster.plane_files import open_plane

MAX_MISSING = 100
"""Of the people of a census one in this many may live where no point or cell has people."""

WORTH_A_NAME = 20
"""A category of industry that is more than one part in this many of the emissions is worth a look into a registry."""

MAX_SINK_APART = 0.05
"""Of a sink: so much of it may lie on other types of land than those that formed it before it is told."""

MIN_IN_UNITS = 0.5
"""A unit layer that covers less of the parcels' area than this is another place's."""

_FAR_APART = 10
"""A region that a census scales by so many times what the median one is scaled by, or by so much less, is in something else."""

_THOUSAND, _ABOUT = 3, 1.5
"""So many powers of ten, about so exactly, are no sample but another unit."""

_LIKE_THE_CELL = 0.15
"""The census and the raster may be of years between which so many people came or left."""

_CLEAR, _REGIONS = 4.0, 3
"""Cells nearer to one km2, or to one ha, than so many times have as many people as a sample of them may; of fewer regions none is usual."""

_LISTED = 5


@dataclass(frozen=True)
class CrossChecked:
    """What only shows when the tables are held side by side."""

    problems: tuple[Problem, ...]


def cross_check(inputs: Inputs, land: Land) -> CrossChecked:
    """Hold the tables side by side."""
    far = FarLand.of(land)
    problems = (
        *_problems_of_place(inputs, land),
        *_problems_of_codes(inputs, land),
        *_problems_of_levels(inputs),
        *land_far_away(inputs, land, far),
        *units_without_their_land(inputs, land, far.units),
        *_problems_of_grid(inputs),
        *_problems_of_reference(inputs),
        *_problems_of_lone_gdp(inputs),
        *_problems_of_supply(inputs),
        *_problems_of_settlements(inputs),
        *_problems_of_sinks(inputs, land),
        *_problems_of_registry(inputs),
        *_problems_of_people(inputs),
        *_problems_of_census(inputs, land),
    )
    return CrossChecked(problems)


def _problems_of_place(inputs: Inputs, land: Land) -> Iterator[Problem]:
    if land.share_in_units < MIN_IN_UNITS:
        yield Problem(
            f"the units cover {land.share_in_units:.1%} of the parcels' area, less than {MIN_IN_UNITS:.0%}",
            inputs.case.units.path,
            "Check that both layers are of the same place and that their CRS are right.",
        )


def _problems_of_codes(inputs: Inputs, land: Land) -> Iterator[Problem]:
    """Yield an error for each code that a table names and that means different land in different columns."""
    case = inputs.case
    tables = [(case.totals.path if case.totals else "the totals", inputs.totals)]
    if inputs.census is not None and case.people is not None:
        tables.append((str(case.people.census), inputs.census))
    for path, table in tables:
        for code, columns in land.ambiguous(sorted(set(table["region"]) - {""})):
            yield Problem(
                f"the region {code!r} means different land as {' and as '.join(columns)} of the units",
                path,
                "Give units and their parents codes that differ, as 01 and 0101 do.",
            )


def _problems_of_levels(inputs: Inputs) -> Iterator[Problem]:
    """Yield what is grouped by codes of a parent that lie in several of a farther one: districts of two cities may have one code."""
    case, parents = inputs.case, inputs.case.units.parents
    for place, near in enumerate(parents):
        figures = _codes_with_figures(inputs, near)
        told: set[str] = set()
        for far in parents[place + 1 :]:
            above = inputs.units.groupby(near)[far].unique()
            split = {code: sorted(above[code]) for code in above.index[above.map(len) > 1] if code not in told}  # fmt: skip
            told.update(split)
            hint = f"If these are places of their own, give each a code of its own, such as the code of its {far} before it."
            if case.reference == near and split:
                what = f"a code of {near!r} with units in several of {far!r} counts as one region, against which all of them are held (reference = {near!r}): {_places(split)}"
                yield Problem(what, case.units.path, hint, "warning")
            for file, codes in figures.items():
                if named := {code: places for code, places in split.items() if code in codes}:
                    what = f"a code of {near!r} with units in several of {far!r} counts as one region, over which its figures in {file} are spread: {_places(named)}"
                    yield Problem(what, case.units.path, hint, "warning")
            unnamed = {code: places for code, places in split.items() if not any(code in codes for codes in figures.values())}  # fmt: skip
            if unnamed and case.reference != near:
                what = f"a code of {near!r} with units in several of {far!r} counts as one region where units are grouped by it: {_places(unnamed)}"
                yield Problem(what, case.units.path, hint, "note")


def _codes_with_figures(inputs: Inputs, near: str) -> dict[str, set[str]]:
    """Return by file the codes that its figures are of; those of GDP if it is given by this level of parents."""
    case = inputs.case
    given = case.totals or case.inventory
    tables = {given.path if given else "the totals": inputs.totals}
    if inputs.census is not None and case.people is not None:
        tables[str(case.people.census)] = inputs.census
    if inputs.gdp is not None and case.gdp is not None and case.gdp.by == near:
        tables[case.gdp.path] = inputs.gdp
    return {file: set(table["region"]) for file, table in tables.items()}


def _places(split: Mapping[str, list[str]]) -> str:
    each = (f"{code} in {listed(places, _LISTED, more=', ...')}" for code, places in split.items())
    return listed(each, _LISTED, more="; ...", between="; ")


def _problems_of_grid(inputs: Inputs) -> Iterator[Problem]:
    """Yield an error for a grid that nobody can hold, and for each weight raster that is unfit on it."""
    try:
        grid = fine_grid(inputs)
    except InputError as error:
        yield from error.problems
        return
    for raster in weight_rasters(inputs):
        try:
            path = inputs.case.resolve(raster)
            weights = WeightRaster.around(path, grid)
            with open_plane(path) as source:
                yield from source.remarks()
            yield from problems_of_top(weights, grid)
            yield from problems_of_finer_cells(weights, grid)
        except InputError as error:
            yield from error.problems
        except OSError as error:
            where = f"categories: raster:{raster}"
            yield Problem(f"the raster cannot be read: {error}", where, "Check its path.")


def _problems_of_reference(inputs: Inputs) -> Iterator[Problem]:
    reference = inputs.case.reference
    if reference != "all" and reference not in inputs.case.units.parents:
        known = ", ".join(("all", *inputs.case.units.parents))
        yield Problem(
            f"reference = {reference!r} is no parent column of the units",
            f"{inputs.case.path.name}: reference",
            f"Known: {known}; another column of the units must stand in [units] parents.",
        )


def _problems_of_lone_gdp(inputs: Inputs) -> Iterator[Problem]:
    """Yield a warning for each unit whose GDP is the only one that is known in its reference region: there its ECC is 1 by definition, however much it emits and earns."""
    case, units = inputs.case, inputs.units
    if inputs.gdp is None or case.gdp is None:
        return
    if case.reference != "all" and case.reference not in units:
        return
    by = units["id"] if case.gdp.by == "unit" else units[case.gdp.by]
    amounts = inputs.gdp.drop(columns="region")
    known = by.isin(inputs.gdp.loc[amounts.notna().all(axis=1), "region"])
    earning = by.isin(inputs.gdp.loc[amounts.sum(axis=1) > 0, "region"])
    codes = "all" if case.reference == "all" else units[case.reference].fillna("")
    table = pd.DataFrame({"id": units["id"], "known": known, "earning": earning, "code": codes})
    for code, rows in table[table["code"] != ""].groupby("code", sort=True):
        if len(rows) > 1 and rows["known"].sum() == rows["earning"].sum() == 1:
            [own] = rows.loc[rows["known"], "id"]
            within = "" if code == "all" else f": {case.reference} {code}"
            yield Problem(
                f"of {len(rows)} units the GDP of {own} alone is known: its ECC is 1 whatever it earns, so that only how 1 itself is read decides its zone",
                f"{case.gdp.path}{within}",
                "Give the GDP of the others, or another reference.",
                "warning",
            )


def _problems_of_settlements(inputs: Inputs) -> Iterator[Problem]:
    """Yield a warning where land cover tells no homes from works: what is spread there lies on the same parcels."""
    settlement = (inputs.parcels["type"] == SETTLEMENT).to_numpy(dtype=bool)
    if not settlement.any():
        return
    here = masses_here(inputs.totals)
    alike = [
        name
        for name, category in inputs.categories.items()
        if here.get(name) and SETTLEMENT in carrying_types(category.types)
    ]
    area = inputs.parcels["area_m2"].to_numpy()
    if len(alike) > 1:
        yield Problem(
            f"{area[settlement].sum() / 1e6:,.4g} km2 are settlements that nobody tells apart, and {len(alike)} categories lie on all of them: {', '.join(alike)}",
            inputs.case.parcels.path,
            "Homes of town and country lie on the same land then. Name the works and plants as facilities, give totals by region, or parcels that tell such land apart: docs/howto/land-cover.md.",
            "warning",
        )


def _problems_of_supply(inputs: Inputs) -> Iterator[Problem]:
    supply, rows = inputs.categories.get("industry/supply"), inputs.totals
    if supply is None or not ((rows["category"] == supply.name) & (rows["place"] == "here")).any():
        return  # nothing of it is spread here, as where the electricity that is used counts
    known = crosswalk_categories(inputs.case)
    if supply.weight == "pois" and known and supply.name not in known:
        return  # no POI stands for it, which the allocation tells
    if inputs.facilities is None or inputs.facilities.empty:
        yield Problem(
            _way_of_supply(inputs, supply),
            f"{inputs.case.path.name}: [facilities]",
            "Name the power plants with their mass and coordinates, if they are known (D9).",
            "warning",
        )


def _problems_of_sinks(inputs: Inputs, land: Land) -> Iterator[Problem]:
    """Yield a warning for each sink of several types of land that activity data formed otherwise than it is spread: by the package's coefficients."""
    if inputs.formed is None:
        return
    uptake = inputs.coefficients
    for name, category in inputs.categories.items():
        if not category.sink or category.weight != "area" or len(category.types) < 2:
            continue
        codes = regions_of(inputs, name)
        there = pd.DataFrame({"account": land.regions_of_parcels(codes), "type": inputs.parcels["type"].to_numpy(object), "area": inputs.parcels["area_m2"].to_numpy()})  # fmt: skip
        there = there[there["type"].isin(category.types)]
        area = there.groupby(["account", "type"])["area"].sum()
        whole, apart, worst = 0, 0.0, (0.0, "", "")
        for account, formed in _formed_by_account(inputs, name, codes).items():
            mass = sum(formed.values())
            spread = {kind: area.get((account, kind), 0.0) * uptake.get(kind, 0.0) for kind in category.types}  # fmt: skip
            given = sum(spread.values())
            if not mass or not given:
                continue
            shares = {kind: (formed.get(kind, 0) / mass, spread.get(kind, 0.0) / given) for kind in {**spread, **formed}}  # fmt: skip
            wrong = sum(abs(made - got) for made, got in shares.values()) / 2 * mass
            told = ", ".join(f"land/{kind} {made:.0%} : {got:.0%}" for kind, (made, got) in shares.items())  # fmt: skip
            region = codes[account] if account >= 0 else ""
            whole, apart, worst = whole + mass, apart + wrong, max(worst, (wrong, region, told))
        if whole and apart > MAX_SINK_APART * whole:
            where = f"{inputs.formed.file}: {worst[1]}" if worst[1] else inputs.formed.file
            yield Problem(
                f"{name} is spread over its types of land by the package's coefficients: {apart / whole:.0%} of it lies on other types than those that formed it (formed : spread): {worst[2]}",
                where,
                "Name each type's own category in its rows, as sink/forest, so that what forests take up lies on forests.",
                "warning",
            )


def _formed_by_account(
    inputs: Inputs, category: str, codes: Sequence[str]
) -> dict[int, dict[str, int]]:
    """Return grams of each type of land in a total of activity data, by the region that has a total of its own, and -1 for the rest of the whole."""
    assert inputs.formed is not None, "it is asked of activity data"
    found: dict[int, dict[str, int]] = {}
    place = {code: number for number, code in enumerate(codes)}
    for row in inputs.formed.rows_by(inputs.case.electricity):
        sheet, _, kind = row["activity"].partition("/")
        if row["category"] != category or sheet != "land" or row["region"] not in {*place, ""}:
            continue
        signs = {place[row["region"]]: 1, -1: -1} if row["region"] else {-1: 1}
        for account, sign in signs.items():
            sums = found.setdefault(account, {})
            sums[kind] = sums.get(kind, 0) + sign * row["grams"]
    # Without a row of the whole there is no rest.
    return {account: sums for account, sums in found.items() if min(sums.values()) >= 0}


def _problems_of_registry(inputs: Inputs) -> Iterator[Problem]:
    """Yield which share of the emissions proxies place where a registry of point sources would name it."""
    here = masses_here(inputs.totals)
    sources = {name: here.get(name, 0) for name, each in inputs.categories.items() if not each.sink}
    named = set() if inputs.facilities is None else set(inputs.facilities["category"])
    whole = sum(sources.values())
    missing = [
        name
        for name, mass in sources.items()
        if inputs.categories[name].sector == "industry"
        and name not in named
        and mass * WORTH_A_NAME > whole
    ]
    if not missing:
        return
    share = sum(sources[name] for name in missing) / whole
    yield Problem(
        f"{share:.0%} of the emissions ({', '.join(missing)}) is placed by a proxy, where a registry of point sources would name it",
        f"{inputs.case.path.name}: [facilities]",
        "Look in the register of discharge permits or of an emissions trading system, and name the largest works: docs/howto/facilities.md.",
        "warning",
    )


def _way_of_supply(inputs: Inputs, supply: Category) -> str:
    """Return in words which land carries power and heat, and by what."""
    types, name = " or ".join(supply.types), supply.name
    if supply.weight == "area":
        return f"no facilities are named: power and heat go by area to all land of type {types}"
    if supply.weight != "pois":
        return (
            f"no facilities are named: power and heat go by {supply.weight} to land of type {types}"
        )
    count = 0 if inputs.pois is None else int((inputs.pois["category"] == name).sum())
    if not count:
        return f"no facilities are named: power and heat go by area to all land of type {types}, since no point of interest is of {name}"
    return f"no facilities are named: power and heat go to the land of type {types} at {count} points of interest of {name}"


def _problems_of_people(inputs: Inputs) -> Iterator[Problem]:
    with_mass = {name for name, grams in masses_here(inputs.totals).items() if grams}
    # What goes by people unasked says nothing of homes.
    spread = with_mass - by_people_unasked()
    weights = {category.weight for name, category in inputs.categories.items() if name in spread}
    where = f"{inputs.case.path.name}: [people]"
    if inputs.people is None:
        return
    if "people" in weights:
        yield from _homes_by_something_else(inputs, where)
    elif not homes().keys() & spread:
        unasked = sorted(by_people_unasked() & with_mass)
        by_them = [name for name in unasked if inputs.categories[name].weight == "people"]
        yield Problem(
            f"people are given and no homes have a total, so that people are counted in units and only {', '.join(by_them)} is spread by them"
            if by_them
            else "people are given and no homes have a total, so that people are counted in units and nothing is spread by them",
            where,
            "Give homes a total, such as buildings/urban-homes, if there are any.",
            "note",
        )
    else:
        yield Problem(
            "people are given and no homes are spread by them",
            where,
            "Give homes the weight people: take the row that sets another from the case's categories.csv.",
            "warning",
        )


def _homes_by_something_else(inputs: Inputs, where: str) -> Iterator[Problem]:
    """Yield a note on homes by something else whose land nothing by people lies on: who lives there weighs for nothing."""
    by_people = [each for each in inputs.categories.values() if each.weight == "people"]
    reached = {kind for each in by_people for kind in each.types}
    for name, home in homes().items():
        own = inputs.categories.get(name)
        if own and own.weight != "people" and not reached.intersection(home.types):
            what = f"{name} goes by {own.weight}, so that who lives on its land weighs for nothing"
            yield Problem(what, where, "Give it the weight people if they should.", "note")


def _problems_of_scale(scaled: Mapping[str, float], where: str) -> Iterator[Problem]:
    """Yield where the census counts so many times the people of points or cells that one of them is in something else: all regions by a thousand or the like, or some by far more or less than the others. A sample, as of telephones, is scaled alike everywhere, by no round number."""
    if not scaled:
        return
    median = statistics.median(scaled.values())
    power = round(math.log10(median)) if median > 0 else 0
    if abs(power) >= _THOUSAND and 1 / _ABOUT <= median / 10**power <= _ABOUT:
        what = f"the census counts about 10^{power} times the people that points or cells have: {median:.3g} times, as the median of {len(scaled)} regions"
        yield Problem(what, where, "Check that both are in persons.", "warning")
    far = {code: by for code, by in scaled.items() if by > median * _FAR_APART or by * _FAR_APART < median}  # fmt: skip
    if far:
        which = listed(sorted(far), _LISTED, more=", ...")
        what = f"the census counts {min(far.values()):.3g} to {max(far.values()):.3g} times the people that points or cells have in {len(far)} of {len(scaled)} regions, where the median of all is {median:.3g}: {which}"
        yield Problem(what, where, "Check that all are in persons, and of the same regions.", "warning")  # fmt: skip


def _problems_of_density(scaled: Mapping[str, float], km2: float, where: str) -> Iterator[Problem]:
    """Yield a warning where the census counts as many times the people of cells as these have km2, or hectares: then they hold people for each of that."""
    known = [times for times in scaled.values() if math.isfinite(times)]
    if len(known) < _REGIONS:
        return
    median = statistics.median(known)
    for seems, area in (
        ("km2: the raster seems to hold people per km2", km2),
        ("ha: the raster seems to hold people per ha", 100 * km2),
    ):
        if 1 / _CLEAR < area < _CLEAR or abs(median / area - 1) > _LIKE_THE_CELL:
            continue
        what = f"the census counts {median:.3g} times the people that cells have, as the median of {len(known)} regions, and a cell has {area:.3g} {seems}"
        hint = "Multiply by the area of the cells, or take the file of counts."
        yield Problem(what, where, hint, "warning")


def _problems_of_emptied(emptied: Mapping[str, int], left: int, where: str) -> Iterator[Problem]:
    """Yield where the census counts nobody and points or cells have people, one at least: a warning where these are more than 1 % of all."""
    emptied = {code: many for code, many in emptied.items() if many >= PER_ONE}
    gone = sum(emptied.values())
    if gone:
        most = sorted(emptied.items(), key=lambda each: (-each[1], each[0]))
        which = listed((f"{code} {many / 1000:,.0f}" for code, many in most), _LISTED, more=", ...")
        what = f"the census counts nobody where points or cells have {gone / 1000:,.0f} people, in {len(emptied)} of its regions: {which}"
        level: Level = "warning" if gone * MAX_MISSING > gone + left else "note"
        yield Problem(what, where, "Leave their cells blank if their residents are not known.", level)  # fmt: skip


def _problems_of_unscaled(
    told: PeoplePoints, codes: Sequence[str], land: Land, where: str
) -> Iterator[Problem]:
    """Yield where people keep the count of points or cells since the census says nothing of their region, beside others that are scaled: a warning where those whom its factor would bring or take are more than 1 % of all."""
    if told.unscaled is None or not told.scaled or told.unscaled.sum() < PER_ONE:
        return
    here = np.flatnonzero(told.unscaled)
    kept, by = int(told.unscaled.sum()), statistics.median(told.scaled.values())
    names = listed(dict.fromkeys(land.units[level_of(codes, land)].iloc[here].astype(str)))
    off = abs(by - 1) * kept
    level: Level = "warning" if off * MAX_MISSING > int(told.thousandths.sum()) else "note"
    what = f"the census says nothing of {len(here)} of {len(land.units)} units, whose {kept / 1000:,.0f} people count as points or cells have them, where those of its regions are multiplied by {by:.3g}, as the median: {names}"
    hint = "Give their residents too; without them the counts of points or cells have to be whole there."
    yield Problem(what, where, hint, level)


def _problems_of_census(inputs: Inputs, land: Land) -> Iterator[Problem]:
    """Yield what the census counts where no point or cell has people: an error above 1 %, unless all homes may lose evidence."""
    census = census_of(inputs, land)
    if inputs.people is None or census is None or inputs.case.people is None:
        return
    told = people_points(inputs.people, land.units.crs, census, shared_over(inputs, land))
    where = str(inputs.case.people.census)
    yield from _problems_of_scale(told.scaled, where)
    if isinstance(inputs.people, PeopleGrid):
        yield from _problems_of_density(told.scaled, km2_of_cell(inputs.people), where)
    yield from _problems_of_emptied(told.emptied, int(told.thousandths.sum()), where)
    yield from _problems_of_unscaled(told, census.codes, land, where)
    whole = int(census.thousandths.sum())
    by_people = [n for n, category in inputs.categories.items() if category.weight == "people"]
    # Whoever allows it for homes allows it for what goes by the same people unasked.
    homes = [name for name in by_people if name not in by_people_unasked()] or by_people
    if not told.note and told.missing * MAX_MISSING <= whole:
        return
    much = told.missing * MAX_MISSING > whole and not (
        homes and set(homes) <= set(inputs.case.allow.lost)
    )
    why = told.note or "what their points hold is rounded away"
    yield Problem(
        f"{told.missing / 1000:,.0f} of the {whole / 1000:,.0f} people of the census live where no point or cell has people: {why}",
        str(inputs.case.people.census),
        "Give points or cells there, or take these regions out of the census."
        + (f" Or allow it: [allow] lost = {homes}." if much and homes else ""),
        "error" if much else "warning",
    )
