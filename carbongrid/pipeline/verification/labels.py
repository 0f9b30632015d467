"""The labels: whether every chunk of those that are kept is there and readable, and GDAL burns the same."""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import xarray as xr
import zarr

from carbongrid.method.tonnes import counted
from carbongrid.outputs.reading import LABELS
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.pipeline.verification.verdict import Check, check_of
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import blocks, read_window
from carbongrid.raster.labels import burn_window
from carbongrid.raster.opening.stores import open_zarr_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

VARIABLES = ("parcel", "unit")
_TILE = 1024  # cells; geocube burns float64, 8 MB a tile
_ON_AN_OUTLINE = 1e-6  # of a cell; coordinates of some 1e6 m and cells of 1 m leave 1e-10
_MAX_ON_OUTLINES = 10_000  # more are told as wrong without being measured
_MAX_RINGS = 10_000 * _TILE  # rings times rows at once: GDAL looks at every edge for every row
_MIN_ROWS = 32
_HINT = (
    f"Take {LABELS} from a copy, or run the case again with --replace: what is sound is taken over."
)


_HINT_PAINTED = "No file can be the cause: carbongrid and GDAL differ. Please report it, with the run if you may pass it on."


def check_labels(run: Opened) -> Check:
    """Read every chunk of both label rasters; count them, and look at shape, place and range."""
    faults: list[str] = []
    chunks = 0
    with run.reading(LABELS) as store:
        sizes = {"parcel": len(run.parcels), "unit": len(run.units)}
        hashes = {name: polygons.content_hash for name, polygons in run.polygons.items()}
        for name in VARIABLES:
            array = open_zarr_array(store, name)
            if array.shape != run.grid.shape or array.dtype != np.uint32:
                faults.append(
                    f"{LABELS}/{name} is {array.dtype} of {array.shape}, not of the run's grid"
                )
                continue
            if array.attrs.get("polygons") != hashes[name]:
                faults.append(
                    f"{LABELS}/{name} was made from other polygons than those of this run"
                )
            found, broken = _read_all(store, name, array, sizes[name])
            chunks += found
            faults += broken
        faults += _misplaced(store, {"x": run.grid.x, "y": run.grid.y})
    return check_of("labels", faults, f"{counted(chunks, 'chunk')} there and read", _HINT)


