"""Published rasters of emission, opened: which file, variable and layers are meant, of which unit and year, and grams per cell of a window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from carbongrid.analysis.published.months import MONTHS, Dates, dates_of
from carbongrid.analysis.published.units_of_measure import GriddedUnit, periods_in, unit_of
from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.table_formats import PUBLISHED_RASTERS
from carbongrid.errors import InputError, Problem
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
    | Mapping[str, str | Path | Sequence[str | Path]]
    | Sequence[str | Path | PublishedRaster]
)
"""A table, a raster, several of one quantity, or those of each quantity."""


def rasters_of(
    published: Published, unit: str | None = None, variable: str | None = None
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
        If a unit or a variable is named for a table, or several tables are given.
    """
    if isinstance(published, str | Path):
        published = (published,)
    if isinstance(published, Mapping):
        pairs = [(of, each) for of, paths in published.items() for each in _several(paths)]
        return tuple(PublishedRaster(of, Path(each), unit, variable) for of, each in pairs)
    named = [each for each in published if isinstance(each, PublishedRaster)]
    paths = [Path(each) for each in published if not isinstance(each, PublishedRaster)]
    tables = [path for path in paths if path.suffix.lower() not in _RASTERS and not is_raster(path)]
    if tables and (len(paths) + len(named) > 1 or unit or variable):
        raise InputError(
            "a table is read alone, and says its units itself",
            str(tables[0]),
            "Give either one table or rasters; --unit and --variable are for rasters.",
        )
    whole = [PublishedRaster("emission", path, unit, variable) for path in paths if not tables]
    return (*whole, *(each._replace(unit=each.unit or unit, variable=each.variable or variable) for each in named))  # fmt: skip


def _several(paths: str | Path | Sequence[str | Path]) -> Sequence[str | Path]:
    return (paths,) if isinstance(paths, str | Path) else paths


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
    remarks
        What has to be said of it.
    """

    name: str
    variable: str
    layers: xr.DataArray
    grid: Grid
    unit: GriddedUnit
    dates: Dates
    remarks: tuple[Remark, ...]

    @classmethod
    def of(cls, raster: PublishedRaster) -> OpenedRaster:
        """Open a raster.

        Raises
        ------
        InputError
            If it cannot be read, has several variables or layers and nobody says which, no CRS, cells that are not square, or a unit that is not fully said.
        """
        name = raster.path.name
        variable, attributes, remarks = _variable(raster)
        if stated_crs(variable) is None and is_in_angles(variable.isel(_first_of(variable))):
            variable = in_crs(variable, "EPSG:4326")
            what = "the raster has longitudes and latitudes and no CRS: they are taken as WGS 84"
            remarks.append((Problem(what, name, level="note"), f"{name}：栅格为经纬度且无坐标系，按 WGS 84 处理。"))  # fmt: skip
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
        bands = not raster.path.is_dir() and is_tiff(raster.path)
        dates = dates_of(stack, singles, name, bands=bands)
        if dates.assumed:
            what = (
                "the twelve layers have no dates: they are taken as January to December of one year"
            )
            remarks.append((Problem(what, name, level="warning"), f"{name}：十二层没有日期，按同一年的 1 至 12 月处理。"))  # fmt: skip
        try:
            grid = Grid.like(north_up(stack[0]))
        except InputError as error:
            raise error.at(name) from error
        chosen = "" if variable.name is None else str(variable.name)
        return cls(
            name, chosen, stack, grid, unit_of(attributes, raster.unit, name), dates, tuple(remarks)
        )

    @property
    def months(self) -> int:
        """How many months of a year the layers are; 0 where one is the year."""
        monthly = self.unit.period == "month" or len(self.layers) == MONTHS
        return len(self.layers) if monthly else 0

    def grams(self, window: Window, year: int) -> NDArray[np.float64]:
        """Return the grams of CO2 or CO2e that each cell of a window emits in a year, or in the month that the raster is of; NaN where unknown.

        Days are those of the raster's own year where it has a date, else of the one that is given.

        Raises
        ------
        InputError
            If a value is negative or infinite.
        """
        unknown = Unknown.of(self.layers)
        year = self.dates.years[0] if self.dates.years else year
        if self.unit.period == "year" and len(self.layers) == MONTHS:
            raise InputError(
                "the raster has twelve layers, and its unit is per year",
                self.name,
                "Name a band with --variable, or the unit of the months with --unit.",
            )
        period = self.unit.period
        assert period is not None, "a unit that says no time is refused"
        total = np.zeros(window.grid.shape)
        for number, layer in enumerate(self.layers):
            part = inside_window(layer, window)
            hidden = unknown.where(part)
            values = part.astype(np.float64)
            if hidden is not None:
                values[hidden] = np.nan
            # Each layer by itself: in a sum a negative one hides behind the others.
            self._require_amounts(values)
            month = self.dates.months[number] if len(self.layers) == MONTHS else None
            total += values * periods_in(period, year, month)
        total *= float(self.unit.grams_of_co2)
        if self.unit.square_metres is not None:
            total *= window.grid.areas_of_rows()[:, None]
        return total

    def _require_amounts(self, values: NDArray[np.float64]) -> None:
        lowest = float(np.nanmin(values, initial=0.0))
        if lowest < 0 or np.isinf(values).any():
            raise InputError(
                f"a value around the units is {'infinite' if lowest >= 0 else f'negative ({lowest:g})'}",
                self.name,
                "Declare it as nodata if it stands for an unknown value.",
            )

    def remarks_of_year(self, year: int) -> list[Remark]:
        """Return what has to be said where the raster is of another year than the run."""
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


def _variable(raster: PublishedRaster) -> tuple[xr.DataArray, Mapping[Any, Any], list[Remark]]:
    """Return the variable that is meant, or the band, with the attributes that say what it is."""
    name, found = raster.path.name, opened(raster.path)
    band: int | None = None
    whole = dict(found.attrs) if isinstance(found, xr.Dataset) else {}
    if isinstance(found, xr.Dataset):
        rasters = {str(key): each for key, each in rasters_in(with_mappings(found), None).items()}
        if raster.variable is None and len(rasters) > 1:
            raise InputError(
                f"the raster has several variables: {', '.join(rasters)}",
                name,
                "Name the one that is meant: --variable NAME.",
            )
        chosen = raster.variable or next(iter(rasters))
        if chosen not in rasters:
            raise _no_variable(raster, rasters)
        variable = rasters[chosen]
    else:
        variable = found
        if raster.variable is not None and "band" in variable.dims:
            numbers = [str(each) for each in variable["band"].to_numpy()]
            if raster.variable not in numbers:
                raise _no_variable(raster, numbers)
            band = numbers.index(raster.variable)
            variable = variable.isel(band=band, drop=True).rename(raster.variable)
        elif raster.variable not in (None, "1", variable.name):
            raise _no_variable(raster, [str(variable.name or 1)])
    attributes = {**whole, **variable.attrs}
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
    if str(attributes.get("source", "")).startswith("carbongrid"):
        what = "the raster was written by carbongrid: where it comes from the same inventory, agreement is circular"
        remarks.append((Problem(what, name, level="warning"), f"{name}：该栅格由 carbongrid 写出；若来自同一清单，一致性为循环论证。"))  # fmt: skip
    return variable, attributes, remarks


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
