"""Published rasters of emission, as EDGAR and ODIAC are, beside a run: what they say of each quantity, and a table of its units."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from carbongrid.analysis.published.calendars import MONTHS
from carbongrid.analysis.published.land_on_cells import LandOnCells
from carbongrid.analysis.published.months import Layered, require_one_year, told_apart_by_dates
from carbongrid.analysis.published.rasters import OpenedRaster, PublishedRaster, Remark
from carbongrid.analysis.published.table import remarks_of_gas
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.units_of_measure import INT64_MAX
from carbongrid.raster.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.pipeline.run_carriers import RunCarriers

_WHOLE = 0.99
"""A unit of which less than this lies on cells with a value is not compared."""
_BIG_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class GriddedQuantity:
    """What rasters say of one quantity.

    Parameters
    ----------
    of
        The quantity.
    land
        The run on their cells.
    grams : [y, x]
        Of CO2 or CO2e per cell of the land's window and year; NaN where unknown.
    remarks
        What has to be said.
    """

    of: str
    land: LandOnCells
    grams: NDArray[np.float64]
    remarks: tuple[Remark, ...]

    def of_units(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the grams in each unit, by exact shares of cells, and the share of its area on cells with a value."""
        found = self.land.units.apply(self.grams, ["sum", "valid_fraction"])
        return found["sum"].to_numpy(), found["valid_fraction"].to_numpy()


def gridded(
    run: RunCarriers, rasters: Sequence[PublishedRaster], quantities: Mapping[str, Collection[str]]
) -> list[GriddedQuantity]:
    """Read published rasters around a run, those of one quantity added up.

    Parameters
    ----------
    run
        The run.
    rasters
        Of its quantities.
    quantities
        That there are, each with the gases of the run's emissions.

    Raises
    ------
    InputError
        If a quantity is unknown, a raster wrong, the rasters of one quantity have other cells or gases, or are not of one year: all of its twelve months, or the year itself.
    """
    strange = [each for each in rasters if each.of not in quantities]
    if strange:
        raise InputError(
            f"{strange[0].of!r} is no quantity of the run",
            strange[0].path.name,
            f"There are {', '.join(sorted(quantities))}.",
        )
    year, lands, found = int(run.manifest["year"]), dict[Grid, LandOnCells](), []
    for of in dict.fromkeys(each.of for each in rasters):
        meant = [each for each in rasters if each.of == of]
        own = _as_months(meant, [OpenedRaster.of(each) for each in meant])
        _require_once(of, [(each.path.resolve(), opened.variable) for each, opened in zip(meant, own, strict=True)])  # fmt: skip
        for part in dict.fromkeys(each.part for each in meant):
            of_part = [opened for opened, each in zip(own, meant, strict=True) if each.part == part]
            layered = [Layered(each.name, each.months, each.dates) for each in of_part]
            require_one_year(f"{of} ({part})" if part else of, layered)
            _require_one_origin(f"{of} ({part})" if part else of, of_part)
        _require_addable(of, own)
        land = lands.setdefault(own[0].grid, LandOnCells(run, own[0].grid, own[0].name))
        masses = [each.grams(land.window, land.covered > 0, year) for each in own]
        grams = np.sum([mass for mass, _ in masses], axis=0)
        remarks = [
            remark
            for each, (_, of_values) in zip(own, masses, strict=True)
            for remark in (
                *each.remarks,
                *of_values,
                *each.remarks_of_year(year),
                *each.remarks_of_areas(land.window.grid),
            )
        ]
        remarks += _remarks_of_sums(of, own, quantities[of])
        for part in dict.fromkeys(each.part for each in meant):
            places = [place for place, each in enumerate(meant) if each.part == part]
            paths = [meant[place].path.with_suffix("").as_posix() for place in places]
            if _may_be_months(paths, [own[place] for place in places]):
                inside = sum(float(np.nansum(masses[place][0] * land.covered)) for place in places)
                remarks.append(_of_numbers(f"{of} ({part})" if part else of, inside / 1e6))
        found.append(GriddedQuantity(of, land, grams, tuple(remarks)))
    return found


def _as_months(
    meant: Sequence[PublishedRaster], rasters: Sequence[OpenedRaster]
) -> list[OpenedRaster]:
    """Return rasters of one quantity, twelve of one part as months where their dates say that they are a year's."""
    found = list(rasters)
    for part in dict.fromkeys(each.part for each in meant):
        places = [place for place, each in enumerate(meant) if each.part == part]
        of_part = [rasters[place] for place in places]
        per_year = any(each.unit.period == "year" for each in of_part)
        if not per_year and told_apart_by_dates([each.dates for each in of_part]):
            for place, each in zip(places, of_part, strict=True):
                found[place] = replace(each, dates=each.dates.as_a_month())
    return found


