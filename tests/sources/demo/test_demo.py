"""The demonstration city: what it promises, on the small one, and of the full one once."""

import csv
import hashlib
import io
import tomllib
from collections import Counter
from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from carbongrid.case import Case
from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import read_code_system
from carbongrid.sources.demo import write_city
from carbongrid.sources.demo.coordinates import gcj02_from_wgs84
from carbongrid.sources.demo.draws import UNIT, Draws, noise
from carbongrid.sources.demo.lattice import Lattice, make_lattice, smoothed
from carbongrid.sources.demo.plan import PLANS
from carbongrid.sources.demo.tables import csv_text
from carbongrid.sources.demo.tracing import connected_parts, trace


class Folder:
    """A city's folder, read once."""

    def __init__(self, path):
        self.path = path
        self.parcels = pyogrio.read_dataframe(path / "parcels.gpkg", layer="DLTB")
        self.units = pyogrio.read_dataframe(path / "townships.gpkg")
        self.lines = pyogrio.read_dataframe(path / "lines.gpkg")

    def table(self, name):
        return pd.read_csv(self.path / name, dtype=str, keep_default_na=False)

    def case(self, name="case.toml"):
        return tomllib.loads((self.path / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Folder(write_city(tmp_path_factory.mktemp("small"), size="small").parent)


@pytest.fixture(scope="module")
def full(full_demo):
    return Folder(full_demo / "case")


def shares_across(city):
    """Return the share of parcels that lie in two units, or in a unit and none."""
    pairs = gpd.sjoin(
        city.parcels[["BSM", "geometry"]], city.units[["code", "geometry"]], predicate="intersects"
    )
    unit = city.units.geometry.to_numpy()
    parcel = city.parcels.geometry.to_numpy()
    common = shapely.area(
        shapely.intersection(parcel[pairs.index.to_numpy()], unit[pairs["index_right"].to_numpy()])
    )
    pairs = pairs.assign(common=common)[common > 1]
    within = pairs.groupby("BSM")["common"].agg(["size", "sum"])
    area = pd.Series(shapely.area(parcel), index=city.parcels["BSM"])
    partly = within["sum"] < area[within.index] - 1
    return float(((within["size"] > 1) | partly).sum()) / len(city.parcels)


def ellipsoidal_km2(polygons):
    degrees = polygons.to_crs("EPSG:4490")
    return abs(sum(Geod(ellps="GRS80").geometry_area_perimeter(p)[0] for p in degrees)) / 1e6


def assert_well_made(city):
    """Check what both sizes promise of their geometry."""
    parcels, units = city.parcels, city.units
    for layer in (parcels, units):
        geometry = layer.geometry.to_numpy()
        assert layer.crs.to_epsg() == 4528
        assert shapely.is_valid(geometry).all()
        assert shapely.coverage_is_valid(geometry)
        # A coverage whose parts add up to their union neither overlaps nor has slivers between.
        union = shapely.coverage_union_all(geometry)
        assert shapely.area(geometry).sum() == pytest.approx(shapely.area(union), rel=1e-12)
        # Integer decimetres, as near as a float comes.
        steps = shapely.get_coordinates(geometry) * 10
        assert np.abs(steps - np.round(steps)).max() < 1e-6
    geometry = parcels.geometry.to_numpy()
    parts = shapely.get_parts(geometry)
    assert (shapely.get_num_interior_rings(parts) > 0).sum() >= 20
    assert (shapely.get_num_geometries(geometry) > 1).sum() >= 5
    width = 2 * shapely.area(geometry) / shapely.length(geometry)
    assert (width < 10).sum() >= 5
    assert 0.013 < shares_across(city) < 0.03
    left = units.total_bounds
    assert (left[2:] - left[:2]).max() <= 125_000
    assert 40_375_000 < left[0] < left[2] < 40_625_000


def assert_codes(city):
    """Check codes, names and areas of the parcels and units."""
    parcels, units = city.parcels, city.units
    known = read_code_system("tdland3").set_index("code")["name_zh"]
    assert (parcels["DLMC"] == parcels["DLBM"].map(known)).all()
    assert parcels["BSM"].is_unique
    assert (parcels["BSM"].str.fullmatch(r"\d{18}")).all()
    assert (parcels["ZLDWDM"].str.fullmatch(r"\d{19}")).all()
    in_a_unit = parcels["ZLDWMC"] != ""
    assert set(parcels.loc[in_a_unit, "ZLDWDM"].str[:9]) == set(units["code"])
    assert (parcels.loc[~in_a_unit, "DLBM"] == "1102").all()
    assert (~in_a_unit).any()
    assert units["code"].str.fullmatch(r"0\d{8}").all()
    assert units["district"].str.fullmatch(r"0\d{5}").all()
    assert (units["code"].str[:6] == units["district"]).all()
    for column in ("code", "name_zh", "name_en"):
        assert units[column].is_unique
    assert units["code"].is_monotonic_increasing
    cultivated = parcels["DLBM"].isin(["0101", "0102", "0103"])
    assert (parcels["KCMJ"] > 0).eq(cultivated).all()
    assert np.allclose(parcels["TBDLMJ"], parcels["TBMJ"] - parcels["KCMJ"], atol=0.006)
    some = parcels.sample(40, random_state=1)
    ours = [
        abs(Geod(ellps="GRS80").geometry_area_perimeter(polygon)[0])
        for polygon in some.to_crs("EPSG:4490").geometry
    ]
    assert np.allclose(ours, some["TBMJ"], atol=0.006, rtol=1e-9)


def test_small_geometry(small):
    assert_well_made(small)
    assert len(small.units) == 6
    assert small.units["district"].nunique() == 2
    assert 900 <= len(small.parcels) <= 1100
    assert ellipsoidal_km2(small.units.geometry) == pytest.approx(330, rel=2e-3)


def test_small_codes(small):
    assert_codes(small)
    codes = set(small.parcels["DLBM"])
    assert codes >= {
        "0101", "0103", "0201", "0301", "0307", "0404", "05H1", "0508", "0601", "0602", "0701", "0702", "08H1", "08H2",
        "0809", "0810", "1001", "1003", "1004", "1006", "1007", "1008", "1101", "1102", "1104", "1107", "1202", "1206",
    }  # fmt: skip


@pytest.mark.thorough  # the full demo is run and verified in the default suite
@pytest.mark.full
def test_full_city(full):
    assert_well_made(full)
    assert_codes(full)
    assert len(full.units) == 97
    assert full.units["district"].nunique() == 10
    assert 18_000 <= len(full.parcels) <= 22_000
    assert ellipsoidal_km2(full.units.geometry) == pytest.approx(8657, rel=1e-3)
    assert 20_000 <= len(full.table("pois.csv")) <= 60_000
    lake_outside = full.parcels.loc[full.parcels["ZLDWMC"] == "", "TBMJ"].sum()
    assert lake_outside > 200e6
    assert_evidence(full)
    assert_figures(full)


def test_the_same_seed_gives_the_same_bytes(small, tmp_path):
    again = write_city(tmp_path, size="small").parent
    names = sorted(path.name for path in small.path.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    assert {
        "case.toml", "case-district-gdp.toml", "case-inventory.toml", "inventory.xlsx", "parcels.gpkg", "townships.gpkg", "pois.csv", "people.csv", "people.tif",
        "census.csv", "classes.csv", "categories.csv", "lines.gpkg", "totals.csv", "facilities.csv", "gdp.csv", "gdp-districts.csv", "README.md",
    } == set(names)  # fmt: skip
    for name in names:
        assert digest(small.path / name) == digest(again / name), name


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_another_seed_gives_another_city(small, tmp_path):
    other = Folder(write_city(tmp_path, size="small", seed=4).parent)
    assert_well_made(other)
    assert len(other.units) == 6
    assert digest(other.path / "pois.csv") != digest(small.path / "pois.csv")
    assert digest(other.path / "totals.csv") == digest(small.path / "totals.csv")


def test_totals_add_up_to_the_rows_of_the_study(small):
    table = small.table("totals.csv")
    assert set(table["unit"]) == {"10000 t CO2e"}
    value = {row.category: Decimal(row.value) for row in table.itertuples()}
    sinks = sum(value[name] for name in value if name.startswith("sink/"))
    assert sinks == Decimal("251.86")
    assert sum(value.values()) - sinks == Decimal("24028.97")
    assert value["industry/mining"] + value["industry/manufacturing"] == Decimal("12430.46")
    assert sum(v for name, v in value.items() if name.startswith("transport/")) == Decimal(
        "1421.44"
    )
    made_up = table[table["source"].str.startswith("made-up")]["category"]
    assert set(made_up) == {name for name in value if name.startswith("transport/")} | {
        "industry/mining",
        "industry/manufacturing",
    }
    assert set(value) <= set(read_categories(None))


def test_figures(small):
    assert_figures(small)


def assert_figures(city):
    """Check GDP, census and facilities against each other."""
    gdp, districts = city.table("gdp.csv"), city.table("gdp-districts.csv")
    assert set(gdp["region"]) == set(city.units["code"])
    by_district = gdp.groupby(gdp["region"].str[:6])["value"].agg(lambda v: sum(map(Decimal, v)))
    industries = ["primary", "secondary", "tertiary"]
    for row in districts.itertuples():
        assert by_district[row.region] == sum(Decimal(getattr(row, name)) for name in industries)
    census = city.table("census.csv").set_index("region")["residents"].astype(float)
    people = city.table("people.csv").astype(float)
    points = gpd.GeoDataFrame(people, geometry=gpd.points_from_xy(people.x, people.y), crs=4528)
    placed = gpd.sjoin(points, city.units, predicate="within")
    counted = placed.groupby("district")["residents"].sum()
    assert set(census.index) == set(districts["region"]) == set(city.units["district"])
    assert (abs(counted / census - 1) < 0.05).all()
    facilities = city.table("facilities.csv")
    total = city.table("totals.csv").set_index("category")["value"].map(Decimal)
    for category, rows in facilities.groupby("category"):
        assert sum(map(Decimal, rows["value"])) < total[category] * Decimal("0.6")
    for crs, land_use in (("EPSG:4528", "0809"), ("EPSG:4326", "0601")):
        rows = facilities[facilities["crs"] == crs]
        places = gpd.GeoDataFrame(
            geometry=gpd.points_from_xy(rows["x"].astype(float), rows["y"].astype(float)), crs=crs
        ).to_crs(4528)
        hit = gpd.sjoin(places, city.parcels, predicate="within")
        assert list(hit["DLBM"]) == [land_use] * city.units["district"].nunique()


def wgs84_from_gcj02(longitude, latitude):
    """Undo the shift by iteration."""
    x, y = longitude, latitude
    for _ in range(6):
        shifted_x, shifted_y = gcj02_from_wgs84(x, y)
        x, y = x - (shifted_x - longitude), y - (shifted_y - latitude)
    return x, y


def test_gcj02_at_a_known_place():
    longitude, latitude = gcj02_from_wgs84(np.array([116.404]), np.array([39.915]))
    assert longitude[0] == pytest.approx(116.41024449916938, abs=1e-9)
    assert latitude[0] == pytest.approx(39.91640428150164, abs=1e-9)


def test_evidence(small):
    assert_evidence(small)


LAND_OF = {
    "industry/mining": ["0602"], "industry/manufacturing": ["0601"],
    "buildings/commerce": ["05H1", "0508"], "buildings/public-services": ["08H1", "08H2", "0810"],
}  # fmt: skip


def category_of(code, crosswalk):
    """Look a Gaode code up: exactly, else by the longest prefix."""
    for length in range(len(code), 1, -1):
        key = code if length == len(code) else code[:length] + "*"
        if key in crosswalk:
            return crosswalk[key]
    return ""


def assert_evidence(city):
    """Check that POIs, people and lines lie where their categories need them."""
    from carbongrid.method.landuse import packaged_table

    gaode = packaged_table("poi/gaode.csv").set_index("poi_type")["category"]
    pois = city.table("pois.csv")
    types = {code: category_of(code, gaode) for code in pois["typecode"].unique()}
    assert "" in types.values()
    # A hall where bills are paid is no plant: plants are known as facilities.
    assert "industry/supply" not in types.values()
    wgs84 = wgs84_from_gcj02(
        pois["lon"].astype(float).to_numpy(), pois["lat"].astype(float).to_numpy()
    )
    x, y = Transformer.from_crs(4326, 4528, always_xy=True).transform(*wgs84)
    points = gpd.GeoDataFrame(
        {"category": pois["typecode"].map(types)}, geometry=gpd.points_from_xy(x, y), crs=4528
    )
    for category, land in LAND_OF.items():
        here = points[points["category"] == category]
        own = city.parcels[city.parcels["DLBM"].isin(land)]
        distance = gpd.sjoin_nearest(here, own, distance_col="metres")
        distance = distance[~distance.index.duplicated()]["metres"]
        hits = float((distance == 0).mean())
        assert hits > 0.85, category
        assert float((distance <= 100).mean()) > 0.93, category
        unshifted = gpd.GeoDataFrame(
            geometry=gpd.points_from_xy(pois["lon"].astype(float), pois["lat"].astype(float)),
            crs=4326,
        ).to_crs(4528)
        wrong = gpd.sjoin(unshifted.loc[here.index], own, predicate="within")
        assert len(wrong) < 0.6 * hits * len(here), category
    outside = points[points["category"].isin(LAND_OF)]
    own = city.parcels[
        city.parcels["DLBM"].isin([code for land in LAND_OF.values() for code in land])
    ]
    no_cell_centre = 1 - len(gpd.sjoin(outside, own, predicate="within")) / len(outside)
    assert 0 < no_cell_centre < 0.08
    assert_people_and_lines(city)


def assert_people_and_lines(city):
    people = city.table("people.csv").astype(float)
    points = gpd.GeoDataFrame(people, geometry=gpd.points_from_xy(people.x, people.y), crs=4528)
    homes = city.parcels[city.parcels["DLBM"].isin(["0701", "0702"])]
    near = gpd.sjoin_nearest(points, homes, distance_col="metres")
    near = near[~near.index.duplicated()]
    at_home = near.loc[near["metres"] == 0, "residents"].sum() / people["residents"].sum()
    assert 0.95 < at_home < 1
    assert (near["metres"] > 500).any()
    assert near.loc[near["metres"] > 500, "residents"].sum() < 0.005 * people["residents"].sum()
    land = {"rail": ["1001", "1002"], "waterway": ["1008"]}
    roads = ["1003", "1004", "1006"]
    assert {"motorway", "trunk", "primary", "secondary", "tertiary", "residential"} <= set(
        city.lines["class"]
    )
    assert set(city.lines["dual"]) == {0, 1}
    for kind, lines in city.lines.groupby("class"):
        own = city.parcels[city.parcels["DLBM"].isin(land.get(kind, roads))]
        inside = shapely.length(
            shapely.intersection(
                shapely.union_all(lines.geometry.to_numpy()),
                shapely.union_all(own.geometry.to_numpy()),
            )
        )
        share = float(inside) / float(shapely.length(shapely.union_all(lines.geometry.to_numpy())))
        # Bridges and crossings are the higher road's; harbour channels end in the river.
        assert share > (0.3 if kind == "waterway" else 0.6), (kind, share)
        assert share < 1


def test_the_grid_of_people_holds_the_points(small):
    people = small.table("people.csv").astype(float)
    with rasterio.open(small.path / "people.tif") as raster:
        values, nodata = raster.read(1), raster.nodata
        assert raster.crs.to_epsg() == 4528
        assert raster.res == (250.0, 250.0)
        rows, columns = rasterio.transform.rowcol(raster.transform, people.x, people.y)
    expected = np.zeros(values.shape)
    np.add.at(expected, (rows, columns), people["residents"])
    unknown = values == nodata
    assert unknown.any()
    assert ((expected[unknown] > 0) & (expected[unknown] < 3)).all()
    assert np.allclose(values[~unknown], expected[~unknown], atol=1e-2)


def test_the_cases_are_read_and_differ_in_gdp_only(small):
    unit, district = small.case(), small.case("case-district-gdp.toml")
    assert unit.pop("gdp") != district.pop("gdp")
    assert unit == district
    assert unit["electricity"] == "both"
    assert unit["grid"]["resolution"] == 40
    for name in ("case.toml", "case-district-gdp.toml"):
        case = Case.read(small.path / name)
        for _, file in case.named_files():
            assert case.resolve(file).exists()
        text = (small.path / name).read_text("utf-8")
        assert all("#" in line for line in text.splitlines() if line)


def test_the_readme_names_every_file(small):
    readme = (small.path / "README.md").read_text("utf-8")
    assert "{" not in readme
    for path in small.path.iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in readme


@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r")), min_size=2))
)
def test_csv_comes_back(rows):
    assert list(csv.reader(io.StringIO(csv_text(rows), newline=""))) == [list(row) for row in rows]


@given(st.data())
def test_traced_labels_are_a_valid_coverage(data):
    """Any labels on any jittered mesh, traced, are valid and cover their cells.

    Seen to fail when a ring turns left before right where two cells of a part touch at a corner.
    """
    rows, columns = data.draw(st.integers(2, 7)), data.draw(st.integers(2, 7))
    labels = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=rows * columns, max_size=rows * columns))
    )
    kept, labels = np.unique(np.r_[0, labels], return_inverse=True)
    labels = labels[1:].reshape(rows, columns)
    if labels.max() == 0:
        return
    draws = Draws(data.draw(st.integers(0, 9999)), "test")
    shape = (rows + 1, columns + 1)
    x = np.arange(shape[1]) * 1000 + draws.between(-400, 401, shape[0] * shape[1]).reshape(shape)
    y = np.arange(shape[0])[:, None] * 1000 + draws.between(-400, 401, x.size).reshape(shape)
    polygons = trace(labels, x, y, 10)
    assert len(polygons) == len(kept) - 1
    assert shapely.is_valid(polygons).all()
    assert shapely.coverage_is_valid(polygons)
    corners = np.stack([x, y], axis=-1) / 10
    cells = [
        shapely.Polygon(
            [corners[i, j], corners[i, j + 1], corners[i + 1, j + 1], corners[i + 1, j]]
        )
        for i in range(rows)
        for j in range(columns)
    ]
    area = Counter()
    for cell, label in zip(cells, labels.ravel().tolist(), strict=True):
        area[label] += cell.area
    for number, polygon in enumerate(polygons, start=1):
        assert polygon.area == pytest.approx(area[number], rel=1e-9)
        inside = shapely.contains_xy(
            polygon, *np.array([c.representative_point().coords[0] for c in cells]).T
        )
        assert (inside == (labels.ravel() == number)).all()


