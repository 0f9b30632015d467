"""Read any of the vector formats, the same table from each."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray

from carbongrid.case.fields import keys_of_columns, meant, nearest
from carbongrid.case.models import Case
from carbongrid.case.readers.geoparquet import (
    column_paths,
    columns_of_geometry,
    kind_of_several,
    read_geoparquet,
)
from carbongrid.case.readers.shapefile import doubts_of_reading, shapefile_encoding
from carbongrid.case.readers.tables import DOUBTS
from carbongrid.errors import InputError, Problem, listed
from carbongrid.raster.opening.formats import PARQUET, SHAPEFILE, sniff_vector
from carbongrid.raster.opening.parquet import open_parquet
from carbongrid.raster.opening.vectors import VectorFile, open_vector

_NO_NUMBERS = {
    "boolean": "true or false",
    "date": "dates",
    "datetime": "dates",
    "datetime64": "dates",
    "time": "times",
}
"""What a column holds, by pandas' name of it."""
_SURFACES = {15: "PolyhedralSurface", 16: "TIN", 17: "Triangle"}

_READ_ERRORS = (
    AttributeError,  # metadata in which a list or a number stands for an object
    KeyError,
    OSError,
    RecursionError,  # metadata nested too deep
    TypeError,
    ValueError,
    UnboundLocalError,  # what pyogrio 0.13 makes of a .prj that is no CRS
    pyproj.exceptions.ProjError,
    shapely.errors.ShapelyError,
    pyogrio.errors.CRSError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.FieldError,
    pyogrio.errors.GeometryError,
)


type Columns = Sequence[str] | Callable[[list[str]], Sequence[str]]
"""Names of columns, or what gives them when it is told which there are."""


def read_vector(
    path: Path,
    layer: str | None = None,
    encoding: str | None = None,
    columns: Columns | None = None,
    *,
    close_rings: bool = False,
    as_coordinates: bool = False,
) -> gpd.GeoDataFrame:
    """Read a layer as it stands in the file.

    Parameters
    ----------
    path
        The file, or the folder of a File Geodatabase.
    layer
        Name of the layer; may be left out where there is one only.
    encoding
        Of a Shapefile's text, where it has no .cpg and is neither UTF-8 nor GB18030.
    columns
        Columns to read, or what chooses them of those there are, and may raise; default all. A column given twice is read once. In GeoParquet a field of a struct is called with dots, ``taxonomy.primary``, and a list of texts is one text.
    close_rings
        Whether a ring that is not closed is closed; else its geometry is missing.
    as_coordinates
        As for :func:`carbongrid.case.readers.geoparquet.read_geoparquet`, whose files alone are read so.

    Returns
    -------
    GeoDataFrame
        The columns, then ``geometry``; a RangeIndex in the file's order; ``crs`` may be None.

    Raises
    ------
    InputError
        If the file is missing, of another format or unreadable, or lacks the layer or a column.
    """
    driver = sniff_vector(path)
    if driver == PARQUET:
        return _read_parquet(path, layer, columns, as_coordinates)
    told = encoding
    with _opening(path, encoding), open_vector(path) as file:
        encoding = _encoding(file, told)
        with _opening(path, encoding):
            layer = _layer_of(file, layer)
            info = file.info(layer, encoding)
            known = _attributes(info)
            wanted = _wanted(_chosen(columns, known), known, path)
            invalid = "fix" if close_rings else "ignore"
            table = file.table(layer, encoding, wanted, on_invalid=invalid)
            _refuse_surfaces(file, layer, table)
    doubts = [] if encoding is None else doubts_of_reading(table, encoding, path, named=told is not None)  # fmt: skip
    if "geometry" not in table:
        raise InputError("the layer has no geometry", path.name, "Name another layer.")
    read = table[[*(wanted if wanted is not None else known), "geometry"]]
    if doubts:
        read.attrs[DOUBTS] = doubts
    return read


