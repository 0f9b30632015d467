"""An island of which the map draws a part: land cover fills the rest, and people live where the raster has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from click.testing import CliRunner
from data import data_folder
from osm_island import (
    COLUMNS,
    FIELDS,
    ROWS,
    SOUTH,
    STEP,
    VILLAGE,
    WEST,
    WOOD,
    raster,
    write_cover,
    write_extract,
    write_people,
)
from pyproj import CRS

import carbongrid as cg
from carbongrid.case.readers.people import read_people_grid
from carbongrid.cli import main
from carbongrid.errors import InputError
from carbongrid.pipeline import check
from carbongrid.sources.osm import OsmCase, write_case_from_osm
from carbongrid.sources.osm.residents import cut_people


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_extract(tmp_path_factory.mktemp("island"))


@pytest.fixture(scope="module")
def cover(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cover(tmp_path_factory.mktemp("cover"))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def made(
    extract: Path, cover: Path, people: Path, tmp_path_factory: pytest.TempPathFactory
) -> OsmCase:
    folder = tmp_path_factory.mktemp("case") / "case"
    codes = cover.with_name("codes.csv")
    codes.write_text(
        f"code,type\n{FIELDS},cultivated\n{WOOD},forest\n{VILLAGE},settlement\n", encoding="utf-8"
    )
    return write_case_from_osm(extract, folder, land_cover=cover, codes=str(codes), people=people)


@pytest.fixture(scope="module")
def parcels(made: OsmCase) -> gpd.GeoDataFrame:
    return gpd.read_file(made.case.with_name("parcels.gpkg"))


def test_the_map_stays_and_what_it_leaves_white_is_filled(
    made: OsmCase, parcels: gpd.GeoDataFrame, extract: Path, tmp_path: Path
) -> None:
    bare = gpd.read_file(write_case_from_osm(extract, tmp_path / "bare").case.with_name("parcels.gpkg"))  # fmt: skip
    of_map = ~parcels["land_use"].str.startswith("land_cover=")
    mapped = parcels[of_map].set_index("id")
    assert set(mapped.index) == set(bare["id"])
    both = mapped.loc[bare["id"]]
    assert shapely.area(shapely.symmetric_difference(both.geometry.to_numpy(), bare.geometry.to_numpy())).max() < 1e-3  # fmt: skip
    # No two parcels overlap, and one cell of ice is all that nobody knows.
    units = gpd.read_file(made.case.with_name("units.gpkg"))
    whole = units.area.sum()
    cell = whole / (ROWS * COLUMNS)
    assert shapely.union_all(parcels.geometry.to_numpy()).area == pytest.approx(parcels.area.sum(), rel=1e-9)  # fmt: skip
    assert whole - parcels.area.sum() == pytest.approx(cell, rel=0.1)


def test_the_classes_lie_where_the_raster_has_them(parcels: gpd.GeoDataFrame) -> None:
    filled = parcels[parcels["land_use"].str.startswith("land_cover=")].to_crs(4326)
    points = {"forest": (16.5, 21.5), "cultivated": (22.5, 12.5), "settlement": (44.5, 12.5)}
    for kind, (x, y) in points.items():
        point = shapely.Point(WEST + x * STEP, SOUTH + y * STEP)
        assert filled.loc[filled.contains(point), "type"].tolist() == [kind]
    # Solar panels are drawn on the map, on what is fields below: no land of the raster.
    panels = shapely.Point(WEST + 8 * STEP, SOUTH + 17 * STEP)
    assert not filled.contains(panels).any()


def test_what_is_filled_is_told(made: OsmCase, parcels: gpd.GeoDataFrame) -> None:
    [told] = [note.what for note in made.notes if "of the land cover:" in note.what]
    units = gpd.read_file(made.case.with_name("units.gpkg"))
    filled = parcels[parcels["land_use"].str.startswith("land_cover=")]
    assert told.startswith(
        f"{filled.area.sum() / units.area.sum():.1%} of the units' area is white"
    )
    for kind in ("cultivated", "forest", "settlement"):
        share = filled[filled["type"] == kind].area.sum() / units.area.sum()
        assert f"{kind} {share:.1%}" in told
    assert any("have codes that" in note.what and "70" in note.what for note in made.notes)


def test_what_is_missing_most_is_told_in_order(made: OsmCase, extract: Path, tmp_path: Path) -> None:  # fmt: skip
    bare = write_case_from_osm(extract, tmp_path / "bare")
    told = [next(note.what for note in each.notes if "missing most" in note.what) for each in (bare, made)]  # fmt: skip
    places = [told[0].find(word) for word in ("totals (", "GDP", "people (", "land use of 7")]
    assert places == sorted(places)
    assert places[0] > 0
    assert "GDP" in told[1]
    assert "people" not in told[1]
    assert "land use" not in told[1]


def test_people_are_the_raster_s_cells_around_the_units(made: OsmCase, people: Path) -> None:
    """A case reads the same cells of both, in the plane of any grid."""
    units = gpd.read_file(made.case.with_name("units.gpkg"))
    cut = made.case.with_name("people.tif")
    with rasterio.open(people) as whole, rasterio.open(cut) as part:
        assert part.width * part.height < whole.width * whole.height
        assert (part.nodata, part.crs, part.dtypes) == (whole.nodata, whole.crs, whole.dtypes)
    for crs in (units.crs, CRS(32633), CRS(3857)):
        bounds = tuple(units.to_crs(crs).total_bounds.tolist())
        (one, _), (other, _) = (read_people_grid(path, path.name, crs, bounds) for path in (people, cut))  # fmt: skip
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_allclose(one.transform, other.transform, rtol=0, atol=1e-9)
        assert one.values[one.values > 0].sum() == np.arange(1, 73).sum() * 1000


def test_units_beyond_a_raster_are_named(extract: Path, cover: Path, people: Path, tmp_path: Path) -> None:  # fmt: skip
    """Seen to pass in silence: half of the island had no people."""
    with rasterio.open(people) as whole:
        west = raster(tmp_path / "west.tif", whole.read(1)[:, :17], whole.bounds.left, whole.bounds.top, 4 * STEP)  # fmt: skip
    with rasterio.open(cover) as whole:
        left = raster(tmp_path / "left.tif", whole.read(1)[:, :20], whole.bounds.left, whole.bounds.top, STEP)  # fmt: skip
    made = write_case_from_osm(extract, tmp_path / "case", land_cover=left, codes="worldcover", people=west)  # fmt: skip
    told = [note.what for note in made.notes if note.level == "warning"]
    [off] = [what for what in told if "lie off the raster of people" in what]
    assert "Ort 1 (100%)" in off
    assert any("has no code, and becomes no land" in what and "Ort 1 (100.0%)" in what for what in told)  # fmt: skip
    empty = raster(tmp_path / "empty.tif", np.zeros((30, 40), np.float32), WEST - 54 * STEP, SOUTH + 70 * STEP, 4 * STEP)  # fmt: skip
    made = write_case_from_osm(extract, tmp_path / "nobody", people=empty)
    assert any("0 people in all" in note.what for note in made.notes if note.level == "warning")


def test_a_density_by_the_raster_s_description_is_told(people: Path, made: OsmCase, tmp_path: Path) -> None:  # fmt: skip
    """What is cut out has no description any more."""
    described = Path(shutil.copy(people, tmp_path / "density.tif"))
    with rasterio.open(described, "r+") as raster:
        raster.descriptions = ("population_density",)
    units = gpd.read_file(made.case.with_name("units.gpkg"))
    notes = cut_people(described, units, tmp_path / "people.tif")
    assert any("which may be a density" in note.what for note in notes if note.level == "warning")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"crs": None}, "CRS"),
        ({"transform": Affine(4 * STEP, 0, WEST - 54 * STEP, 0, 4 * STEP, SOUTH - 40 * STEP)}, "north-up"),
        ({"values": -5.0}, "negative"),
    ],
)  # fmt: skip
def test_a_raster_that_the_case_would_refuse_is_refused_at_once(
    extract: Path, people: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    """Seen to fail: the case was written, and its check refused the raster."""
    with rasterio.open(people) as whole:
        profile = {**whole.profile, "nodata": None, **{k: v for k, v in change.items() if k != "values"}}  # fmt: skip
        values = whole.read(1) if "values" not in change else np.full(whole.shape, change["values"], np.float32)  # fmt: skip
    odd = tmp_path / "odd.tif"
    with rasterio.open(odd, "w", **profile) as file:
        file.write(values, 1)
    with pytest.raises(InputError, match=said):
        write_case_from_osm(extract, tmp_path / "case", people=odd)
    assert not [*(tmp_path / "case").glob("*")]


def test_homes_go_by_people(made: OsmCase) -> None:
    totals = pd.read_csv(made.case.with_name("totals.csv"), dtype=str).set_index("category")
    assert "by people" in totals.loc["buildings/urban-homes", "source"]
    own = pd.read_csv(made.case.with_name("categories.csv"), dtype=str).set_index("category")
    assert "buildings/urban-homes" not in own.index


def test_the_case_checks_and_runs(made: OsmCase, tmp_path: Path) -> None:
    checked = check(made.case)
    assert not checked.wrong, checked.problems
    case = made.case
    totals = pd.read_csv(case.with_name("totals.csv"), dtype=str).set_index("category")
    before = totals.to_csv()
    totals.loc[["buildings/urban-homes", "sink/forest"], "value"] = ["7200", "300"]
    try:
        totals.to_csv(case.with_name("totals.csv"))
        run = cg.run(case, tmp_path / "run")
    finally:
        case.with_name("totals.csv").write_text(before, encoding="utf-8")
    assert cg.verify(tmp_path / "run").ok
    homes = run.parcels.set_index("id")["buildings/urban-homes"]
    # The village of the raster has people, and no home of the map.
    village = run.parcels.set_index("id")["land_use"] == f"land_cover={VILLAGE}"
    assert homes[village].sum() > 0
    assert homes.sum() == 7200 * 10**6
    woods = run.parcels.set_index("id")["sink/forest"]
    assert set(run.parcels.set_index("id")["land_use"][woods > 0]) == {f"land_cover={WOOD}"}


def test_what_is_missing_is_said_before_anything_is_written(
    extract: Path, cover: Path, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "case"
    with pytest.raises(InputError, match="nobody says what the numbers"):
        write_case_from_osm(extract, out, land_cover=cover)
    with pytest.raises(InputError, match="there is no land cover"):
        write_case_from_osm(extract, out, codes="worldcover")
    elsewhere = raster(tmp_path / "far.tif", np.ones((4, 4), np.float32), 100, 10, STEP)
    with pytest.raises(InputError, match="the raster lies elsewhere"):
        write_case_from_osm(extract, out, people=elsewhere)
    assert not out.exists() or not any(out.iterdir())


def test_the_command_takes_both(extract: Path, cover: Path, people: Path, tmp_path: Path) -> None:
    words = ["--land-cover", str(cover), "--codes", "worldcover", "--people", str(people)]
    done = CliRunner().invoke(main, ["from-osm", str(extract), str(tmp_path / "c"), *words])
    assert done.exit_code == 0, done.output
    assert "of the land cover:" in done.output
    readme = (tmp_path / "c" / "README.md").read_text(encoding="utf-8")
    assert "codes.csv" in readme
    assert "people.tif" in readme


@pytest.mark.thorough
def test_a_real_country_on_a_made_land_cover(tmp_path: Path) -> None:
    """Liechtenstein, its white land filled by blotches: what is filled is what was white, and the case runs."""
    source = data_folder() / "liechtenstein" / "liechtenstein-2024-03-04.osm.pbf"
    rng = np.random.default_rng(1)
    codes = np.repeat(np.repeat(rng.choice(np.array([10, 30, 40, 50], np.uint8), (28, 22)), 120, 0), 120, 1)  # fmt: skip
    cover = raster(tmp_path / "cover.tif", codes, 9.45, 47.30, 1 / 12000)
    made = write_case_from_osm(source, tmp_path / "case", land_cover=cover, codes="worldcover")
    parcels = gpd.read_file(made.case.with_name("parcels.gpkg"))
    units = gpd.read_file(made.case.with_name("units.gpkg"))
    filled = parcels["land_use"].str.startswith("land_cover=")
    assert parcels.area.sum() == pytest.approx(units.area.sum(), rel=1e-3)
    assert 0.02 < parcels[filled].area.sum() / units.area.sum() < 0.2
    totals = pd.read_csv(made.case.with_name("totals.csv"), dtype=str)
    totals.assign(value="1000").to_csv(made.case.with_name("totals.csv"), index=False)
    run = cg.run(made.case, tmp_path / "run")
    assert cg.verify(tmp_path / "run").ok
    assert len(run.units) == 11
