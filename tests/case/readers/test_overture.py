"""Overture's land and places as their files come: read, checked, run."""

from __future__ import annotations

import tomllib

import geopandas as gpd
import pandas as pd
import pytest
from english_left import english_in
from overture_files import BASE, PLACE, write_overture
from pyproj import CRS
from shapely.geometry import LineString, MultiPolygon, box

import carbongrid as cg
from carbongrid.case import Case
from carbongrid.case.readers.points import match_poi_types, read_pois
from carbongrid.errors import InputError
from carbongrid.method.landuse import packaged_table
from carbongrid.outputs.report.notes import note_in_chinese

STEP = 0.004
"""Side of a square of a made place, in degrees."""

PLACES = {"Vaduz": (9.5, 47.1), "Mombasa": (39.6, -4.1), "Osaka": (135.4, 34.6)}
"""South-western corners."""


def square(place, column, row, width=1.0, height=None):
    """Return a rectangle, by default as high as it is wide."""
    west, south = PLACES[place]
    x, y = west + column * STEP, south + row * STEP
    return box(x, y, x + width * STEP, y + (width if height is None else height) * STEP)


def write_land(folder, place):
    """A town of four squares of land use by two, with a school inside its homes, a reserve around all of it, a wood and a lake."""
    kinds = [("residential", 0, 0), ("industrial", 1, 0), ("retail", 2, 0), ("farmland", 3, 0), ("education", 0, 1), ("pedestrian", 1, 1)]  # fmt: skip
    shapes = [square(place, column, row) for _, column, row in kinds]
    rows = [{"class": kind, "subtype": "developed", "names": {"primary": kind}, "source_tags": {"landuse": kind}} for kind, *_ in kinds]  # fmt: skip
    rows += [{"class": "school", "subtype": "education"}, {"class": "nature_reserve", "subtype": "protected"}]  # fmt: skip
    shapes += [square(place, 0.3, 0.3, 0.3), MultiPolygon([square(place, 0, 0, 4, 2)])]
    write_overture(folder / "land_use.parquet", BASE, shapes, rows)
    wood, ridge = square(place, 2, 1), LineString(square(place, 0, 0, 4, 2).exterior.coords[:3])
    write_overture(folder / "land.parquet", BASE, [wood, ridge], [{"class": "wood", "subtype": "forest"}, {"class": "ridge", "subtype": "physical"}])  # fmt: skip
    write_overture(folder / "water.parquet", BASE, [square(place, 3, 1)], [{"class": "lake", "subtype": "lake"}])  # fmt: skip
    halves = [square(place, 0, 0, 2), square(place, 2, 0, 2)]
    units = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=halves, crs=4326)
    units.to_file(folder / "units.gpkg", layer="units", engine="pyogrio")


POIS = """[pois]
path = "place.parquet"
crs = "EPSG:4326"
type = "taxonomy.hierarchy"
crosswalk = "overture"
"""


def write_places(folder, place):
    """A school of confidence 0.9, a library of 0.3 that is closed for now, a hotel, a lake, one of a branch that nobody knows, one of no category."""
    kinds = [
        ("education > place_of_learning > school > high_school", 0.9, "open", square(place, 0.4, 0.4, 0.1)),
        ("education > library", 0.3, "temporarily_closed", square(place, 0.5, 1.5, 0.1)),
        ("lodging > hotel", 0.8, "open", square(place, 2.5, 0.5, 0.1)),
        ("geographic_entities > water_feature > lake", 0.5, None, square(place, 3.5, 1.5, 0.1)),
        ("services_and_business > space_service > rocket_pad", 0.7, "open", square(place, 1.5, 0.5, 0.1)),
        ("", 0.0, "permanently_closed", square(place, 1.5, 0.2, 0.1)),
    ]  # fmt: skip
    rows = []
    for path, confidence, status, _ in kinds:
        way = path.split(" > ")
        taxonomy = {"primary": way[-1], "hierarchy": way, "alternates": None} if path else None
        rows.append({"taxonomy": taxonomy, "basic_category": way[-1] or None, "confidence": confidence, "operating_status": status, "names": {"primary": path or "?"}})  # fmt: skip
    write_overture(folder / "place.parquet", PLACE, [shape.centroid for *_, shape in kinds], rows)
    return kinds


