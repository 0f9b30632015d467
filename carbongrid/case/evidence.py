"""Sections of a case that say where activity is: POIs, people, lines."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field, model_validator

from carbongrid.case.fields import ENCODING, Section, about
from carbongrid.case.values import (
    EncodingText,
    PointCrs,
    Text,
    is_table,
    one_of,
    one_of_or_table,
    wrong,
)

CROSSWALKS = ("gaode", "osm", "overture")
RASTER_SUFFIXES = (".tif", ".tiff", ".nc", ".nc4", ".zarr")


class PoisSection(Section):
    """Points of interest: where firms, shops and offices are."""

    path: Annotated[
        Text,
        about(
            "POIs",
            "file",
            "a table with coordinates, or any vector file",
            example="pois.csv",
            file=True,
        ),
    ]
    layer: Annotated[
        Text | None,
        about("Layer", "layer", "layer of a vector file; default: its only one", example="pois"),
    ] = None
    x: Annotated[
        Text, about("x", "column", "column with longitude or easting, in a table", example="lon")
    ] = "lon"
    y: Annotated[
        Text, about("y", "column", "column with latitude or northing, in a table", example="lat")
    ] = "lat"
    crs: Annotated[
        PointCrs,
        about(
            "Coordinate system",
            "CRS",
            "of the coordinates, no default: EPSG:4326 (GPS, OpenStreetMap), gcj02 (Gaode), bd09 (Baidu), or another code such as EPSG:4490",
            example="gcj02",
        ),
    ]
    type: Annotated[
        Text,
        about(
            "Type",
            "column",
            "column with the POI's type code; in GeoParquet also a field of a struct, as taxonomy.hierarchy",
            example="typecode",
        ),
    ] = "typecode"
    weight: Annotated[
        Text | None,
        about(
            "Weight",
            "column",
            "column with what a POI counts, 0 or more; default: every POI counts 1",
            example="weight",
        ),
    ] = None
    crosswalk: Annotated[
        Text,
        one_of_or_table(*CROSSWALKS),
        about(
            "Crosswalk",
            "word or file",
            "which type is of which category: gaode, osm, overture, or a CSV poi_type, category",
            example="gaode",
            file=True,
        ),
    ] = "gaode"
    miss: Annotated[
        str,
        one_of("nearest", "drop"),
        about(
            "POI off its land",
            "word",
            "nearest: to the nearest parcel of its category within 100 m; drop: left out",
            example="nearest",
        ),
    ] = "nearest"
    encoding: Annotated[EncodingText | None, ENCODING] = None


class PeopleSection(Section):
    """Where people live: points with a count, or a raster."""

    path: Annotated[
        Text,
        about(
            "Residents",
            "file",
            "points with a count (a table or a vector file), or a raster of people per cell (GeoTIFF, NetCDF, Zarr)",
            example="people.csv",
            file=True,
        ),
    ]
    layer: Annotated[
        Text | None,
        about("Layer", "layer", "layer of a vector file; default: its only one", example="people"),
    ] = None
    x: Annotated[
        Text, about("x", "column", "column with longitude or easting, in a table", example="lon")
    ] = "lon"
    y: Annotated[
        Text, about("y", "column", "column with latitude or northing, in a table", example="lat")
    ] = "lat"
    crs: Annotated[
        PointCrs | None,
        about(
            "Coordinate system",
            "CRS",
            "of the points: gcj02, bd09, or a code such as EPSG:4490; a raster or a vector file brings its own, of a table there is no default",
            example="gcj02",
        ),
    ] = None
    count: Annotated[
        Text,
        about(
            "Count", "column, persons", "column with the people at the point", example="residents"
        ),
    ] = "residents"
    census: Annotated[
        Text | None,
        about(
            "Census",
            "file",
            "table region, residents: people are scaled to it, region by region",
            example="census.csv",
            file=True,
        ),
    ] = None
    share: Annotated[
        Text,
        one_of("centre", "exact"),
        about(
            "Cells on a border",
            "centre or exact",
            "whose people of a raster are, unit by unit: the unit's of the cell's centre, or shared by the exact area",
            example="centre",
        ),
    ] = "centre"
    encoding: Annotated[EncodingText | None, ENCODING] = None

    @property
    def is_raster(self) -> bool:
        """Whether the people come as a raster."""
        return PurePosixPath(self.path).suffix.lower() in RASTER_SUFFIXES

    @model_validator(mode="after")
    def _points_have_a_crs(self) -> PeopleSection:
        if self.crs is None and is_table(self.path):
            raise wrong(
                "crs is missing: points of a table need their coordinate system, and there is no default",
                'Write crs = "EPSG:4326" (GPS, OpenStreetMap), "gcj02" (Gaode), "bd09" (Baidu) or another code, such as "EPSG:4490".',
                key="crs",
            )
        return self

    @model_validator(mode="after")
    def _points_have_no_shares(self) -> PeopleSection:
        if self.share == "exact" and not self.is_raster:
            raise wrong(
                'share is "exact": cells of a raster have shares, and these people are points',
                'Leave it out, or write share = "centre".',
                key="share",
            )
        return self


class LinesSection(Section):
    """Roads, railways, waterways."""

    path: Annotated[
        Text,
        about("Lines", "file", "lines, formats as for parcels", example="lines.gpkg", file=True),
    ]
    layer: Annotated[
        Text | None,
        about("Layer", "layer", "layer of the file; default: its only one", example="lines"),
    ] = None
    class_: Annotated[
        Text,
        about(
            "Class",
            "column",
            "column with the class: motorway ... residential, rail, waterway",
            example="class",
            alias="class",
        ),
    ] = "class"
    class_weights: Annotated[
        Text | None,
        about(
            "Class weights",
            "file",
            "table class, weight, mode; default: that of the package, vehicles a day of typical traffic",
            example="classes.csv",
            file=True,
        ),
    ] = None
    weight: Annotated[
        Text | None,
        about(
            "Weight",
            "column",
            "column with what a line counts instead of its class's weight, such as vehicles a day; blank: its class's; a class of weight 0 stays at 0",
            example="vehicles",
        ),
    ] = None
    lambda_: Annotated[
        float,
        Field(ge=0, le=1),
        about(
            "Share of the correction",
            "1",
            "how far transport POIs correct a road's length: 0 not at all, 1 in full",
            example=0.5,
            alias="lambda",
        ),
    ] = 0.5
    dual: Annotated[
        Text,
        about(
            "Dual carriageway",
            "column",
            "column that is true where the line is one carriageway of two; the default is used if it is there, another one must be",
            example="dual",
        ),
    ] = "dual"
    encoding: Annotated[EncodingText | None, ENCODING] = None
