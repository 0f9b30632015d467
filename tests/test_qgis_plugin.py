"""The QGIS plugin as its user has it: installed from its archive, in QGIS itself, without a window."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from data import ROOT
from osm_island import write_cover, write_extract, write_people
from waiting import HANG

from carbongrid import __version__
from carbongrid.method.landuse import SYSTEMS
from carbongrid.pipeline import run

PYTHON = "/usr/bin/python3"  # Debian's, for which its QGIS is built
TEXT = re.compile(r"[\u4e00-\u9fff]")
CITY = "A city like Suzhou (synthetic), 2020"
ALGORITHMS = ("check", "form", "fromosm", "open", "run", "scenario")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    out = tmp_path_factory.mktemp("plugin") / "carbongrid_qgis.zip"
    subprocess.run([sys.executable, str(ROOT / "qgis" / "package.py"), str(out)], check=True)
    return out


@pytest.fixture(scope="module")
def qgis(archive, tmp_path_factory):
    """A QGIS with the plugin; called with words, it gives what they came to."""
    if shutil.which("qgis_process") is None:
        pytest.skip("no qgis_process here")
    home = tmp_path_factory.mktemp("home")
    plugins = home / ".local/share/QGIS/QGIS3/profiles/default/python/plugins"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(plugins)
    own = Path(sys.executable).with_name("carbongrid")
    # QGIS's own Python takes the packages of a virtual environment whose interpreter the path finds first.
    folders = os.environ["PATH"].split(os.pathsep)
    outside = (name for name in folders if not Path(name, "../pyvenv.cfg").exists())
    path = os.pathsep.join(outside)
    left_out = ("PYTHONPATH", "VIRTUAL_ENV")
    surroundings = {
        **{name: value for name, value in os.environ.items() if name not in left_out},
        "PATH": path,
        "HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(home),
        "CARBONGRID_COMMAND": str(own),
    }

    def call(*words, **more):
        told = subprocess.run(
            ["qgis_process", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            env={**surroundings, **more},
        )
        assert "Traceback" not in told.stdout + told.stderr, told.stdout + told.stderr
        return told

    enabled = call("plugins", "enable", "carbongrid_qgis")
    assert "* carbongrid_qgis" in enabled.stdout, enabled.stdout + enabled.stderr
    return call


def test_the_archive_is_the_same_from_the_same_files(archive, tmp_path):
    again = tmp_path / "again.zip"
    words = [sys.executable, str(ROOT / "qgis" / "package.py"), str(again)]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert again.read_bytes() == archive.read_bytes()
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
        metadata = packed.read("carbongrid_qgis/metadata.txt").decode()
    assert {"carbongrid_qgis/__init__.py", "carbongrid_qgis/icon.svg", "carbongrid_qgis/LICENSE"} <= set(names)  # fmt: skip

    assert f"version={__version__}\n" in metadata
    for key in (
        "name",
        "qgisMinimumVersion",
        "description",
        "about",
        "author",
        "hasProcessingProvider",
    ):
        assert re.search(rf"^{key}=\S", metadata, re.MULTILINE), key
    # Seen to fail: an address that there is not was claimed.
    assert "@" not in metadata
    assert told.rstrip().endswith("metadata.txt must state: email, repository, tracker.")


def test_every_algorithm_is_listed(qgis):
    """What each says of itself, ``driven`` tells."""
    listed = qgis("list").stdout
    assert all(f"carbongrid:{name}\t" in listed for name in ALGORITHMS)


@pytest.fixture(scope="module")
def driven(small_city, small_run, tmp_path_factory):
    """What the algorithms do in QGIS's own Python, which starts sooner than qgis_process."""
    if subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False).returncode:  # fmt: skip
        pytest.skip("no QGIS for Python here")
    scratch = tmp_path_factory.mktemp("driven")
    with_parcels = (
        run(small_city / "case.toml", scratch / kind, reuse=small_run, parcels=kind).directory
        for kind in ("gpkg", "fgb")
    )
    surroundings = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "HOME": str(scratch),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(scratch),
    }
    script = Path(__file__).with_name("qgis_drives.py")
    words = [PYTHON, str(script), str(scratch), str(small_run), *map(str, with_parcels)]
    told = subprocess.run(words, capture_output=True, text=True, env=surroundings, check=False, timeout=HANG)  # fmt: skip
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_every_algorithm_explains_itself_in_both_languages(driven):
    for language, texts in driven["help"].items():
        assert sorted(texts) == list(ALGORITHMS)
        for text in texts.values():
            assert bool(TEXT.search(text)) == (language == "zh_CN")
            assert len(text) > (25 if language == "zh_CN" else 60)


