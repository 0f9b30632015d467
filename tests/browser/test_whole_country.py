"""A whole country from its extract to a report, by nothing but the commands that ``from-osm --help`` names."""

from __future__ import annotations

import logging
import re
import shlex
import time
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner, Result
from data import data_folder

from carbongrid.cli import main

logger = logging.getLogger(__name__)

pytestmark = [pytest.mark.browser, pytest.mark.drawn]

EXTRACT = Path("liechtenstein") / "liechtenstein-2024-03-04.osm.pbf"
READY = Path("liechtenstein") / "liechtenstein_osm_2024-03-04.gpkg"


def by(command: str) -> Result:
    done = CliRunner().invoke(main, shlex.split(command)[1:])
    assert done.exit_code == 0, (command, done.output)
    return done


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the commands of the help were followed; times are logged."""
    folder, extract = tmp_path_factory.mktemp("country"), data_folder() / EXTRACT
    help_text = by("carbongrid from-osm --help").output
    commands = re.findall(r"^ +(carbongrid .+|\(fill in .+\))$", help_text, re.MULTILINE)
    commands = [words for words in commands if "--land-cover" not in words]  # of another place
    assert [words.split()[1] for words in commands] == ["from-osm", "check", "in", "run", "verify"]
    times = {}
    for words in commands:
        if words.startswith("("):
            fill_in(folder / re.search(r"\S+\.csv", words).group())
            continue
        own = words.replace("liechtenstein.osm.pbf", shlex.quote(str(extract)))
        own = re.sub(r"\b(mycase|myrun)\b", lambda name: f"{folder}/{name[0]}", own)
        begun = time.perf_counter()
        by(own)
        times[words.split()[1]] = time.perf_counter() - begun
    logger.info(", ".join(f"{name} {took:.1f} s" for name, took in times.items()))
    assert times["from-osm"] < 60
    return folder


def fill_in(path: Path) -> None:
    """Give every category a total."""
    totals = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert set(totals["value"]) == {"0"}
    assert len(totals) == 24
    totals["value"] = [str(1000 + k) for k in range(len(totals))]
    totals.to_csv(path, index=False)


def test_every_gram_is_placed(country: Path) -> None:
    ledger = pd.read_csv(country / "myrun" / "ledger.csv")
    assert len(ledger) == 24
    assert (ledger["total_t"] > 0).all()
    assert ledger["unallocated_t"].sum() == 0
    units = pd.read_csv(country / "myrun" / "units.csv", encoding="utf-8-sig")
    assert len(units) == 11
    assert (units["emission_t"] > 0).all()


def test_the_land_is_that_of_the_ready_made_file(country: Path) -> None:
    """By area, where the suite counts points."""
    mine = gpd.read_file(country / "mycase" / "parcels.gpkg")
    theirs = gpd.read_file(data_folder() / READY, layer="parcels").to_crs(mine.crs)
    one, other = (
        shapely.union_all(shapely.make_valid(table.geometry.to_numpy()), grid_size=0.01)
        for table in (mine, theirs)
    )
    assert one.area == pytest.approx(other.area, rel=0.01)
    assert shapely.intersection(one, other, grid_size=0.01).area > 0.99 * other.area


def test_its_report_opens(opened, country: Path) -> None:
    page = opened(country / "myrun" / "report.html")
    assert page.locator("#table tbody tr").count() == 11
    page.click("#unit-3 a")
    assert "unknown" in page.locator("#sheet .why").inner_text()
    assert "OpenStreetMap contributors" in page.locator("footer").inner_text()
