"""Sections of a case that bring figures: totals, facilities, GDP, categories, what is allowed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from carbongrid.case.fields import ENCODING, Section, about
from carbongrid.case.values import (
    CurrencyText,
    EncodingText,
    MassText,
    Text,
    Texts,
    one_of,
    one_of_or_table,
)
from carbongrid.inventory.sink_sets import sink_sets


class TotalsSection(Section):
    """Mass per category, and per region where it is known."""

    path: Annotated[
        Text,
        about(
            "Totals",
            "file",
            "CSV or XLSX: category, value, unit; region, place, year, source, uncertainty if you like",
            example="totals.csv",
            file=True,
        ),
    ]
    encoding: Annotated[EncodingText | None, ENCODING] = None


class InventorySection(Section):
    """Activity data from which totals are formed."""

    path: Annotated[
        Text,
        about(
            "Activity data",
            "file",
            "filled template, XLSX, or a folder of CSV files; see docs/inventory.md",
            example="inventory.xlsx",
            file=True,
        ),
    ]
    gwp: Annotated[
        str,
        one_of("AR4", "AR5", "AR6"),
        about(
            "GWP set", "word", "global warming potentials, 100 years: AR4, AR5, AR6", example="AR5"
        ),
    ] = "AR5"
    sinks: Annotated[
        str,
        one_of_or_table(*sink_sets()),
        about(
            "Sinks",
            "word or file",
            "which land and crops count: ipcc: land only; balanced: land, and water with its methane; study: land, water and crops, as the study; or a CSV activity, products, source",
            example="ipcc",
            file=True,
        ),
    ] = "ipcc"


class FacilitiesSection(Section):
    """Emitters known by name and coordinates; taken off their category's total."""

    path: Annotated[
        Text,
        about(
            "Facilities",
            "file",
            "table name, category; value and unit, share, or capacity; x, y, crs",
            example="facilities.csv",
            file=True,
        ),
    ]
    encoding: Annotated[EncodingText | None, ENCODING] = None


class GdpSection(Section):
    """GDP, without which there is no ECC and no zone."""

    path: Annotated[
        Text,
        about(
            "GDP",
            "file",
            "table region, value; or region, primary, secondary, tertiary for a parent",
            example="gdp.csv",
            file=True,
        ),
    ]
    by: Annotated[
        Text,
        about(
            "Level",
            "word or column",
            "unit, or a parent column: then spread over its units by industry",
            example="unit",
        ),
    ] = "unit"
    currency: Annotated[
        CurrencyText,
        about("Currency", "currency", "what one in the table is worth", example="1e8 CNY"),
    ] = "1e8 CNY"
    encoding: Annotated[EncodingText | None, ENCODING] = None


class CategoriesSection(Section):
    """Categories of your own."""

    path: Annotated[
        Text,
        about(
            "Categories",
            "file",
            "table whose rows replace or add to the package's, by category",
            example="categories.csv",
            file=True,
        ),
    ]
    encoding: Annotated[EncodingText | None, ENCODING] = None


class BenchmarkSection(Section):
    """A published total to compare with; nothing is scaled to it."""

    name: Annotated[
        Text, about("Name", "text", "who published it, and for when", example="CEADs 2019")
    ]
    total: Annotated[
        MassText,
        about("Total", "mass", "the total with its unit", example="231.2 Mt CO2"),
    ]
    year: Annotated[
        int | None,
        Field(ge=1800, le=2200),
        about("Year", "year", "year of the total", example=2019),
    ] = None
    source: Annotated[
        str, about("Source", "text", "where it is published", example="CEADs city inventories")
    ] = ""
    scope: Annotated[
        str,
        about(
            "Scope",
            "text",
            "what it counts otherwise than this case",
            example="CO2 only, of energy and processes",
        ),
    ] = ""


class UncertaintySection(Section):
    """How uncertain numbers are; a run and ``carbongrid probability`` draw them."""

    draws: Annotated[
        int | None,
        Field(ge=0, le=100_000),
        about(
            "Draws",
            "whole number",
            "how often a run draws its numbers to tell how sure zones are; 0: not at all; default: 1000, and 0 above 100,000 parcels",
            example=1000,
        ),
    ] = None
    path: Annotated[
        Text | None,
        about(
            "Uncertainty",
            "file",
            "table source, of; percent, sigma, tau, group, basis, origin if you like; its rows come before those of the package",
            example="uncertainty.csv",
            file=True,
        ),
    ] = None
    encoding: Annotated[EncodingText | None, ENCODING] = None


class ReportSection(Section):
    """What the report says beside the numbers."""

    guidance: Annotated[
        Text | None,
        about(
            "Guidance",
            "file",
            "table zone, topic_en, topic_zh, text_en, text_zh, on_sinks; a zone in it has these rows instead of the package's",
            example="guidance.csv",
            file=True,
        ),
    ] = None


class AllowSection(Section):
    """What would otherwise stop the run, by category."""

    unallocated: Annotated[
        Texts,
        about(
            "Unallocated",
            "categories",
            "may leave more than 1 % of their mass unallocated",
            example=["waste/industrial"],
        ),
    ] = ()
    fallback: Annotated[
        Texts,
        about(
            "Fallback",
            "categories",
            "may place more than 5 % of their mass by a fallback",
            example=["buildings/public-services"],
        ),
    ] = ()
    lost: Annotated[
        Texts,
        about(
            "Lost evidence",
            "categories",
            "may lose more than 50 % of their evidence: of their POIs, people or lines",
            example=["industry/supply"],
        ),
    ] = ()
    outside: Annotated[
        Texts,
        about(
            "Outside",
            "categories",
            "may have more than 5 % of their mass on parcels outside every unit",
            example=["sink/forest"],
        ),
    ] = ()
