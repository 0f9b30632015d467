"""Layers by GDAL's vector drivers: the one that the content calls for, by a plain name, every row of them."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from carbongrid.errors import InputError
from carbongrid.raster.opening.contradictions import AGAIN, mapped
from carbongrid.raster.opening.counts import rows_in_file
from carbongrid.raster.opening.crs import require_no_file
from carbongrid.raster.opening.formats import FILEGDB, GEOJSON, GPKG, PARQUET, sniff_vector
from carbongrid.raster.opening.geopackages import require_tables
from carbongrid.raster.opening.names import plain_name
from carbongrid.raster.opening.number_columns import blank_numbers, number_columns

if TYPE_CHECKING:
    import geopandas as gpd

_CRS_IN_JSON = re.compile(
    rb'"(?:c|\\u00[46]3)(?:r|\\u00[57]2)(?:s|\\u00[57]3)"\s*:\s*\{', re.IGNORECASE
)
_NAMED = ("name", "epsg", "ogc")
_LONGEST_CRS = 65536
_ROWS_AT_ONCE = 65536


_BYTE_FOR_BYTE = "ISO-8859-1"

_BY_GDAL = re.compile(r"utf.*|gbk|gb18030|cp9(?:32|36|49|50)|iso8859.*|cp125[0-46-7]|latin.*|ascii")
"""Encodings that GDAL knows by Python's name. Of others it knows some by another, and of CP1255 and CP1258, in which a letter
may go on in the next byte, it loses the last letter of a text; of those that others go beyond, it loses what these have more."""

_WIDER = {"gb2312": "gb18030", "shift_jis": "cp932", "big5": "cp950"}
"""What text is in that is called so, as in browsers: 鄠, ① and 髙 are in the wider ones alone."""


def _is_ours(encoding: str | None) -> bool:
    """Whether text is decoded here of what GDAL reads byte for byte."""
    return encoding not in (None, _BYTE_FOR_BYTE) and _BY_GDAL.fullmatch(str(encoding)) is None


def _decoded(text: str, encoding: str) -> str:
    return text.encode(_BYTE_FOR_BYTE).decode(_WIDER.get(encoding, encoding))


@dataclass(frozen=True)
class VectorFile:
    """A file of layers, open to one driver.

    Parameters
    ----------
    path
        The file.
    driver
        GDAL's name of its format.
    name
        Under which GDAL knows it, as long as it is open.

    Notes
    -----
    What GDAL tells of a file is asked for once: it opens it anew for each answer, and reads all of a GeoJSON for it.
    """

    path: Path
    driver: str
    name: str
    _answers: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def _options(self) -> dict[str, str]:
        return {"DATE_AS_STRING": "YES"} if self.driver == GEOJSON else {}

    def layers(self) -> list[tuple[str, str | None]]:
        """Return the layers, each with the type of its geometry; None where it has none."""
        import pyogrio

        found = self._answer("layers", lambda: pyogrio.list_layers(self.name))
        return [(str(name), None if kind is None else str(kind)) for name, kind in found]

    def info(self, layer: str | None, encoding: str | None = None, **more: Any) -> dict[str, Any]:
        """Return what the header says of a layer.

        Raises
        ------
        InputError
            If another driver opened the file, or its CRS is completed from a file.
        """
        import pyogrio

        ours = _is_ours(encoding)
        asked = {"layer": layer, "encoding": _BYTE_FOR_BYTE if ours else encoding, **self._options, **more}  # fmt: skip
        info = dict(self._answer(tuple(asked.items()), lambda: pyogrio.read_info(self.name, **asked)))  # fmt: skip
        if info["driver"] != self.driver:
            raise InputError(
                f"the file looks like {self.driver} and opens as {info['driver']}; such files are refused",
                self.path.name,
                AGAIN,
            )
        if info["crs"]:
            require_no_file(str(info["crs"]), self.path.name)
        if encoding is not None and ours:
            info["fields"] = [_decoded(name, encoding) for name in info["fields"]]
        return info

    def _answer(self, question: Any, ask: Callable[[], Any]) -> Any:
        if question not in self._answers:
            self._answers[question] = ask()
        return self._answers[question]

    def table(
        self,
        layer: str,
        encoding: str | None = None,
        columns: Sequence[str] | None = None,
        **more: Any,
    ) -> gpd.GeoDataFrame:
        """Return a layer, all of its rows.

        Parameters
        ----------
        layer
            Its name.
        encoding
            Of its text.
        columns
            Those wanted; default all.
        more
            As pyogrio's.

        Raises
        ------
        InputError
            As :meth:`info`, and if what was read is not what stands in the file.
        """
        import pyogrio

        info = self.info(layer, encoding)
        called = info["fields"]
        there = rows_in_file(self.path, self.driver, layer)
        blank = blank_numbers(self.path, self.driver, layer, number_columns(called, info["dtypes"], columns))  # fmt: skip
        stored = dict(zip(called, self.info(layer, _BYTE_FOR_BYTE)["fields"], strict=True)) if _is_ours(encoding) else {}  # fmt: skip
        table = pyogrio.read_dataframe(
            self.name,
            layer=layer,
            encoding=_BYTE_FOR_BYTE if stored else encoding,
            columns=None if columns is None else [stored.get(name, name) for name in columns],
            use_arrow=False,
            fid_as_index=bool(blank),
            **self._options,
            **more,
        )
        if encoding is not None and stored:
            table = table.rename(columns={name: called for called, name in stored.items()})
            texts = table.select_dtypes(include=["object", "string"]).columns.intersection(
                list(called)
            )
            for name in texts:
                table[name] = table[name].map(lambda text: _decoded(text, encoding), na_action="ignore")  # fmt: skip
        for name, rows in blank.items():
            table[name] = table[name].astype(float).where(~table.index.isin(rows))
        if blank:
            table = table.reset_index(drop=True)
        if there is None and self.driver == FILEGDB:
            there = self._walked(layer)
        if there is not None and there != len(table):
            if self.driver == GEOJSON:
                raise InputError(
                    f"of {there:,} members of features {len(table):,} are read: the others are no features (null, a geometry, a collection, or of another type than Feature) and would be lost",
                    self.path.name,
                    'Make each of them a feature, {"type": "Feature", ...}, or delete it.',
                )
            raise InputError(
                f"the header of the file hides rows: {len(table):,} are read by it, but there are {there:,}",
                self.path.name,
                AGAIN,
            )
        return table

    def kinds_in(self, layer: str, rows: Sequence[int]) -> Iterator[int]:
        """Yield the types of the geometries in rows, from 0 and in their order, by their numbers in WKB without Z and M; 0 where there is none."""
        import pyogrio

        for start, some in groupby(rows, lambda row: row - row % _ROWS_AT_ONCE):
            _, _, shapes, _ = pyogrio.raw.read(self.name, layer=layer, columns=[], skip_features=start, max_features=_ROWS_AT_ONCE, **self._options)  # fmt: skip
            for row in some:
                yield _kind_of(None if shapes is None else shapes[row - start])

    def _walked(self, layer: str) -> int:
        """Return how many rows GDAL finds by going from one to the next to the end."""
        import pyogrio

        with pyogrio.open_arrow(
            self.name,
            layer=layer,
            columns=[],
            read_geometry=False,
            return_fids=True,
            use_pyarrow=True,
        ) as (_, reader):
            return sum(batch.num_rows for batch in reader)


def _kind_of(shape: bytes | None) -> int:
    if not shape:
        return 0
    order: Literal["little", "big"] = "little" if shape[0] else "big"
    return int.from_bytes(shape[1:5], order) % 2**29 % 1000


@contextmanager
def open_vector(path: Path, of: str = "") -> Iterator[VectorFile]:
    """Open a file of layers to the driver that its content calls for.

    Parameters
    ----------
    path
        The file, or the folder of a File Geodatabase; GeoParquet is opened by :func:`~carbongrid.raster.opening.parquet.open_parquet`.
    of
        GDAL's name of the only format that it may be of; default any.

    Raises
    ------
    InputError
        If there is no such file, it is of another format, or it would have GDAL fetch something.
    """
    driver = sniff_vector(path)
    if of and driver != of:
        raise InputError(f"the file is of the format {driver}, expected {of}", path.name)
    if driver == PARQUET:
        raise InputError(
            "this is GeoParquet, expected another format of layers",
            path.name,
            "Save it as a GeoPackage.",
        )
    if driver == GEOJSON:
        _require_named_crs(path)
    with _untouched(path, driver) as place:
        if driver == GPKG:
            require_tables(place)  # before GDAL looks at one
        with plain_name(place, driver) as name:
            yield VectorFile(place, driver, name)


@contextmanager
def _untouched(path: Path, driver: str) -> Iterator[Path]:
    """Give a file that may be opened: of a GeoPackage with changes in a log beside it a copy of both, since GDAL merges the log into the file and removes it, though it only reads."""
    log = path.resolve().with_name(f"{path.resolve().name}-wal")
    if driver != GPKG or not log.is_file() or not log.stat().st_size:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        for each in (path.resolve(), log):
            shutil.copyfile(each, Path(folder) / each.name)
        yield Path(folder) / path.resolve().name


def _require_named_crs(path: Path) -> None:
    """Raise if a GeoJSON names its CRS by an address (``link``), which GDAL fetches."""
    with mapped(path) as data:
        for match in _CRS_IN_JSON.finditer(data):
            start = match.end() - 1
            text = data[start : start + _LONGEST_CRS].decode("utf-8", "replace")
            try:
                told, _ = json.JSONDecoder().raw_decode(text)
                kinds = [str(kind).lower() for key, kind in told.items() if key.lower() == "type"]
            except (ValueError, RecursionError):
                kinds = ["unreadable"]
            if not all(kind in _NAMED for kind in kinds):
                raise InputError(
                    "the CRS of the GeoJSON is an address, which would be fetched",
                    path.name,
                    "Name it by a code, or leave it out: GeoJSON is in WGS 84.",
                )