@given(st.lists(st.integers(0, 2), min_size=30, max_size=30))
def test_connected_parts_are_those_of_a_slow_flood(values):
    labels = np.array(values).reshape(5, 6)
    parts = connected_parts(labels)
    slow = np.zeros_like(labels)
    for start in np.argwhere(labels > 0):
        stack, number = [tuple(start)], slow.max() + 1
        while stack:
            i, j = stack.pop()
            if slow[i, j] or labels[i, j] != labels[tuple(start)]:
                continue
            slow[i, j] = number
            stack += [
                (i + a, j + b)
                for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0))
                if 0 <= i + a < 5 and 0 <= j + b < 6
            ]
    pairs = set(zip(parts.ravel().tolist(), slow.ravel().tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_the_mesh_never_turns_over():
    for seed in range(5):
        lattice = make_lattice(PLANS["small"], seed)
        assert isinstance(lattice, Lattice)
        assert (lattice.cell_areas() > 0).all()
        wild = np.random.default_rng(seed)
        east = wild.random((lattice.x.shape[0], lattice.x.shape[1] - 1)) < 0.5
        north = wild.random((lattice.x.shape[0] - 1, lattice.x.shape[1])) < 0.5
        x, y = smoothed(lattice, east, north, 6)
        corners = np.stack([x, y], axis=-1)
        quads = np.stack(
            [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2
        ).reshape(-1, 4, 2)
        rings = shapely.polygons(quads.astype(float))
        assert shapely.is_valid(rings).all()
        assert shapely.is_ccw(shapely.get_exterior_ring(rings)).all()


def test_draws_do_not_change_with_numpy():
    """The raw bits of PCG64 are promised; these were drawn with NumPy 2.5."""
    draws = Draws(2023, "test")
    assert draws.below(1000, 6).tolist() == [179, 544, 608, 487, 8, 974]
    x, y = np.array([0, 150, 1000]), np.array([0, 40, 999])
    assert noise(x, y, 100, Draws(7, "noise")).tolist() == [64746, 33126, 44772]
    assert 0 <= noise(x, y, 100, Draws(7, "noise")).max() < UNIT


def test_all_four_zones_occur(small_run):
    units = pd.read_csv(small_run / "units.csv", dtype=str, keep_default_na=False)
    assert set(units["zone"]) == {"1", "2", "3", "4"}
    ledger = pd.read_csv(small_run / "ledger.csv", dtype=str, keep_default_na=False)
    for column in ("unallocated_t", "by_area_t", "by_parent_t"):
        assert (ledger[column].map(Decimal) == 0).all(), column
