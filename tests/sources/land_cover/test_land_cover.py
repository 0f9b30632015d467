"""A land-cover raster becomes parcels: cell by cell, as a loop over cells says, and a case that runs."""

from __future__ import annotations

import collections
import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from data import ROOT
from raster_files import NORTH, STEP, WEST, raster_of
from rasterio.transform import from_origin

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.method.landuse import carrying_types, packaged_table, read_code_system
from carbongrid.raster.opening.dates import WRITTEN
from carbongrid.sources.land_cover import parcels as land_cover
from carbongrid.sources.land_cover import read_land_cover, write_land_cover

CODES = np.array([10, 30, 40, 50, 80], np.uint8)


def town(rows, columns, seed=0):
    """Codes in blotches of some cells, with specks and cells without data."""
    rng = np.random.default_rng(seed)
    coarse = CODES[rng.integers(0, len(CODES), (rows // 7 + 1, columns // 5 + 1))]
    codes = np.repeat(np.repeat(coarse, 7, axis=0), 5, axis=1)[:rows, :columns].copy()
    specks = rng.random(codes.shape) < 0.05
    codes[specks] = CODES[rng.integers(0, len(CODES), specks.sum())]
    codes[rng.random(codes.shape) < 0.02] = 0
    return codes


def units_in(path, rows, columns, *, crs="EPSG:4326"):
    """Two crooked units with a gap between them, that leave a rim of the raster out."""

    def place(corners):
        return [(WEST + x * columns * STEP, NORTH - y * rows * STEP) for x, y in corners]

    halves = [
        place([(0.08, 0.1), (0.5, 0.05), (0.46, 0.9), (0.1, 0.93)]),
        place([(0.52, 0.05), (0.93, 0.12), (0.95, 0.88), (0.5, 0.9)]),
    ]
    frame = gpd.GeoDataFrame(
        {"code": ["1", "2"], "name": ["W", "E"]},
        geometry=[shapely.Polygon(each) for each in halves],
        crs="EPSG:4326",
    ).to_crs(crs)
    frame.to_file(path, layer="units", engine="pyogrio")
    return path


def as_a_loop(codes, units, side):
    """Cells of each parcel by its id: a cell counts if its centre lies in a unit."""
    inside = units.to_crs("EPSG:4326").union_all()
    cells = collections.Counter()
    for row in range(codes.shape[0]):
        for column in range(codes.shape[1]):
            x, y = WEST + (column + 0.5) * STEP, NORTH - (row + 0.5) * STEP
            if codes[row, column] and shapely.contains_xy(inside, x, y):
                cells[f"r{row // side}c{column // side}-{codes[row, column]}"] += 1
    return cells


@pytest.mark.parametrize(("side", "most"), [(8, 10**9), (8, 1), (13, 600), (1, 500), (1000, 1)])
def test_parcels_have_the_cells_of_a_loop(tmp_path, monkeypatch, side, most):
    """In one band or in many, with squares of one cell and with one square."""
    monkeypatch.setattr(land_cover, "_MAX_CELLS", most)
    codes = town(53, 61)
    raster = raster_of(tmp_path / "cover.tif", codes)
    units = units_in(tmp_path / "units.gpkg", 53, 61)
    cover = read_land_cover(raster, units, codes="worldcover", side=side)
    expected = as_a_loop(codes, gpd.read_file(units), side)
    found = pd.Series(
        shapely.area(cover.parcels.geometry.to_numpy()) / STEP**2, cover.parcels["id"]
    )
    assert found.round(3).to_dict() == pytest.approx(dict(expected))
    assert cover.cells == sum(expected.values())
    assert cover.codes["cells"].sum() == cover.cells
    assert cover.codes["parcels"].sum() == len(cover.parcels)
    assert (cover.parcels["id"].str.partition("-")[2] == cover.parcels["code"]).all()
    assert shapely.coverage_is_valid(cover.parcels.geometry.to_numpy())
    assert shapely.coverage_is_valid(cover.parcels.to_crs("EPSG:3035").geometry.to_numpy())


PLACES = {
    "the valley of Fresno": ("nlcd", "EPSG:5070", (-2_100_000, 1_750_000), 30, [11, 21, 22, 23, 24, 52, 71, 81, 82]),
    "the bay of Anchorage": ("nlcd", "EPSG:3338", (220_000, 1_260_000), 30, [11, 12, 22, 31, 51, 72, 73, 74, 95]),
    "the woods of Georgia": ("nlcd", "EPSG:5070", (1_100_000, 1_230_000), 30, [21, 24, 41, 42, 43, 82, 90]),
    "Lyon in 2015": ("glc-fcs30", "EPSG:4326", (4.8, 45.8), 1 / 3600, [10, 12, 60, 90, 130, 180, 190, 210]),
    "Wuhan in 2020": ("glc-fcs30", "EPSG:4326", (114.3, 30.6), 1 / 3600, [20, 52, 92, 120, 150, 180, 190, 210]),
    "Mombasa in 2022": ("glc-fcs30", "EPSG:4326", (39.6, -4.0), 1 / 3600, [11, 51, 121, 153, 182, 185, 187, 190, 201]),
}  # fmt: skip
"""Made places on the grids on which both are published: NLCD in Albers' projections of 30 m, GLC_FCS30 in degrees."""


@pytest.mark.parametrize(
    "place",
    [place if place in ("the bay of Anchorage", "Mombasa in 2022") else pytest.param(place, marks=pytest.mark.thorough) for place in PLACES],
)  # fmt: skip
def test_a_case_of_a_published_legend_runs(tmp_path, place):
    """From the raster to a run that verifies: every class is known, and manufacturing lies on the settlements alone."""
    name, crs, (west, north), step, classes = PLACES[place]
    blotches = np.random.default_rng(7).permutation(np.resize(np.array(classes, np.uint8), 36))
    codes = np.repeat(np.repeat(blotches.reshape(6, 6), 10, 0), 10, 1)
    raster = raster_of(tmp_path / "cover.tif", codes, crs=crs, transform=from_origin(west, north, step, step))  # fmt: skip
    halves = [shapely.box(west + a * step, north - 60 * step, west + b * step, north) for a, b in ((0, 30), (30, 60))]  # fmt: skip
    units = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=halves, crs=crs)
    units.to_file(tmp_path / "units.gpkg", layer="units", engine="pyogrio")
    cover = read_land_cover(raster, tmp_path / "units.gpkg", codes=name, side=20)
    assert cover.notes == ()
    assert set(cover.codes.index) == {str(code) for code in classes}
    write_land_cover(cover, tmp_path / "parcels.parquet")
    (tmp_path / "totals.csv").write_text(
        "category,value,unit\nindustry/manufacturing,100,kt CO2e\nsink/land,5,kt CO2e\n",
        encoding="utf-8",
    )
    (tmp_path / "categories.csv").write_text(
        "category,weight\nindustry/manufacturing,area\n", encoding="utf-8"
    )
    (tmp_path / "case.toml").write_text(
        'year = 2021\n[grid]\nresolution = 20\ncoarse = 200\n[parcels]\npath = "parcels.parquet"\nid = "id"\nland_use = "code"\n'
        f'code_system = "{name}"\n[units]\npath = "units.gpkg"\nid = "code"\n[totals]\npath = "totals.csv"\n'
        '[categories]\npath = "categories.csv"\n[uncertainty]\ndraws = 20\n',
        encoding="utf-8",
    )
    told = cg.check(tmp_path / "case.toml").problems
    assert not any(each.level == "error" or "are not in" in each.what or "Check code_system" in each.hint for each in told)  # fmt: skip
    result = cg.run(tmp_path / "case.toml", tmp_path / "run")
    assert cg.verify(result.directory).ok
    made = result.parcels.groupby("type")["industry/manufacturing"].sum()
    assert made["settlement"] == made.sum() == 100 * 10**9


def test_ids_stay_where_other_units_are_asked_for(tmp_path):
    codes = town(53, 61)
    raster = raster_of(tmp_path / "cover.tif", codes)
    units = units_in(tmp_path / "units.gpkg", 53, 61, crs="EPSG:3857")
    both = read_land_cover(raster, units, codes="worldcover", side=8).parcels.set_index("id")
    east = tmp_path / "east.gpkg"
    gpd.read_file(units).iloc[1:].to_file(east, layer="units", engine="pyogrio")
    one = read_land_cover(raster, east, codes="worldcover", side=8).parcels.set_index("id")
    assert set(one.index) < set(both.index)
    same = [each for each in one.index if one.geometry[each].equals(both.geometry[each])]
    assert len(same) > 0.8 * len(one)


def test_a_case_of_land_cover_runs_and_verifies(tmp_path, carbongrid):
    """From the raster to zones by commands: settlements carry homes, works and roads alike, and that is said."""
    raster = raster_of(tmp_path / "cover.tif", town(120, 140))
    units = units_in(tmp_path / "units.gpkg", 120, 140)
    done = carbongrid("from-raster", raster, "--units", units, "--codes", "worldcover", "--out", tmp_path / "parcels.parquet", "--side", 20, "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (tmp_path / "totals.csv").write_text(
        "category,value,unit\nindustry/manufacturing,100,kt CO2e\nbuildings/urban-homes,50,kt CO2e\n"
        "transport/road,20,kt CO2e\nagriculture/plantation,30,kt CO2e\nsink/forest,5,kt CO2e\n",
        encoding="utf-8",
    )
    (tmp_path / "gdp.csv").write_text("region,value\n1,5e8\n2,7e8\n", encoding="utf-8")
    (tmp_path / "categories.csv").write_text(
        "category,weight\nindustry/manufacturing,area\nbuildings/urban-homes,area\ntransport/road,area\n",
        encoding="utf-8",
    )
    (tmp_path / "case.toml").write_text(
        'year = 2021\n[grid]\nresolution = 10\ncoarse = 100\n[parcels]\npath = "parcels.parquet"\nid = "id"\nland_use = "code"\n'
        'code_system = "worldcover"\n[units]\npath = "units.gpkg"\nid = "code"\n[totals]\npath = "totals.csv"\n'
        '[gdp]\npath = "gdp.csv"\ncurrency = "EUR"\n[categories]\npath = "categories.csv"\n',
        encoding="utf-8",
    )
    checked = carbongrid("check", tmp_path / "case.toml")
    assert checked.returncode == 0, checked.stderr
    alike = "3 categories lie on all of them: buildings/urban-homes, industry/manufacturing, transport/road"
    assert alike in " ".join(checked.stderr.split())
    result = cg.run(tmp_path / "case.toml", tmp_path / "run")
    assert cg.verify(result.directory).ok
    parcels = result.parcels
    assert len(parcels) == told["parcels"]
    assert parcels["emission_g"].sum() == 200 * 10**9
    carrying = parcels.groupby("type")[["industry/manufacturing", "agriculture/plantation", "sink/forest"]].sum()  # fmt: skip
    assert carrying.loc["settlement", "industry/manufacturing"] == 100 * 10**9
    assert carrying.loc["cultivated", "agriculture/plantation"] == 30 * 10**9
    assert carrying.loc["forest", "sink/forest"] == 5 * 10**9
    assert (result.units["zone"] > 0).all()


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg"])
def test_what_is_written_comes_back(tmp_path, suffix):
    raster = raster_of(tmp_path / "cover.tif", town(30, 30))
    cover = read_land_cover(raster, units_in(tmp_path / "u.gpkg", 30, 30), codes="worldcover")
    path = tmp_path / f"parcels{suffix}"
    write_land_cover(cover, path)
    read = gpd.read_parquet(path) if suffix == ".parquet" else gpd.read_file(path)
    pd.testing.assert_frame_equal(pd.DataFrame(read[["id", "code"]]), pd.DataFrame(cover.parcels[["id", "code"]]))  # fmt: skip
    assert (shapely.normalize(read.geometry.to_numpy()) == shapely.normalize(cover.parcels.geometry.to_numpy())).all()  # fmt: skip
    if suffix == ".gpkg":  # the time of writing is not in it
        assert WRITTEN.encode() in path.read_bytes()
    with pytest.raises(InputError, match="there already"):
        write_land_cover(cover, path)
    with pytest.raises(InputError, match="neither GeoParquet nor GeoPackage"):
        write_land_cover(cover, tmp_path / "parcels.shp")


@pytest.mark.parametrize(
    ("codes", "more", "said"),
    [
        (np.ones((9, 9), np.float32), {}, "codes are whole"),
        (np.full((9, 9), 10, np.uint8), {"crs": None}, "has no CRS"),
        (np.full((9, 9), 10, np.uint8), {"transform": from_origin(120, 30, STEP, STEP)}, "2 of 2 units hold no cell with a code: row 1, row 2"),
        (np.full((9, 9), 10, np.uint8), {"transform": from_origin(WEST - 4 * STEP, NORTH, STEP, STEP)}, "1 of 2 units holds no cell with a code: row 2"),
        (np.zeros((9, 9), np.uint8), {}, "2 of 2 units hold no cell with a code"),
        (np.full((9, 9), 10, np.uint8), {"transform": rasterio.Affine(STEP, 1e-6, WEST, 0, -STEP, NORTH)}, "rotated"),
        (np.full((9, 9), 10, np.uint8), {"transform": rasterio.Affine(STEP, 0, WEST, 0, STEP, NORTH - 9 * STEP)}, "first row lies in the south"),
    ],
)  # fmt: skip
def test_what_is_no_land_cover_is_refused(tmp_path, codes, more, said):
    raster = raster_of(tmp_path / "cover.tif", codes, **more)
    units = units_in(tmp_path / "units.gpkg", 9, 9)
    with pytest.raises(InputError, match=said):
        read_land_cover(raster, units, codes="worldcover")


def test_scaled_numbers_are_no_codes(tmp_path):
    raster = raster_of(tmp_path / "cover.tif", np.full((9, 9), 1, np.uint8))
    with rasterio.open(raster, "r+") as file:
        file.scales = (10,)
    with pytest.raises(InputError, match="the raster's numbers are scaled"):
        read_land_cover(raster, units_in(tmp_path / "u.gpkg", 9, 9), codes="worldcover")


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (shapely.LineString([(WEST, NORTH), (WEST + 9 * STEP, NORTH - 9 * STEP)]), "1 geometry is no polygon: row 1 .LineString"),
        (shapely.Polygon(), "1 row has no geometry"),
    ],
)  # fmt: skip
def test_units_that_are_no_polygons_are_refused(tmp_path, shape, said):
    """Seen to fail: borders as lines gave the cells along them, and nothing was said."""
    raster = raster_of(tmp_path / "cover.tif", np.full((9, 9), 10, np.uint8))
    gpd.GeoDataFrame({"code": ["1"]}, geometry=[shape], crs=4326).to_file(tmp_path / "u.gpkg")
    with pytest.raises(InputError, match=said):
        read_land_cover(raster, tmp_path / "u.gpkg", codes="worldcover")


