"""What a raster says of itself: the array inside, the order of its axes, its CRS, where its cells lie. Every function of two rasters asks here whether their cells are the same."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from carbongrid.errors import InputError
from carbongrid.raster.axis_units import axis_of_angle, require_units_of_crs
from carbongrid.raster.crs_units import crs_name, crs_text, full_turn
from carbongrid.raster.opening.crs import crs_of, same_crs

# In cells. Coordinates that were rounded to some digits, or to float32, still say the same.
_NEAR = 1e-3
# What else says where cells lie may be rounded by itself.
_NEAR_BESIDE = 1e-2

_MAPPINGS = ("spatial_ref", "crs")
"""Usual names of the variable that holds a CRS."""

_SAYS_A_CRS = {"crs_wkt", "spatial_ref", "grid_mapping_name"}
"""Attributes of a variable that holds one."""

_NAMES = {
    "x": {"x", "lon", "long", "longitude", "easting"},
    "y": {"y", "lat", "latitude", "northing"},
}
_STANDARD_NAMES = {
    "projection_x_coordinate": "x",
    "projection_y_coordinate": "y",
    "longitude": "x",
    "latitude": "y",
}
_PLACES = re.compile(
    r"(?:^|_)(?:(?:x|t|u|v|geo)?(?:latitude|longitude|lat|lon)|[xtuv]long)[cs]?(?![a-z])|^long$"
)
"""In names of longitudes and latitudes of single cells, as models have them."""

_HALF_OF_LATITUDES = 90.0
_TURN = 360.0


def is_zarr(array: Any) -> bool:
    """Tell whether an array is a Zarr array, without importing Zarr."""
    return type(array).__module__.partition(".")[0] == "zarr"


def is_chunked(array: Any) -> bool:
    """Tell whether an array is a Dask or a Zarr array, without importing either."""
    return hasattr(array, "dask") or is_zarr(array)


def inside(raster: Any) -> Any:
    """Return the NumPy (also masked), Dask or Zarr array [y, x] inside a raster; one that lies in a file is read.

    Raises
    ------
    InputError
        If it is a Dataset, polygons, or has not two dimensions.
    """
    require_raster(raster)
    data = raster.data if isinstance(raster, xr.DataArray) else raster
    return data if is_chunked(data) or isinstance(data, np.ma.MaskedArray) else np.asarray(data)


def require_raster(raster: Any) -> None:
    """Raise unless this is a raster [y, x]; one that lies in a file is not read.

    Raises
    ------
    InputError
        If it is a Dataset, polygons, or has not two dimensions.
    """
    if isinstance(raster, xr.Dataset):
        names = ", ".join(map(repr, raster.data_vars)) or "none"
        raise InputError(
            f"a Dataset holds several rasters ({names}), and one is wanted",
            hint="Take one by its name: dataset[name].",
        )
    data = raster
    if not isinstance(raster, xr.DataArray):  # which may have a coordinate of either name
        if hasattr(raster, "ring_start") or hasattr(raster, "geometry"):
            raise _polygons()
        if not (is_chunked(raster) or isinstance(raster, np.ma.MaskedArray)):
            data = np.asarray(raster)
    if data.dtype == object:
        raise _polygons()
    if data.ndim != 2:
        named = f": {', '.join(map(str, raster.dims))}" if hasattr(raster, "dims") else ""
        raise InputError(
            f"a raster has two dimensions, this one {data.ndim}{named}",
            hint="Take one band: raster.isel(band=0).",
        )
    if any(side != side for side in data.shape):
        raise InputError("the raster's chunks are of unknown size", hint="Call its compute_chunk_sizes() first.")  # fmt: skip


def stated_crs(raster: Any) -> str | None:
    """Return the CRS that a raster states, as text; None if it states none."""
    if not isinstance(raster, xr.DataArray):
        return None
    attributes = _grid_mapping(raster)
    text = attributes.get("crs_wkt") or attributes.get("spatial_ref")
    try:
        if text:
            return crs_text(text)
        if "grid_mapping_name" in attributes:
            return crs_text(CRS.from_cf(dict(attributes)))
    except (CRSError, KeyError) as error:
        what = f"the raster's CRS cannot be read: {' '.join(str(error).split())[:200]}"
        raise InputError(what, hint="Write it as crs_wkt, for example with rioxarray's write_crs.") from error  # fmt: skip
    # rioxarray keeps what was set with set_crs beside the array; where it is not imported, nobody has set anything.
    beside = getattr(getattr(raster, "rio", None), "crs", None)
    return None if beside is None else crs_text(beside)


def require_same_cells(*rasters: Any) -> None:
    """Raise unless rasters have the same cells as far as they tell: shape, order of dimensions, coordinates, CRS.

    Arrays without names and coordinates are taken to lie as the others do.

    Raises
    ------
    InputError
        If they differ.
    """
    shapes = [inside(raster).shape for raster in rasters]
    named = [raster for raster in rasters if isinstance(raster, xr.DataArray)]
    for raster in named[1:]:
        _require_same_order(named[0], raster)
    if len(named) < len(rasters):
        for raster in named:
            require_rows_first(raster)
    for shape in shapes[1:]:
        if shape != shapes[0]:
            raise InputError(f"the rasters differ in shape: {shapes[0]} and {shape}")
    for raster in named[1:]:
        _require_same_place(named[0], raster)


def require_rows_first(raster: Any) -> None:
    """Raise if a raster names x before y.

    Raises
    ------
    InputError
        If so.
    """
    if isinstance(raster, xr.DataArray) and _axes(raster)[0] == "x":
        raise _another_order(raster)


def plane_of(raster: xr.DataArray) -> tuple[Any, Any] | None:
    """Return the names of a raster's dimensions y and x, in this order; None where neither attributes nor names tell."""
    axes = _axes(raster)
    if axes.count("y") == axes.count("x") == 1:
        return raster.dims[axes.index("y")], raster.dims[axes.index("x")]
    return None


