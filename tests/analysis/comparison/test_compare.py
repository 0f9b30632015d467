"""Two runs side by side: every difference adds up to the gram, in files, answers and cells; runs that are not alike are refused."""

from __future__ import annotations

import html
import json
import re
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from town import square, write_town

import carbongrid as cg
from carbongrid.analysis.comparison.compare import _made_of, require_alike, write_comparison
from carbongrid.analysis.comparison.page import _short
from carbongrid.analysis.finished import FinishedRun
from carbongrid.errors import InputError, VerificationError
from carbongrid.outputs.report.analysis_page import Words, map_of_changes
from carbongrid.pipeline.tables import ELECTRICITY
from carbongrid.run_store import SEAL, seal_of

PARCELS = [("p0", "0601", square(0, 0)), ("p1", "0809", square(1, 0)), ("p2", "0101", square(2, 0)), ("p3", "0301", square(3, 0))]  # fmt: skip
UNITS = [("a", "x", square(0, 0, 1.55)), ("b", "x", square(1.55, 0, 1)), ("c", "y", square(2.55, 0, 1.4))]  # fmt: skip
TOTALS = {"waste/industrial": 2**53 + 1, "agriculture/plantation": 7, "sink/land": 10**9 + 1}
GDP = "region,value\na,1\nb,2\nc,3\n"


def town(folder: Path, totals=TOTALS, parcels=PARCELS, units=UNITS, gdp=GDP, more="", settings="", categories="") -> cg.Result:  # fmt: skip
    folder.mkdir()
    rows = "".join(f"{name},{mass},g CO2e\n" for name, mass in totals.items())
    tables = {"totals.csv": "category,value,unit\n" + rows, "gdp.csv": gdp}
    if categories:
        tables["categories.csv"] = categories
        more += '[categories]\npath = "categories.csv"\n'
    everything = json.dumps(list(totals))
    path = write_town(folder, parcels, units, tables, f'[gdp]\npath = "gdp.csv"\n{more}[allow]\noutside = {everything}\nfallback = {everything}\n')  # fmt: skip
    path.write_text(settings + path.read_text(encoding="utf-8"), encoding="utf-8")
    return cg.run(path, folder / "run")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> cg.Result:
    return town(tmp_path_factory.mktemp("towns") / "base")


def adds_up(found: cg.Comparison) -> None:
    """Every sum of changes is the change of the sum, by ==, whatever the table."""
    totals, units, values = found.totals, found.units, found.values
    parts = sum(totals[f"{name}_change_g"].astype(object) for name in ("units", "outside_units", "unallocated", "elsewhere"))  # fmt: skip
    assert (parts == totals["total_change_g"]).all()
    own = totals[totals["kind"] == "category"].set_index("of")
    of_units = values[values["kind"] == "category"].groupby("of")["change"].sum()
    assert {name: own.at[name, "units_change_g"] for name in own.index} == of_units.to_dict()
    for of, sink in (("emission", False), ("sink", True)):
        sums = own.loc[own["sink"] == sink]
        assert units[f"{of}_change_g"].sum() == sums["units_change_g"].sum()
        placed = sums["units_change_g"].sum() + sums["outside_units_change_g"].sum()
        assert found.cells[f"{of}_change_g"].sum() == placed
        assert (found.cells[f"{of}_change_g"] == found.cells[f"{of}_b_g"] - found.cells[f"{of}_a_g"]).all()  # fmt: skip
    assert found.matrix.to_numpy().sum() == len(units)


@settings(max_examples=10)
@given(st.lists(st.integers(0, 10**16), min_size=3, max_size=3))
def test_changes_add_up_and_turn_with_the_runs(base: cg.Result, masses: list[int]) -> None:
    """Seen to fail when cells were aligned in float64, and when a ledger's part elsewhere was left out."""
    answer = base.with_totals({name: f"{mass} g CO2e" for name, mass in zip(TOTALS, masses, strict=True)})  # fmt: skip
    there, back = cg.compare(base, answer), cg.compare(answer, base)
    adds_up(there)
    changes = [name for name in there.totals if name.endswith("change_g")]
    assert (there.totals[changes] == -back.totals[changes]).all(axis=None)
    assert there.matrix.equals(back.matrix.T)
    assert there.turned == int((answer.units["zone"] != base.units["zone"]).sum())


def test_a_run_and_itself(base: cg.Result) -> None:
    found = cg.compare(base, base.directory)
    assert not found.made_of.size and not found.cells.size and not found.turned
    assert (found.values["change"].dropna() == 0).all()
    adds_up(found)