def test_what_a_raster_does_not_cover_is_told_with_its_share(tmp_path):
    """Seen to fail: half a unit beyond the edge of a tile was gone without a word."""
    codes = np.full((60, 60), 10, np.uint8)
    units = units_in(tmp_path / "units.gpkg", 60, 60)
    place = from_origin(WEST - 20 * STEP, NORTH, STEP, STEP)
    cover = read_land_cover(raster_of(tmp_path / "c.tif", codes, transform=place), units, codes="worldcover")  # fmt: skip
    (note,) = cover.notes
    assert note.level == "warning"
    east, west = ((WEST + 40 * STEP) - shapely.bounds(each)[[0, 2]] for each in gpd.read_file(units).geometry[::-1])  # fmt: skip
    assert west.min() > 0 > east.min()
    there = gpd.read_file(units).geometry
    covered = shapely.area(shapely.intersection(there.to_numpy(), shapely.box(0, 0, WEST + 40 * STEP, 90)))  # fmt: skip
    lacking = 1 - covered.sum() / shapely.area(there.to_numpy()).sum()
    told = float(note.what.partition("%")[0]) / 100
    assert told == pytest.approx(lacking, abs=0.01)
    assert "row 2" in note.what and "row 1" not in note.what


def test_units_that_overlap_are_told_and_lack_nothing(tmp_path):
    """Seen to fail: a cell in both counted for the later unit alone, and a fifth of land that has a code everywhere had none."""
    raster = raster_of(tmp_path / "c.tif", np.full((60, 60), 10, np.uint8))
    west, east, inner = ((0, 40), (20, 60), (45, 50))
    outlines = [shapely.box(WEST + a * STEP, NORTH - 60 * STEP, WEST + b * STEP, NORTH) for a, b in (inner, west, east)]  # fmt: skip
    gpd.GeoDataFrame(geometry=outlines, crs="EPSG:4326").to_file(tmp_path / "u.gpkg")
    cover = read_land_cover(raster, tmp_path / "u.gpkg", codes="worldcover")
    assert cover.cells == 3600
    (note,) = cover.notes
    assert note.level == "warning" and note.where == "u.gpkg"
    assert note.what.startswith("2 pairs of units overlap by ")
    assert "row 2 and row 3 (" in note.what and "row 1 and row 3 (" in note.what