def test_results_open_as_layers_in_their_styles(driven):
    """Parcels too, where the run has a file of them that QGIS reads. Seen to fail: only parcels.parquet was looked for."""
    plain, with_parcels, with_fgb = driven["opened"]
    layers = {
        "units.gpkg": [True, "RuleRenderer"],
        "grid_1km.tif": [True, "singlebandpseudocolor"],
    }
    assert {name: plain["layers"][name] for name in layers} == layers
    assert with_parcels["layers"] == {**layers, "parcels.gpkg": [True, "RuleRenderer"]}
    # FlatGeobuf holds no style, and has that of the run's project. Seen to fail: it opened in one colour.
    assert with_fgb["layers"] == {**layers, "parcels.fgb": [True, "RuleRenderer"]}
    assert with_fgb["aliases"] == with_parcels["aliases"]
    assert any("t CO2e" in each for each in with_fgb["aliases"])
    of_city = [f"{CITY}: {name}" for name in ("Zones", "Parcels", "Emission, coarse grid")]
    assert with_parcels["order"] == with_fgb["order"] == [*of_city, "mine"]
    assert plain["order"] == [of_city[0], of_city[2], "mine"]
    assert all(each["ok"] for each in driven["opened"])


def test_results_open_with_their_page_to_print(driven):
    """Its map and legend show the run's units, not what else the project has. Seen to fail without the post-processor: the log named city.qgz, and that was all."""
    for each in driven["opened"]:
        [page] = each["pages"]
        assert page["name"] == CITY
        assert page["title"].startswith(f"{CITY}: carbon balance zones")
        assert page["map"] == page["legend"] == [f"{CITY}: Zones"]
        assert page["bar"] > 0
        assert page["colours"] > 50  # zones, names and hatching; an empty map has five
        assert f"among the layouts: {CITY}" in each["log"]


def test_a_page_takes_no_other_s_place(driven):
    """Three runs of one title and year, one opened twice, and a page of the user's own. Seen to fail: pages were told apart by their names alone."""
    plain, beside = driven["together"]
    assert (len(set(plain)), len(set(beside))) == (3, 4)
    for names in (plain, beside):
        assert CITY in names
        assert all(name.startswith(CITY) for name in names)


def test_a_scenario_s_form_becomes_the_command_s_words(driven):
    words = driven["scenario"]["words"]
    assert driven["scenario"]["ok"]
    assert words[:6] == ["scenario", "a run", "plan.toml", "--parcels", "gpkg", "--out"]
    assert words[7:] == ["--replace"]
    assert [each["words"][4] for each in driven["parcels"]] == ["fgb", "parquet"]


def test_cancelling_ends_the_command_in_order(driven):
    """By SIGTERM, which it may answer; seen to fail when it was killed."""
    assert "Canceled" in driven["canceled"]["said"]
    assert driven["canceled"]["ended"]


def test_the_bar_shows_how_far_each_step_is(driven):
    """It begins again with each step."""
    assert driven["canceled"]["bar"] == [25.0, 50.0, 100.0, 37.5]


@pytest.mark.thorough
def test_a_run_has_the_digests_of_the_command_s(qgis, small_city, small_run, tmp_path):
    """And parcels that QGIS opens, unless told otherwise. Seen to fail: the form had no choice of them, and results were opened without."""
    out = tmp_path / "out"
    told = qgis("run", "carbongrid:run", f"--CASE={small_city / 'case.toml'}", f"--OUT={out}")
    assert told.returncode == 0, told.stderr
    digests = [
        json.loads((run / "manifest.json").read_bytes())["digests"] for run in (out, small_run)
    ]
    assert digests[0] == digests[1]
    assert "rasterizing" in told.stdout
    assert "warning: " in told.stdout + told.stderr
    opened = qgis("--json", "run", "carbongrid:open", f"--RUN={out}")
    assert opened.returncode == 0, opened.stderr
    layers = json.loads(opened.stdout)["results"]["LAYERS"]
    assert [Path(layer.partition("|")[0]).name for layer in layers] == ["grid_1km.tif", "parcels.gpkg", "units.gpkg"]  # fmt: skip


