"""Parcels of a land-cover raster: cells of one class within a square of cells, as far as they lie in a unit."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case.readers.declared import read_declared
from carbongrid.case.readers.geometry import geodesic_area
from carbongrid.case.readers.partition import Overlaps, find_overlaps, overlap_problems
from carbongrid.case.table_formats import CODE_SYSTEM
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.landuse import SYSTEMS, match_codes, read_code_system
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.dates import fixed_date
from carbongrid.raster.opening.rasters import open_raster
from carbongrid.raster.windows import band_problems, stored_values
from carbongrid.sources.land_cover.legends import legend_problems, way_out_of_unknown
from carbongrid.sources.land_cover.patches import bands, outlines_of
from carbongrid.sources.new_files import require_new, written_whole
from carbongrid.sources.outlines import read_outlines

Progress = Callable[[str, int, int], None]
SIDE = 50
"""Cells; 500 m of WorldCover's 10 m."""

ID, CODE = "id", "code"
_TOLD = 0.01  # of the units' area
_MAX_CELLS = 16_000_000  # of a band in memory at a time
_FORMATS = (".parquet", ".gpkg")


@dataclass(frozen=True)
class LandCover:
    """What a raster became.

    Parameters
    ----------
    parcels
        Columns id (``r<row>c<column>-<code>``, of the square within the whole raster), code, geometry in the raster's CRS.
    codes
        Index code; columns cells, parcels, type (blank where the code system has none).
    cells
        Cells that lie in a unit and have a code.
    notes
        What is worth saying.
    """

    parcels: gpd.GeoDataFrame
    codes: pd.DataFrame
    cells: int
    notes: tuple[Problem, ...]


def read_land_cover(
    raster: Path,
    units: Path,
    *,
    codes: str,
    layer: str | None = None,
    side: int = SIDE,
    progress: Progress | None = None,
) -> LandCover:
    """Return parcels of a land-cover raster, as far as its cells' centres lie in a unit.

    Parameters
    ----------
    raster
        GeoTIFF of one band of whole numbers, such as ESA WorldCover; not rotated.
    units
        Polygons of the units, any format of a case.
    codes
        The code system of its numbers: one of :data:`carbongrid.method.landuse.SYSTEMS`, or the path of a CSV with columns code and type.
    layer
        Of the units' file.
    side
        Cells of a square: cells of one class in it are one parcel, whole parcels of one class would be as large as a plain.
    progress
        Called with a phase, rows done, rows in all.

    Raises
    ------
    InputError
        If a file cannot be read, has no CRS, is rotated or scaled, holds no whole numbers, if a unit is no valid polygon, or none of its
        cells has a code.

    Notes
    -----
    The parcels are a partition of the cells: each border is common to both sides, vertex by vertex, in any CRS. Memory goes with the parcels, not with
    the raster, which is read in bands.
    """
    if side < 1:
        raise InputError("a square has one cell at least", "side")
    system_of(codes)  # a wrong one is told before polygons are read
    outlines = read_outlines(units, layer)
    rows = np.array([f"row {number + 1}" for number in range(len(outlines))], dtype=object)
    return land_cover_in(raster, outlines, codes=codes, named=(units.name, rows), side=side, progress=progress)  # fmt: skip


def land_cover_in(
    raster: Path,
    units: gpd.GeoDataFrame,
    *,
    codes: str,
    named: tuple[str, NDArray[np.object_]],
    every_unit: bool = True,
    side: int = SIDE,
    progress: Progress | None,
) -> LandCover:
    """Return parcels of a land-cover raster within outlines that have been read.

    Parameters
    ----------
    raster, codes, side, progress
        Of :func:`read_land_cover`.
    units
        Valid polygons in a known CRS.
    named
        What messages call the units, and each of them.
    every_unit
        Whether a unit without any cell is an error; else it is told.

    Raises
    ------
    InputError
        As :func:`read_land_cover`.
    """
    system = system_of(codes)
    from rasterio.errors import RasterioError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd is told by the checks here
            with open_raster(raster) as source:
                _require_codes(source, raster.name)
                crs = crs_of(source.crs)
                land = units.geometry.to_crs(crs)
                cells = _Cells(source, land.to_numpy(), side)
                found = list(cells.parcels(progress))
                overlaps = find_overlaps(units.geometry.to_numpy(), crs_of(units.crs))
                area = _own_areas(cells.land, overlaps)
                problems = _lacking(cells, area, named, raster.name, every_unit=every_unit)
                problems += _overlapping(overlaps, units, named)
                problems += legend_problems(source, codes, raster.name)
                marked = source.nodata
    except RasterioError as error:
        hint = "It may be damaged or cut off: copy it again."
        raise InputError(f"the raster cannot be read: {error}", raster.name, hint) from None
    if any(problem.level == "error" for problem in problems):
        raise InputError(problems)
    return _land_cover(found, cells.counts, crs, (system, codes, raster.name), problems, marked)