def test_nodata_is_no_land_where_the_file_has_a_mask_too(tmp_path):
    """Seen to fail: GDAL asks a file with a mask no more for its nodata value, which became a class."""
    codes, units = town(60, 60), units_in(tmp_path / "units.gpkg", 60, 60)
    plain = raster_of(tmp_path / "plain.tif", codes)
    masked = raster_of(
        tmp_path / "masked.tif", np.where(codes == 0, 50, codes).astype(np.uint8), nodata=10
    )
    with rasterio.open(masked, "r+") as file:
        file.write_mask(codes != 0)
    without = raster_of(tmp_path / "without.tif", np.where(codes == 10, 0, codes).astype(np.uint8))
    meant, made = (read_land_cover(each, units, codes="worldcover") for each in (without, masked))
    assert not made.parcels.equals(read_land_cover(plain, units, codes="worldcover").parcels)
    assert made.parcels.equals(meant.parcels)


def test_more_classes_times_squares_than_labels_can_count(tmp_path):
    """Seen to fail: labels were squares times classes, and went beyond 32 bits."""
    codes = np.arange(220 * 220, dtype=np.int32).reshape(220, 220) + 1
    raster = raster_of(tmp_path / "c.tif", codes)
    cover = read_land_cover(raster, units_in(tmp_path / "u.gpkg", 220, 220), codes="worldcover", side=1)  # fmt: skip
    x, y = shapely.get_coordinates(shapely.centroid(cover.parcels.geometry.to_numpy())).T
    row, column = ((NORTH - y) / STEP).astype(int), ((x - WEST) / STEP).astype(int)
    assert (cover.parcels["code"].astype(int).to_numpy() == codes[row, column]).all()


