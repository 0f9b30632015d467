"""The picture of the parcels in the report: each dot has the colour of the parcel that covers its centre."""

from __future__ import annotations

import base64
import dataclasses
import io
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor
from tables_example import CRS, SOUTH, WEST

from carbongrid.outputs.report import base_map
from carbongrid.outputs.report import parcel_picture as pictures
from carbongrid.outputs.report.base_map import BaseMap, draw_base_map
from carbongrid.outputs.report.parcel_picture import ParcelPicture, parcel_picture

SIDE = 500.0


def dots_of(picture: ParcelPicture) -> np.ndarray:
    """Red, green, blue and opacity, as a browser shows them."""
    kind, text = picture.png.split(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        return np.asarray(image.convert("RGBA"))


def land_of(grams: list[int]) -> gpd.GeoDataFrame:
    """Parcels in a row, of which every third is as high as two."""
    boxes = [
        shapely.box(WEST + SIDE * i, SOUTH, WEST + SIDE * (i + 1), SOUTH + SIDE * (2 - (i % 3 > 0)))
        for i in range(len(grams))
    ]
    frame = gpd.GeoDataFrame({"emission_g": np.array(grams, np.int64)}, geometry=boxes, crs=CRS)
    return frame.assign(area_m2=frame.area, type="", mode="")


def base_of(land: gpd.GeoDataFrame) -> BaseMap:
    """The land as units and parcels."""
    return draw_base_map(land, land, ())


@given(st.lists(st.sampled_from([0, 1, 10**9, 10**11, 3 * 10**12]), min_size=1, max_size=9))
@settings(max_examples=20)
def test_each_dot_is_of_the_parcel_at_its_centre(grams):
    land = land_of(grams)
    base = base_of(land)
    picture, drawing = parcel_picture(land, base), base.zones
    if not any(grams):
        assert picture is None
        return
    assert sum(entry.count for entry in picture.entries) == len(grams)
    dots = dots_of(picture)
    height, width = dots.shape[:2]
    random = np.random.default_rng(len(grams))
    colours = {}
    for row, column in zip(random.integers(0, height, 60), random.integers(0, width, 60), strict=True):  # fmt: skip
        x = drawing.west + (picture.left + (column + 0.5) * picture.width / width) * drawing.metres
        y = drawing.north - (picture.top + (row + 0.5) * picture.height / height) * drawing.metres
        at = np.flatnonzero(land.covers(shapely.Point(x, y)))
        red, green, blue, opacity = dots[row, column].tolist()
        assert opacity == (255 if at.size else 0)
        for parcel in at:
            density = grams[parcel] / land["area_m2"].iloc[parcel]
            colours.setdefault((red, green, blue), set()).add(float(density))
    legend = [ImageColor.getrgb(entry.colour) for entry in picture.entries]
    assert colours.keys() <= set(legend)
    # From the highest class to the lowest, and no density in two of them.
    seen = [colours[colour] for colour in legend if colour in colours]
    for higher, lower in pairwise(seen):
        assert min(higher) > max(lower)


def test_a_picture_that_would_be_too_large_has_larger_dots():
    land = land_of([10**9, 10**12, 0, 5, 10**11])
    fine = parcel_picture(land, base_of(land))
    coarse = parcel_picture(land, base_of(land), len(fine.png) - 1)
    assert len(coarse.png) < len(fine.png)
    assert dots_of(coarse).shape[1] < dots_of(fine).shape[1]
    assert coarse.entries == fine.entries
    assert coarse.width == pytest.approx(fine.width, abs=4)


@pytest.mark.parametrize(
    "known", [0, 3, *(pytest.param(each, marks=pytest.mark.thorough) for each in (1, 2))]
)
def test_the_picture_is_the_same_whatever_sizes_are_known(known):
    """Of a base map that a run kept, and beyond its sizes."""
    land = land_of([10**9, 10**12, 0, 5, 10**11])
    base, whole = base_of(land), len(parcel_picture(land, base_of(land)).png)
    assert len(base.dots) == 3
    fewer = dataclasses.replace(base, dots=base.dots[:known])
    sizes = set()
    for room in range(whole, 200, -160):
        found = parcel_picture(land, fewer, room)
        assert found == parcel_picture(land, base, room)
        sizes.add(dots_of(found).shape)
    assert len(sizes) > 3


@pytest.mark.parametrize(("grams", "unit", "factor"), [(20 * 10**6, "吨", 1.0), (10**9, "万吨", 1e-4)])  # fmt: skip
def test_parcels_of_a_tiny_place_are_told_in_tonnes(grams: int, unit: str, factor: float):
    """Seen: a legend of ``0.000000188 – 0.0000100 万吨``; a parcel is of half a square kilometre here."""
    land = land_of([grams])
    picture = parcel_picture(land, base_of(land))
    assert picture.unit_zh == f"{unit} CO₂e/km²·年"
    (only,) = picture.entries
    density = float(only.text_en.replace(",", ""))
    assert float(only.text_zh) == pytest.approx(density * factor)


def test_where_the_second_size_is_too_large_no_outline_is_read(monkeypatch):
    """Of another year with more classes. Seen to fail with two sizes kept: a million parcels were read, and burnt, again."""
    land = land_of([10**9, 10**12, 0, 5, 10**11])
    base = base_of(land)
    monkeypatch.setattr(base_map, "_burnt", lambda *_: pytest.fail("outlines are read"))
    alone = [dataclasses.replace(base, dots=(dots,)) for dots in base.dots]
    sizes = [len(parcel_picture(land, each).png) for each in alone]
    assert sizes[0] > sizes[1] > sizes[2]
    for dots, room in zip(base.dots, sizes, strict=True):
        assert dots_of(parcel_picture(land, base, room)).shape[:2] == dots.parcel.shape


def test_land_that_is_stated_to_have_no_area_is_coloured_by_its_outline():
    """Seen to fail: a works whose table says 0 m2 was grey, and where nothing else emitted there was no report."""
    land = land_of([10**12, 0]).assign(area_m2=[0.0, 1.0])
    picture = parcel_picture(land, base_of(land))
    assert [(each.text_en, each.count) for each in picture.entries][-1] == ("none", 1)
    assert len(picture.entries) == 2


@pytest.mark.parametrize("patch", [1, 3, 10, 40, 200])
def test_the_picture_is_as_small_as_a_thorough_search_makes_it(patch):
    """But for one part in a hundred. Seen to fail for large patches when only quick ways are tried, and for small ones when only a thorough one is."""
    rng = np.random.default_rng(patch)
    side = -(-400 // patch)
    small = rng.choice(7, (side, side), p=[0.02, 0.3, 0.25, 0.2, 0.13, 0.07, 0.03])
    pixels = np.repeat(np.repeat(small, patch, 0), patch, 1)[:400, :400].astype(np.uint8)
    pixels = np.stack([np.roll(row, shift) for row, shift in zip(pixels, rng.integers(0, 3, 400).cumsum() // 4, strict=True)])  # fmt: skip
    colours = [f"#{i:02x}{i:02x}{i:02x}" for i in range(7)]
    packed = pictures._png(pixels, colours)
    image = Image.fromarray(pixels, "P")
    image.putpalette([value for i in range(8) for value in (i, i, i)])
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True, transparency=0, bits=4)
    assert len(packed) <= 1.01 * len(stream.getvalue())
    with Image.open(io.BytesIO(packed)) as back:
        assert np.array_equal(np.asarray(back), pixels)


@pytest.mark.parametrize("centre", [True, False])
def test_a_picture_is_small_whatever_its_centre_is_like(centre):
    """Seen to fail: of a city of noise between repeated fields, of which the middle alone was looked at, the picture was ten times as large."""
    rng = np.random.default_rng(1)
    noise = rng.choice(7, (1000, 800), p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.02])
    tile = rng.choice(7, (10, 50))
    repeated = np.tile(tile, (100, 16))
    inner = np.zeros(1000, bool)
    inner[440:560] = True
    pixels = np.where((inner == centre)[:, None], noise, repeated).astype(np.uint8)
    colours = [f"#{i:02x}{i:02x}{i:02x}" for i in range(7)]
    packed = len(pictures._png(pixels, colours))
    image = Image.fromarray(pixels, "P")
    image.putpalette([value for i in range(8) for value in (i, i, i)])
    sizes = []
    for how in ({"compress_type": 0}, {"compress_type": 2}, {"compress_type": 3}, {"optimize": True}):  # fmt: skip
        stream = io.BytesIO()
        image.save(stream, "PNG", transparency=0, bits=4, **how)
        sizes.append(len(stream.getvalue()))
    assert packed <= 1.02 * min(sizes)