def require_one_crs(a: Any, b: Any) -> None:
    """Raise if two rasters state different CRS.

    Raises
    ------
    InputError
        If so.
    """
    first, second = stated_crs(a), stated_crs(b)
    if first is None or second is None or first == second:
        return
    if not same_crs(crs_of(first), crs_of(second)):
        raise InputError(
            f"the rasters are in {crs_name(first)} and {crs_name(second)}",
            hint="Reproject one first, for example with rioxarray's reproject_match.",
        )


def require_same_crs_as(raster: Any, crs: str) -> None:
    """Raise if a raster states another CRS than this one.

    Raises
    ------
    InputError
        If so.
    """
    own = stated_crs(raster)
    if own is not None and own != crs and not same_crs(crs_of(own), crs_of(crs)):
        raise InputError(
            f"the raster is in {crs_name(own)}, the grid in {crs_name(crs)}",
            hint="Reproject one first, for example with rioxarray's reproject_match.",
        )


def rotation_of(raster: xr.DataArray) -> str | None:
    """Return a raster's geotransform if it is rotated or slanted, else None."""
    told = str(_grid_mapping(raster).get("GeoTransform", ""))
    try:
        _, _, slant, _, lean, _ = (float(each) for each in told.split())
    except ValueError:
        return None
    return told if slant or lean else None


def north_up(raster: xr.DataArray) -> xr.DataArray:
    """Return a raster [y, x] with rows from the north and columns from the west; nothing is read.

    Raises
    ------
    InputError
        If it is rotated.
    """
    turned = rotation_of(raster)
    if turned is not None:
        raise InputError(
            f"the raster is rotated: its geotransform is {turned}",
            hint="Put it on a north-up grid first, for example with rioxarray's reproject(raster.rio.crs).",
        )
    turns = dict.fromkeys(turned_axes(raster), slice(None, None, -1))
    return raster.isel(turns) if turns else raster


def turned_axes(raster: xr.DataArray) -> list[Hashable]:
    """Return the dimensions of a raster [y, x] that run from the south or from the east."""
    found = []
    for axis, rising in zip(raster.dims, (False, True), strict=True):
        if axis in raster.coords and raster.sizes[axis] > 1:
            centres = raster[axis].to_numpy()
            if bool(centres[-1] > centres[0]) is not rising:
                found.append(axis)
    return found