def test_a_system_of_ones_own(tmp_path):
    (tmp_path / "own.csv").write_text("code,type\n10,paddy\n", encoding="utf-8")
    raster = raster_of(tmp_path / "c.tif", np.full((20, 20), 10, np.uint8))
    units = units_in(tmp_path / "u.gpkg", 20, 20)
    cover = read_land_cover(raster, units, codes=str(tmp_path / "own.csv"))
    assert cover.codes["type"].tolist() == ["paddy"]
    with pytest.raises(InputError, match="'worldcovr' is not a land-use code system"):
        read_land_cover(raster, units, codes="worldcovr")


@pytest.mark.parametrize(
    ("name", "named"),
    [
        *((name, "WorldCover") for name in ("worldcover", "globeland30", "nlcd", "glc-fcs30")),
        ("corine-grid", "CORINE"),
    ],
)
def test_categories_that_have_no_land_in_land_cover(name, named):
    """As docs/howto/land-cover.md lists them."""
    system = read_code_system(name)
    kinds = {*system["type"], *(system["type"] + ":" + system["mode"])}
    known = packaged_table("categories.csv")
    without = {
        row["category"]
        for row in known.to_dict("records")
        if not kinds & set(carrying_types(row["types"].split("+")))
    }
    page = (ROOT / "docs" / "howto" / "land-cover.md").read_text("utf-8")
    sentence = page.partition(f"have no land in {named}")[0].rpartition("\n")[2]
    assert set(re.findall(r"`([a-z]+/[a-z-]+)`", sentence)) == without


