"""The schema: what CASE.md documents is accepted, with its defaults, and described."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from carbongrid.case import Case
from carbongrid.case.fields import facts_of
from carbongrid.case.land import divisors_near
from carbongrid.case.schema import keys_of, sections
from carbongrid.errors import InputError

WHOLE = """
title = "A city like Suzhou"
year = 2020
reference = "all"
reduce = "cells"
electricity = "both"

[grid]
crs = "EPSG:4528"
resolution = 10
coarse = 1000

[parcels]
path = "parcels.gpkg"
layer = "DLTB"
id = "BSM"
land_use = "DLBM"
code_system = "tdland3"
area_field = "TBDLMJ"
unit_field = "ZLDWDM"
overlap = "error"
repair = false

[units]
path = "townships.gpkg"
id = "code"
name = "name_zh"
name_en = "name_en"
parents = ["district"]
water = "ledger"

[pois]
path = "pois.csv"
x = "lon"
y = "lat"
crs = "gcj02"
type = "typecode"
crosswalk = "gaode"
miss = "nearest"

[people]
path = "people.csv"
x = "lon"
y = "lat"
crs = "gcj02"
count = "residents"
census = "census.csv"

[lines]
path = "lines.gpkg"
class = "class"
class_weights = "classes.csv"
lambda = 0.5

[totals]
path = "totals.csv"

[facilities]
path = "facilities.csv"

[gdp]
path = "gdp.csv"
by = "unit"
currency = "1e8 CNY"

[categories]
path = "categories.csv"

[benchmark]
name = "CEADs 2019"
total = "231.2 Mt CO2"

[allow]
unallocated = []
fallback = []
"""

SHORT = """
year = 2020
[parcels]
path = "parcels.gpkg"
code_system = "tdland3"
[units]
path = "townships.gpkg"
[totals]
path = "totals.csv"
"""


def of(text: str) -> Case:
    return Case.of(tomllib.loads(text), "case.toml")


def test_the_documented_case_is_read():
    case = of(WHOLE)
    assert (case.title, case.year, case.electricity) == ("A city like Suzhou", 2020, "both")
    assert case.parcels.id == ("BSM",)
    assert case.units.parents == ("district",)
    assert case.lines is not None and (case.lines.class_, case.lines.lambda_) == ("class", 0.5)
    assert case.benchmark is not None and case.benchmark.total == "231.2 Mt CO2"


def test_a_title_is_of_whole_characters():
    """Seen to end a run that a program made in its second step, as a fault of the package."""
    with pytest.raises(InputError, match="title: expected text without control characters"):
        Case.of({**tomllib.loads(WHOLE), "title": "a\ud800"}, "case.toml")


def test_every_other_key_has_the_documented_default():
    short, whole = of(SHORT), of(WHOLE)
    assert (short.reference, short.reduce, short.electricity, short.basis) == (
        "all",
        "cells",
        None,
        "gross",
    )
    assert not short.allow_outside
    assert short.grid.crs is None
    assert (short.grid.resolution, short.grid.coarse) == (whole.grid.resolution, whole.grid.coarse)
    for key in ("id", "land_use", "overlap", "repair"):
        assert getattr(short.parcels, key) == getattr(whole.parcels, key)
    assert (short.units.id, short.units.water, short.units.parents) == ("code", "ledger", ())
    for section in (
        "pois",
        "people",
        "lines",
        "inventory",
        "facilities",
        "gdp",
        "categories",
        "benchmark",
    ):
        assert getattr(short, section) is None
    evidence = (
        '\n[pois]\npath = "p.csv"\ncrs = "bd09"\n[people]\npath = "q.csv"\ncrs = "EPSG:4490"\n'
    )
    filled = of(SHORT + evidence + '[lines]\npath = "l.gpkg"\n[gdp]\npath = "g.csv"\n')
    for section, keys in {
        "pois": ("x", "y", "type", "crosswalk", "miss"),
        "people": ("x", "y", "count"),
        "lines": ("class_", "lambda_"),
        "gdp": ("by", "currency"),
    }.items():
        for key in keys:
            assert getattr(getattr(filled, section), key) == getattr(getattr(whole, section), key)


def test_every_field_has_title_unit_description_and_example():
    models = [Case, *sections().values()]
    assert len(models) == 17
    for model in models:
        for key, field in keys_of(model).items():
            assert field.title and field.description, key
            assert facts_of(field)["unit"], key
            assert not field.description.endswith("."), key
            assert facts_of(field)["unit"] == "section" or facts_of(field)["example"] is not None, (
                key
            )


def test_a_case_is_frozen_and_travels():
    case = of(WHOLE)
    with pytest.raises(ValidationError, match="frozen"):
        case.year = 2021  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(case)) == case
    assert pickle.loads(pickle.dumps(case)).path == case.path == Path.cwd() / "case.toml"


def test_id_may_be_several_columns():
    assert of(SHORT.replace("code_system", 'id = ["county", "BSM"]\ncode_system')).parcels.id == (
        "county",
        "BSM",
    )


def test_people_may_be_a_raster_without_crs():
    people = of(SHORT + '[people]\npath = "people.tif"\n').people
    assert people is not None and people.is_raster


def test_files_that_a_case_names():
    named = dict(of(WHOLE).named_files())
    assert named["[people] census"] == "census.csv"
    assert named["[lines] class_weights"] == "classes.csv"
    assert "[parcels] code_system" not in named and "[units] water" not in named
    mine = SHORT.replace('"tdland3"', '"mine.csv"').replace(
        "[totals]", 'water = "shares.csv"\n[totals]'
    )
    assert {"mine.csv", "shares.csv"} <= set(dict(of(mine).named_files()).values())


@pytest.mark.parametrize(
    ("resolution", "coarse", "near"),
    [
        (30, 1000, [25, 40]),
        (3, 1000, [2.5, 4]),
        (7, 100, [5, 10]),
        (2000, 1000, [1000]),
        (0.01, 1000, [0.008, 0.0125]),
        (0.03, 0.04, [0.02, 0.04]),
        (7, 1e9, [5, 8]),
        (33, 333.3, [0.3, 333.3]),
        (7e-9, 1e9, [5e-9, 8e-9]),
    ],
)
def test_nearest_resolutions_divide(resolution, coarse, near):
    assert divisors_near(resolution, coarse) == near


@pytest.mark.parametrize("resolution", [0.1, 0.5, 2.5, 10, 12.5, 40, 1000])
def test_resolutions_that_divide(resolution):
    assert of(SHORT + f"[grid]\nresolution = {resolution}\n").grid.resolution == resolution
