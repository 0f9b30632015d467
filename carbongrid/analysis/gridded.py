"""Published rasters of emission, as EDGAR and ODIAC are: grams per cell and year around a run, and a table of its units."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from carbongrid.analysis.gridded_months import MONTHS, Dates, Layered, dates_of, require_one_year
from carbongrid.analysis.gridded_units import GriddedUnit, periods_in, unit_of
from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.table_formats import PUBLISHED_RASTERS
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.units_of_measure import INT64_MAX
from carbongrid.raster.georeference import is_in_angles, stated_crs
from carbongrid.raster.grid import Grid
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.nodata import Unknown
from carbongrid.raster.opening.formats import is_tiff
from carbongrid.raster.overlaps import cells_of_runs
from carbongrid.raster.zonal import ZonalOperator
from carbongrid.raster.zonal.placing import north_up
from carbongrid.raster.zonal.shares import Shares, cell_counts, extents
from carbongrid.raster.zonal.sources import is_raster, opened
from carbongrid.raster.zonal.stacks import rasters_in, with_mappings, y_and_x_last

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from carbongrid.pipeline.run_carriers import RunCarriers

_RASTERS = (".tif", ".tiff", ".nc", ".nc4", ".zarr")
"""By these names a file is meant to be a raster, whatever it is."""
_WHOLE = 0.99
"""A unit of which less than this lies on cells with a value is not compared."""
_BIG_SHARE = 0.01
_BYTES_PER_SHARE = 64

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
            import rioxarray  # noqa: F401  (registers .rio)

            variable = variable.rio.write_crs("EPSG:4326")
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
        grid = Grid.like(north_up(stack[0]))
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
            total *= window.grid.cell_areas[:, None]
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


@dataclass(frozen=True, eq=False)
class LandOnCells:
    """Units and parcels of a run on the cells of a raster.

    Parameters
    ----------
    run
        The run.
    grid
        All cells of the raster.
    name
        Of the raster, for messages.
    """

    run: RunCarriers
    grid: Grid
    name: str

    @cached_property
    def _parcels(self) -> ZonalOperator:
        return ZonalOperator(self.run.land.geometry, self.grid)

    @cached_property
    def window(self) -> Window:
        """The smallest rectangle of cells that holds all that units and parcels touch.

        Raises
        ------
        InputError
            If units touch no cell.
        """
        units = extents(ZonalOperator(self.run.outlines.geometry, self.grid).shares)
        if not (units[:, 2] > 0).any():
            raise InputError(
                "the raster does not touch the run's units",
                self.name,
                "Check its CRS, and that it is of this part of the earth.",
            )
        every = np.concatenate([units, extents(self._parcels.shares)])
        every = every[every[:, 2] > 0]
        top, left = (int(each) for each in every[:, :2].min(axis=0))
        bottom, right = (int(each) for each in every[:, 2:].max(axis=0))
        part = self.grid.window((top, left), (bottom - top, right - left))
        return Window((top, left), part)

    @cached_property
    def units(self) -> ZonalOperator:
        """The units on the window."""
        return ZonalOperator(self.run.outlines.geometry, self.window.grid)

    @cached_property
    def covered(self) -> NDArray[np.float64]:
        """Share of each cell of the window that lies in units, at most 1."""
        shares = matrix_of(self.units.shares, (0, 0), self.window.grid.shape)
        found = np.asarray(shares.sum(axis=0)).reshape(self.window.grid.shape)
        return np.minimum(found, 1.0)

    @cached_property
    def units_in_cells(self) -> NDArray[np.float64]:
        """Area of each unit, in cells."""
        shares = matrix_of(self.units.shares, (0, 0), self.window.grid.shape)
        return np.asarray(shares.sum(axis=1)).ravel() + self.units.shares.outside

    @cached_property
    def spread(self) -> csr_array:
        """Share of each parcel's area in each cell of the window [parcel, cell]; a row adds up to 1 where the parcel lies on the raster."""
        from scipy import sparse

        own = matrix_of(self._parcels.shares, self.window.corner, self.window.grid.shape)
        areas = np.repeat(self.window.grid.cell_areas, self.window.grid.shape[1])
        own = sparse.csr_array(own * areas)
        outside = self._parcels.shares.outside * areas.mean()
        whole = np.asarray(own.sum(axis=1)).ravel() + outside
        own.data /= np.repeat(whole, np.diff(own.indptr))
        return own