def system_of(codes: str) -> pd.DataFrame:
    """Return the code system of a raster: by name, or of a user's CSV.

    Raises
    ------
    InputError
        If there is no such system, or the CSV is none.
    """
    if codes in SYSTEMS or not Path(codes).suffix:
        return read_code_system(codes, where="--codes")
    return read_code_system(read_declared(Path(codes), CODE_SYSTEM), where=codes)


def _own_areas(land: NDArray[np.object_], overlaps: Overlaps) -> NDArray[np.float64]:
    """Return the area of each unit without what lies under a later one, whose a cell in both is."""
    area = shapely.area(land)
    for row in np.unique(overlaps.first):
        above = shapely.union_all(land[overlaps.second[overlaps.first == row]])
        area[row] = shapely.area(shapely.difference(land[row], above))
    return area


def _overlapping(
    overlaps: Overlaps, units: gpd.GeoDataFrame, named: tuple[str, NDArray[np.object_]]
) -> list[Problem]:
    """Return which units overlap: no fault of the parcels, which are of cells, but a case refuses such units."""
    area = float(geodesic_area(units.geometry.to_numpy(), crs_of(units.crs)).sum())
    found = overlap_problems(overlaps, named[1], area, named[0], "units")
    hint = "No land is twice in the parcels; of the units a case refuses it. Mend the layer."
    return [replace(each, hint=hint, level="warning") if each.level == "error" else each for each in found]  # fmt: skip


def _lacking(
    cells: _Cells,
    area: NDArray[np.float64],
    units: tuple[str, NDArray[np.object_]],
    raster: str,
    *,
    every_unit: bool,
) -> list[Problem]:
    """Return what of the units has no code: an error for those without any cell, if every one needs some; a warning from one hundredth."""
    where, named = f"{raster}, {units[0]}", units[1]
    a, e = cells.source.transform.a, cells.source.transform.e
    known = np.minimum(cells.known * abs(a * e), area)
    none = (cells.known == 0) & (area >= shapely.area(cells.land) / 2)
    hint = "Does the raster cover them? gdalinfo tells where it lies; several tiles become one with gdalbuildvrt and gdal_translate."
    if none.all() or (every_unit and none.any()):
        what = f"{int(none.sum())} of {area.size} units {'holds' if none.sum() == 1 else 'hold'} no cell with a code: {listed(named[none])}"
        return [Problem(what, where, hint)]
    lacking = 1 - known.sum() / area.sum()
    if lacking < _TOLD:
        return []
    of_unit = np.divide(known, area, out=np.ones_like(area), where=area > 0)
    some = listed(f"{named[row]} ({1 - of_unit[row]:.1%})" for row in np.argsort(of_unit) if of_unit[row] < 1 - _TOLD)  # fmt: skip
    what = f"{lacking:.2%} of the units' area has no code, and becomes no land: {some}"
    return [Problem(what, where, hint, "warning")]


def require_target(path: Path) -> None:
    """Raise InputError if a file cannot be written: it is there, its folder is not, or its name is of another kind."""
    if path.suffix not in _FORMATS:
        what = f"{path.name!r} is neither GeoParquet nor GeoPackage"
        raise InputError(what, "", "Name it parcels.parquet or parcels.gpkg.")
    require_new(path)