def pois_case(folder, **more):
    """Return a case of which only the places are there."""
    section = tomllib.loads(POIS)["pois"] | more
    parcels = {"path": "parcels.parquet", "code_system": "overture"}
    rest = {"units": {"path": "units.gpkg"}, "totals": {"path": "totals.csv"}}
    return Case.of(
        {"year": 2026, "parcels": parcels, "pois": section, **rest}, folder / "case.toml"
    )


def write_case(folder, parcels="parcels.parquet", more=""):
    (folder / "totals.csv").write_text(
        "category,value,unit\nindustry/manufacturing,90,kt CO2e\nbuildings/public-services,30,kt CO2e\nsink/forest,5,kt CO2e\n",
        encoding="utf-8",
    )
    (folder / "categories.csv").write_text(
        "category,weight\nindustry/manufacturing,area\n" + ("" if "[pois]" in more else "buildings/public-services,area\n")
    , encoding="utf-8")  # fmt: skip
    (folder / "case.toml").write_text(
        f'year = 2026\n[grid]\nresolution = 20\ncoarse = 200\n[parcels]\npath = "{parcels}"\nid = "id"\nland_use = "class"\n'
        'code_system = "overture"\noverlap = "priority"\n[units]\npath = "units.gpkg"\nid = "code"\n[totals]\npath = "totals.csv"\n'
        f'[categories]\npath = "categories.csv"\n[uncertainty]\ndraws = 20\n{more}',
        encoding="utf-8",
    )
    return folder / "case.toml"


def put_together(folder):
    """As docs/howto/overture.md does it."""
    kinds = ("land_use", "land", "water")
    files = [gpd.read_parquet(folder / f"{kind}.parquet", columns=["id", "class", "geometry"]) for kind in kinds]  # fmt: skip
    every = pd.concat(files, ignore_index=True)
    every[every.geom_type.isin(["Polygon", "MultiPolygon"])].to_parquet(folder / "parcels.parquet", index=False)  # fmt: skip


@pytest.mark.parametrize(
    "place",
    ["Mombasa", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("Vaduz", "Osaka"))],
)
def test_a_case_of_overtures_land_runs(tmp_path, place):
    """A school inside homes is land of its own, the reserve around all of it takes nothing from anybody, and places count by their confidence."""
    write_land(tmp_path, place)
    write_places(tmp_path, place)
    put_together(tmp_path)
    case = write_case(tmp_path, more=POIS + 'weight = "confidence"\n')
    told = cg.check(case).problems
    assert not [each for each in told if each.level == "error" or "not in overture" in each.what]
    result = cg.run(tmp_path / "case.toml", tmp_path / "run")
    assert cg.verify(result.directory).ok
    land = result.parcels.set_index("land_use")
    kinds = land["type"].to_dict()
    assert kinds["school"] == kinds["education"] == "public"
    assert (kinds["wood"], kinds["lake"], kinds["pedestrian"]) == ("forest", "water", "transport")
    assert land.loc["industrial", "industry/manufacturing"] == 90 * 10**9
    served = land["buildings/public-services"]
    assert served["school"] == 3 * served["education"] == 22.5 * 10**9
    assert served.sum() == 30 * 10**9
    assert land.loc["residential", "area_m2"] == pytest.approx(land.loc["retail", "area_m2"] * 0.91, rel=1e-4)  # fmt: skip


