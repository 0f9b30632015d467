"""What ``explain unit`` says, held against the run's own tables."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import carbongrid as cg
from carbongrid.cli import main
from carbongrid.errors import InputError
from carbongrid.method.categories import column_of
from carbongrid.outputs.tables.plain import read_units_csv
from carbongrid.pipeline.unit_account import account_lines, account_of_unit


@pytest.fixture(scope="module")
def opened(small_run: Path) -> cg.Result:
    return cg.open(small_run)


def test_the_accounts_of_all_units_are_units_csv(small_run: Path, opened: cg.Result) -> None:
    """To the gram, with ==: what parcels carry in the units is what the units have."""
    units = read_units_csv(small_run / "units.csv").frame.set_index("id")
    for code in units.index:
        account = account_of_unit(opened, code, largest=10**6)
        own = {each.category: each for each in account.categories}
        for name in opened.live.inputs.categories:
            grams = own[name].grams if name in own else 0
            assert grams == units.at[code, f"{column_of(name)}_g"], (code, name)
        for each in own.values():
            assert sum(parcel.grams for parcel in each.largest) == each.grams
            assert len(each.largest) == each.parcels
            assert [p.grams for p in each.largest] == sorted((p.grams for p in each.largest), reverse=True)  # fmt: skip
        for sink in (False, True):
            parts = [each.part_of_unit for each in own.values() if each.sink == sink]
            assert not parts or sum(parts) == pytest.approx(1, abs=1e-12)


def test_the_parts_of_a_category_add_up_over_the_units(opened: cg.Result) -> None:
    accounts = [account_of_unit(opened, code) for code in opened.units["id"]]
    parts: dict[str, float] = {}
    for account in accounts:
        for each in account.categories:
            parts[each.category] = parts.get(each.category, 0.0) + each.part_of_category
    ledger = pd.DataFrame(opened.manifest["ledger"]).groupby("category")[["units", "outside_units"]].sum()  # fmt: skip
    for name, part in parts.items():
        inside, outside = ledger.loc[name]
        assert part == pytest.approx(inside / (inside + outside), rel=1e-9)


def test_each_category_has_the_rule_of_the_case(small_run: Path, opened: cg.Result) -> None:
    """As the run's manifest has the case's categories; and the command says it. Seen to fail with one rule for all."""
    rules = {each["name"]: each["weight"] for each in opened.manifest["categories"]}
    assert len(set(rules.values())) > 3
    code = opened.units["id"].iloc[0]
    found = {each.category: each.rule for each in account_of_unit(opened, code).categories}
    assert len(set(found.values())) > 3
    assert found == {name: rules[name] for name in found}
    said = CliRunner().invoke(main, ["explain", "unit", code, str(small_run)]).stdout
    lines = {line.split()[0]: line for line in said.splitlines() if line.split() and line.split()[0] in rules}  # fmt: skip
    assert lines.keys() == found.keys()
    for name, rule in found.items():
        assert re.search(rf"  {re.escape(rule)}(;|$)", lines[name]), lines[name]


def test_facilities_and_margins_are_those_of_the_run(small_run: Path, opened: cg.Result) -> None:
    facilities = pd.read_csv(small_run / "facilities.csv", dtype=str)
    table = cg.margins(opened)
    found = []
    for code in opened.units["id"]:
        account = account_of_unit(opened, code)
        found += [
            (name, code, grams) for each in account.categories for name, grams in each.facilities
        ]
        own = table[(table["unit"] == code) & (table["reference"] == "floating")]
        assert [each["at_boundary"] for each in account.margins] == own["at_boundary"].tolist()
    wanted = []
    for row in facilities.itertuples():
        for code, tonnes in json.loads(row.mass_by_unit).items():
            if code:
                wanted.append((row.name, code, round(float(tonnes) * 1e6)))
    assert sorted(found) == sorted(wanted)


def test_a_code_that_is_none_is_answered_with_one_that_is(opened: cg.Result) -> None:
    name, code = opened.units["name_en"].iloc[2], opened.units["id"].iloc[2]
    with pytest.raises(InputError, match=f"{name} has the code {code}"):
        account_of_unit(opened, name)
    with pytest.raises(InputError, match="Did you mean"):
        account_of_unit(opened, code + "0")


def test_the_command_says_it_to_people_and_to_programs(small_run: Path, opened: cg.Result) -> None:
    code = opened.units["id"].iloc[0]
    said = CliRunner().invoke(main, ["explain", "unit", code, str(small_run)])
    assert said.exit_code == 0, said.output
    for words in (code, "zone", "of category", "parcel ", "ECC: emission"):
        assert words in said.stdout
    told = json.loads(CliRunner().invoke(main, ["explain", "unit", code, str(small_run), "--json"]).stdout)  # fmt: skip
    account = account_of_unit(opened, code)
    assert [each["grams"] for each in told["categories"]] == [each.grams for each in account.categories]  # fmt: skip
    assert told["unit"]["id"] == code
    # Seen to say 0.00 t and 0.00 % of what is not nothing.
    first, row = account.categories[0], account.margins[0]
    tiny = replace(first, grams=1, part_of_unit=1e-9, facilities=(("works", 1),))
    near = row | {"quantity": "sink", "at_boundary": 1, "percent": -1e-7}
    lines = "\n".join(account_lines(replace(account, categories=(tiny,), margins=(near,)), ""))
    assert " < 0.01  < 0.01% " in lines and "works: < 0.01 t" in lines
    assert "sink < 0.01 t (> -0.01 %)" in lines


def test_a_total_that_was_given_is_explained_in_one_line(small_run: Path) -> None:
    """Seen to fail: it asked for an inventory.xlsx inside the run."""
    words = ["explain", "inventory", "industry/manufacturing", "--from", str(small_run)]
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 0, said.output
    (line,) = said.stdout.splitlines()
    total = pd.read_csv(small_run / "inventory.csv", dtype=str).set_index("category").at["industry/manufacturing", "mass_t"]  # fmt: skip
    assert f"{float(total):,.2f} t CO2e, given as a total" in line
    wrong = CliRunner().invoke(main, [*words[:2], "industry/manufacture", *words[3:]])
    assert wrong.exit_code == 2
    assert "Did you mean 'industry/manufacturing'" in wrong.stderr
