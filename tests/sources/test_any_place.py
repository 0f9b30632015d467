"""Files in, case out: each reader of data that exists, on three made places, from the published layout to a run that verifies."""

from __future__ import annotations

import csv
import io
import itertools
import json
import tomllib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rioxarray
import shapely
from climate_trace_files import published, row
from ecrf_files import DIRECT, ENERGY, workbook
from ecrf_files import row as ecrf_row
from made_places import (
    FIJI,
    LAND,
    PLACES,
    STYRIA,
    WORLD,
    Place,
    land_at,
    write_on_world_grid,
    write_parcels,
    write_units,
)
from overture_files import BASE, PLACE, write_overture
from raster_files import edgar, raster_of
from rasterio.transform import from_origin

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.outputs.result import Result
from carbongrid.sources.osm.residents import require_people

pytestmark = pytest.mark.filterwarnings(
    "ignore:Use `@` matmul:PendingDeprecationWarning"
)  # of rioxarray

KINDS = {"homes": "0701", "works": "0601", "shops": "05H1", "field": "0103", "wood": "0301"}
TOTALS = {
    "industry/manufacturing": 60, "buildings/urban-homes": 40, "buildings/commerce": 40,
    "agriculture/plantation": 30, "sink/forest": 8,
}  # fmt: skip
"""In kt CO2e."""

WEST_OF_180 = {**PLACES, "Fiji": FIJI.beside(-10)}
"""For rasters that must hold the land in one piece, as tiles that end at 180 degrees do."""


def three(usual: str = "") -> Any:
    """The three places: all each time where a reader asks where things are, else one (``usual``), and the others by ``nox -s thorough``."""
    every = [
        pytest.param(name, id=name, marks=[pytest.mark.thorough] * (usual not in ("", name)))
        for name in PLACES
    ]
    return pytest.mark.parametrize("name", every)