def test_an_answer_and_a_run_of_the_same_are_the_same(base: cg.Result, tmp_path: Path) -> None:
    other = {**TOTALS, "waste/industrial": 10**15 + 7}
    run = town(tmp_path / "other", totals=other)
    asked, ran = (cg.compare(base, b) for b in (base.with_totals({"waste/industrial": f"{10**15 + 7} g CO2e"}), run))  # fmt: skip
    for name in ("totals", "units", "values", "matrix", "cells"):
        assert getattr(asked, name).equals(getattr(ran, name)), name
    assert ("input", "totals.csv") in set(ran.made_of[["kind", "what"]].itertuples(index=False, name=None))  # fmt: skip
    assert set(asked.made_of["kind"]) == {"answer"}


def test_grids_of_other_extents_are_laid_over_each_other(base: cg.Result, tmp_path: Path) -> None:
    """A parcel far in the south: cells below that the first grid lacks, and mass that a double cannot hold."""
    far = [*PARCELS, ("p4", "0601", square(0, -5))]
    found = cg.compare(base, town(tmp_path / "far", parcels=far))
    assert found.cells["y"].nunique() > 1
    adds_up(found)


def test_other_units_are_refused_unless_told(base: cg.Result, tmp_path: Path) -> None:
    moved = [*UNITS[:2], ("c", "y", square(2.55, 0, 1.3))]
    other = [*UNITS[:2], ("d", "y", UNITS[2][2])]
    run = town(tmp_path / "moved", units=moved)
    with pytest.raises(InputError, match=r"outlines of 1 unit differ: c.*--despite units"):
        cg.compare(base, run)
    found = cg.compare(base, run, despite=("units",))
    assert any("outlines of 1 unit differ" in str(note) for note in found.notes)
    run = town(tmp_path / "other", units=other, gdp=GDP.replace("c,", "d,"))
    with pytest.raises(InputError, match="c only in the first, d only in the second; 2 are in both"):  # fmt: skip
        cg.compare(base, run)
    assert cg.compare(base, run, despite=("units",)).units["unit"].tolist() == ["a", "b"]


def test_other_basis_and_currency_are_refused_unless_told(base: cg.Result, tmp_path: Path) -> None:
    other = town(tmp_path / "other", more='currency = "EUR"\n', settings='basis = "net"\nreference = "district"\n')  # fmt: skip
    with pytest.raises(InputError) as told:
        cg.compare(base, other)
    assert len(told.value.problems) == 2
    found = cg.compare(base, other, despite=("basis", "currency"))
    assert "gdp_a" not in found.units
    assert sum(note.level == "warning" for note in found.notes) == 3
    with pytest.raises(InputError, match="'sinks' is nothing that two runs"):
        cg.compare(base, base, despite=("sinks",))


def test_another_gwp_set_is_refused_unless_told(base: cg.Result, tmp_path: Path) -> None:
    """As a run writes it whose totals were weighed by another set, with its seal."""
    copy = Path(shutil.copytree(base.directory, tmp_path / "copy"))
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["parameters"]["gwp"] = "AR6"
    manifest[SEAL] = seal_of(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="the GWP set differs"):
        cg.compare(base, copy)
    assert any("GWP set differs" in str(note) for note in cg.compare(base, copy, despite=("gwp",)).notes)  # fmt: skip


@pytest.mark.parametrize("file", ["units.csv", "ledger.csv", "grid_1km.nc", "units.gpkg"])
def test_a_file_that_was_changed_is_refused(base: cg.Result, tmp_path: Path, file: str) -> None:
    copy = Path(shutil.copytree(base.directory, tmp_path / "copy"))
    with (copy / file).open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(VerificationError, match=f"{file} was changed"):
        cg.compare(base, copy)


def test_what_is_written(base: cg.Result, tmp_path: Path) -> None:
    found = cg.compare(base, base.with_totals({"waste/industrial": 3}))
    files = write_comparison(found, tmp_path)
    table = pd.read_csv(tmp_path / "comparison_totals.csv", dtype=str).set_index("of")
    assert table.at["waste/industrial", "total_a_t"] == "9007199254.740993"
    values = pd.read_csv(tmp_path / "comparison_values.csv", dtype=str)
    assert set(values["kind"]) == {"sum", "sector", "category"}
    whole = found.values[found.values["kind"] != "residents"].query("kind != 'gdp'")
    assert [Fraction(text) * 10**6 for text in values["change_t"]] == whole["change"].tolist()
    others = pd.read_csv(tmp_path / "comparison_people_and_gdp.csv")
    assert set(others["measured_in"]) == {"people", "CNY"} and len(others) == 6
    page = html.unescape((tmp_path / "comparison.html").read_text(encoding="utf-8"))
    assert "script-src 'sha256-" in page and "src=" not in page and 'href="http' not in page
    assert "A 的分区" in page and "Zones in A" in page
    assert {file.suffix for file in files} == {".html", ".csv"}