def _require_once(of: str, sources: Sequence[tuple[Path, str]]) -> None:
    for number, (path, variable) in enumerate(sources):
        if (path, variable) in sources[:number]:
            what = f"the raster stands twice for {of}, and would be counted twice"
            raise InputError(what, path.name, "Give each raster once.")


def _require_addable(of: str, rasters: Sequence[OpenedRaster]) -> None:
    first = rasters[0]
    for other in rasters[1:]:
        if other.grid != first.grid:
            raise InputError(
                f"its cells are not those of {first.name}, with which it is added up to {of}",
                other.name,
                "Give rasters of one quantity on one grid.",
            )
        if other.unit.gas != first.unit.gas:
            raise InputError(
                f"it is of {other.unit.gas}, {first.name} of {first.unit.gas}, and both would be added up to {of}",
                other.name,
                "Give rasters of the same gases.",
            )


def _require_one_origin(of: str, rasters: Sequence[OpenedRaster]) -> None:
    """Raise where CO2 of biomass would be added to other CO2 without anybody saying so."""
    biogenic = [each.name for each in rasters if each.unit.biogenic]
    other = [each.name for each in rasters if not each.unit.biogenic]
    if biogenic and other:
        raise InputError(
            f"it is of biogenic CO2 and {other[0]} is not, and both would be added up to {of}: inventories tell them apart",
            biogenic[0],
            "Where both are meant, say so in a table with a column part: --rasters.",
        )


def _remarks_of_sums(
    of: str, rasters: Sequence[OpenedRaster], gases: Collection[str]
) -> list[Remark]:
    found: list[Remark] = []
    if len(rasters) > 1:
        names = ", ".join(each.name for each in rasters)
        found.append((Problem(f"{of}: {len(rasters)} rasters are added up: {names}", level="note"), f"{of}：共 {len(rasters)} 个栅格相加。"))  # fmt: skip
    years = sorted({each.year_of_file for each in rasters} - {0})
    if len(years) > 1:
        told = ", ".join(map(str, years))
        what = f"{of}: the files' attribute year is {told}: if these are years of emission, they are added up as one"
        found.append((Problem(what, level="warning"), f"{of}：各文件属性 year 为 {told}；若为排放年份，则多个年份被加成一年。"))  # fmt: skip
    return [*found, *remarks_of_gas(of, {rasters[0].unit.gas}, gases)]


def _may_be_months(paths: Sequence[str], rasters: Sequence[OpenedRaster]) -> bool:
    """Tell whether rasters that are added up are twelve rates without dates, of which files, or variables or bands, are numbered as months are."""
    undated = all(each.unit.period != "year" and not each.months and not (each.dates.years or each.dates.months) for each in rasters)  # fmt: skip
    numbered = _numbered_as_months(paths) or _numbered_as_months([each.variable for each in rasters])  # fmt: skip
    return undated and len(rasters) == MONTHS and numbered


def _numbered_as_months(names: Sequence[str]) -> bool:
    """Tell whether names differ in numbers alone, which say each month once: flux_01, flux_202001, 2020-01-31; whatever else they say is the last day of it."""
    pieces = [re.split("([0-9]+)", name) for name in names]
    if len({len(each) for each in pieces}) > 1:
        return False
    differing = [each for each in zip(*pieces, strict=True) if len(set(each)) > 1]
    if not all(each.isdecimal() for numbers in differing for each in numbers):
        return False
    said = [[_month_in(each) for each in numbers] for numbers in differing]
    months = [each for each in said if {*each} == {*range(1, MONTHS + 1)}]
    others = [each for each in said if each not in months[:1]]
    return bool(months) and all({*each} <= {28, 29, 30, 31} for each in others)


def _month_in(number: str) -> int:
    """Return what a number says where its month would be: 7, 07, 202007 and 20200701 say 7."""
    return int(number[4:6] if len(number) == len("YYYYMMDD") else number[-2:])