def test_land_use_is_read_as_it_comes(tmp_path):
    """Its structs, maps and lists stand in nobody's way; what is no polygon is refused by its id."""
    write_land(tmp_path, "Vaduz")
    case = write_case(tmp_path, "land_use.parquet", '[allow]\nunallocated = ["sink/forest"]\n')
    parcels = cg.check(case)
    assert not [each for each in parcels.problems if each.level == "error"]
    case = write_case(tmp_path, "land.parquet")
    with pytest.raises(InputError, match=r"1 geometry is no polygon: land-1 \(LineString\)"):
        cg.run(case, tmp_path / "run")


@pytest.mark.parametrize("place", PLACES)
def test_places_are_read_and_what_they_are_not_is_told(tmp_path, place):
    kinds = write_places(tmp_path, place)
    table, notes = read_pois(pois_case(tmp_path), "EPSG:3857")
    assert sorted(table["poi_type"]) == sorted(path for path, *_ in kinds)
    found = table.set_index("poi_type")["category"].to_dict()
    assert found.pop("lodging > hotel") == "buildings/commerce"
    assert sorted(found.values()) == [""] * 3 + ["buildings/public-services"] * 2
    told = "\n".join(note.what for note in notes)
    assert (
        "3 of 6 POIs are of 3 types without a category in overture: (blank) (1), geographic_entities > water_feature > lake (1), services_and_business > space_service > rocket_pad (1)"
        in told
    )
    assert "2 of 6 places are closed, and are not taken out: " in told
    assert "permanently_closed (1)" in told
    weighed = pois_case(tmp_path, weight="confidence")
    table, notes = read_pois(weighed, "EPSG:3857")
    assert sorted(table["thousandths"]) == [0, 300, 500, 700, 800, 900]
    closed = [note for note in notes if "are closed" in note.what]
    assert [note.what.partition(": ")[0] for note in closed] == [
        "1 of 6 places are closed, and are not taken out"
    ]
    assert closed[0].hint == "Take them out of the file."
    assert any("1 of 6 POIs have a weight of 0, and count nothing" in note.what for note in notes)


@pytest.mark.parametrize("path", ["place.csv", "place.parquet", "place.shp"])
def test_closed_places_are_told_whatever_the_file_and_the_crosswalk(tmp_path, path):
    """Caught: a table, or a crosswalk of the user's own, counted them in silence."""
    write_places(tmp_path, "Vaduz")
    rows = gpd.read_parquet(tmp_path / "place.parquet", columns=["basic_category", "operating_status", "geometry"])  # fmt: skip
    place = rows.drop(columns="geometry").assign(x=rows.geometry.x, y=rows.geometry.y)
    place.fillna("").to_csv(tmp_path / "place.csv", index=False)
    cut = rows.rename(columns={"basic_category": "basic_cate", "operating_status": "operating_"})
    cut.to_file(tmp_path / "place.shp")
    kind = "basic_cate" if path == "place.shp" else "basic_category"
    (tmp_path / "own.csv").write_text(
        "poi_type,category\nlibrary,buildings/public-services\n", encoding="utf-8"
    )
    more = {"x": "x", "y": "y"} if path == "place.csv" else {}
    for crosswalk in ("own.csv", "overture"):
        case = pois_case(tmp_path, path=path, type=kind, crosswalk=crosswalk, **more)
        told = [note.what for note in read_pois(case, "EPSG:3857")[1]]
        assert any(what.startswith("2 of 6 places are closed") for what in told)


def test_a_basic_category_means_what_its_branch_means(tmp_path):
    write_places(tmp_path, "Osaka")
    table, _ = read_pois(pois_case(tmp_path, type="basic_category"), "EPSG:3857")
    found = table.set_index("poi_type")["category"].to_dict()
    assert found["library"] == "buildings/public-services"
    assert found["hotel"] == "buildings/commerce"
    assert found["rocket_pad"] == found["lake"] == ""


def test_a_struct_is_no_column_and_its_fields_are_named(tmp_path):
    write_places(tmp_path, "Vaduz")
    with pytest.raises(InputError, match=r"there is no column 'taxonomy'[^.]*\. .*taxonomy\.primary, taxonomy\.hierarchy"):  # fmt: skip
        read_pois(pois_case(tmp_path, type="taxonomy"), "EPSG:3857")