def write_case(
    folder: Path,
    place: Place,
    parcels: dict[str, Any] | None = None,
    evidence: tuple[str, ...] = (),
    **sections: dict[str, Any],
) -> Path:
    """Write a case of the town, whose categories go by area but those that have ``evidence``; tables that are there stay."""
    write_units(folder / "units.gpkg", place)
    if parcels is None:
        write_parcels(folder / "parcels.gpkg", place, KINDS)
        parcels = {"path": "parcels.gpkg", "id": "id", "land_use": "code", "code_system": "tdland3"}
    rows = {
        "totals.csv": [
            "category,value,unit",
            *(f"{name},{much},kt CO2e" for name, much in TOTALS.items()),
        ],
        "categories.csv": [
            "category,weight",
            *(
                f"{name},area"
                for name in [*TOTALS, "industry/supply"]
                if not name.startswith("sink") and name not in evidence
            ),
        ],
    }
    for name, lines in rows.items():
        if not (folder / name).exists():
            (folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    values = {
        "grid": {"resolution": 50, **({"crs": place.grid} if place.grid else {})},
        "parcels": parcels,
        "units": {"path": "units.gpkg", "id": "code", "name": "name"},
        "totals": {"path": "totals.csv"},
        "categories": {"path": "categories.csv"},
        "uncertainty": {"draws": 20},
        **sections,
    }
    text = "year = 2020\n"
    for section, keys in values.items():
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        text += "\n".join([f"[{section}]", *lines, ""])
    assert tomllib.loads(text)
    (folder / "case.toml").write_text(text, encoding="utf-8")
    return folder / "case.toml"


def ran(case: Path) -> Result:
    """Check, run and verify a case."""
    assert [each for each in cg.check(case).problems if each.level == "error"] == []
    result = cg.run(case, case.parent / "run")
    assert cg.verify(result.directory, sample=0).ok
    return result


def by_unit(result: Result, category: str) -> list[float]:
    """Tonnes of a category in the two units."""
    return [
        float(tonnes)
        for tonnes in result.units.set_index("id").sort_index()[category.replace("/", "_") + "_t"]
    ]


def done(carbongrid: Any, *words: object) -> str:
    """Return what a command said."""
    found = carbongrid(*words)
    assert found.returncode == 0, found.stdout + found.stderr
    return str(found.stdout)


@three()
def test_land_cover(name: str, tmp_path: Path, carbongrid: Any) -> None:
    """WorldCover's cells: homes, works and shops are one class, of which three squares of five lie in the west."""
    place = WEST_OF_180[name]
    units = write_units(tmp_path / "units.gpkg", place)
    legend = {"homes": 50, "works": 50, "shops": 50, "field": 40, "wood": 10}
    write_on_world_grid(
        tmp_path / "cover.tif", place, land_at(legend, 0), step=1 / 12000, dtype="uint8", nodata=0
    )
    done(
        carbongrid,
        "from-raster",
        tmp_path / "cover.tif",
        "--units",
        units,
        "--codes",
        "worldcover",
        "--out",
        tmp_path / "parcels.parquet",
    )
    result = ran(
        write_case(
            tmp_path,
            place,
            {
                "path": "parcels.parquet",
                "id": "id",
                "land_use": "code",
                "code_system": "worldcover",
            },
        )
    )
    assert by_unit(result, "industry/manufacturing") == pytest.approx([36_000, 24_000], rel=0.01)
    assert by_unit(result, "sink/forest") == pytest.approx([2_000, 6_000], rel=0.01)


def test_land_cover_of_europe(tmp_path: Path, carbongrid: Any) -> None:
    """CORINE's cells of 100 m in EPSG:3035, signed bytes: works and homes are classes of their own, shops have none."""
    units = write_units(tmp_path / "units.gpkg", STYRIA)
    legend = {"homes": 2, "works": 3, "shops": 11, "field": 12, "wood": 23}
    write_on_world_grid(tmp_path / "clc.tif", STYRIA, land_at(legend, 44), step=100, crs="EPSG:3035", dtype="int8", nodata=-128)  # fmt: skip
    parcels = tmp_path / "parcels.parquet"
    done(carbongrid, "from-raster", tmp_path / "clc.tif", "--units", units, "--codes", "corine-grid", "--out", parcels)  # fmt: skip
    (tmp_path / "totals.csv").write_text(
        "category,value,unit\nindustry/manufacturing,60,kt CO2e\nbuildings/urban-homes,40,kt CO2e\nsink/forest,8,kt CO2e\n",
        encoding="utf-8",
    )
    keys = {"path": parcels.name, "id": "id", "land_use": "code", "code_system": "corine-grid"}
    result = ran(write_case(tmp_path, STYRIA, keys))
    assert by_unit(result, "industry/manufacturing") == [60_000, 0]
    assert by_unit(result, "buildings/urban-homes") == pytest.approx([20_000, 20_000], rel=1e-3)
    assert by_unit(result, "sink/forest") == pytest.approx([2_000, 6_000], rel=1e-3)


def in_degrees(shape: Any, place: Place) -> Any:
    """A shape from -180 to 180 degrees, cut where it goes on beyond."""
    there = gpd.GeoSeries([shapely.segmentize(shape, 100)], crs=place.crs).to_crs(4326)[0]
    onward = shapely.transform(there, lambda xy: np.column_stack([xy[:, 0] % 360, xy[:, 1]]))
    if np.ptp(shapely.get_coordinates(there)[:, 0]) < 180:
        return there
    west, east = (
        shapely.clip_by_rect(onward, 0, -90, 180, 90),
        shapely.clip_by_rect(onward, 180, -90, 360, 90),
    )
    back = shapely.transform(east, lambda xy: xy - [360, 0])
    return shapely.MultiPolygon([west, back])


@three()
def test_overture(name: str, tmp_path: Path) -> None:
    """Shops share by the confidence of their places, 0.9 in the west and 0.3 in the east."""
    place = PLACES[name]
    classes = {
        "homes": "residential",
        "works": "industrial",
        "shops": "retail",
        "field": "farmland",
        "wood": "wood",
    }
    for kind, lands in {
        "land_use": ("homes", "works", "shops", "field"),
        "land": ("wood",),
    }.items():
        at = [where for where, land in LAND.items() if land in lands]
        rows = [{"class": classes[LAND[where]], "subtype": "?"} for where in at]
        write_overture(
            tmp_path / f"{kind}.parquet",
            BASE,
            [in_degrees(place.square(*where), place) for where in at],
            rows,
        )
    ways = [
        (2.5, 0.9, ["lodging", "hotel"]),
        (4.5, 0.3, ["shopping", "department_store"]),
        (1.5, 0.9, ["geographic_entities", "water_feature", "lake"]),
    ]
    rows = [
        {"confidence": sure, "taxonomy": {"primary": way[-1], "hierarchy": way}}
        for _, sure, way in ways
    ]
    write_overture(
        tmp_path / "place.parquet",
        PLACE,
        [shapely.Point(place.lonlat(x, 0.5)) for x, *_ in ways],
        rows,
    )
    land = pd.concat(
        [
            gpd.read_parquet(tmp_path / f"{kind}.parquet", columns=["id", "class", "geometry"])
            for kind in ("land_use", "land")
        ],
        ignore_index=True,
    )
    if place is FIJI:
        # Degrees that go on beyond 180, as the reader asks for.
        land.geometry = shapely.transform(
            land.geometry.to_numpy(), lambda xy: np.column_stack([xy[:, 0] % 360, xy[:, 1]])
        )
        land.geometry = land.geometry.map(lambda shape: shapely.union_all(shape, grid_size=1e-9))
    land.to_parquet(tmp_path / "parcels.parquet", index=False)
    pois = {
        "path": "place.parquet",
        "crs": "EPSG:4326",
        "type": "taxonomy.hierarchy",
        "weight": "confidence",
        "crosswalk": "overture",
    }
    parcels = {
        "path": "parcels.parquet",
        "id": "id",
        "land_use": "class",
        "code_system": "overture",
        "overlap": "priority",
    }
    result = ran(write_case(tmp_path, place, parcels, ("buildings/commerce",), pois=pois))
    assert by_unit(result, "buildings/commerce") == [30_000, 10_000]
    assert by_unit(result, "industry/manufacturing") == [60_000, 0]
    assert by_unit(result, "sink/forest") == pytest.approx([2_000, 6_000], rel=0.001)


@three()
def test_climate_trace(name: str, tmp_path: Path, carbongrid: Any) -> None:
    """A cement works in the west and a power plant at the eastern end lie where they stand; one of another country is none."""
    place = PLACES[name]
    units = write_units(tmp_path / "units.gpkg", place)
    spots = {
        "cement": (place.lonlat(1.5, 0.5), 25_000),
        "electricity-generation": (place.lonlat(5.5, 0.5), 12_000.5),
        "steel": ((2.0, 48.0), 7),
    }
    files = []
    for number, (subsector, ((lon, lat), tonnes)) in enumerate(spots.items()):
        source = row(
            number,
            "co2e_100yr",
            tonnes,
            subsector=subsector,
            x=f"{lon:.7f}",
            y=f"{lat:.7f}",
            start="2020-01-01 00:00:00",
            end="2020-12-31 00:00:00",
        )
        files.append(published(tmp_path / f"{subsector}_emissions_sources_v5_3_0.csv", [source]))
    done(
        carbongrid,
        "from-climate-trace",
        *files,
        "--within",
        units,
        "--out",
        tmp_path / "facilities.csv",
    )
    (tmp_path / "totals.csv").write_text(
        "category,value,unit\nindustry/manufacturing,60,kt CO2e\nindustry/supply,12000.5,t CO2e\nsink/forest,8,kt CO2e\n",
        encoding="utf-8",
    )
    result = ran(write_case(tmp_path, place, facilities={"path": "facilities.csv"}))
    told = csv.DictReader(
        io.StringIO((result.directory / "facilities.csv").read_text(encoding="utf-8"))
    )
    assert {each["category"]: json.loads(each["mass_by_unit"]) for each in told} == {
        "industry/manufacturing": {"1": "25000.000000"},
        "industry/supply": {"2": "12000.500000"},
    }
    assert by_unit(result, "industry/supply") == [0, 12_000.5]


CODED = {
    "crt": "CRT_code,Category,gas,value,unit\n1.A.2.,Manufacturing,CO2,60,kt CO2e\n1.A.4.a.,Commercial,CO2,40,kt CO2e\n1.A.4.b.,Residential,CO2,40,kt CO2e\n"
           "3.D.,Soils,N2O,30,kt CO2e\n4.A.,Forest land,CO2,-8,kt CO2e\n1.D.1.,International aviation,CO2,500,kt CO2e\n",
    "gpc": "code,name,gas,value,unit\nI.3.1,Manufacturing,CO2,60,kt CO2e\nI.2.1,Commercial,CO2,40,kt CO2e\nI.1.1,Residential,CO2,40,kt CO2e\n"
           "V.3,Aggregate sources on land,N2O,30,kt CO2e\nV.2,Land,CO2,-8,kt CO2e\n",
}  # fmt: skip
SPLITS = {
    "crt": "code,category,share\n1.A.2,industry/manufacturing,\n1.A.4.a,buildings/commerce,\n1.A.4.b,buildings/urban-homes,\n3.D,agriculture/plantation,\n4.A,sink/forest,\n",
    "gpc": "code,category,share\nI.3.1,industry/manufacturing,\nI.2.1,buildings/commerce,\nI.1.1,buildings/urban-homes,\nV.3,agriculture/plantation,\nV.2,sink/forest,\n",
}  # fmt: skip


def has_its_totals(table: Path, system: str, place: Place, carbongrid: Any) -> None:
    """Turn a table into the totals of a case, and look for the mass where it must lie."""
    folder = table.parent
    (folder / "split.csv").write_text(SPLITS[system], encoding="utf-8")
    done(
        carbongrid,
        "inventory",
        table,
        "--system",
        system,
        "--split",
        folder / "split.csv",
        "--totals",
        folder / "totals.csv",
    )
    result = ran(write_case(folder, place))
    assert by_unit(result, "industry/manufacturing") == [60_000, 0]
    assert by_unit(result, "sink/forest") == pytest.approx([2_000, 6_000], rel=0.001)
    assert result.units["emission_t"].sum() == 170_000


@three("Jiangsu")
def test_a_national_table(name: str, tmp_path: Path, carbongrid: Any) -> None:
    """Bunkers stay out of it."""
    (tmp_path / "table.csv").write_text(CODED["crt"], encoding="utf-8")
    has_its_totals(tmp_path / "table.csv", "crt", PLACES[name], carbongrid)


@three("Styria")
def test_a_citys_table(name: str, tmp_path: Path, carbongrid: Any) -> None:
    (tmp_path / "table.csv").write_text(CODED["gpc"], encoding="utf-8")
    has_its_totals(tmp_path / "table.csv", "gpc", PLACES[name], carbongrid)


@three("Fiji")
def test_a_citys_report(name: str, tmp_path: Path, carbongrid: Any) -> None:
    """The workbook eCRF, in which two fuels of industry are two rows."""
    rows = [
        ecrf_row("I.3.1", ENERGY, "Manufacturing industries and construction", DIRECT, 35_000),
        ecrf_row("I.3.1", ENERGY, "Manufacturing industries and construction", DIRECT, 25_000),
        ecrf_row(
            "I.2.1", ENERGY, "Commercial and institutional buildings and facilities", DIRECT, 40_000
        ),
        ecrf_row("I.1.1", ENERGY, "Residential buildings", DIRECT, 40_000),
        ecrf_row(
            "V.3", "AFOLU", "Aggregate sources and non-CO2 emission sources on land", DIRECT, 30_000
        ),
        ecrf_row("V.2", "AFOLU", "Land use", DIRECT, -8_000),
    ]
    path = workbook(tmp_path / "city.xlsx", rows, wide=True)
    has_its_totals(path, "gpc", PLACES[name], carbongrid)


WORLDPOP: dict[str, Any] = {"step": 1 / 1200, "nodata": -99999}
GHS_POP: dict[str, Any] = {"step": 100, "crs": "ESRI:54009", "nodata": -200, "dtype": "float64"}


def people(x: Any, y: Any) -> Any:
    """Three hundred people in the homes of the west, spread evenly over their cells, and a hundred in those of the east."""
    north = (y > 0.2) & (y < 0.8)
    west, east = ((x > start + 0.2) & (x < start + 0.8) & north for start in (0, 3))
    return np.where(
        west, 300 / max(west.sum(), 1), np.where(east, 100 / max(east.sum(), 1), np.nan)
    )


def lives(folder: Path, place: Place, **grid: Any) -> Path:
    """Write a case in which cells without people are without data."""
    write_on_world_grid(folder / "people.tif", place, people, **grid)
    return write_case(
        folder, place, None, ("buildings/urban-homes",), people={"path": "people.tif"}
    )


def thrice_as_many_in_the_west(result: Result) -> None:
    assert by_unit(result, "buildings/urban-homes") == pytest.approx([30_000, 10_000], rel=1e-3)
    assert result.units.set_index("id")["residents"].tolist() == pytest.approx([300, 100], rel=1e-3)


@three("Styria")
def test_people_of_worldpop(name: str, tmp_path: Path) -> None:
    """Cells of 3 seconds."""
    thrice_as_many_in_the_west(ran(lives(tmp_path, WEST_OF_180[name], **WORLDPOP)))


@three("Fiji")
def test_people_of_ghs_pop(name: str, tmp_path: Path) -> None:
    """Cells of 100 m in Mollweide's projection."""
    thrice_as_many_in_the_west(ran(lives(tmp_path, WEST_OF_180[name], **GHS_POP)))


@pytest.mark.parametrize("layout", ["WorldPop", "GHS-POP"])
def test_people_on_both_sides_of_180_are_refused(layout: str, tmp_path: Path) -> None:
    """Seen to give homes beside 180 degrees the people of all others: in the raster's CRS they went around the earth."""
    case = lives(tmp_path, FIJI, **(WORLDPOP if layout == "WorldPop" else GHS_POP))
    (told,) = [each for each in cg.check(case).problems if each.level == "error"]
    assert "both ends of the raster's map" in told.what
    assert "gdalwarp" in told.hint


def test_a_raster_of_the_whole_earth_in_an_oval_is_read(tmp_path: Path) -> None:
    """Its corners are of no place. Seen to be refused as outside of Mollweide's area of use, as GHS-POP's file of the world was."""
    west, north, width = WORLD["ESRI:54009"]
    case = lives(tmp_path, STYRIA, **GHS_POP)
    raster_of(
        tmp_path / "people.tif",
        np.ones((180, 361)),
        crs="ESRI:54009",
        transform=from_origin(west, north, width / 361, 100_000),
    )
    assert [
        each.what
        for each in cg.check(case).problems
        if "area of use" in each.what or "elsewhere" in each.what
    ] == []


@pytest.mark.parametrize("crs", ["EPSG:32650", "EPSG:3035", "EPSG:27700"])
def test_a_raster_of_the_whole_earth_in_the_crs_of_a_part_is_refused(
    tmp_path: Path, crs: str
) -> None:
    """Seen to be taken as it stands, since some of its corners are of no place: people of another continent would have counted."""
    west, north, width = WORLD["ESRI:54009"]
    raster_of(
        tmp_path / "people.tif",
        np.ones((180, 361)),
        crs=crs,
        transform=from_origin(west, north, width / 361, 100_000),
    )
    with pytest.raises(InputError, match="outside the area of use"):
        require_people(tmp_path / "people.tif")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(daily := [("Fiji", "tif"), ("Jiangsu", "nc"), ("Styria", "zarr")]),
        *(
            pytest.param(name, kind, marks=pytest.mark.thorough)
            for name, kind in itertools.product(PLACES, ["tif", "nc", "zarr"])
            if (name, kind) not in daily
        ),
    ],
)
def test_a_weight_raster(name: str, kind: str, tmp_path: Path) -> None:
    """Lights at night in cells of 15 seconds: three times as bright in the west, where one of two squares of shops is."""
    place = PLACES[name]
    write_on_world_grid(
        tmp_path / "lights.tif", place, lambda x, y: np.where(x < 3.5, 9.0, 3.0), step=1 / 240
    )
    if kind != "tif":
        with rioxarray.open_rasterio(tmp_path / "lights.tif") as raster:
            lights = raster.squeeze("band", drop=True).rename("lights").to_dataset()
            if kind == "nc":
                lights.to_netcdf(tmp_path / "lights.nc", engine="h5netcdf")
            else:
                lights.to_zarr(tmp_path / "lights.zarr", consolidated=False)
    (tmp_path / "categories.csv").write_text(
        f"category,weight\nbuildings/commerce,raster:lights.{kind}\nindustry/manufacturing,area\nbuildings/urban-homes,area\n",
        encoding="utf-8",
    )
    result = ran(write_case(tmp_path, place))
    assert by_unit(result, "buildings/commerce") == pytest.approx([30_000, 10_000], rel=2e-3)


