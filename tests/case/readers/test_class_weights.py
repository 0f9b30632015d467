"""What classes of lines weigh: the package's, and a user's rows over them."""

from __future__ import annotations

import pytest
from figures_case import case_with

from carbongrid.case.readers.class_weights import read_class_weights
from carbongrid.errors import InputError
from carbongrid.method.landuse import packaged_table


def test_the_packages_own(tmp_path):
    table = read_class_weights(case_with(tmp_path, {}))
    own = packaged_table("road_classes.csv").sort_values("class")
    assert list(table["class"]) == list(own["class"])
    assert list(table["weight"]) == [float(weight) for weight in own["weight"]]
    assert list(table["mode"]) == list(own["mode"])
    assert not table["own"].any()
    assert table["packaged"].equals(table["weight"])


def test_rows_replace_or_add(tmp_path):
    lines = {"lines": {"path": "l.gpkg", "class_weights": "mine.csv"}}
    mine = "mode,class,weight\nroad,motorway,2.5\nrail,tram,0\n"
    table = read_class_weights(case_with(tmp_path, {"mine.csv": mine}, **lines)).set_index("class")
    before = read_class_weights(case_with(tmp_path, {})).set_index("class")
    assert table.loc["motorway"].tolist() == [2.5, "road", True, 37_290.0]
    assert table.loc["tram"].tolist()[:3] == [0.0, "rail", True]
    changed = table.drop(index=["motorway", "tram"], errors="ignore")
    assert changed.equals(before.drop(index=["motorway", "tram"], errors="ignore"))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,-1,road", "no negative number"),
        ("a,nan,road", "finite number"),
        ("a,1,raod", "Did you mean 'road'"),
        (",1,road", "class is blank"),
        ("a,1,road\na,1,rail", "stands in rows 2, 3"),
    ],
)
def test_wrong_rows(tmp_path, row, says):
    lines = {"lines": {"path": "l.gpkg", "class_weights": "mine.csv"}}
    case = case_with(tmp_path, {"mine.csv": f"class,weight,mode\n{row}\n"}, **lines)
    with pytest.raises(InputError, match=says):
        read_class_weights(case)
