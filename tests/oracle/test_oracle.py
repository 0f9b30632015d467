"""The package against an independent second implementation, ``oracle.method``.

The package runs through its command line with ``reduce = "exact"``: every parcel x category within 1e-9
of the number and 1 g, every unit x category within 1e-9 and 1 g for each of its parcels, every zone the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.comparison import differences, report
from oracle.method import solve
from oracle.tiny_case import write_tiny_case
from oracle.variants import exact, with_facilities_of_each_kind, with_other_choices


def assert_same(carbongrid, case, out):
    done = carbongrid("run", case, "--out", out, "--quiet")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    lines = differences(solve(case), out)
    assert not lines, (
        f"{len(lines)} differences from the oracle in {Path(case).name}\n{report(lines)}"
    )


@pytest.fixture(scope="module")
def small(small_city, tmp_path_factory):
    return exact(small_city, tmp_path_factory.mktemp("small") / "exact")


def test_tiny_case(carbongrid, tmp_path):
    assert_same(carbongrid, write_tiny_case(tmp_path), tmp_path / "run")


@pytest.mark.parametrize(
    "name", ["case.toml", pytest.param("case-district-gdp.toml", marks=pytest.mark.thorough)]
)
def test_small_demo(carbongrid, small, tmp_path, name):
    assert_same(carbongrid, small / name, tmp_path / "run")


@pytest.mark.thorough  # the small demo as it is is held above
def test_small_demo_with_other_choices(carbongrid, small, tmp_path):
    case = with_other_choices(small, tmp_path / "case")
    assert_same(carbongrid, case, tmp_path / "run")


@pytest.mark.thorough
def test_small_demo_with_facilities_of_each_kind(carbongrid, small, tmp_path):
    case = with_facilities_of_each_kind(small, tmp_path / "case")
    assert_same(carbongrid, case, tmp_path / "run")


@pytest.mark.thorough  # beside the small demo and Liechtenstein
@pytest.mark.full
def test_full_demo(carbongrid, full_demo, tmp_path):
    assert_same(
        carbongrid, exact(full_demo / "case", tmp_path / "exact") / "case.toml", tmp_path / "run"
    )


@pytest.mark.thorough  # beside the small demo
def test_liechtenstein(carbongrid, liechtenstein, tmp_path):
    [case] = liechtenstein.rglob("case.toml")
    assert_same(carbongrid, exact(case.parent, tmp_path / "exact") / "case.toml", tmp_path / "run")
