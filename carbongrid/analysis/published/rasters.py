"""Published rasters of emission, opened: which file, variable and layers are meant, of which unit and year, and grams per cell of a window."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from carbongrid.analysis.published.attributes import in_small_letters, only_text
from carbongrid.analysis.published.calendars import MONTHS
from carbongrid.analysis.published.months import Dates, dates_of, year_in
from carbongrid.analysis.published.units_of_measure import GriddedUnit, periods_in, unit_of
from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.table_formats import PUBLISHED_RASTERS
from carbongrid.errors import InputError, Problem
from carbongrid.method.tonnes import counted
from carbongrid.outputs.tables.rasters import in_crs
from carbongrid.raster.areal_scale import areal_scales, areas_problem
from carbongrid.raster.crs_of_rasters import stated_crs
from carbongrid.raster.georeference import is_in_angles
from carbongrid.raster.grid import Grid
from carbongrid.raster.lattice import north_up, with_mappings
from carbongrid.raster.nodata import Unknown
from carbongrid.raster.opening.formats import is_tiff
from carbongrid.raster.zonal.sources import is_raster, opened
from carbongrid.raster.zonal.stacks import rasters_in, y_and_x_last

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RASTERS = (".tif", ".tiff", ".nc", ".nc4", ".zarr")
"""By these names a file is meant to be a raster, whatever it is."""

Remark = tuple[Problem, str]
"""What has to be said, and the same in Chinese."""

_AS_NODATA = "Declare it as nodata if it stands for an unknown value."
_TRIFLE = 0.001
"""Negative values that take away less than this share are corrections that inventories have here and there: of recovered gas, or of a revised month."""
_SEEN = 1e-7
"""A smaller share is below the digits of float32."""
_A_FEW = 3
"""More cells with the very same negative value have a number that stands for an unknown one."""
_FEW_OF_CELLS = 0.01
"""A larger share of negative ones is no correction here and there."""
_LIKE_NODATA = re.compile(r"-(?:9{2,}(?:\.9+)?|32768|1e\+[0-9]+)")
"""Numbers that stand for unknown values far more often than for masses."""


class PublishedRaster(NamedTuple):
    """A raster that others have published.

    Parameters
    ----------
    of
        The quantity: emission, sink, a sector or a category.
    path
        A GeoTIFF or NetCDF file, or a Zarr store.
    unit
        What a value is, where the raster does not say.
    variable
        Of a file with several; of a GeoTIFF the number of the band.
    part
        Of the quantity, where it has several: each is a year's, by itself, and they are added up.
    """

    of: str
    path: Path
    unit: str | None = None
    variable: str | None = None
    part: str = ""


type Published = (
    str
    | Path
    | Mapping[str, str | Path | PublishedRaster | Sequence[str | Path | PublishedRaster]]
    | Sequence[str | Path | PublishedRaster]
)
"""A table, a raster, several of one quantity, or those of each quantity."""


def rasters_of(
    published: Published, unit: str | None, variable: str | None
) -> tuple[PublishedRaster, ...]:
    """Return the rasters that are meant; none where it is a table.

    Parameters
    ----------
    published
        What was given.
    unit, variable
        Of rasters for which none is named.

    Raises
    ------
    InputError
        If a unit or a variable is named for a table, several tables are given, what is given names no file, or a raster is given as one of another quantity than its own.
    """
    if isinstance(published, Mapping):
        pairs = [(of, each) for of, paths in published.items() for each in _several(paths)]
        rasters = [
            each if isinstance(each, PublishedRaster) else PublishedRaster(of, Path(each))
            for of, each in pairs
        ]
        for (of, _), each in zip(pairs, rasters, strict=True):
            if each.of != of:
                raise InputError(
                    f"a raster of {each.of} is given as one of {of}",
                    str(each.path),
                    f"Give it under {each.of!r}, or make a PublishedRaster of {of!r} of it.",
                )
        return _with_defaults(rasters, unit, variable)
    given = _several(published)
    named = [each for each in given if isinstance(each, PublishedRaster)]
    paths = [Path(each) for each in given if not isinstance(each, PublishedRaster)]
    tables = [path for path in paths if path.suffix.lower() not in _RASTERS and not is_raster(path)]
    if tables and (len(paths) + len(named) > 1 or unit or variable):
        raise InputError(
            "a table is read alone, and says its units itself",
            str(tables[0]),
            "Give either one table or rasters; --unit and --variable are for rasters.",
        )
    whole = [PublishedRaster("emission", path) for path in paths if not tables]
    return _with_defaults([*whole, *named], unit, variable)


def _with_defaults(
    rasters: Iterable[PublishedRaster], unit: str | None, variable: str | None
) -> tuple[PublishedRaster, ...]:
    return tuple(
        each._replace(unit=each.unit or unit, variable=each.variable or variable)
        for each in rasters
    )


def _several(given: Any) -> list[Any]:
    """Return what names files, one or several; raises :class:`InputError` for what does not, as a table in memory, whose columns would be taken for names."""
    kinds = (str, Path, PublishedRaster)
    if isinstance(given, kinds):
        return [given]
    several = isinstance(given, Iterable) and not isinstance(given, pd.DataFrame | Mapping)
    listed = list(given) if several else [given]
    for each in listed:
        if not isinstance(each, kinds):
            raise InputError(
                f"a {type(each).__name__} is neither the name of a file nor several",
                "published",
                "Write a table to a CSV and give its name; of rasters give their names.",
            )
    return listed


def read_rasters_table(path: Path) -> tuple[PublishedRaster, ...]:
    """Read a table that says which raster is of which quantity: columns of, path, unit, variable, part; paths are as seen from it.

    Raises
    ------
    InputError
        With every wrong cell.
    """
    if not path.is_file():
        raise InputError("there is no such table", str(path))
    table = read_declared(path, PUBLISHED_RASTERS)
    rows, faults = rows_declared(table, PUBLISHED_RASTERS, path.name)
    if not rows:
        faults.add("there are no rasters", "Write one row for each raster.")
    faults.raise_any()
    return tuple(
        PublishedRaster(
            row.cells["of"],
            path.parent / row.cells["path"],
            row.cells["unit"] or None,
            row.cells["variable"] or None,
            row.cells["part"],
        )
        for row in rows
    )


@dataclass(frozen=True, eq=False)
class OpenedRaster:
    """A raster whose cells and unit are known; its values are not read yet.

    Parameters
    ----------
    name
        Of the file.
    variable
        In it, or the number of its band; blank where it has one that has no name.
    layers
        [layer, y, x]: one, or the twelve months of a year.
    grid
        Its cells.
    unit
        What a value is.
    dates
        Of the layers.
    told
        What has to be said of it, but of when it is.
    year_of_file
        That an attribute of its file says, which may as well be of its publication; 0 where none does or the year is known.
    """

    name: str
    variable: str
    layers: xr.DataArray
    grid: Grid
    unit: GriddedUnit
    dates: Dates
    told: tuple[Remark, ...]
    year_of_file: int = 0

    @classmethod
    def of(cls, raster: PublishedRaster) -> OpenedRaster:
        """Open a raster.

        Raises
        ------
        InputError
            If it cannot be read, has several variables or layers and nobody says which, no CRS, cells that are not square, or a unit that is not fully said.
        """
        name = raster.path.name
        variable, attributes, of_file, bounds, remarks = _variable(raster)
        if stated_crs(variable) is None and is_in_angles(variable.isel(_first_of(variable))):
            variable = in_crs(variable, "EPSG:4326")
            what = "the raster has longitudes and latitudes and no CRS: they are taken as WGS 84"
            remarks.append((Problem(what, name, level="note"), f"{name}：栅格为经纬度且无坐标系，按 WGS 84 处理。"))  # fmt: skip
        elif stated_crs(variable) is None:
            hint = "Write it into the file: gdal_edit.py -a_srs EPSG:... FILE for a GeoTIFF, a grid_mapping with crs_wkt for NetCDF and Zarr."
            raise InputError("the raster has no CRS", name, hint)
        stack, _ = y_and_x_last(variable, None)
        singles = [each for each in stack.dims[:-2] if stack.sizes[each] == 1]
        stack = stack.squeeze(singles)
        if stack.ndim == 2:
            stack = stack.expand_dims("layer")
        if stack.ndim > 3 or stack.shape[0] not in (1, MONTHS):
            sizes = ", ".join(f"{dimension} {size}" for dimension, size in zip(stack.dims[:-2], stack.shape, strict=False))  # fmt: skip
            raise InputError(
                f"the raster has several layers ({sizes}), and neither one nor the twelve months of a year",
                name,
                "Write the one that is meant to a file of its own, or name a GeoTIFF's band: --variable 1.",
            )
        of_variable = "" if variable.name is None else str(variable.name)
        unit, of_unit = unit_of(attributes, raster.unit, name, of_file, of_variable)
        remarks += of_unit
        month = only_text(attributes.get("month"))
        if unit.period == "year" and month.removesuffix(".0").isdecimal():
            attributes = {each: said for each, said in attributes.items() if each != "month"}
            what = f"the attribute month is {month}, and the unit is per year: it is taken as the whole year's"
            remarks.append((Problem(what, name, level="warning"), f"{name}：属性 month 为 {month}，而单位为每年，按全年处理。"))  # fmt: skip
        bands = not raster.path.is_dir() and is_tiff(raster.path)
        dates = dates_of(stack, singles, name, bands=bands, attributes=attributes, bounds=bounds)
        if dates.assumed:
            what = (
                "the twelve layers have no dates: they are taken as January to December of one year"
            )
            remarks.append((Problem(what, name, level="warning"), f"{name}：十二层没有日期，按同一年的 1 至 12 月处理。"))  # fmt: skip
        try:
            grid = Grid.like(north_up(stack[0]))
        except InputError as error:
            raise error.at(name) from error
        perhaps = 0 if dates.years else year_in(of_file.get("year"))
        return cls(name, of_variable, stack, grid, unit, dates, tuple(remarks), perhaps)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What has to be said of it."""
        if not self.dates.odd or self.months == 1:
            return self.told
        why, why_zh = self.dates.odd
        if self.months:
            odd = Problem(f"the raster {why}: each layer is taken as the month of its date", self.name, "Write bounds of whole months, or none.", "warning"), f"{self.name}：{why_zh}，各层按其日期所在月份处理。"  # fmt: skip
            return (*self.told, odd)
        hint = "If it is a month's, give the twelve of its year."
        odd = Problem(f"the raster {why}, and is taken as the whole year's", self.name, hint, "warning"), f"{self.name}：{why_zh}，按全年处理；若为某月数据，请给出十二个月。"  # fmt: skip
        return (*self.told, odd)

    @property
    def months(self) -> int:
        """How many months of a year the layers are; 0 where one is the year."""
        monthly = self.unit.period == "month" or len(self.layers) == MONTHS or self.dates.of_a_month
        return len(self.layers) if monthly else 0

    def grams(
        self, window: Window, touched: NDArray[np.bool_], year: int
    ) -> tuple[NDArray[np.float64], list[Remark]]:
        """Return the grams of CO2 or CO2e that each cell of a window emits in a year, or in the month that the raster is of, and what has to be said of them.

        Days are those of the raster's own year where it has a date, else of the one that is given. NaN where unknown, 0 where a value is negative.

        Parameters
        ----------
        window
            The part of the raster.
        touched : [y, x]
            Whether a cell of the window is touched by units.
        year
            Of the run.

        Raises
        ------
        InputError
            If a value that units touch is infinite, or what negative ones take away is no trifle.
        """
        unknown = Unknown.of(self.layers)
        year = self.dates.years[0] if self.dates.years else year
        if self.unit.period == "year" and self.months:
            raise InputError(
                f"the raster {'has twelve layers' if self.months == MONTHS else 'is of one month'}, and its unit is per year",
                self.name,
                "Name a band with --variable, or the unit of the months with --unit.",
            )
        period = self.unit.period
        assert period is not None, "a unit that says no time is refused"
        total, below = np.zeros(window.grid.shape), np.zeros(window.grid.shape)
        negatives: list[NDArray[np.float64]] = []
        for number, layer in enumerate(self.layers):
            part = inside_window(layer, window)
            hidden = unknown.where(part)
            values = part.astype(np.float64)
            if hidden is not None:
                values[hidden] = np.nan
            infinite = np.isinf(values)
            if infinite[touched].any():
                raise InputError("a value in the units is infinite", self.name, _AS_NODATA)
            values[infinite] = np.nan
            month = self.dates.months[number] if self.months and self.dates.months else None
            periods = periods_in(period, year, month)
            # Each layer by itself: in a sum a negative one hides behind the others.
            total += np.maximum(values, 0.0) * periods
            below -= np.where(touched & (values < 0), values, 0.0) * periods
            negatives.append(values[touched & (values < 0)])
        scale = np.full(window.grid.shape[0], float(self.unit.grams_of_co2))
        if self.unit.square_metres is not None:
            scale *= window.grid.areas_of_rows()
        total, below = total * scale[:, None], below * scale[:, None]
        whole = float(np.nansum(total[touched]))
        return total, self._negative(below, whole, int(touched.sum()), negatives)

    def _negative(
        self,
        below: NDArray[np.float64],
        whole: float,
        touched: int,
        negatives: Sequence[NDArray[np.float64]],
    ) -> list[Remark]:
        """Tell of the grams that negative values, those of each layer, would take away.

        Raises
        ------
        InputError
            If they are no trifle beside the whole or in too many cells, or look like a number that stands for an unknown value.
        """
        cells = int((below >= 1).sum())
        # Less than a gram is what rounding leaves of a difference.
        if not cells:
            return []
        tonnes, lowest = float(below.sum()) / 1e6, min(each.min() for each in negatives if each.size)  # fmt: skip
        have = f"{counted(cells, 'cell')} that units touch {'has a negative value' if cells == 1 else 'have negative values'} (the lowest is {lowest:g}), {tonnes:,.6g} t together"
        counts = [np.unique(each, return_counts=True) for each in negatives]
        # What takes nothing away that could be seen is what rounding leaves, however often.
        seen = below.sum() >= _SEEN * whole
        stands_for_unknown = seen and any((times > _A_FEW).any() or any(_LIKE_NODATA.fullmatch(f"{each:g}") for each in values) for values, times in counts)  # fmt: skip
        many = seen and cells > max(_A_FEW, _FEW_OF_CELLS * touched)
        if stands_for_unknown or many or below.sum() >= _TRIFLE * whole:
            hint = (
                "A sink is a quantity of its own; where nothing is emitted, write 0 into the file."
            )
            raise InputError(have, self.name, f"{_AS_NODATA} {hint}")
        what = f"{have}: they count as 0, since that is less than 0.1 % of what these cells have"
        zh = f"{self.name}：单元所及像元中有 {cells} 个为负值（最低 {lowest:g}），合计 {tonnes:,.6g} t，不足 0.1 %，按 0 计。"
        return [(Problem(what, self.name, _AS_NODATA, "warning"), zh)]

    def remarks_of_year(self, year: int) -> list[Remark]:
        """Return what has to be said where the raster is of another year than the run."""
        if self.year_of_file not in (0, year):
            own = self.year_of_file
            what = f"the file's attribute year is {own}, and the run is of {year}: unless that is the year of its publication, what differs may be what happened between"
            return [(Problem(what, self.name, level="warning"), f"{self.name}：文件属性 year 为 {own}，本次运算为 {year} 年；若非发布年份，差异可能来自年份不同。")]  # fmt: skip
        if not self.dates.years or self.dates.years[0] == year:
            return []
        own = self.dates.years[0]
        what = f"the raster is of the year {own}, the run of {year}: what differs may be what happened between"
        return [(Problem(what, self.name, level="warning"), f"{self.name}：栅格为 {own} 年，本次运算为 {year} 年，差异可能来自年份不同。")]  # fmt: skip

    def remarks_of_areas(self, grid: Grid) -> list[Remark]:
        """Return what has to be said where values per area are taken times areas of a plane that are not the true ones."""
        problem = areas_problem(grid.crs, grid.bounds, self.name)
        if problem is None or self.unit.square_metres is None:
            return []
        low, high = areal_scales(grid.crs, grid.bounds)
        return [(problem, f"{self.name}：该坐标系的面积约为真实面积的 {low:.3g} 至 {high:.3g} 倍，由此得到的排放量偏差相同；请先重投影到等积坐标系。")]  # fmt: skip