def _of_numbers(of: str, tonnes: float) -> Remark:
    """Tell of twelve rates in files that are numbered as months are: those of one year would count twelve times.

    Parameters
    ----------
    of
        The quantity, or the part of one.
    tonnes
        That they say together.
    """
    what = f"{of}: twelve rasters without dates have numbers that may be those of the months, and each is taken as a rate of the whole year: {tonnes:,.0f} t together; if they are the months of one year, that is twelve times too much, and it was about {tonnes / MONTHS:,.0f} t"
    zh = f"{of}：十二个栅格没有日期，而其编号可能为 1 至 12 月，各按全年速率处理，合计 {tonnes:,.0f} t；若为同一年的十二个月，则偏大十二倍，应约为 {tonnes / MONTHS:,.0f} t。"
    hint = "If they are months, write their dates, or give them as the twelve layers of one file; if they are parts of a year's emission, say so in a table with a column part: --rasters."
    return Problem(what, hint=hint, level="warning"), zh


def published_of(
    quantities: Sequence[GriddedQuantity], codes: pd.Series[str]
) -> tuple[pd.DataFrame, list[Remark]]:
    """Return rasters as a table of units, as :func:`carbongrid.analysis.published.table.read_published` returns one, and what has to be said of it.

    Parameters
    ----------
    quantities
        Of :func:`gridded`.
    codes
        Of each unit of the run, blank for none.

    Raises
    ------
    InputError
        If no unit lies on cells with a value, or a mass exceeds int64.
    """
    parts, remarks = [], []
    for each in quantities:
        grams, known = each.of_units()
        if float(np.nansum(grams)) > INT64_MAX:
            raise InputError(f"{each.of}: the units' sum is more than can be counted exactly (9.2e12 t)", hint="Check the unit.")  # fmt: skip
        names, place = np.unique(codes.to_numpy(str), return_inverse=True)
        whole = np.bincount(place, ~(known >= _WHOLE), names.size) == 0
        sums = np.bincount(place, np.nan_to_num(grams), names.size)
        kept = whole & (names != "")
        if not kept.any():
            raise InputError(
                f"{each.of}: no unit lies on cells of the raster that have a value",
                hint="Check its CRS, and what it declares as nodata.",
            )
        table = {"region": names[kept], "of": each.of, "gas": "", "grams": np.rint(sums[kept]).astype(np.int64)}  # fmt: skip
        parts.append(pd.DataFrame(table).assign(row=0))
        remarks += [*each.remarks, *_of_place(each, known), *_of_size(each)]
    return pd.concat(parts, ignore_index=True), remarks


def _of_place(quantity: GriddedQuantity, known: NDArray[np.float64]) -> list[Remark]:
    """Tell what lies on one side only."""
    of, found = quantity.of, list[Remark]()
    off = int((~(known >= _WHOLE)).sum())
    if off:
        least = 100 * float(np.nanmin(known))
        what = f"{of}: {off} of {known.size} units {'is' if off == 1 else 'are'} not compared, since 1 % or more of {'its' if off == 1 else 'their'} area lies off the raster or on cells without a value (the least known has {least:.0f} % of its area on cells with one)"
        found.append((Problem(what, level="warning"), f"{of}：{known.size} 个单元中有 {off} 个因 1 % 以上面积位于栅格之外或无值像元而未比较。"))  # fmt: skip
    grams, covered = np.nan_to_num(quantity.grams), quantity.land.covered
    inside = float((grams * covered).sum())
    touched, around = float(grams[covered > 0].sum()), float(grams.sum())
    if touched > 0:
        beside = 1 - inside / touched
        what = (
            f"{of}: the cells that units touch have {touched / 1e6:,.0f} t, of which {100 * beside:.1f} % are left out as the share of these cells outside every unit; "
            f"the rectangle of cells around units and parcels has {around / 1e6:,.0f} t"
        )
        zh = f"{of}：单元所及像元共 {touched / 1e6:,.0f} t，其中 {100 * beside:.1f} % 位于单元之外而未计入；外围矩形共 {around / 1e6:,.0f} t。"
        found.append((Problem(what, level="warning" if beside > _BIG_SHARE else "note"), zh))
    return found


def _of_size(quantity: GriddedQuantity) -> list[Remark]:
    """Tell how many units are smaller than a cell."""
    cells = quantity.land.units_in_cells
    small = int((cells < 1).sum())
    if not small:
        return []
    area = float(quantity.land.window.grid.areas_of_rows().mean()) / 1e6
    much = small * 2 > cells.size
    little = ". Most are, so the comparison of units says little: see that of cells" if much else ""
    what = f"{quantity.of}: {small} of {cells.size} units {'is' if small == 1 else 'are'} smaller than a cell of the raster ({area:,.1f} km2), within which its value is spread evenly{little}"
    zh = f"{quantity.of}：{cells.size} 个单元中有 {small} 个小于一个像元（{area:,.1f} km2），像元内数值均匀分摊。"
    return [(Problem(what, level="warning" if much else "note"), zh)]