def test_codes_that_mean_nothing_are_told_with_their_share(tmp_path):
    codes = np.full((60, 60), 10, np.uint8)
    codes[:, :15] = 77
    raster, units = raster_of(tmp_path / "c.tif", codes), units_in(tmp_path / "u.gpkg", 60, 60)
    cover = read_land_cover(raster, units, codes="worldcover", side=10)
    (note,) = (each for each in cover.notes if "worldcover lacks" in each.what)
    share = cover.codes.loc["77", "cells"] / cover.cells
    assert note.level == "warning"
    assert f"{share:.2%} of the cells have codes that worldcover lacks" in note.what
    assert cover.codes.loc["77", "type"] == ""


@pytest.mark.parametrize(
    ("name", "codes", "step", "said"),
    [
        ("ESA_WorldCover_10m_2021_v200_N30E120_Map.tif", "globeland30", 1 / 3600, "the file is called as those of worldcover are"),
        ("n51_30_2020lc030.tif", "worldcover", 1 / 3600, "the file is called as those of globeland30 are"),
        ("GLC_FCS30D_20002022_E120N35.tif", "worldcover", 1 / 3600, "the file is called as those of glc-fcs30 are"),
        ("U2018_CLC2018_V2020_20u1.tif", "nlcd", 1 / 3600, "the file is called as those of corine-grid are"),
        ("town.tif", "globeland30", 1 / 12_000, "the cells are those of worldcover, 1/12,000 of a degree"),
        ("town.tif", "worldcover", 1 / 12_000, None),
        ("town.tif", "globeland30", 1 / 3600, None),
        ("ESA_WorldCover.tif", "worldcover", 1 / 3600, None),
        ("esa_2020_globe_town.tif", "worldcover", 1 / 3600, None),
        ("globe_landsat_2020.tif", "worldcover", 1 / 3600, None),
        ("WorldCover_as_GlobeLand30.tif", "globeland30", 1 / 3600, None),  # both names, one of them right
        ("NLCD_or_CORINE.tif", "worldcover", 1 / 3600, None),
    ],
)  # fmt: skip
def test_a_raster_of_another_legend_is_told_by_name_or_cells(tmp_path, name, codes, step, said):
    """Seen without a word: every class of WorldCover is one of GlobeLand30, where its towns are water."""
    classes = np.full((20, 20), 20, np.uint8)
    raster = raster_of(tmp_path / name, classes, transform=from_origin(WEST, NORTH, step, step))
    unit = gpd.GeoDataFrame(geometry=[shapely.box(WEST, NORTH - 20 * step, WEST + 20 * step, NORTH)], crs=4326)  # fmt: skip
    unit.to_file(tmp_path / "units.gpkg", layer="units", engine="pyogrio")
    notes = read_land_cover(raster, tmp_path / "units.gpkg", codes=codes).notes
    found = [note for note in notes if "are read as those of" in note.what]
    assert [note.level for note in found] == ["warning"] * (said is not None)
    assert all(note.what.startswith(said) for note in found)