def read_layer(
    case: Case, section: Any, columns: Sequence[str], if_there: Sequence[str] = ()
) -> gpd.GeoDataFrame:
    """Read the layer that a section of a case names.

    Parameters
    ----------
    case
        The case.
    section
        With the path, layer and encoding.
    columns
        Columns that it must have.
    if_there
        Columns that are read where it has them.

    Raises
    ------
    InputError
        If a column is missing, the layer is empty, and as :func:`read_vector`.
    """

    def wanted(known: list[str]) -> list[str]:
        problems = missing_columns(columns, known, section.path, keys_of_columns(case, section))
        if problems:
            raise InputError(problems)
        return [*columns, *(column for column in if_there if column in known)]

    path = case.resolve(section.path)
    table = read_vector(path, section.layer, section.encoding, wanted)
    if not len(table):
        raise InputError("the layer is empty", section.path)
    return table


def text_column(
    table: pd.DataFrame,
    column: str,
    where: str,
    problems: list[Problem],
    *,
    padded: bool = False,
) -> NDArray[np.object_]:
    """Return a column of ids or codes as stripped text, blank where there is no value.

    Whole numbers are their digits, stored as floats too, as a column of integers with a blank is; other numbers are a problem.

    Parameters
    ----------
    table, column
        Where it is.
    where
        Name of the file.
    problems
        What is wrong is added.
    padded
        Whether the codes that are looked up begin with zeros, some of them. Then a column of numbers is a problem: what was
        0101 is 101 by now, and nobody can tell.
    """
    values = table[column]
    present = values[values.notna()]
    # Of what is there, whatever the column's own dtype says.
    kind = pd.api.types.infer_dtype(present.astype(object))
    texts = present.empty or kind == "string"
    whole = not texts and _are_whole(present)
    if whole and not padded:
        digits = [str(int(value)) if known else "" for value, known in zip(values, values.notna(), strict=True)]  # fmt: skip
        return np.array(digits, dtype=object)
    if whole:
        what = (
            f"column {column!r} is read as numbers ({present.iloc[0]}), but its codes are text, some of which begin with 0: "
            "a leading zero would be lost"
        )
        problems.append(Problem(what, where, "Store the column as text in the file."))
    elif not texts and kind in _NO_NUMBERS:
        what = f"column {column!r} is read as {_NO_NUMBERS[kind]} ({present.iloc[0]}), but ids and codes are text or whole numbers"
        problems.append(Problem(what, where, "Store the column as text in the file."))
    elif not texts:
        apart = (value for value in present if not _are_whole(pd.Series([value])))
        odd = next(apart, present.iloc[0])
        what = f"column {column!r} is read as numbers, some of which are not whole ({odd!r}), but ids and codes are text or whole numbers"
        problems.append(Problem(what, where, "Store the column as text in the file."))
    filled = values.astype(object).where(values.notna(), "").tolist()
    stripped = list(map(str.strip, filled if texts else map(str, filled)))
    if "\0" in "".join(stripped):
        odd = next(text for text in stripped if "\0" in text)
        what = (
            f"column {column!r} holds NUL characters ({odd!r}), at which other formats end a text"
        )
        problems.append(Problem(what, where, "Take them out of the file."))
    return np.array(stripped, dtype=object)


def _are_whole(values: pd.Series[Any]) -> bool:
    """Whether values are whole numbers, none so large that a float may have lost its digits."""
    if pd.api.types.is_integer_dtype(values):
        return True
    if pd.api.types.is_float_dtype(values):
        numbers = values.to_numpy(np.float64)
        return bool(((numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)).all())
    return values.dtype == object and all(
        isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values
    )