def corner_of(raster: xr.DataArray) -> tuple[float, float, float, float] | None:
    """Return west, width, north and height of a raster's geotransform (height is negative where rows run from the south); None if it states none.

    A geotransform may be left over from before a selection: ask only a raster without coordinates.
    """
    try:
        west, width, _, north, _, down = (
            float(each) for each in str(_grid_mapping(raster)["GeoTransform"]).split()
        )
    except (KeyError, ValueError):
        return None
    return west, width, north, -down


@dataclass(frozen=True)
class Lattice:
    """Where the cells of a north-up raster lie: CRS, north-west corner, width and height of a cell, shape; in units of the CRS."""

    crs: str | None
    west: float
    north: float
    width: float
    height: float
    shape: tuple[int, int]

    def require_square(self) -> None:
        """Raise unless the cells are square.

        Raises
        ------
        InputError
            If they are not.
        """
        if abs(self.width - self.height) * max(self.shape) > _NEAR * self.width:
            raise InputError(
                f"the raster's cells are not square: {self.width:g} wide, {self.height:g} high",
                hint="Reproject it first, for example with rioxarray's reproject.",
            )


def lattice_of(raster: Any) -> Lattice:
    """Return where a raster's cells lie, from its coordinates.

    A geotransform is often left over from before a selection or a coarsening. It is asked only for the size that a single row or
    column does not tell, and only if it is this raster's own; where it is, its digits are taken, which are not rounded.

    Raises
    ------
    InputError
        If the raster has no coordinates, its rows do not run from the north or its columns from the west, cells differ in
        size, or a single row or column has none; if coordinates are in another unit than the CRS, or a geotransform of such cells lies beside theirs by less than one.
    """
    require_raster(raster)
    require_rows_first(raster)
    if not isinstance(raster, xr.DataArray) or not set(raster.dims) <= set(raster.coords):
        raise InputError(
            "the raster has no coordinates x and y of its cells",
            hint="Take a DataArray that has them, as cg.rasterize and rioxarray.open_rasterio make it.",
        )
    across, down = str(raster.dims[1]), str(raster.dims[0])
    x, y = (raster[axis].to_numpy().astype(np.float64) for axis in (across, down))
    if not (x.size and y.size):
        raise InputError(f"the raster has no cells, its shape is {raster.shape}")
    west, width = _side(x, across, "west to east")
    north, height = _side(-y, down, "north to south")
    stated = _own_geotransform(raster, (x[0], width), (y[0], height), x.size, y.size)
    if stated is not None:
        west, width, north, height = stated
    elif not (width and height):
        raise _no_size("column" if not width else "row")
    else:
        west, north = west - width / 2, -north + height / 2
    lattice = Lattice(stated_crs(raster), west, north, width, height, (y.size, x.size))
    require_units_of_crs(raster, lattice.crs)
    if stated is None:
        _require_one_place(raster, lattice)
    return lattice


def _require_one_place(raster: xr.DataArray, lattice: Lattice) -> None:
    corner = corner_of(raster)
    if corner is None:
        return
    west, width, north, height = corner
    north -= min(height, 0.0) * lattice.shape[0]
    # Of other cells, or not half of one off, it is left over from before a selection or an interpolation, which is often so and means nothing.
    rows, columns = lattice.shape
    beside = [
        _is_half_a_cell(west - lattice.west, abs(width), lattice.width, columns),
        _is_half_a_cell(north - lattice.north, abs(height), lattice.height, rows),
    ]
    if any(beside):
        raise InputError(
            f"by its coordinates the raster's north-west corner is {lattice.west:g}, {lattice.north:g}, by its geotransform {west:g}, {north:g}",
            hint="Coordinates are those of the middles of cells: write those that hold, or, where they do, the geotransform anew with raster.rio.write_transform().",
        )


def _is_half_a_cell(away: float, told: float, side: float, count: int) -> bool:
    """Tell whether this is half a cell and any number of whole ones, of cells that are of one size over that way and over the raster."""
    cells = abs(away) / side
    alike = abs(told - side) * (cells + count) < _NEAR_BESIDE * side
    return alike and abs(cells % 1 - 0.5) < _NEAR_BESIDE


