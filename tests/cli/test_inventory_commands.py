"""The commands of the inventory: factors, inventory, explain inventory, init --inventory."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from inventory_example import EXAMPLE, example

import carbongrid as cg
from carbongrid.cli import main
from carbongrid.inventory.electricity import READINGS
from carbongrid.method.landuse import packaged_table
from carbongrid.outputs.tables.plain import read_text_csv


def said(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_factors_are_found_by_words() -> None:
    done = said("factors", "cement", "clinker", "--status", "verified")
    assert done.exit_code == 0
    assert "ipcc.cement.clinker " in done.stdout
    assert "prov.clinker" not in done.stdout
    found = json.loads(said("factors", "ipcc.cement.clinker", "--json").stdout)
    assert found["factors"][0]["value"] == "0.52"
    assert "Eq. 2.4" in said("factors", "ipcc.cement.clinker", "--full").stdout
    assert "0 of " in said("factors", "no such thing").stdout


def test_the_public_rooms() -> None:
    assert cg.factors.find("ipcc.cement.clinker")["value"].iloc[0] == 0.52
    assert cg.inventory.draws(example(), 3).shape == (3, 17)


def test_totals_are_printed_and_written(tmp_path: Path) -> None:
    out, trail = tmp_path / "totals.csv", tmp_path / "audit.csv"
    done = said("inventory", EXAMPLE, "--gwp", "AR6", "--out", out, "--audit", trail)
    assert done.exit_code == 0, done.output
    written = read_text_csv(out)
    assert list(written.columns) == ["category", "region", "gas", "mass_t", "co2e_t"]
    formed = cg.inventory.form(cg.read_activity(EXAMPLE), gwp="AR6")
    assert written.equals(cg.inventory.totals(formed))
    audited = cg.inventory.audit_with_readings(formed, formed)
    assert read_text_csv(trail).equals(audited)
    told = audited[audited["remark"].str.startswith("side by side")]
    assert told["product"].str.removeprefix("electricity = ").tolist() == list(READINGS)
    assert set(told["mass_t"]) == {""}
    for cell in written.iloc[0]:
        assert cell in done.stdout
    assert "recalled" in done.stderr


def test_regions_are_printed_and_what_a_run_would_refuse_is_warned_of(tmp_path: Path) -> None:
    """Seen to fail in silence: coal of the whole would all have lain outside the district whose diesel is known."""
    (tmp_path / "industry.csv").write_text(
        "activity,category,amount,unit,region\nfuel/diesel,industry/mining,5,t,\n"
        "fuel/diesel,industry/mining,2,t,D1\nfuel/bituminous,industry/mining,7,t,\n",
        encoding="utf-8",
    )
    out = tmp_path / "totals" / "totals.csv"
    out.parent.mkdir()
    done = said("inventory", tmp_path, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    written = read_text_csv(out)
    assert written["region"].tolist() == [""] * 3 + ["D1"] * 3
    told = json.loads(done.stdout)
    assert told["totals"] == written.to_dict("records")
    (problem,) = [each for each in told["problems"] if "nothing for 'D1'" in each["what"]]
    assert problem["level"] == "warning"
    assert problem["what"].startswith("'industry/mining', fuel/bituminous (industry:4) has ")
    assert "  D1  " in said("inventory", tmp_path).stdout


def test_intervals_say_which_factors_they_take_as_exact(tmp_path: Path) -> None:
    """As a run does (docs/decisions/0052)."""
    (tmp_path / "industry.csv").write_text(
        "activity,amount,unit,parameters\nproduct/lime,5,t,factor=mine\n", encoding="utf-8"
    )
    (tmp_path / "factors.csv").write_text(
        "key,name,value,unit,gas\nmine,M,0.75,t CO2/t,CO2\n", encoding="utf-8"
    )
    words = "the intervals take 1 factor as exact, of which no bounds are known: mine"
    assert words in " ".join(said("inventory", tmp_path, "--uncertainty").stderr.split())
    assert "as exact" not in said("inventory", tmp_path).stderr


def test_a_table_under_codes_that_is_no_words_is_told(tmp_path: Path) -> None:
    """Seen to fail: the warning was made and dropped."""
    table = tmp_path / "codes.csv"
    rows = "code,name,value,unit\n1.A.1,名古屋市発電所,85.231,kt CO2e\n1.A.3,横浜市道路,987.5,kt CO2e\n"
    table.write_bytes(rows.encode("cp932"))
    done = said("inventory", table, "--system", "crt", "--encoding", "latin-1", "--draft", tmp_path / "draft.csv")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "the text is no words" in done.stderr
    refused = said("inventory", table, "--system", "crt", "--encoding", "latin-1")
    assert refused.exit_code == 2
    assert "the text is no words" in refused.stderr


@pytest.mark.parametrize("system", ["crt", "gpc"])
def test_totals_under_codes(tmp_path: Path, system: str) -> None:
    out = tmp_path / "codes.csv"
    done = said("inventory", EXAMPLE, "--as", system, "--out", out, "--uncertainty", "--json")
    assert done.exit_code == 0, done.output
    table = pd.read_csv(out, dtype=str, keep_default_na=False)
    level = ["level"] if system == "gpc" else []
    names = ["code", *level, "category", "scope", "gas", "mass_t", "co2e_t", "reason"]
    assert list(table.columns) == names
    told = json.loads(done.stdout)
    assert told["totals"] == table.to_dict("records")
    assert told["uncertainty"][-2]["category"] == "gross"


def test_electricity_is_told_by_every_reading(tmp_path: Path) -> None:
    """The example has plants and uses, and no balance: what consumption gives is not known until a row says what is generated."""
    told = said("inventory", EXAMPLE).stdout
    (line,) = [line.split() for line in told.splitlines() if line.startswith("consumption")]
    assert line[1:3] == ["not", "known"]
    refused = said("inventory", EXAMPLE, "--consumption")
    assert refused.exit_code == 2
    assert "nothing says what is generated" in refused.stderr
    folder = tmp_path / "mine"
    shutil.copytree(EXAMPLE, folder)
    with (folder / "industry.csv").open("a", encoding="utf-8") as stream:
        stream.write("I99,electricity/generated,,200,亿千瓦时,,,,,\n")
    trail = tmp_path / "audit.csv"
    told = said("inventory", folder, "--consumption", "--json", "--audit", trail)
    balanced = json.loads(told.stdout)
    rows = read_text_csv(trail)
    (imported,) = rows[rows["activity"] == "electricity/imported"].to_dict("records")
    assert "cn.grid.province.jiangsu" in imported["factors"]
    assert imported["factor_sources"]
    aside = rows[rows["remark"].str.startswith("set aside")]
    assert set(aside["category"]) == {"industry/supply"}
    gross = {row["reading"]: row["gross_t"] for row in balanced["electricity"]}
    sums = sum(
        Decimal(row["co2e_t"])
        for row in balanced["totals"]
        if not row["category"].startswith("sink/")
    )
    assert float(sums) == gross["consumption"]
    assert not [row for row in balanced["totals"] if row["category"] == "industry/supply"]


def test_the_gpc_keeps_generation_out_of_basic() -> None:
    done = said("inventory", EXAMPLE, "--as", "gpc")
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("I.4.4")]
    assert {(row[1], row[2]) for row in rows} == {("territorial", "industry/supply")}
    generated = sum(Decimal(row[6]) for row in rows)
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("territorial only")]
    assert told.split()[-1] == f"{generated:,.0f}"
    # Seen to fail: the totals stood there as if their levels had been read.
    levels = packaged_table("inventory/gpc_levels.csv")["source"]
    assert levels.str.contains("recalled, not read").any()
    assert "is recalled from the GPC" in done.stdout


def test_a_mistake_ends_with_code_2(tmp_path: Path) -> None:
    (tmp_path / "industry.csv").write_text(
        "activity,amount,unit\nproduct/lime,-1,t\n", encoding="utf-8"
    )
    done = said("inventory", tmp_path)
    assert done.exit_code == 2
    assert "sheet industry, row 2, column amount" in done.stderr
    assert said("inventory", tmp_path / "none.xlsx").exit_code == 2


def test_a_total_is_explained_from_data_and_from_its_audit(tmp_path: Path) -> None:
    trail = tmp_path / "audit.csv"
    study = ("--sinks", "study")
    said("inventory", EXAMPLE, "--audit", trail, *study)
    trees = [
        said("explain", "inventory", "sink/crops", "--from", source, *study).stdout
        for source in (EXAMPLE, trail, tmp_path)
    ]
    assert trees[0] == trees[1] == trees[2]
    assert "crop.rice.carbon_rate" in trees[0]
    assert "x 44/12 (C to CO2)" in trees[0]
    assert said("explain", "inventory", "sink/crop", "--from", trail).exit_code == 2


def test_init_writes_the_template(tmp_path: Path) -> None:
    done = said("init", tmp_path / "mine", "--inventory")
    assert done.exit_code == 0, done.output
    assert said("inventory", tmp_path / "mine" / "inventory.xlsx", "-q").exit_code == 0
    assert said("init", tmp_path / "mine", "--inventory").exit_code == 2
