"""Sections of a case that describe the land: grids, parcels, units."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated

from pydantic import Field, model_validator

from carbongrid.case.fields import ENCODING, Section, about
from carbongrid.case.values import (
    EncodingText,
    MetricCrs,
    Text,
    Texts,
    one_of,
    one_of_or_table,
    wrong,
)
from carbongrid.method.landuse import SYSTEMS

_ROUND = ("1", "1.25", "1.5", "2", "2.5", "3", "4", "5", "6", "7.5", "8")
_DECADES = 6


def divisors_near(resolution: float, coarse: float) -> list[float]:
    """Return the round lengths next below and above the resolution that divide the coarse cell, or the coarse cell itself.

    What is sought does not grow with the lengths: some six powers of ten are tried, never every divisor.
    """
    whole, first = Fraction(repr(coarse)), math.floor(math.log10(min(resolution, coarse)))
    powers = range(first - _DECADES, first + 2)
    tried = [Fraction(number) * Fraction(10) ** power for number in _ROUND for power in powers]
    lengths = [float(each) for each in (*tried, whole) if (whole / each).denominator == 1]
    below = [length for length in lengths if length < resolution]
    above = [length for length in lengths if length > resolution]
    return [*([max(below)] if below else []), *([min(above)] if above else [])]


def _divides(resolution: float, coarse: float) -> bool:
    """Tell whether a length divides another one as they are written."""
    return (Fraction(repr(coarse)) / Fraction(repr(resolution))).denominator == 1


class GridSection(Section):
    """The fine grid and the coarse one, which share a plane."""

    crs: Annotated[
        MetricCrs | None,
        about(
            "Plane of the grids",
            "CRS",
            "projected CRS in metres; default: equal-area, centred on the data",
            example="EPSG:4528",
        ),
    ] = None
    resolution: Annotated[
        float,
        Field(gt=0),
        about("Fine cell", "m", "side of a cell of the fine grid; divides coarse", example=10),
    ] = 10.0
    coarse: Annotated[
        float,
        Field(gt=0),
        about("Coarse cell", "m", "side of a cell of the intensity grid", example=1000),
    ] = 1000.0
    labels: Annotated[
        bool,
        about(
            "Labels",
            "true or false",
            "keep which parcel and unit each fine cell belongs to, in labels.zarr; true where a category weighs by a raster",
            example=True,
        ),
    ] = False

    @model_validator(mode="after")
    def _resolution_divides_coarse(self) -> GridSection:
        if not _divides(self.resolution, self.coarse):
            near = " or ".join(
                f"{length:.15g}" for length in divisors_near(self.resolution, self.coarse)
            )
            raise wrong(
                f"a resolution of {self.resolution:g} m does not divide the coarse cell of "
                f"{self.coarse:g} m",
                f"The nearest that do: {near} m.",
                key="resolution",
            )
        return self


class ParcelsSection(Section):
    """The land-use parcels that carry everything."""

    path: Annotated[
        Text,
        about(
            "Parcels",
            "file",
            "polygons: GeoPackage, File Geodatabase, GeoJSON, FlatGeobuf, Shapefile, GeoParquet",
            example="parcels.gpkg",
            file=True,
        ),
    ]
    layer: Annotated[
        Text | None,
        about("Layer", "layer", "layer of the file; default: its only one", example="DLTB"),
    ] = None
    id: Annotated[
        Texts,
        Field(min_length=1),
        about(
            "Parcel id",
            "column",
            'column with the id, or a list of columns that make it together: ["county", "BSM"]',
            example="BSM",
        ),
    ] = ("BSM",)
    land_use: Annotated[
        Text, about("Land use", "column", "column with the land-use code", example="DLBM")
    ] = "DLBM"
    code_system: Annotated[
        Text,
        one_of_or_table(*SYSTEMS),
        about(
            "Code system",
            "word or file",
            f"what the codes mean, no default: {', '.join(SYSTEMS)}, or a CSV of your own",
            example="tdland3",
            file=True,
        ),
    ]
    area_field: Annotated[
        Text | None,
        about(
            "Area",
            "column, m2",
            "column with the surveyed area; default: geodesic area of the polygon",
            example="TBDLMJ",
        ),
    ] = None
    unit_field: Annotated[
        Text | None,
        about(
            "Surveyed unit",
            "column",
            "column with a unit's code, reported beside the overlay and never used instead",
            example="ZLDWDM",
        ),
    ] = None
    overlap: Annotated[
        str,
        one_of("error", "priority"),
        about(
            "Overlapping parcels",
            "word",
            "error, or priority: cut to a partition by a priority of types, smaller on top",
            example="error",
        ),
    ] = "error"
    repair: Annotated[
        bool,
        about(
            "Repair",
            "true or false",
            "whether invalid polygons are mended, and the change of area reported",
            example=False,
        ),
    ] = False
    encoding: Annotated[EncodingText | None, ENCODING] = None


class UnitsSection(Section):
    """The administrative units that the mass is added up over."""

    path: Annotated[
        Text,
        about(
            "Units",
            "file",
            "polygons of the units (townships), formats as for parcels",
            example="townships.gpkg",
            file=True,
        ),
    ]
    layer: Annotated[
        Text | None,
        about("Layer", "layer", "layer of the file; default: its only one", example="townships"),
    ] = None
    id: Annotated[
        Text, about("Unit code", "column", "column with the unit's code", example="code")
    ] = "code"
    name: Annotated[
        Text | None,
        about("Name", "column", "column with the name; default: the code", example="name_zh"),
    ] = None
    name_en: Annotated[
        Text | None,
        about("English name", "column", "column with the name in English", example="name_en"),
    ] = None
    parents: Annotated[
        Texts,
        about(
            "Parents",
            "columns",
            "columns with the codes of higher levels (districts), nearest first",
            example=["district"],
        ),
    ] = ()
    parent_names: Annotated[
        Texts,
        about(
            "Parents' names",
            "columns",
            "columns with the names of those levels, in their order; report and figure 1 show names instead of codes",
            example=["district_zh"],
        ),
    ] = ()
    parent_names_en: Annotated[
        Texts,
        about(
            "Parents' English names",
            "columns",
            "columns with those names in English, in the same order",
            example=["district_en"],
        ),
    ] = ()
    water: Annotated[
        Text,
        one_of_or_table("ledger", "nearest"),
        about(
            "Water in no unit",
            "word or file",
            "ledger: reported; nearest: to the nearest unit; or a CSV unit, share",
            example="ledger",
            file=True,
        ),
    ] = "ledger"
    old_codes: Annotated[
        Text | None,
        about(
            "Old codes",
            "file",
            "CSV old, new: codes of merged units in the statistics, and the codes of today",
            example="old_codes.csv",
            file=True,
        ),
    ] = None
    encoding: Annotated[EncodingText | None, ENCODING] = None


class SurroundingsSection(Section):
    """Polygons around the units, among which Fig. 1 shows their place; nothing is computed from them."""

    path: Annotated[
        Text,
        about(
            "Surroundings",
            "file",
            "polygons of the region that the units lie in (prefectures, provinces), formats as for parcels",
            example="prefectures.gpkg",
            file=True,
        ),
    ]
    layer: Annotated[
        Text | None,
        about("Layer", "layer", "layer of the file; default: its only one", example="prefectures"),
    ] = None
    name: Annotated[
        Text | None,
        about("Name", "column", "column with the names that the map shows", example="name"),
    ] = None
    encoding: Annotated[EncodingText | None, ENCODING] = None