def grid_mapping(raster: xr.DataArray) -> Any:
    """Return the name of the variable that holds the CRS, if the raster tells; of several, each with its coordinates, that of the raster's own."""
    return next(_told_mappings(raster), None)


def mapping_of(raster: Any) -> str | None:
    """Return the name of the coordinate that holds a raster's CRS: the one that it names, else a usual one, else the only one that says a CRS; None where it has none."""
    if not isinstance(raster, xr.DataArray):
        return None
    for name in (*_told_mappings(raster), *_MAPPINGS):
        if isinstance(name, str) and name in raster.coords:
            return name
    # In arithmetic xarray keeps coordinates, and no encoding that names one.
    others = [str(name) for name, each in raster.coords.items() if not each.ndim and _SAYS_A_CRS & each.attrs.keys()]  # fmt: skip
    return others[0] if len(others) == 1 else None


def with_mapping_of(result: xr.DataArray, raster: Any) -> None:
    """Let a result name the coordinate that holds the CRS of the raster that it was made of."""
    mapping = mapping_of(raster)
    if mapping in result.coords:
        result.encoding["grid_mapping"] = mapping


def _told_mappings(raster: xr.DataArray) -> Iterator[Any]:
    """Yield the names that a raster tells, as it was read and as it was set."""
    for about in (raster.encoding, raster.attrs):
        if "grid_mapping" in about:
            yield _own_mapping(about["grid_mapping"], raster)


def _own_mapping(told: Any, raster: xr.DataArray) -> Any:
    if not isinstance(told, str) or ":" not in told:
        return told
    # The extended form of CF: "osgb: x y wgs84: lat lon".
    axes: dict[str, list[str]] = {}
    name = ""
    for word in told.replace(":", ": ").split():
        if word.endswith(":"):
            name = word[:-1]
        axes.setdefault(name, []).append(word)
    own = [name for name, words in axes.items() if set(words) & set(map(str, raster.dims))]
    return next(iter([*own, *axes]))


def with_mappings(values: xr.Dataset, *, placed: bool = True) -> xr.Dataset:
    """Return a Dataset whose grid mappings are coordinates, so that every raster has its CRS, also where none names it and it is called as is usual.

    A raster that was taken out of a Dataset has lost the bounds of its cells, so they are looked at here, unless nobody asks where its cells are placed.

    Raises
    ------
    InputError
        If bounds of cells say that coordinates are edges of cells: half a cell off is seen by nobody.
    """
    for axis, place in values.coords.items():
        if placed and place.dims == (axis,) and _axis(values, axis) in ("x", "y"):
            _require_no_edges(values, place)
    mappings = {grid_mapping(variable) for variable in values.data_vars.values()}
    usual = [name for name in _MAPPINGS if name in values.data_vars and not values[name].ndim]
    return values.set_coords([*(name for name in values.data_vars if name in mappings), *usual])


def _require_no_edges(values: xr.Dataset, place: xr.DataArray) -> None:
    """Raise if, by their bounds, coordinates are all edges of cells of one size.

    Any other bounds are left over: xarray computes with them as with the values, so that in a difference or in other units they are no places. Those
    that were computed lack the encoding that what is read from a file has.
    """
    name = str({**place.encoding, **place.attrs}.get("bounds", ""))
    bounds = values.variables.get(name)
    if bounds is None or bounds.shape != (place.size, 2) or place.size < 2 or not bounds.encoding:
        return
    if place.dtype.kind not in "iuf" or bounds.dtype.kind not in "iuf":
        return
    centres = place.to_numpy().astype(np.float64)
    away = bounds.to_numpy().astype(np.float64) - centres[:, None]
    if not np.isfinite(away).all():
        return
    ends = np.array([-np.inf, np.inf])
    if _is_angle(place) and _axis(values, place.name) == "y":
        ends = np.array([-_HALF_OF_LATITUDES, _HALF_OF_LATITUDES])
    elif _is_angle(place):
        # Longitudes are often turned without their bounds, or each edge by itself.
        away -= _TURN * np.rint(away / _TURN)
    away.sort(axis=1)
    side = abs(step(centres))
    for corner in (-side, 0.0):
        cell = np.clip(centres[:, None] + corner + [0.0, side], *ends) - centres[:, None]
        if side and (np.abs(away - cell) <= _NEAR_BESIDE * side).all():
            raise InputError(
                f"the coordinates along {place.name} are not the middles of its bounds",
                hint=f"Write those of the middles of cells as coordinates, or leave the bounds out: dataset.drop_vars({name!r}).",
            )


