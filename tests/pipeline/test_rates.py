"""Totals that no land and no people can have are told, with what they come to."""

from __future__ import annotations

import re

import pytest
from town import CRS, square, write_town

import carbongrid as cg
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check

ROW = [(f"p{x}", code, square(x, 0)) for x, code in enumerate(("0301", "0301", "0701", "0101"))]
UNITS = [(f"u{x}", "d", square(x, 0)) for x in range(4)]
FOREST = 200 * 0.612 * 44 / 12
"""t that the package's coefficient gives the two parcels of forest, of 100 ha each on the plane."""


def told(folder, totals, people=""):
    """Return what is said of rates, level and words; each has Chinese, and a run says the same."""
    tables = {"totals.csv": "category,value,unit\n" + "".join(f"{name},{value},t CO2e\n" for name, value in totals.items())}  # fmt: skip
    more = ""
    if people:
        x, y = square(2, 0).centroid.coords[0]
        tables["people.csv"] = f"lon,lat,residents\n{x},{y},{people}\n"
        more = f'[people]\npath = "people.csv"\ncrs = "EPSG:{CRS}"\n'
    path = write_town(folder, ROW, UNITS, tables, more)
    found = [each for each in check(path).problems if "a year " in each.what]
    assert all(note_in_chinese(str(each)) for each in found)
    run = cg.run(path, folder / "run")
    assert {(each.level, str(each)) for each in found} <= {tuple(each) for each in run.manifest["assumptions"]}  # fmt: skip
    return [(each.level, each.what) for each in found]


@pytest.mark.parametrize(
    ("times", "level", "words"),
    [
        (0.7, None, ""),
        (1.9, None, ""),
        (44 / 12, "note", "3.67 times the "),
        (12 / 44, "note", "one part in 3.67 of the "),
        (15, "note", "15 times the "),  # mu read as hectares
        (25, "warning", "25 times the "),
        (0.04, "warning", "one part in 25 of the "),
        (1000, "warning", "more than the 110 of any vegetation"),
    ],
)
def test_a_sink_far_from_what_its_land_takes_up_is_told(tmp_path, times, level, words):
    """Seen without a word: t of carbon read as CO2, kt as t. Of 200 ha of forest."""
    found = told(tmp_path, {"sink/land": times * FOREST})
    assert [each for each, _ in found] == ([level] if level else [])
    for _, what in found:
        assert words in what
        assert re.search("on each of (199|200) ha", what)


def test_crops_take_up_no_more_than_any_vegetation(tmp_path):
    """They have no coefficient: only what no land takes up is told."""
    assert told(tmp_path, {"sink/crops": 100 * 30}) == []
    (tmp_path / "more").mkdir()
    [(level, what)] = told(tmp_path / "more", {"sink/crops": 100 * 300})
    assert level == "warning"
    assert "more than the 110 of any vegetation" in what


@pytest.mark.parametrize(
    ("tonnes", "words"),
    [
        (5000, None),
        (26_000, "homes emit 26 t a year for each of 1,000 people, more than the 25 of any homes"),
        (5, "homes emit 0.005 t a year for each of 1,000 people, less than the 0.01 of any homes"),
        (0, None),
    ],
)
def test_homes_that_nobody_could_live_in_are_told(tmp_path, tonnes, words):
    """Seen without a word: kt as t, and tens of thousands of people as people."""
    found = told(tmp_path, {"buildings/urban-homes": tonnes}, "1000")
    assert found == ([("warning", words)] if words else [])