@pytest.mark.parametrize(
    ("others", "nodata", "way_out"),
    [
        ([0], None, "Where 0 stands for no data, say so: gdal_translate -a_nodata 0 IN.tif"),
        ([0], 255, "Where 0 stands for no data, write 255, since a file marks one number so: gdal_calc.py -A IN.tif --outfile=OUT.tif --NoDataValue=255 --calc='numpy.where((A==0), 255, A)'"),
        ([0, 254], 255, "Where 254 or 0 stands for no data, write 255, "),
        ([0, 255], None, "Where 255, 0 all stand for no data, write 255, "),
    ],
)  # fmt: skip
def test_numbers_that_may_be_no_data_have_a_way_out(tmp_path, others, nodata, way_out):
    """Another code system was asked for, where a half of the raster was 0 that nothing marks; and of a file that marks 255, to mark 0 in its place."""
    codes = np.full((20, 20), 10, np.uint8)
    for column, other in enumerate(others, start=10):
        codes[:, column : None if other == others[-1] else column + 1] = other
    codes[0, 0] = 255 if nodata else 10
    raster = raster_of(tmp_path / "cover.tif", codes, nodata=nodata)
    units = units_in(tmp_path / "units.gpkg", 20, 20)
    notes = read_land_cover(raster, units, codes="worldcover").notes
    [note] = [each for each in notes if "lacks" in each.what]
    assert "of the cells have codes that worldcover lacks, and carry nothing: " in note.what
    assert note.hint.startswith(way_out)
