"""The picture of the parcels in the report: each dot has the colour of the parcel that covers its centre."""

from __future__ import annotations

import base64
import io
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor
from shapes import held_as_coordinates
from tables_example import CRS, SOUTH, WEST

from carbongrid.outputs.report import parcel_picture as pictures
from carbongrid.outputs.report.drawings import zone_map
from carbongrid.outputs.report.parcel_picture import ParcelPicture, parcel_picture
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import burn_window
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.row_blocks import row_blocks

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
    return frame.assign(area_m2=frame.area)


@given(st.lists(st.sampled_from([0, 1, 10**9, 10**11, 3 * 10**12]), min_size=1, max_size=9))
@settings(max_examples=20)
def test_each_dot_is_of_the_parcel_at_its_centre(grams):
    land = land_of(grams)
    drawing = zone_map(land, None)
    picture = parcel_picture(land, drawing)
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


coordinates = st.tuples(st.integers(-40, 80), st.integers(-40, 80))


@given(st.lists(st.tuples(coordinates, st.integers(0, 50), st.integers(1, 50)), max_size=12), st.integers(1, 5))  # fmt: skip
@settings(max_examples=50)
def test_blocks_are_burnt_where_their_parcels_lie(boxes, rows):
    """Beyond the edge and without any polygon, too. Seen to fail where a window begins two cells late."""
    made = [shapely.box(x / 4, y / 4, (x + width) / 4, (y + height) / 4) for (x, y), width, height in boxes]  # fmt: skip
    shapes = np.array([shapely.Polygon(), *made], dtype=object)
    places = np.arange(len(shapes)) % 7 + 1
    grids = [Grid(CRS, side, (0.0, 0.0, 12.0, 9.0)) for side in (0.5, 1.0)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "row_blocks", lambda size: row_blocks(size, rows))
        found = pictures._burnt(gpd.GeoDataFrame(geometry=shapes), places, grids)
    for pixels, grid in zip(found, grids, strict=True):
        whole = burn_window(Polygons.of(shapes), grid, (0, 0), grid.shape, places)
        np.testing.assert_array_equal(pixels, whole)


def test_a_picture_that_would_be_too_large_has_larger_dots():
    land = land_of([10**9, 10**12, 0, 5, 10**11])
    fine = parcel_picture(land, zone_map(land, None))
    coarse = parcel_picture(land, zone_map(land, None), len(fine.png) - 1)
    assert len(coarse.png) < len(fine.png)
    assert dots_of(coarse).shape[1] < dots_of(fine).shape[1]
    assert coarse.entries == fine.entries
    assert coarse.width == pytest.approx(fine.width, abs=4)


def test_land_that_is_stated_to_have_no_area_is_coloured_by_its_outline():
    """Seen to fail: a works whose table says 0 m2 was grey, and where nothing else emitted there was no report."""
    land = land_of([10**12, 0]).assign(area_m2=[0.0, 1.0])
    picture = parcel_picture(land, zone_map(land, None))
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


def test_a_parcel_of_a_later_block_covers_an_earlier_one(monkeypatch):
    """And blocks are put together in their order. Seen to fail when the earlier one stays."""
    land = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 4, 4), shapely.box(2, 0, 4, 2), shapely.box(3, 0, 4, 4)])  # fmt: skip
    grid = pictures.Grid("EPSG:3035", 1, (0, 0, 4, 4))
    [whole] = pictures._burnt(land, np.array([1, 2, 3]), [grid])
    monkeypatch.setattr(pictures, "row_blocks", lambda size: [slice(i, i + 1) for i in range(size)])
    [parts] = pictures._burnt(land, np.array([1, 2, 3]), [grid])
    held = gpd.GeoDataFrame(geometry=held_as_coordinates(land.geometry.to_numpy().copy(), None))
    assert pictures._burnt(held, np.array([1, 2, 3]), [grid])[0].tolist() == parts.tolist()
    assert parts.tolist() == whole.tolist() == [[1, 1, 1, 3], [1, 1, 1, 3], [1, 1, 2, 3], [1, 1, 2, 3]]  # fmt: skip