def write_land_cover(cover: LandCover, path: Path) -> None:
    """Write the parcels as GeoParquet or, by its name, as GeoPackage.

    Raises
    ------
    InputError
        As :func:`require_target`.
    """
    require_target(path)
    with written_whole(path) as partial, fixed_date():
        if path.suffix == ".gpkg":
            cover.parcels.to_file(partial, layer="parcels", engine="pyogrio")
        else:
            cover.parcels.to_parquet(partial, write_covering_bbox=True)


def _require_codes(source: Any, where: str) -> None:
    """Raise InputError unless a raster holds whole numbers on cells that lie upright in a known CRS."""
    problems = [*band_problems(source, where)]
    if source.crs is None:
        problems.append(Problem("the raster has no CRS", where, "gdal_edit.py -a_srs EPSG:... FILE"))  # fmt: skip
    if np.dtype(source.dtypes[0]).kind not in "iu":
        problems.append(
            Problem(
                f"the raster holds numbers of the type {source.dtypes[0]}, and codes are whole",
                where,
                "Write it with whole numbers: gdal_translate -ot Int32 FILE CODES.tif",
            )
        )
    if source.scales[0] != 1 or source.offsets[0]:
        what = "the raster's numbers are scaled, and codes are meant as they stand"
        problems.append(Problem(what, where, "gdal_edit.py -scale 1 -offset 0 FILE"))
    if source.transform.b or source.transform.d or source.transform.e >= 0:
        what = "the raster is rotated, or its first row lies in the south"
        problems.append(Problem(what, where, "Bring it upright: gdalwarp FILE UPRIGHT.tif"))
    if problems:
        raise InputError(problems)