def is_in_angles(raster: xr.DataArray) -> bool:
    """Tell whether a raster without a CRS has longitudes and latitudes nevertheless, by names or attributes."""
    return any(_is_angle(raster[axis]) for axis in raster.dims if axis in raster.coords)


def is_place(coordinate: xr.DataArray) -> bool:
    """Tell whether a coordinate is of longitudes or latitudes, as those of single cells are called, too: XLAT, nav_lon."""
    return _is_angle(coordinate) or _PLACES.search(str(coordinate.name).lower()) is not None


def _is_angle(place: xr.DataArray) -> bool:
    return (
        axis_of_angle(place.attrs.get("units")) is not None
        or str(place.attrs.get("standard_name", "")) in ("longitude", "latitude")
        or str(place.name).lower() in ("lon", "lat", "long", "longitude", "latitude")
    )


def row_heights(raster: Any) -> NDArray[np.float64] | None:
    """Return how large cells of each row are beside those of the others, from the north or from the south as they run; None where a raster does not say that it has latitudes."""
    if not isinstance(raster, xr.DataArray):
        return None
    try:
        crs = stated_crs(raster)
        geographic = is_in_angles(raster) if crs is None else crs_of(crs).is_geographic
        plane = plane_of(raster)
    except (InputError, CRSError):
        return None
    if not geographic or plane is None or plane[0] not in raster.coords:
        return None
    turn = (None if crs is None else full_turn(crs)) or _TURN
    middles = raster[plane[0]].to_numpy().astype(np.float64) / turn * 2 * np.pi
    half = abs(step(middles)) / 2
    pole = np.pi / 2
    return np.asarray(
        np.sin(np.clip(middles + half, -pole, pole)) - np.sin(np.clip(middles - half, -pole, pole)),
        np.float64,
    )


def geotransform_of(west: float, width: float, north: float, height: float) -> str:
    """Return a geotransform as GDAL writes it into an attribute."""
    # Numbers of NumPy would be written by their type.
    x, wide, y, high = (float(number) for number in (west, width, north, height))
    return f"{x!r} {wide!r} 0.0 {y!r} 0.0 {-high!r}"


def _axes(raster: xr.DataArray) -> tuple[str, ...]:
    """Return what each dimension is, x or y or its own name, by CF attributes of its coordinates, else by its name."""
    return tuple(_axis(raster, dimension) for dimension in raster.dims)


def _axis(raster: xr.DataArray | xr.Dataset, dimension: Any) -> str:
    if dimension in raster.coords:
        attributes = raster.coords[dimension].attrs
        told = (
            _STANDARD_NAMES.get(str(attributes.get("standard_name", ""))),
            axis_of_angle(attributes.get("units")),
            {"X": "x", "Y": "y"}.get(str(attributes.get("axis", ""))),
        )
        if any(told):
            return next(filter(None, told))
    name = str(dimension)
    return next((axis for axis, names in _NAMES.items() if name.lower() in names), name)


def _require_same_order(a: xr.DataArray, b: xr.DataArray) -> None:
    if a.dims == b.dims:
        return
    first, second = _axes(a), _axes(b)
    # Where only one tells what is what, the other one is taken as an array is: rows first.
    columns_first = ("x", "y") in (first, second)
    if first != second and (set(first) == set(second) or columns_first):
        raise _another_order(a, b)