def _read_all(store: Path, name: str, array: zarr.Array[Any], rows: int) -> tuple[int, list[str]]:
    """Read what a file holds, one file at a time; return the number of files and the faults."""
    sides = array.shards or array.chunks
    faults = []
    starts = [range(0, length, side) for length, side in zip(array.shape, sides, strict=True)]
    corners = list(itertools.product(*starts))
    for corner in corners:
        place = "/".join(str(start // side) for start, side in zip(corner, sides, strict=True))
        file = f"{name}/c/{place}"
        if not (store / file).is_file():
            faults.append(f"{LABELS}/{file} is missing")
            continue
        shape = tuple(
            min(side, length - start)
            for start, side, length in zip(corner, sides, array.shape, strict=True)
        )
        try:
            highest = int(
                read_window(store, name, (corner[0], corner[1]), (shape[0], shape[1])).max()
            )
        except Exception as error:  # whatever a decoder says of damaged bytes
            faults.append(f"{LABELS}/{file} cannot be read ({type(error).__name__}: {error})")
            continue
        if highest > rows:
            faults.append(
                f"{LABELS}/{file} holds label {highest:,}, yet there are {rows:,} polygons"
            )
    return len(corners), faults


def _misplaced(store: Path, grid_places: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Return the faults of the coordinates: one that cannot be read, or that lies elsewhere than the grid."""
    faults = []
    for axis, places in grid_places.items():
        try:
            stored = open_zarr_array(store, axis)[...]
        except Exception as error:  # whatever a decoder says of damaged bytes
            faults.append(f"{LABELS}/{axis} cannot be read ({type(error).__name__}: {error})")
            continue
        if not np.array_equal(stored, places):
            faults.append(f"{LABELS}/{axis} is not where the manifest says")
    return faults


def check_tiles(run: Opened, sample: int) -> Check:
    """Burn a seeded sample of tiles with geocube (GDAL) and compare them label for label."""
    if sample == 0:
        return Check("tiles", True, "not looked at (--sample 0)", made=False)
    layers = {"parcel": run.parcels, "unit": run.outlines}
    tiles = list(blocks(run.grid.shape, _TILE))
    # Seeded by the run itself: the same tiles at every call, others in another run.
    random.Random(str(sorted(run.manifest["digests"].items()))).shuffle(tiles)  # noqa: S311
    tree = shapely.STRtree(run.parcels.geometry.to_numpy())
    faults: list[str] = []
    burnt = cells = 0
    with _labels_of(run) as labels_of:
        for _, corner, shape in tiles:
            if burnt == sample:
                break
            window = run.grid.window(corner, shape)
            if not tree.query(shapely.box(*window.bounds)).size:
                continue
            burnt += 1
            for name, layer in layers.items():
                mine = labels_of(name, corner, shape)
                theirs = _burnt(layer, run.grid, corner, shape)
                cells += mine.size
                different = _differences(mine, theirs, layer, window)
                told = f"{LABELS}/{name}" if run.keeps_labels else f"labels of {name}s"
                faults += _told(told, corner, mine, theirs, different)
    text = f"{counted(burnt, 'tile')}, {counted(cells, 'label')}, as geocube burns them"
    return check_of("tiles", faults, text, _HINT if run.keeps_labels else _HINT_PAINTED)


@contextlib.contextmanager
def _labels_of(run: Opened) -> Iterator[Callable[..., NDArray[np.uint32]]]:
    """Give what returns the labels of a window, by their name, its corner and its shape: those that are kept, or painted again."""
    if run.keeps_labels:
        with run.reading(LABELS) as store:
            yield functools.partial(read_window, store)
    else:
        yield lambda name, *window: burn_window(run.polygons[name], run.grid, *window)


def _burnt(
    layer: gpd.GeoDataFrame, grid: Grid, corner: tuple[int, int], shape: tuple[int, int]
) -> NDArray[np.uint32]:
    """Burn row number + 1 of the polygons that touch a window; later rows win."""
    # With a rim: a single row or column of centres does not tell geocube how large its cells are.
    window = grid.window((corner[0] - 1, corner[1] - 1), (shape[0] + 2, shape[1] + 2))
    near = layer.cx[window.bounds[0] : window.bounds[2], window.bounds[1] : window.bounds[3]]
    near, rings = _with_centres(near[["geometry"]], window)
    if rings * shape[0] > _MAX_RINGS and shape[0] > _MIN_ROWS:
        half = shape[0] // 2
        upper = _burnt(near, grid, corner, (half, shape[1]))
        lower = _burnt(near, grid, (corner[0] + half, corner[1]), (shape[0] - half, shape[1]))
        return np.concatenate([upper, lower])
    if near.empty:
        return np.zeros(shape, np.uint32)
    import rioxarray  # noqa: F401  (registers .rio)
    from geocube.api.core import make_geocube

    labelled = near.assign(label=(near.index.to_numpy() + 1).astype(np.float64))
    like = xr.DataArray(
        np.zeros(window.shape, np.uint8), {"y": window.y, "x": window.x}, dims=("y", "x")
    ).rio.write_crs(window.crs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # affine's, inside odc-geo
        cube = make_geocube(
            labelled, measurements=["label"], like=like.to_dataset(name="like"), fill=0.0
        )
    return np.asarray(cube["label"].to_numpy(), dtype=np.uint32)[1:-1, 1:-1]


def _with_centres(layer: gpd.GeoDataFrame, window: Grid) -> tuple[gpd.GeoDataFrame, int]:
    """Return polygons less the parts and holes whose bounds hold no centre of a window, and how many rings are left.

    Such a ring decides no label. A polygon of a million holes would else be looked at whole for every row of every tile.
    """
    parts, polygon = shapely.get_parts(layer.geometry.to_numpy(), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    held = _hold_centres(shapely.bounds(rings), window)
    shell = np.diff(part, prepend=-1) > 0
    if held.all():
        return layer, len(rings)
    kept = np.flatnonzero(held[shell])
    made: Any = np.empty(0, object)
    if kept.size:  # the first ring of an index is its shell
        made = shapely.polygons(rings[held], indices=np.searchsorted(kept, part[held]))
        _, first = np.unique(polygon[kept], return_inverse=True)
        made = shapely.multipolygons(made, indices=first)
    left = layer.iloc[np.unique(polygon[kept])]
    return left.set_geometry(made, crs=layer.crs), int(held.sum())


def _hold_centres(bounds: NDArray[np.float64], window: Grid) -> NDArray[np.bool_]:
    """Return which bounds hold a cell's centre, those that only touch one too."""
    west, _, _, north = window.bounds
    height, width = window.shape
    away = np.stack([bounds[:, 0] - west, bounds[:, 2] - west, north - bounds[:, 3], north - bounds[:, 1]])  # fmt: skip
    low, high = away[::2] / window.resolution - 0.5, away[1::2] / window.resolution - 0.5
    sides = np.array([[width], [height]])
    first = np.maximum(np.ceil(low - _ON_AN_OUTLINE), 0)
    last = np.minimum(np.floor(high + _ON_AN_OUTLINE), sides - 1)
    return np.asarray((first <= last).all(axis=0))


def _differences(
    mine: NDArray[np.uint32], theirs: NDArray[np.uint32], layer: gpd.GeoDataFrame, window: Grid
) -> NDArray[np.int64]:
    """Return the cells of a window whose labels differ, but for those whose centre lies on an outline.

    Whose such a cell is hangs on the last bit of coordinates, which differ from window to window in GDAL.
    """
    different = np.argwhere(mine != theirs)
    if not 0 < len(different) <= _MAX_ON_OUTLINES:
        return different
    rows, columns = different.T
    centres = np.asarray(shapely.points(window.x[columns], window.y[rows]), dtype=object)
    polygons = layer.geometry.to_numpy()
    near = np.zeros(len(different), np.bool_)
    for labels in (mine, theirs):
        row = labels[rows, columns].astype(np.int64) - 1
        for each in np.unique(row[(row >= 0) & (row < len(polygons))]):
            # One outline for all its cells, with an index: it may have a million rings.
            outline = shapely.boundary(polygons[each])
            shapely.prepare(outline)
            cells = row == each
            near[cells] |= shapely.dwithin(
                outline, centres[cells], _ON_AN_OUTLINE * window.resolution
            )
    return different[~near]


def _told(
    name: str,
    corner: tuple[int, int],
    mine: NDArray[np.uint32],
    theirs: NDArray[np.uint32],
    different: NDArray[np.int64],
) -> list[str]:
    if not len(different):
        return []
    row, column = different[0].tolist()
    tile = f"the tile at row {corner[0]}, column {corner[1]}"
    first = f"row {corner[0] + row}, column {corner[1] + column}"
    count = counted(len(different), "label")
    pair = f"{mine[row, column]} there, {theirs[row, column]} burnt again"
    return [f"{name}, {tile}: {count} wrong, the first at {first}: {pair}"]