def shares_in_degrees(place: Place, step: float) -> tuple[Any, Any, Any]:
    """Latitudes and longitudes of the middles of the world's cells around a town, and the share of each in each unit [unit, lat, lon]."""
    halves = [in_degrees(place.square(start, 0, 3, 2), place) for start in (0, 3)]
    _, south, _, north = shapely.total_bounds(halves)
    lat = np.arange(np.floor(south / step) - 1, np.ceil(north / step) + 1) * step + step / 2
    lon = np.arange(round(-180 / step), round(180 / step)) * step + step / 2
    x, y = np.meshgrid(lon, lat)
    cells = shapely.box(x - step / 2, y - step / 2, x + step / 2, y + step / 2)
    return (
        lat,
        lon,
        np.array([shapely.area(shapely.intersection(half, cells)) for half in halves]) / step**2,
    )


@three("Styria")
def test_published_rasters(name: str, tmp_path: Path) -> None:
    """EDGAR's tonnes of 0.1 degree as NetCDF and as Zarr, ODIAC's of carbon in twelve GeoTIFFs of 30 seconds, all around the world."""
    import xarray as xr

    place = PLACES[name]
    result = ran(write_case(tmp_path, place))
    lat, lon, shares = shares_in_degrees(place, 0.1)
    tonnes = np.random.default_rng(1).uniform(1e5, 9e5, (lat.size, lon.size))
    told = {"units": "Tonnes", "substance": "CO2"}
    by_hand = (shares * tonnes).sum(axis=(1, 2))
    file = edgar(tmp_path / "emi.nc", (lat, lon), tonnes, **told)
    store = tmp_path / "emi.zarr"
    with xr.open_dataset(file) as opened:
        opened.to_zarr(store, consolidated=False)
    for raster in (file, store):
        found = cg.validate(result.directory, raster, unit="t CO2 yr-1", draws=2)
        assert found.values.set_index("region")["published_t"].tolist() == pytest.approx(
            by_hand.tolist(), rel=1e-3
        )
    months = [
        write_on_world_grid(
            tmp_path / f"odiac_{month:02}.tif",
            place,
            lambda x, y, month=month: np.where(x < 3, 12.0, 6.0) * month,
            step=1 / 120,
        )
        for month in range(1, 13)
    ]
    found = cg.validate(result.directory, months, unit="t C month-1", draws=2)
    west, east = found.values.set_index("region")["published_t"].tolist()
    cells = 6e6 / (30 * 30 * 30.87**2 * np.cos(np.radians(lat.mean())))
    assert west == pytest.approx(12 * 78 * 44 / 12 * cells, rel=0.3)
    assert 0.4 < east / west < 0.6
