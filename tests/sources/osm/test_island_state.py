"""An island state, from the file to the case: most of it is sea, its power burns oil inside an industrial estate."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner
from osm_file import OsmFile, Ring
from waiting import HANG

from carbongrid.cli import main
from carbongrid.pipeline import check, run
from carbongrid.pipeline.verification import verify
from carbongrid.sources.osm import OsmCase, write_case_from_osm
from carbongrid.sources.osm.extract import read_extract


def ring(west: float, south: float, east: float, north: float) -> Ring:
    """Corners in hundredths of a degree off a point in the sea, anticlockwise: land lies on the left."""
    corners = [(west, south), (east, south), (east, north), (west, north)]
    return [(14 + x / 100, 36 + y / 100) for x, y in corners]


def border(name: str | None, level: str, **more: str) -> dict[str, str]:
    named = {} if name is None else {"name": name}
    return {"boundary": "administrative", "admin_level": level, **named, **more}


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = OsmFile()
    file.border(ring(-80, -80, 80, 80), border("Inselstaat", "2"))
    file.border(ring(-100, -100, 100, 100), border("Zollgebiet", "4", maritime="yes"))
    file.border(ring(-60, 40, -40, 60), border("Hohe See", "8"))
    for k in range(4):
        name = None if k == 3 else f"Ort {k}"
        file.border(ring(4 * k, 0, 4 * k + 4, 8), border(name, "8"))
        file.way(ring(4 * k + 0.2, 4, 4 * k + 3.8, 7.8), {"landuse": "residential"})
        file.way(ring(4 * k + 0.2, 2, 4 * k + 3.8, 3.8), {"landuse": "farmland"})
    file.way(ring(0, 0, 16, 8), {"natural": "coastline"})
    file.way(ring(1, 0.1, 3, 1.8), {"landuse": "industrial"})
    oil = {"power": "plant", "plant:source": "oil", "plant:output:electricity": "120 MW"}
    file.way(ring(1.5, 0.5, 2, 1), {"landuse": "industrial", "name": "Kraftwerk", **oil})
    file.way(ring(13, 0.1, 15, 1.8), {"power": "plant", "plant:source": "solar", "plant:output:electricity": "500 MW"})  # fmt: skip
    diesel = {"power": "generator", "generator:source": "diesel", "generator:output:electricity": "800 kW"}  # fmt: skip
    file.node(14 + 2.5 / 100, 36 + 1.5 / 100, diesel)
    for x in range(12):
        file.node(14 + x / 100, 36.05, {"power": "generator", "generator:source": "solar"})
        file.node(14 + x / 100, 36.06, {"amenity": "recycling"})
        file.node(14 + x / 100, 36.03, {"power": "substation"})
    file.way(ring(15.99, 4, 16.01, 4.01), {"man_made": "pier"})
    file.way(ring(15, 5, 15.9, 5.5), {"landuse": "port"})
    return file.write(tmp_path_factory.mktemp("island") / "island-2024.osm.pbf")


@pytest.fixture(scope="module")
def made(extract: Path, tmp_path_factory: pytest.TempPathFactory) -> OsmCase:
    return write_case_from_osm(extract, tmp_path_factory.mktemp("island") / "case")


def test_what_is_read(extract: Path) -> None:
    found = read_extract(extract)
    assert found.coastal
    assert "Zollgebiet" not in set(found.borders["name"])
    assert sorted(found.borders["level"]) == ["2", *["8"] * 5]
    assert (found.areas["plant_output_electricity"] == "120 MW").sum() == 1
    assert (found.points["generator_output_electricity"] == "800 kW").sum() == 1


def test_units_are_the_places_on_land(made: OsmCase) -> None:
    """Seen to fail when the sea stood in for what the places leave of the state."""
    units = gpd.read_file(made.case.with_name("units.gpkg"))
    assert made.level == "8"
    assert sorted(units["name"]) == ["Ort 0", "Ort 1", "Ort 2", "relation/7"]
    told = [note.what for note in made.notes]
    assert "sea and rocks alone, so no units (1): Hohe See" in told
    assert any("2 (1 unit, 100% of the land), 8 (4 units, 100% of the land)" in what for what in told)  # fmt: skip


def test_power_lies_on_the_plant_and_shipping_on_the_port(made: OsmCase) -> None:
    """Seen to fail when panels, bins and substations were evidence of supply."""
    pois = pd.read_csv(made.case.with_name("pois.csv")).set_index("type")["weight"]
    assert pois["plant:source=oil"] == pytest.approx(120 * 77.4)
    assert pois["generator:source=diesel"] == pytest.approx(0.8 * 74.1, abs=0.001)
    assert len(pois) == 2
    parcels = gpd.read_file(made.case.with_name("parcels.gpkg")).set_index("land_use")["type"]
    assert parcels["plant:source=oil"] == "utilities"
    assert parcels["plant:source=solar"] == parcels["man_made=pier"] == "none"
    own = pd.read_csv(made.case.with_name("categories.csv")).set_index("category")
    assert own["weight"]["transport/water"] == "area"
    assert "industrial" in own["types"]["industry/supply"]


def test_the_case_checks_and_says_where_power_goes(made: OsmCase) -> None:
    checked = check(made.case)
    assert not checked.wrong, checked.problems
    assert any("at 2 points of interest of industry/supply" in str(p) for p in checked.problems)


def test_the_case_runs_and_verifies(made: OsmCase, tmp_path: Path) -> None:
    """Homes by area, power where the oil is burnt, ships at the port at the other end."""
    folder = Path(shutil.copytree(made.case.parent, tmp_path / "case"))
    totals = pd.read_csv(folder / "totals.csv", dtype=str, keep_default_na=False)
    known = {"buildings/urban-homes": "400", "industry/supply": "90", "transport/water": "7"}
    totals["value"] = totals["category"].map(known).fillna("0")
    totals.to_csv(folder / "totals.csv", index=False)
    result = run(folder / "case.toml", tmp_path / "run")
    assert verify(tmp_path / "run", sample=1).ok
    units = result.units.set_index("name")
    assert units["emission_t"].sum() == 497
    homes, port = (
        3.6 * 3.8,
        0.8 * 0.5,
    )  # hundredths of a degree, and what of the port lies on those of the last place
    each = 400 / (4 - port / homes)
    by_hand = [each, each, each, each * (1 - port / homes)]
    assert units["buildings_urban-homes_t"].tolist() == pytest.approx(by_hand, rel=1e-3)
    assert units["industry_supply_t"]["Ort 0"] == 90
    assert units["transport_water_t"]["relation/7"] == 7


def test_the_output_tells_other_levels(extract: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["from-osm", str(extract), str(tmp_path / "c"), "--units", "2"])
    assert done.exit_code == 0, done.output
    assert "8 (4 units, 100% of the land)" in done.output


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from carbongrid.cli import main
main()
"""


@pytest.mark.parametrize(
    "most", [*(pytest.param(most, marks=pytest.mark.thorough) for most in (0, 3000)), 40_000]
)
def test_a_full_disk_is_told_as_such(extract: Path, tmp_path: Path, most: int) -> None:
    """As a limit to files, which fails like one: at the first file, at a table, within a layer."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(most), "from-osm", str(extract), str(tmp_path / "case")],
        capture_output=True, text=True, check=False, timeout=HANG,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "the disk is full. Free some space" in done.stderr
    assert "fault of carbongrid" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "case" / "case.toml").exists()