def test_every_branch_is_matched_by_its_nearest_rule():
    """A rule for a branch holds below it, whatever the branch is called later on."""
    table = packaged_table("poi/overture.csv")
    rules = dict(zip(table["poi_type"], table["category"], strict=True))
    branches = [name for name in rules if name.endswith("*")]
    below = pd.Series([name[:-1].removesuffix(" > ") + " > a > b" for name in branches], dtype=str)
    assert match_poi_types(below, rules).tolist() == [rules[name] for name in branches]


SERVICES, ENERGY, CROPS = "services_and_business", "b2b_energy_and_utility_service", "b2b_agriculture_service"  # fmt: skip
MEANT = {
    "housing_or_property_service > apartment": "buildings/urban-homes",
    "housing_or_property_service > senior_living_facility > retirement_home": "buildings/public-services",
    "housing_or_property_service > halfway_house": "buildings/public-services",
    "corporate_or_business_office": "",
    "corporate_or_business_office > industrial_company": "",
    "corporate_or_business_office > travel_company": "buildings/commerce",
    "home_service > recycling_center": "",
    "printing_service > commercial_printer": "industry/manufacturing",
    "utility_energy_infrastructure": "industry/supply",
    "utility_energy_infrastructure > solar_farm": "",
    f"b2b_service > {ENERGY} > b2b_oil_and_gas > b2b_oil_refinery": "industry/manufacturing",
    f"b2b_service > {ENERGY} > b2b_oil_and_gas > b2b_oil_and_gas_equipment": "buildings/commerce",
    f"b2b_service > {ENERGY} > b2b_oil_and_gas > b2b_oil_and_gas_extraction": "industry/mining",
    f"b2b_service > {CROPS} > b2b_farming > farm_equipment_and_supply > fertilizer_store": "buildings/commerce",
    f"b2b_service > {CROPS} > b2b_farming > farm_equipment_and_supply > grain_elevator": "buildings/commerce",
    f"b2b_service > {CROPS} > b2b_farming > farm_equipment_and_supply > greenhouse": "agriculture/plantation",
    f"b2b_service > {CROPS} > fish_farm_hatchery > fish_farm": "",
    f"b2b_service > {CROPS} > livestock_dealer": "buildings/commerce",
    f"b2b_service > {CROPS} > apiary_beekeeper": "",
}  # fmt: skip
"""What branches of services mean, whatever is above them."""

ELSEWHERE = {
    "food_and_drink > alcoholic_beverage_venue > brewery": "industry/manufacturing",
    "food_and_drink > alcoholic_beverage_venue > winery": "industry/manufacturing",
    "food_and_drink > alcoholic_beverage_venue > winery > wine_tasting_room": "buildings/commerce",
    "shopping > food_and_beverage_store > pick_your_own_farm": "agriculture/plantation",
    "community_and_government > armed_forces_branch": "",
    "apartment": "buildings/urban-homes",
    "senior_living_facility": "buildings/public-services",
    "corporate_or_business_office": "",
    "distillery": "industry/manufacturing",
}


@pytest.mark.parametrize(("branch", "category"), [*((f"{SERVICES} > {branch}", category) for branch, category in MEANT.items()), *ELSEWHERE.items()])  # fmt: skip
def test_what_a_branch_means(branch, category):
    """Homes and works are no shops; who deals in what a farm or a well needs is one."""
    table = packaged_table("poi/overture.csv")
    rules = dict(zip(table["poi_type"], table["category"], strict=True))
    assert match_poi_types(pd.Series([branch]), rules).tolist() == [category]


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("recycling", "utilities"),
        ("bicycle_parking", "transport"),
        ("motorcycle_parking", "transport"),
        ("viaduct", "transport"),
    ],
)
def test_what_a_class_of_infrastructure_is(kind, meant):
    table = packaged_table("landuse/overture.csv").set_index("code")
    assert table.loc[kind, "type"] == meant