class _Cells:
    """The cells of a raster that lie in a unit, read in bands of whole squares."""

    def __init__(self, source: Any, land: NDArray[np.object_], side: int) -> None:
        self.source, self.side = source, min(side, max(source.height, source.width))
        self.land = land
        self.known = np.zeros(len(land), np.int64)
        self.counts: dict[int, list[int]] = {}

    def parcels(
        self, progress: Progress | None
    ) -> Iterator[tuple[NDArray[np.object_], NDArray[Any], NDArray[Any]]]:
        """Yield ids, codes and outlines of each band."""
        top, bottom, left, right = self._window()
        for first, last in bands(bottom - top, self.side, right - left, _MAX_CELLS):
            if progress:
                progress("parcels of the land cover", first, bottom - top)
            yield from self._band((top + first, top + last), (left, right))
        if progress:
            progress("parcels of the land cover", bottom - top, bottom - top)

    def _window(self) -> tuple[int, int, int, int]:
        """Return the rows and columns of whole squares that hold all units."""
        inverse, side = ~self.source.transform, self.side
        west, south, east, north = shapely.total_bounds(self.land)
        left, top = inverse * (west, north)
        right, bottom = inverse * (east, south)
        rows, columns = self.source.height, self.source.width
        first = [max(math.floor(each / side) * side, 0) for each in (top, left)]
        last = [min(math.ceil(each / side) * side, most) for each, most in ((bottom, rows), (right, columns))]  # fmt: skip
        return first[0], max(last[0], first[0]), first[1], max(last[1], first[1])

    def _band(
        self, rows: tuple[int, int], columns: tuple[int, int]
    ) -> Iterator[tuple[NDArray[np.object_], NDArray[Any], NDArray[Any]]]:
        codes, known = self._codes(rows, columns)
        if not known[1:-1, 1:-1].any():
            return
        kinds, kind = np.unique(codes[known], return_inverse=True)
        height, width = codes.shape
        down = (np.arange(height) + rows[0] - 1) // self.side - rows[0] // self.side + 1
        across = (np.arange(width) + columns[0] - 1) // self.side - columns[0] // self.side + 1
        squares = int(across[-1]) + 1
        square = (down[:, None] * squares + across[None, :])[known]
        patches, patch = np.unique(square * len(kinds) + kind, return_inverse=True)
        # GDAL takes no wider ones; there are no more patches than cells of a band.
        labels = np.zeros(codes.shape, np.int32)
        labels[known] = patch + 1
        made = outlines_of(labels)
        place, number = np.divmod(patches[made.label - 1], len(kinds))
        row = place // squares - 1 + rows[0] // self.side
        column = place % squares - 1 + columns[0] // self.side
        code = kinds[number]
        self._count(codes[1:-1, 1:-1][known[1:-1, 1:-1]], code)
        ids = np.array([f"r{r}c{c}-{k}" for r, c, k in zip(row.tolist(), column.tolist(), code.tolist(), strict=True)], object)  # fmt: skip
        yield ids, code, self._placed(made.geometry, rows[0], columns[0])

    def _codes(
        self, rows: tuple[int, int], columns: tuple[int, int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return a band with a rim of one cell, and which cells have a code and lie in a unit."""
        from rasterio.features import rasterize
        from rasterio.windows import Window

        rim = [
            (int(low > 0), int(high < most))
            for (low, high), most in ((rows, self.source.height), (columns, self.source.width))
        ]
        (up, down), (before, after) = rim
        height, width = rows[1] - rows[0] + up + down, columns[1] - columns[0] + before + after
        window = Window(columns[0] - before, rows[0] - up, width, height)
        stored = stored_values(self.source, window)
        place = self.source.window_transform(window)
        numbered = zip(self.land, range(1, len(self.land) + 1), strict=True)
        unit = rasterize(numbered, out_shape=stored.shape, transform=place, dtype=np.int32)
        unit[np.ma.getmaskarray(stored)] = 0
        inner = unit[up : unit.shape[0] - down, before : unit.shape[1] - after]
        self.known += np.bincount(inner.ravel(), minlength=len(self.land) + 1)[1:]
        known = unit > 0
        outside = [(1 - low, 1 - high) for low, high in rim]  # the raster ends there
        return np.pad(np.ma.getdata(stored), outside), np.pad(known, outside)

    def _count(self, cells: NDArray[Any], parcels: NDArray[Any]) -> None:
        for place, some in enumerate((cells, parcels)):
            values, counts = np.unique(some, return_counts=True)
            for value, count in zip(values.tolist(), counts.tolist(), strict=True):
                self.counts.setdefault(value, [0, 0])[place] += count

    def _placed(self, geometry: NDArray[np.object_], row: int, column: int) -> NDArray[np.object_]:
        """Return outlines in the raster's CRS; a corner is computed from its own row and column alone."""
        a, _, west, _, e, north, *_ = self.source.transform

        def place(corners: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.column_stack([west + a * (corners[:, 0] + column), north + e * (corners[:, 1] + row)])  # fmt: skip

        return shapely.transform(geometry, place)


def _land_cover(
    found: list[tuple[NDArray[np.object_], NDArray[Any], NDArray[Any]]],
    counts: dict[int, list[int]],
    crs: CRS,
    told: tuple[pd.DataFrame, str, str],
    problems: list[Problem],
    marked: float | None,
) -> LandCover:
    system, name, where = told
    ids, codes, outlines = (np.concatenate(parts) for parts in zip(*found, strict=True))
    texts = pd.Series(codes).astype(str).to_numpy(object)
    parcels = gpd.GeoDataFrame({ID: ids, CODE: texts}, geometry=outlines, crs=crs)
    table = pd.DataFrame.from_dict(counts, orient="index", columns=["cells", "parcels"])
    table = table.sort_values("cells", ascending=False, kind="stable")
    table.index = pd.Index(table.index.astype(str), name=CODE)
    matched = match_codes(pd.Series(table.index), system)
    kinds = matched["type"].where(matched["matched"] != "", "")
    table["type"] = kinds.to_numpy(object)
    cells, notes = int(table["cells"].sum()), list(problems)
    unknown = table[table["type"] == ""]
    if len(unknown):
        share = unknown["cells"].sum() / cells
        notes.append(
            Problem(
                f"{share:.2%} of the cells have codes that {name} lacks, and carry nothing: {listed(unknown.index)}",
                where,
                way_out_of_unknown(unknown.index, marked),
                "warning",
            )
        )
    return LandCover(parcels, table, cells, tuple(notes))