def _first_of(variable: xr.DataArray) -> dict[Any, int]:
    """Return what leaves the first plane [y, x] of a raster."""
    stack, _ = y_and_x_last(variable, None)
    return dict.fromkeys(stack.dims[:-2], 0)


def _variable(
    raster: PublishedRaster,
) -> tuple[
    xr.DataArray,
    Mapping[Any, Any],
    Mapping[Any, Any],
    Mapping[Hashable, NDArray[Any]],
    list[Remark],
]:
    """Return the variable that is meant, or the band, with the attributes that say what it is, those of its file, and the bounds of coordinates with one value or twelve."""
    name, found = raster.path.name, opened(raster.path, whole=True)
    band: int | None = None
    bounds: Mapping[Hashable, NDArray[Any]] = {}
    whole: Mapping[Any, Any] = {}
    if isinstance(found, xr.Dataset):
        whole, variable = in_small_letters(found.attrs), _variable_of_file(raster, found)
        bounds = _bounds_of(found, variable)
    else:
        variable, band = _band(raster, found)
    attributes = in_small_letters(variable.attrs)
    # As EDGAR writes it: beside the substance year and month are those of the emission.
    if only_text(whole.get("substance")):
        attributes = {key: whole[key] for key in ("year", "month") if key in whole} | attributes
    units = attributes.get("units")
    if isinstance(units, tuple | list):  # of each band
        told = list(dict.fromkeys("" if each is None else str(each) for each in units))
        if band is None and len(told) > 1:
            raise InputError(
                f"the bands have different units: {', '.join(each or 'none' for each in told)}",
                name,
                "Name the band that is meant: --variable 1.",
            )
        attributes["units"] = units[band or 0]
    remarks: list[Remark] = []
    if str(attributes.get("source") or whole.get("source", "")).startswith("carbongrid"):
        what = "the raster was written by carbongrid: where it comes from the same inventory, agreement is circular"
        remarks.append((Problem(what, name, level="warning"), f"{name}：该栅格由 carbongrid 写出；若来自同一清单，一致性为循环论证。"))  # fmt: skip
    return variable, attributes, whole, bounds, remarks