def test_the_command(base: cg.Result, tmp_path: Path, carbongrid) -> None:
    done = carbongrid("compare", base.directory, base.directory, "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["units_in_another_zone"] == 0 and told["made_of"] == []
    assert carbongrid("compare", base.directory, tmp_path).returncode == 2


def test_the_page_shows_where_two_texts_differ(base: cg.Result, tmp_path: Path) -> None:
    """Seen to fail when a category was one text of which the first 100 characters were shown."""
    columns = "category,sector,name_en,name_zh,scope,sink,types,weight\n"
    other = town(tmp_path / "town", categories=f"{columns}waste/industrial,,Rubbish,,,,,\n")
    found = cg.compare(base, other)
    rows = found.made_of[found.made_of["kind"] == "category"]
    assert "waste/industrial: name_en" in rows["what"].tolist()
    write_comparison(found, tmp_path)
    for a, b in zip(*(found.made_of[side] for side in "ab"), strict=True):
        shown = _short(a, b)
        assert shown[0] != shown[1]
    assert _short("x" * 300 + "a", "x" * 300 + "b")[0].endswith("a")


def test_the_page_is_chinese_where_it_is_chinese(base: cg.Result, tmp_path: Path) -> None:
    """Seen to fail: masses in Mt, kt and t, categories and sectors as codes, in English too."""
    answer = base.with_totals({"waste/industrial": "3 Mt CO2e", "agriculture/plantation": "20 kt CO2e"})  # fmt: skip
    write_comparison(cg.compare(base, answer), tmp_path)
    page = html.unescape((tmp_path / "comparison.html").read_text(encoding="utf-8"))
    english, chinese = (re.findall(rf'<span class="{each}"[^>]*>([^<]*)</span>', page) for each in ("en", "zh"))  # fmt: skip
    assert {"Waste", "Crop growing", "3.00 Mt", "20.0 kt"} <= set(english)
    assert {"废弃物处理", "种植业", "300 万吨", "2.00 万吨"} <= set(chinese)
    assert not [text for text in chinese if re.search(r"\d [Mk]?t\b", text)]
    assert "agriculture/plantation" not in page.partition('id="made-of"')[0]


def test_settings_that_one_run_does_not_tell_are_no_difference(base: cg.Result) -> None:
    """Seen to fail: beside a run of an earlier version, which says in words alone how electricity is counted, the choice was a difference."""
    old, new = FinishedRun.of(base), FinishedRun.of(base)
    for run in (old, new):
        run.manifest["assumptions"] = [["note", f"{ELECTRICITY['both']} (D24)."]]
    del old.parameters["electricity"]
    new.parameters["electricity"] = "both"
    assert not [row for row in _made_of(old, new) if row[0] == "setting"]
    new.parameters["electricity"] = "use"
    assert [row for row in _made_of(old, new) if row[0] == "setting"] == [("setting", "electricity", "both", "use")]  # fmt: skip
    old.parameters["electricity"] = None
    old.manifest["assumptions"] = []
    assert not [row for row in _made_of(old, new) if row[0] == "setting"]


def test_sets_of_sinks_are_no_matter_where_there_are_none(base: cg.Result, tmp_path: Path) -> None:
    """Seen to fail: years of which none has a sink were refused."""
    without = town(tmp_path / "none", {**TOTALS, "sink/land": 0})

    def of_other_sinks(run: cg.Result) -> list[FinishedRun]:
        pair = [FinishedRun.of(run), FinishedRun.of(run)]
        for each, told in zip(pair, ("study", "ipcc"), strict=True):
            each.parameters["sinks"] = told
        return pair

    assert require_alike(*of_other_sinks(without), (), years=True) == []
    with pytest.raises(InputError, match="set of sinks differs: study and ipcc"):
        require_alike(*of_other_sinks(base), (), years=True)


def test_another_name_of_the_case_s_file_is_no_difference(base: cg.Result, tmp_path: Path) -> None:
    """Seen to fail: each remark on the case counted as two, one of each run."""
    runs = [FinishedRun.of(base), FinishedRun.of(base)]
    for run, file in zip(runs, ("case.toml", "other.toml"), strict=True):
        run.manifest["inputs"] = [{"file": file, "sha256": "0"}]
        run.manifest["assumptions"] = [["note", f"{file}: both are so"], ["note", f"so is {file}"]]
    said = [(what, a, b) for kind, what, a, b in _made_of(*runs) if kind == "statement"]
    assert said == [("so is case.toml", "said", ""), ("so is other.toml", "", "said")]


def test_a_legend_s_bounds_are_each_in_the_unit_that_suits_them() -> None:
    """Seen to fail with "-1.00e-12 ... -5.82e-05 Mt" for one gram."""
    labels = [entry.text_en for entry in map_of_changes(np.array([0, -1, -(10**8), 5 * 10**13]), Words("x", "x")).entries]  # fmt: skip
    assert not any("e-" in label for label in labels), labels
    assert any("−1 g" in label for label in labels), labels
