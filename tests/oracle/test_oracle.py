"""The package against an independent second implementation (``oracle.method``), and that against paper.

The package runs through its command line with ``reduce = "exact"``: every parcel x category within 1e-9
of the number and 1 g, every unit x category within 1e-9 and 1 g for each of its parcels, every zone the same.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from data import ROOT, data_folder

from oracle.comparison import differences, report
from oracle.method import solve
from oracle.tiny_case import write_tiny_case


def command(*arguments):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}"


def exact(case, folder):
    """Copy a case folder and let its cases share parcels out by exact area."""
    shutil.copytree(case, folder)
    for path in folder.glob("*.toml"):
        text = path.read_text("utf-8")
        text = re.sub(r"(?m)^\s*#?\s*reduce\s*=.*\n", "", text)
        path.write_text('reduce = "exact"\n' + text, "utf-8")
    return folder


def assert_same(case, out):
    command("-m", "carbongrid", "run", case, "--out", out, "--quiet")
    lines = differences(solve(case), out)
    assert not lines, (
        f"{len(lines)} differences from the oracle in {Path(case).name}\n{report(lines)}"
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    command("-m", "carbongrid", "demo", folder / "demo", "--size", "small", "--quiet")
    return exact(folder / "demo" / "case", folder / "exact")


# ---- the oracle against paper -------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny_case(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tiny_answer(tiny):
    return solve(tiny)


@pytest.mark.parametrize(
    ("category", "tonnes"),
    [
        (
            "industry/manufacturing",
            {"01": 60, "02": 40, "03": 10},
        ),  # 3 : 2 POIs, and a facility in a field
        ("industry/mining", {"01": 16, "02": 16}),  # no mining land: its parent's, by area
        ("buildings/homes", {"04": 8, "05": 5}),  # 40 : 25 residents, doubled by the census
        ("buildings/urban-homes", {"04": 8}),
        ("buildings/rural-homes", {"05": 2}),
        ("transport/road", {"06": 20 * 850 / 1050, "07": 20 * 200 / 1050}),
        ("transport/air", {"11": 4}),  # no lines: area is the rule
        ("agriculture/plantation", {"03": 11}),  # 3 t C
        ("sink/forest", {"09": 2, "10": 4}),  # 4 t of 6 belong to the unit of parcel 10
        ("sink/water", {"08": 1}),
    ],
)
def test_parcels_of_the_tiny_case_on_paper(tiny_answer, category, tonnes):
    mass = tiny_answer.parcels[category] / 1e6
    assert mass[mass > 0].to_dict() == pytest.approx(tonnes, rel=1e-12)


def test_units_of_the_tiny_case_on_paper(tiny_answer):
    units = tiny_answer.units
    assert (units["emission"] / 1e6).tolist() == pytest.approx([110, 65, 25], rel=1e-12)
    assert (units["sink"] / 1e6).tolist() == pytest.approx(
        [2, 4, 1], rel=1e-12
    )  # the lake's mass all comes ashore
    assert units["residents"].tolist() == [0, 130, 7]
    assert units["gdp"].tolist()[:2] == [3e8, 1e8]
    assert units["ecc"].tolist()[:2] == pytest.approx([3 / 4 * 175 / 110, 1 / 4 * 175 / 65])
    assert units["esc"].tolist() == pytest.approx(
        [2 / 7 * 200 / 110, 4 / 7 * 200 / 65, 1 / 7 * 200 / 25]
    )
    assert units["zone"].tolist() == [2, 3, 0]


# ---- the package against the oracle -------------------------------------------------------------


def test_tiny_case(tiny, tmp_path):
    assert_same(tiny, tmp_path / "run")


@pytest.mark.parametrize("name", ["case.toml", "case-district-gdp.toml"])
def test_small_demo(small, tmp_path, name):
    assert_same(small / name, tmp_path / "run")


@pytest.mark.full
def test_full_demo(tmp_path):
    command(
        "-c",
        "import sys; from pathlib import Path; from carbongrid.demo import write_city; write_city(Path(sys.argv[1]))",
        tmp_path / "demo",
    )
    [case] = [path.parent for path in (tmp_path / "demo").rglob("case.toml")]
    assert_same(exact(case, tmp_path / "exact") / "case.toml", tmp_path / "run")


def test_liechtenstein(tmp_path, monkeypatch):
    data = data_folder() / "liechtenstein"
    if not data.is_dir():
        pytest.skip("no data of Liechtenstein")
    monkeypatch.setenv("CARBONGRID_DATA", os.fspath(data.parent))
    command(ROOT / "examples" / "liechtenstein.py", tmp_path / "example")
    [case] = (tmp_path / "example").rglob("case.toml")
    assert_same(exact(case.parent, tmp_path / "exact") / "case.toml", tmp_path / "run")