def _another_order(*rasters: xr.DataArray) -> InputError:
    wrong = next((raster for raster in rasters if _axes(raster)[0] == "x"), rasters[0])
    turned = ", ".join(f'"{dimension}"' for dimension in reversed(wrong.dims))
    return InputError(
        f"the rasters' dimensions are in another order: {' and '.join(str(tuple(raster.dims)) for raster in rasters)}",
        hint=f"Transpose first: raster.transpose({turned}).",
    )


def _require_same_place(a: xr.DataArray, b: xr.DataArray) -> None:
    for of_a, of_b in zip(a.dims, b.dims, strict=True):
        if of_a in a.coords and of_b in b.coords:
            _require_same_centres(a[of_a].to_numpy(), b[of_b].to_numpy(), str(of_a))
    require_one_crs(a, b)


def _require_same_centres(a: NDArray[Any], b: NDArray[Any], axis: str) -> None:
    if a.dtype.kind not in "biuf" or b.dtype.kind not in "biuf":
        same, turned = np.array_equal(a, b), False
    else:
        # A single row or column has no step, and its place is compared in shares of itself.
        a, b = a.astype(np.float64), b.astype(np.float64)
        reach = _NEAR * abs(step(a)) if a.size > 1 else 1e-9 * np.abs(a).max(initial=0)
        same = bool((np.abs(b - a) <= reach).all())
        turned = bool((np.abs(b[::-1] - a) <= reach).all())
    if not same:
        hint = "Put them on one grid first."
        if turned:
            hint = f'They run in opposite directions. Sort one: raster.sortby("{axis}").'
        raise InputError(f"the rasters' cells differ in {axis}", hint=hint)


def step(centres: NDArray[Any]) -> float:
    """Return the distance from one centre to the next, 0 for a single one."""
    return (float(centres[-1]) - float(centres[0])) / max(centres.size - 1, 1)


def _side(centres: NDArray[np.float64], axis: str, direction: str) -> tuple[float, float]:
    """Return the first of centres that shall rise, and the side of a cell: 0 where there is one only."""
    side = step(centres)
    if side < 0:
        ascending = "" if direction == "west to east" else ", ascending=False"
        raise InputError(
            f"the raster's {axis} does not run from {direction}",
            hint=f'Sort it first: raster.sortby("{axis}"{ascending}).',
        )
    regular = centres[0] + side * np.arange(centres.size)
    if centres.size > 1 and not (side > 0 and np.abs(centres - regular).max() <= _NEAR * side):
        raise InputError(
            f"the raster's cells differ in size along {axis}",
            hint="Put it on a regular grid first, for example with rioxarray's reproject.",
        )
    return float(centres[0]), side


def _own_geotransform(
    raster: xr.DataArray,
    columns: tuple[float, float],
    rows: tuple[float, float],
    width: int,
    height: int,
) -> tuple[float, float, float, float] | None:
    """Return west, width, north and height of a geotransform if it says what the first centres and sides (0: unknown) do."""
    try:
        numbers = [float(each) for each in str(_grid_mapping(raster)["GeoTransform"]).split()]
        west, wide, slant, north, lean, down = numbers
    except (KeyError, ValueError):
        return None
    if slant or lean or not (wide > 0 and down < 0):
        return None
    for first, corner, side, told, count in (
        (columns[0], west, wide, columns[1], width),
        (rows[0], north, down, -rows[1], height),
    ):
        reach = _NEAR * abs(side)
        if not abs(corner + side / 2 - first) <= reach:
            return None
        if told and not abs(side - told) * count <= reach:
            return None
    return west, wide, north, -down


def _grid_mapping(raster: xr.DataArray) -> Mapping[Any, Any]:
    """Return the attributes of the coordinate that holds the CRS; nothing if there is none."""
    name = mapping_of(raster)
    return {} if name is None else raster.coords[name].attrs


def _polygons() -> InputError:
    return InputError(
        "these are polygons or other objects, and a raster is wanted",
        hint="cg.rasterize(polygons, grid) makes labels of polygons.",
    )


def _no_size(what: str) -> InputError:
    return InputError(
        f"a single {what} does not tell how large its cells are",
        hint="Give the raster its own geotransform: raster.rio.write_transform(...).",
    )