def _variable_of_file(raster: PublishedRaster, found: xr.Dataset) -> xr.DataArray:
    """Return the variable that is meant of a file that may hold several; ``1`` is the only one of a file, as it is of a GeoTIFF."""
    rasters = {str(key): each for key, each in rasters_in(with_mappings(found), None).items()}
    if raster.variable is None and len(rasters) > 1:
        raise InputError(
            f"the raster has several variables: {', '.join(rasters)}",
            raster.path.name,
            "Name the one that is meant: --variable NAME.",
        )
    chosen = raster.variable or next(iter(rasters))
    if chosen == "1" and len(rasters) == 1:
        [chosen] = rasters
    if chosen not in rasters:
        raise _no_variable(raster, rasters)
    return rasters[chosen]


def _band(raster: PublishedRaster, found: xr.DataArray) -> tuple[xr.DataArray, int | None]:
    """Return the band that is meant and its place, or all bands and None where none is named."""
    if raster.variable is not None and "band" in found.dims:
        numbers = [str(each) for each in found["band"].to_numpy()]
        if raster.variable not in numbers:
            raise _no_variable(raster, numbers)
        band = numbers.index(raster.variable)
        return found.isel(band=band, drop=True).rename(raster.variable), band
    if raster.variable not in (None, "1", found.name):
        raise _no_variable(raster, [str(found.name or 1)])
    return found, None


def _bounds_of(found: xr.Dataset, variable: xr.DataArray) -> dict[Hashable, NDArray[Any]]:
    """Return begins and ends that a file gives for coordinates of a variable with one value, or one a month."""
    named = {
        name: each.attrs.get("bounds", each.encoding.get("bounds"))
        for name, each in variable.coords.items()
        if each.size in (1, MONTHS)
    }
    return {name: found[of].to_numpy() for name, of in named.items() if of in found.variables}


def _no_variable(raster: PublishedRaster, known: Iterable[str]) -> InputError:
    return InputError(
        f"there is no variable or band {raster.variable!r}",
        raster.path.name,
        f"There are {', '.join(known)}.",
    )


@dataclass(frozen=True)
class Window:
    """A part of a raster's cells: row and column of its first one, and its grid."""

    corner: tuple[int, int]
    grid: Grid


def inside_window(layer: xr.DataArray, window: Window) -> NDArray[Any]:
    """Return the values of a window of a raster [y, x], rows from the north; no others are read."""
    (row, column), (rows, columns) = window.corner, window.grid.shape
    down, across = layer.dims
    turned = north_up(layer)
    part = turned.isel({down: slice(row, row + rows), across: slice(column, column + columns)})
    return np.asarray(part.to_numpy())