def places_told(folder, kinds, **more):
    """Return what is said of the file's kinds, ids and confidences, of places in a row."""
    rows = [{"taxonomy": {"primary": kind.split(" > ")[-1], "hierarchy": kind.split(" > ")}, "confidence": sure} for kind, sure in kinds]  # fmt: skip
    shapes = [square("Vaduz", number, 0).centroid for number in range(len(rows))]
    write_overture(folder / "place.parquet", PLACE, shapes, rows)
    return told_of(folder, **more)


def told_of(folder, **more):
    _, notes = read_pois(pois_case(folder, **more), CRS.from_epsg(32632))
    words = ("does not know, as of", "an id that another", "a confidence above 1")
    found = [each for each in notes if any(word in each.what for word in words)]
    known = ["place.parquet", "overture", "taxonomy", "hierarchy", "confidence", "learning", "Education", "office_of"]  # fmt: skip
    assert all(english_in(note_in_chinese(str(each)), known) == [] for each in found)
    assert all(each.level == "warning" for each in found)
    return [each.what.partition(" places ")[0] for each in found]


SCHOOL = ("education > library", 0.9)


@pytest.mark.parametrize(
    ("kind", "column", "count"),
    [
        ("education > place_of_learning > school", "taxonomy.hierarchy", 0),
        ("learning > place_of_learning > school", "taxonomy.hierarchy", 1),  # a branch renamed
        ("Education > Library", "taxonomy.hierarchy", 1),
        ("services_and_business > space_service > rocket_pad", "taxonomy.hierarchy", 0),  # a new twig
        ("services_and_business > law > office_of", "taxonomy.primary", 1),
        ("cultural_and_historic > monument", "taxonomy.hierarchy", 0),  # known, and nothing
        ("", "taxonomy.hierarchy", 0),
    ],
)  # fmt: skip
def test_kinds_of_another_release_are_told(tmp_path, kind, column, count):
    """Seen among types without a category, of which every file has many: a third of all schools had gone."""
    told = places_told(tmp_path, [SCHOOL] * 9 + [(kind, 0.9)], type=column)
    assert told == ["1"] * count


def test_one_odd_kind_among_many_is_no_other_release(tmp_path):
    assert places_told(tmp_path, [SCHOOL] * 120 + [("learning > school", 0.9)]) == []


def test_places_without_a_kind_make_no_other_release(tmp_path):
    """Seen to be told: one odd kind among 120 places, of which some have none."""
    odd = [("", 0.9)] * 5 + [("learning > school", 0.9)]
    assert places_told(tmp_path, [SCHOOL] * 120 + odd) == []


@pytest.mark.parametrize(("sure", "count"), [((0.9, 0.4), 0), ((90, 40), 0), ((0.9, 40), 1), ((1, 1), 0)])  # fmt: skip
def test_a_confidence_is_a_chance(tmp_path, sure, count):
    """In percent throughout it counts the same; in some rows alone these had all of a category."""
    kinds = [(SCHOOL[0], each) for each in sure]
    assert len(places_told(tmp_path, kinds, weight="confidence")) == count


def test_two_releases_put_together_are_told(tmp_path):
    """Their places have moved by a metre, so that no row is like another."""
    places_told(tmp_path, [SCHOOL] * 4)
    first = gpd.read_parquet(tmp_path / "place.parquet", columns=["id", "basic_category", "geometry"])  # fmt: skip
    later = first.assign(geometry=first.translate(1e-5, 0))
    both = pd.concat([first, later[:1]]).assign(basic_category="library")
    both.to_parquet(tmp_path / "place.parquet")
    assert told_of(tmp_path, type="basic_category") == ["1 of 5"]
    both.assign(id=[f"p{row}" for row in range(5)]).to_parquet(tmp_path / "place.parquet")
    assert told_of(tmp_path, type="basic_category") == []