def matrix_of(shares: Shares, corner: tuple[int, int], shape: tuple[int, int]) -> csr_array:
    """Return shares of cells as a matrix [polygon, cell] of a window that holds them all.

    Raises
    ------
    InputError
        If there are more of them than there is memory for.
    """
    from scipy import sparse

    pairs = int(cell_counts(shares).sum())
    require_room(
        _BYTES_PER_SHARE * pairs, f"{pairs:,} shares of cells", "Take a raster with larger cells."
    )
    start, rows, firsts, ends = shares.spans
    edge_start, edge_rows, columns, parts = shares.edges
    lengths = (ends - firsts).astype(np.int64)
    base = (rows.astype(np.int64) - corner[0]) * shape[1] - corner[1]
    whole, ones = cells_of_runs(base + firsts, lengths, np.ones(lengths.size))
    edges = (edge_rows.astype(np.int64) - corner[0]) * shape[1] - corner[1] + columns
    count = shares.outside.size
    of_spans = np.repeat(np.repeat(np.arange(count), np.diff(start)), lengths)
    of_edges = np.repeat(np.arange(count), np.diff(edge_start))
    row, cell = np.concatenate([of_spans, of_edges]), np.concatenate([whole, edges])
    values = np.concatenate([ones, parts])
    return sparse.csr_array((values, (row, cell)), shape=(count, shape[0] * shape[1]))


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
    run: RunCarriers, rasters: Sequence[PublishedRaster], quantities: Collection[str]
) -> list[GriddedQuantity]:
    """Read published rasters around a run, those of one quantity added up.

    Parameters
    ----------
    run
        The run.
    rasters
        Of its quantities.
    quantities
        That there are.

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
        own = [OpenedRaster.of(each) for each in meant]
        _require_once(of, [(each.path.resolve(), opened.variable) for each, opened in zip(meant, own, strict=True)])  # fmt: skip
        for part in dict.fromkeys(each.part for each in meant):
            of_part = [opened for opened, each in zip(own, meant, strict=True) if each.part == part]
            layered = [Layered(each.name, each.months, each.dates) for each in of_part]
            require_one_year(f"{of} ({part})" if part else of, layered)
        _require_addable(of, own)
        land = lands.setdefault(own[0].grid, LandOnCells(run, own[0].grid, own[0].name))
        grams = np.sum([each.grams(land.window, year) for each in own], axis=0)
        remarks = [
            remark for each in own for remark in (*each.remarks, *each.remarks_of_year(year))
        ]
        remarks += _remarks_of_sums(of, own)
        found.append(GriddedQuantity(of, land, grams, tuple(remarks)))
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


def _remarks_of_sums(of: str, rasters: Sequence[OpenedRaster]) -> list[Remark]:
    found: list[Remark] = []
    if len(rasters) > 1:
        names = ", ".join(each.name for each in rasters)
        found.append((Problem(f"{of}: {len(rasters)} rasters are added up: {names}", level="note"), f"{of}：共 {len(rasters)} 个栅格相加。"))  # fmt: skip
    if rasters[0].unit.gas == "CO2" and of != "sink":
        what = f"{of}: the published values are of CO2 alone, the run's of CO2e: methane, nitrous oxide and other gases are on one side only"
        found.append((Problem(what, level="note"), f"{of}：发布值仅含 CO2，本次运算为 CO2 当量；其他气体只在一侧。"))  # fmt: skip
    return found


def published_of(
    quantities: Sequence[GriddedQuantity], codes: pd.Series[str]
) -> tuple[pd.DataFrame, list[Remark]]:
    """Return rasters as a table of units, as :func:`carbongrid.analysis.published.read_published` returns one, and what has to be said of it.

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
        what = f"{of}: {off} of {known.size} units are not compared, since 1 % or more of their area lies off the raster or on cells without a value (the least known has {least:.0f} % of its area on cells with one)"
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
        level = "warning" if beside > _BIG_SHARE else "note"
        zh = f"{of}：单元所及像元共 {touched / 1e6:,.0f} t，其中 {100 * beside:.1f} % 位于单元之外而未计入；外围矩形共 {around / 1e6:,.0f} t。"
        found.append((Problem(what, level="warning" if level == "warning" else "note"), zh))
    return found


def _of_size(quantity: GriddedQuantity) -> list[Remark]:
    """Tell how many units are smaller than a cell."""
    cells = quantity.land.units_in_cells
    small = int((cells < 1).sum())
    if not small:
        return []
    area = float(quantity.land.window.grid.cell_areas.mean()) / 1e6
    much = small * 2 > cells.size
    little = ". Most are, so the comparison of units says little: see that of cells" if much else ""
    what = f"{quantity.of}: {small} of {cells.size} units are smaller than a cell of the raster ({area:,.1f} km2), within which its value is spread evenly{little}"
    zh = f"{quantity.of}：{cells.size} 个单元中有 {small} 个小于一个像元（{area:,.1f} km2），像元内数值均匀分摊。"
    return [(Problem(what, level="warning" if much else "note"), zh)]