@pytest.mark.thorough
def test_a_form_makes_a_case_that_is_checked(qgis, small_city, tmp_path):
    case = tmp_path / "case"
    totals = tmp_path / "sums.csv"
    # What goes by area: points, people and lines are added to the case file by hand.
    by_area = "category,value,unit\nagriculture/plantation,1,Mt CO2e\nwaste/industrial,2,Mt CO2e\n"
    totals.write_text(by_area, encoding="utf-8")
    told = qgis(
        "run", "carbongrid:form", "--TITLE=A \"small\" city", "--YEAR=2020",
        f"--PARCELS={small_city / 'parcels.gpkg'}|layername=DLTB", "--PARCEL_ID=BSM", "--LAND_USE=DLBM", "--CODE_SYSTEM=tdland3",
        f"--UNITS={small_city / 'townships.gpkg'}", "--UNIT_ID=code", "--UNIT_NAME=name_en",
        f"--TOTALS={totals}", f"--GDP={small_city / 'gdp.csv'}", f"--FOLDER={case}",
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    text = (case / "case.toml").read_text(encoding="utf-8")
    assert 'title = "A \\"small\\" city"' in text
    checked = qgis("run", "carbongrid:check", f"--CASE={case / 'case.toml'}")
    units = len(pd.read_csv(small_city / "gdp.csv"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{units} units" in checked.stdout
    again = qgis("run", "carbongrid:form", f"--FOLDER={case}", "--YEAR=2020", f"--PARCELS={small_city / 'parcels.gpkg'}", "--PARCEL_ID=BSM", "--LAND_USE=DLBM", f"--UNITS={small_city / 'townships.gpkg'}", "--UNIT_ID=code", f"--TOTALS={totals}")  # fmt: skip
    assert again.returncode != 0
    assert "is there already" in again.stdout + again.stderr


@pytest.mark.thorough
def test_a_scenario_has_the_digests_of_the_command_s(qgis, carbongrid, small_run, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('reference = "frozen"\n[[action]]\ndo = "scale"\ncategory = "buildings/*"\nfactor = 0.5\n', encoding="utf-8")  # fmt: skip
    told = qgis("run", "carbongrid:scenario", f"--RUN={small_run}", f"--PLAN={plan}", f"--OUT={tmp_path / 'a'}", "--PARCELS=fgb")  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert (tmp_path / "a" / "parcels.fgb").is_file()
    done = carbongrid("scenario", small_run, plan, "--out", tmp_path / "b")
    assert done.returncode == 0, done.stderr
    digests = [json.loads((tmp_path / out / "manifest.json").read_bytes())["digests"] for out in "ab"]  # fmt: skip
    assert digests[0] == digests[1]
    assert digests[0] != json.loads((small_run / "manifest.json").read_bytes())["digests"]


def test_what_goes_wrong_is_said_in_words(qgis, driven, tmp_path):
    words = ("run", "carbongrid:run", f"--CASE={tmp_path / 'none.toml'}", f"--OUT={tmp_path / 'o'}")
    (tmp_path / "none.toml").write_text("year = 2020\n", encoding="utf-8")
    told = qgis(*words)
    assert told.returncode != 0
    assert "parcels" in told.stdout + told.stderr
    nowhere, not_on_path, no_run = driven["refused"]
    assert "is no command" in nowhere["log"]
    assert "is not on the PATH. Install it" in not_on_path["log"]
    assert "is not a finished run: it has no manifest.json" in no_run["log"]
    assert not any(each["ok"] for each in driven["refused"])


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    """Words of the form: an extract, a land cover, and people who live there."""
    folder = tmp_path_factory.mktemp("extract")
    files = {"EXTRACT": write_extract(folder), "LAND_COVER": write_cover(folder), "PEOPLE": write_people(folder)}  # fmt: skip
    return {name: f"--{name}={path}" for name, path in files.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("guess", [False, True])
def test_an_extract_becomes_a_case_with_land_cover_and_people(qgis, extract, tmp_path, guess):
    """And with first guesses of totals where the box is ticked, and only there. Seen to fail without the word for the box."""
    case = tmp_path / "case"
    box = ["--GUESS=true"] if guess else []
    told = qgis("run", "carbongrid:fromosm", *extract.values(), f"--FOLDER={case}", "--CODES=worldcover", *box)  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "is white on the map and is of the land cover" in told.stdout
    assert (case / "people.tif").exists()
    totals = pd.read_csv(case / "totals.csv")
    assert ("basis" in totals and totals["basis"].eq("guess").any()) == guess
    assert totals["value"].gt(0).any() == guess
    assert ("totals are first guesses, no figures of this place" in told.stdout + told.stderr) == guess  # fmt: skip
    assert ("first guesses" in (case / "case.toml").read_text(encoding="utf-8")) == guess


def test_the_form_offers_every_code_system():
    """Seen to fail when land from a raster could be made and the form did not know its codes."""
    tree = ast.parse((ROOT / "qgis" / "carbongrid_qgis" / "algorithms.py").read_text("utf-8"))
    [told] = [ast.unparse(node.value) for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CODE_SYSTEMS"]  # fmt: skip
    assert set(re.findall(r"'([^']+)'", told)) == set(SYSTEMS)