def number_column(
    table: pd.DataFrame,
    column: str,
    where: str,
    problems: list[Problem],
    names: NDArray[np.object_],
) -> NDArray[np.float64]:
    """Return a column as float64, NaN where there is no value.

    Text that is no number, infinite and negative values are problems, told by the row's name.
    """
    values = table[column]
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    blank = values.isna().to_numpy()
    if not pd.api.types.is_numeric_dtype(values):
        blank = blank | (values.astype(str).str.strip() == "").to_numpy(dtype=bool)
    wrong = ~blank & ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        rows = np.flatnonzero(wrong)
        listing = listed(f"{names[row]} ({values.iloc[row]})" for row in rows)
        problems.append(
            Problem(
                f"column {column!r} must hold numbers that are not negative; wrong in {listing}",
                where,
            )
        )
    return numbers


def missing_columns(
    columns: Iterable[str],
    known: Sequence[str],
    where: str,
    keys: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Return a problem for each column that is not there, with the nearest that is, and the key of the case that names it."""
    problems, keys = [], keys or {}
    for column in columns:
        if column in known:
            continue
        close = nearest(column, known)
        hint = f"{meant(close, column)} " if close else ""
        by = f" {keys[column]} in the case says which column it is." if column in keys else ""
        problems.append(
            Problem(
                f"there is no column {column!r}",
                where,
                f"{hint}The columns are: {listed(known, 30) or 'none'}.{by}",
            )
        )
    return problems


def count_features(path: Path, layer: str | None, encoding: str | None) -> int:
    """Return how many rows a layer has, from its header.

    Raises
    ------
    InputError
        As :func:`read_vector`.
    """
    driver = sniff_vector(path)
    if driver == PARQUET:
        with _opening(path, None), open_parquet(path) as table:
            return int(table.metadata.num_rows)
    with _opening(path, encoding), open_vector(path) as file:
        encoding = _encoding(file, encoding)
        with _opening(path, encoding):
            info = file.info(_layer_of(file, layer), encoding, force_feature_count=True)
            return int(info["features"])


@contextmanager
def _opening(path: Path, encoding: str | None) -> Iterator[None]:
    """Turn what GDAL and Arrow raise into input errors; what they warn of is found and told by the readers."""
    import pyarrow as pa

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, encoding, error) from None
    except (*_READ_ERRORS, pa.ArrowException) as error:
        what = " ".join(str(error).split())
        hint = "It may be damaged or cut off: open it in a GIS, or copy it again."
        raise InputError(f"the file cannot be read: {what}", path.name, hint) from None


def _chosen(columns: Columns | None, known: list[str]) -> Sequence[str] | None:
    return columns(known) if callable(columns) else columns


def _wanted(columns: Sequence[str] | None, known: list[str], path: Path) -> list[str] | None:
    if columns is None:
        return None
    problems = missing_columns(dict.fromkeys(columns), known, path.name)
    if problems:
        raise InputError(problems)
    return list(dict.fromkeys(columns))


def _encoding(file: VectorFile, encoding: str | None) -> str | None:
    return shapefile_encoding(file.path, encoding) if file.driver == SHAPEFILE else None


def _layer_of(file: VectorFile, layer: str | None) -> str:
    path = file.path
    spatial = [name for name, kind in file.layers() if kind is not None]
    if layer is not None:
        if layer not in spatial:
            raise InputError(
                f"there is no layer {layer!r} with geometry",
                path.name,
                f"The layers are: {listed(spatial, 30) or 'none'}.",
            )
        return layer
    if len(spatial) == 1:
        return spatial[0]
    if not spatial:
        hint = "Name another file; if this one should have some, it may be cut off: get it again."
        raise InputError("the file has no layer with geometry", path.name, hint)
    raise InputError(
        f"the file has {len(spatial)} layers with geometry, and the case names none",
        path.name,
        f"Set layer to one of: {listed(spatial, 30)}.",
    )


def _refuse_surfaces(file: VectorFile, layer: str, table: pd.DataFrame) -> None:
    """Refuse surfaces of several faces and triangles, which GEOS does not know: they would be no geometry."""
    missing = np.flatnonzero(table["geometry"].isna()) if "geometry" in table else np.arange(0)
    kinds = zip(missing.tolist(), file.kinds_in(layer, missing.tolist()), strict=True)
    row, kind = next(((row, kind) for row, kind in kinds if kind in _SURFACES), (0, 0))
    if kind:
        what = f"feature {row + 1} is a {_SURFACES[kind]}, which is not read"
        hint = f"Convert it: ogr2ogr -nlt MULTIPOLYGON -dim XY out.gpkg {file.path.name}"
        raise InputError(what, file.path.name, hint)


def _read_parquet(
    path: Path, layer: str | None, columns: Columns | None, as_coordinates: bool
) -> gpd.GeoDataFrame:
    if layer is not None:
        raise InputError(
            f"a GeoParquet file has no layers, but the case names {layer!r}",
            path.name,
            "Leave layer out.",
        )
    with _opening(path, None):
        known, geometry = _parquet_fields(path)
        if not geometry:
            raise InputError(
                "the Parquet file has no geometry (no GeoParquet metadata)",
                path.name,
                "Write it with GeoDataFrame.to_parquet.",
            )
        columns = _chosen(columns, known)
        _refuse_several(columns or (), known, path)
        wanted = _wanted(columns, known, path)
        table: Any = read_geoparquet(path, geometry, wanted, as_coordinates=as_coordinates)
        if geometry != "geometry":
            table = table.rename_geometry("geometry")
    names = [column for column in table.columns if column != "geometry"]
    return table[[*(wanted if wanted is not None else names), "geometry"]]


def _attributes(info: Any) -> list[str]:
    """Return the columns of a layer; one called geometry could not be told from the geometry itself."""
    return [str(field) for field in info["fields"] if field != "geometry"]


def _parquet_fields(path: Path) -> tuple[list[str], str]:
    """Return the columns of a Parquet file but its geometry and the bounds of that, and the geometry's name, empty if there is none."""
    import json

    with open_parquet(path) as file:
        schema = file.schema_arrow
    known = (schema.metadata or {}).get(b"geo")
    told = json.loads(known) if known else {}
    geometry = str(told["primary_column"]) if told else ""
    ours = {"geometry", *(columns_of_geometry(told["columns"], geometry) if geometry else ())}
    paths = column_paths(schema)
    return [name for name, (way, *_) in paths.items() if way[0] not in ours], geometry


def _refuse_several(columns: Sequence[str], known: Sequence[str], path: Path) -> None:
    """Refuse columns that hold a list or a map in each row, but for lists of texts."""
    with open_parquet(path) as file:
        schema = file.schema_arrow
    problems = []
    for name in dict.fromkeys(columns):
        kind = kind_of_several(schema.field(name).type) if name in schema.names else ""
        if kind and name not in known:
            what = f"column {name!r} holds a {kind} in each row, which is no text and no number"
            hint = f"The columns are: {listed(known, 30) or 'none'}."
            problems.append(Problem(what, path.name, hint))
    if problems:
        raise InputError(problems)


def _wrong_encoding(path: Path, encoding: str | None, error: UnicodeDecodeError) -> InputError:
    found = f"({error.reason} in {error.object[:20]!r})"
    if sniff_vector(path) != SHAPEFILE:
        what = f"the text of the file is not UTF-8 {found}, and a file of this format has no other encoding, whatever the case names"
        hint = "Convert it to UTF-8: a GeoJSON in a text editor or with `iconv -f GB18030 -t UTF-8`, another one from the file that it was made of."
        return InputError(what, path.name, hint)
    return InputError(
        f"the text of the file is not {encoding or 'UTF-8'} {found}",
        path.name,
        "Name its encoding in the case: "
        '"gb18030" (Chinese), "cp932" (Japanese), "cp949" (Korean), "big5" (traditional Chinese), "cp1252" (western Europe) or "cp1251" (Cyrillic).',
    )
