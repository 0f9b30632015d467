"""Inventories of cities in the common reporting framework, as workbooks in the published layout, become totals.csv: through the command line.

The places and their numbers are made up.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from ecrf_files import (
    DIRECT,
    ENERGY,
    GHG,
    HEAD,
    INDIRECT,
    OUTSIDE,
    TRANSPORT,
    WASTE,
    Cell,
    Row,
    row,
    workbook,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from carbongrid.case.readers.ecrf import read_ecrf
from carbongrid.cli import main
from carbongrid.errors import InputError
from carbongrid.inventory.code_tree import counted_codes
from carbongrid.inventory.codes import gpc_scope, is_within, normal_code
from carbongrid.inventory.crosswalks import level_of
from carbongrid.method.landuse import packaged_table

TERRITORIAL = [
    row(None, ENERGY, "Residential Buildings", DIRECT, 100.5),
    row(None, ENERGY, "Residential Buildings", DIRECT, 0.000001, gases=(0.000001, None, None)),
    row(None, ENERGY, "Commercial buildings & facilities", DIRECT, 40, gases=(39, 0.75, 0.25), biogenic=12.5),
    row(None, ENERGY, "Institutional buildings & facilities", DIRECT, 8),
    row(None, TRANSPORT, "On-road > Passenger car", DIRECT, 300.25),
    row(None, TRANSPORT, "On-road > Bus", DIRECT, None, gases=(10, 1, 0.5)),
]  # fmt: skip
"""As exports of the Data Portal for Cities have it: no reference, a row for each fuel."""

TERRITORIAL_SUMS: list[list[Cell]] = [
    ["Stationary energy > Residential buildings", 100.500001, None, None, "NE", None, None],
    ["Stationary energy > Commercial buildings & facilities", 40, None, None, None, None, None],
    ["Stationary energy > Institutional buildings & facilities", 8, None, None, "NE", None, None],
    ["Total Stationary Energy", 148.500001, None, None, "NE", None, None],
    ["Transportation > On-road", 311.75, None, None, None, None, None],
    ["Total Transport", 311.75, None, None, None, None, None],
    ["Total Emissions (excluding generation of grid-supplied energy)", 460.250001, None, 0, None, None, None],
]  # fmt: skip

INDUCED = [
    row("I.1.1", ENERGY, "Residential Buildings", DIRECT, 100),
    row("I.1.2", ENERGY, "Residential Buildings", INDIRECT, 60),
    row("I.1.3", ENERGY, "Residential Buildings", OUTSIDE, 6),
    row("I.4.4", "Generation of grid-supplied energy", "CHP generation", DIRECT, 500),
    row("II.1.1", TRANSPORT, "On-road", DIRECT, 300),
    row("II.1.3", TRANSPORT, "On-road", OUTSIDE, 30),
    row("III.1.1", WASTE, "Solid waste disposal", DIRECT, 20),
    row("III.1.2", WASTE, "Solid waste disposal", OUTSIDE, 5),
    row("III.1.3", WASTE, "Solid waste disposal", DIRECT, 2),
]

GENERATED = ("I.4.4", "Generation of grid-supplied energy", "CHP generation", DIRECT, 500)
BOUGHT = ("I.1.2", ENERGY, "Residential Buildings", INDIRECT, 60)

KEYS = [
    row("I.1.1", ENERGY, "Residential Buildings", DIRECT, 100),
    row("I.1.1", ENERGY, "Residential Buildings", DIRECT, None, key="NE"),
    row("I.1.2", ENERGY, "Residential Buildings", INDIRECT, None, key="C"),
    row("I.2.1", ENERGY, "Commercial & Institutional buildings & facilities", DIRECT, 0, key="IE"),
    row(None, "Sub-total", "", "", 100),
    row("II.1.1", TRANSPORT, "On-road", DIRECT, 50),
    row("II.2.1", TRANSPORT, "Rail", DIRECT, "NO"),
    row("II.4.1", TRANSPORT, "Aviation", DIRECT, None, key="NA"),
    row(None, "Total", "", "", 150),
    row(None, "IPPU", "Product Use", OUTSIDE, None, key="NE"),
    row("V.2", "AFOLU", "Land use", DIRECT, -4),
]

HOMES = "code,category,share\nI.1,buildings/urban-homes,0.75\nI.1,buildings/rural-homes,0.25\n"
SPLITS = {
    "territorial": f"{HOMES}I.2,buildings/commerce,\n",
    "induced": f"{HOMES}I.1.3,leave-out,\nI.4.4,leave-out,\nII.1.3,leave-out,\nIII.1.2,leave-out,\nIII.1,waste/domestic,\n",
    "keys": f"{HOMES}V.2,sink/land,\n",
}
PLACES = {"territorial": TERRITORIAL, "induced": INDUCED, "keys": KEYS}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    workbook(tmp_path / "territorial.xlsx", TERRITORIAL, TERRITORIAL_SUMS)
    workbook(tmp_path / "induced.xlsx", INDUCED, above=4)
    workbook(tmp_path / "keys.xlsx", KEYS)
    for name, text in SPLITS.items():
        (tmp_path / f"{name}-split.csv").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["inventory", *map(str, arguments), "--system", "gpc"])
    assert result.exit_code == code, result.output
    return result


def formed(name: str, *more: object, code: int = 0) -> Result:
    return said(f"{name}.xlsx", "--split", f"{name}-split.csv", "--totals", "totals.csv", *more, code=code)  # fmt: skip


def totals() -> dict[str, str]:
    table = pd.read_csv("totals.csv", dtype=str)
    assert set(table["unit"]) == {"t CO2e"}
    assert set(table["year"]) == {"2019"}
    return dict(zip(table["category"], table["value"], strict=True))


def left_out(result: Result) -> dict[str, str]:
    return {each["code"]: each["co2e_t"] for each in json.loads(result.stdout)["left_out"]}


def test_rows_without_references_are_known_by_their_names(folder: Path) -> None:
    shown = formed("territorial")
    assert totals() == {
        "buildings/urban-homes": "75.375001",
        "buildings/rural-homes": "25.125000",
        "buildings/commerce": "48.000000",
        "transport/road": "311.750000",
    }
    source = pd.read_csv("totals.csv")["source"][0]
    assert source == "territorial.xlsx, sheet eCRF_3: GPC I.1.1 (AR5)"
    assert "sheet eCRF_2: 6 sums say what the rows by GPC reference add up to" in shown.output
    assert "I.2.1 Commercial buildings & facilities: 12.5 t CO2e, biogenic CO2" in shown.output
    assert "460.250001 t CO2e are BASIC, 0 t BASIC+ beyond that" in shown.output


def test_numbers_that_a_form_shows_with_a_size_are_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "place.xlsx", TERRITORIAL)
    book = openpyxl.load_workbook(path)
    book["eCRF_3"].cell(2, HEAD.index(f"{GHG}Total CO2e") + 1).number_format = '0.0"k"'
    book.save(path)
    read = read_ecrf(path)
    assert read is not None
    assert [each.level for each in read.notes if "shows with 'k'" in each.what] == ["warning"]


def test_what_is_bought_is_not_counted_again_where_it_is_made(folder: Path) -> None:
    (folder / "induced-split.csv").write_text(
        SPLITS["induced"].replace("I.4.4,leave-out,\n", ""), encoding="utf-8"
    )
    wrong = formed("induced", code=2)
    assert "I.4.4 CHP generation, 500 t CO2e: generation for the grid" in wrong.stderr
    assert "counts too (I.1.2)" in wrong.stderr
    counted = SPLITS["induced"].replace("I.4.4,leave-out", "I.4.4,industry/supply")
    (folder / "induced-split.csv").write_text(counted, encoding="utf-8")
    assert ", 502 t in the territorial total only" in formed("induced").output
    assert totals()["industry/supply"] == "500.000000"
    bought_elsewhere = SPLITS["induced"].replace("I.4.4,leave-out", "I.1.2,leave-out")
    (folder / "induced-split.csv").write_text(bought_elsewhere, encoding="utf-8")
    assert left_out(formed("induced", "--json"))["I.1.2"] == "60.000000"


@pytest.mark.parametrize(
    ("rows", "shares", "fault"),
    [
        ([GENERATED, BOUGHT], "I.4,industry/supply,\nI.1,buildings/urban-homes,\n", True),
        ([GENERATED, BOUGHT], "I.4.4,industry/supply,\nI.1,buildings/urban-homes,\n", False),
        ([GENERATED, BOUGHT], "I.4,leave-out,\nI.1,buildings/urban-homes,\n", False),
        ([GENERATED, BOUGHT], "I.1,leave-out,0.01\nI.1,buildings/urban-homes,0.99\n", True),
        ([GENERATED, BOUGHT], "I.1,leave-out,\n", False),
        ([GENERATED, ["I.1", *BOUGHT[1:]]], "I.1,buildings/urban-homes,\n", True),
    ],
)  # fmt: skip
def test_only_a_row_of_generation_itself_or_the_whole_of_what_is_bought_decides(
    folder: Path, rows: list[Sequence[str]], shares: str, fault: bool
) -> None:
    supply = row("I.4.1", ENERGY, "Energy Industries", DIRECT, 7)
    workbook(folder / "grid.xlsx", [supply, *(row(*each) for each in rows)])
    if "I.4," not in shares:
        shares += "I.4.1,industry/supply,\n"
    (folder / "grid-split.csv").write_text("code,category,share\n" + shares, encoding="utf-8")
    told = formed("grid", code=2 if fault else 0).output
    assert ("what is bought from it counts too (I.1.2)" in told) == fault


@pytest.mark.parametrize(
    ("written", "sub_sector", "scope", "code"),
    [
        ("I.1", "Residential buildings", INDIRECT, "I.1.2"),
        ("I.1", "", DIRECT, "I.1.1"),
        ("I.1", "", "", "I.1"),
        ("II.1", "On-road > Bus", OUTSIDE, "II.1.3"),
        ("III.1", "Solid waste disposal", OUTSIDE, "III.1.2"),
        ("III.1", "Solid waste disposal", DIRECT, "III.1"),
        ("I.4.4", "CHP generation", DIRECT, "I.4.4"),
        ("I.8", "Fugitive emissions", DIRECT, "I.8.1"),
        ("IV.1", "", DIRECT, "IV.1"),
    ],
)
def test_a_reference_of_a_whole_sub_sector_takes_its_scope_from_the_row(
    tmp_path: Path, written: str, sub_sector: str, scope: str, code: str
) -> None:
    read = read_ecrf(workbook(tmp_path / "place.xlsx", [row(written, "", sub_sector, scope, 5)]))
    assert read is not None
    assert [value.code for value in read.values] == [code]


def test_what_is_outside_the_boundary_is_told(folder: Path) -> None:
    result = formed("induced", "--json")
    assert totals() == {
        "buildings/urban-homes": "120.000000",
        "buildings/rural-homes": "40.000000",
        "transport/road": "300.000000",
        "waste/domestic": "22.000000",
    }
    assert left_out(result) == {
        "I.1.3": "6.000000", "I.4.4": "500.000000", "II.1.3": "30.000000", "III.1.2": "5.000000",
    }  # fmt: skip
    told = [each["what"] for each in json.loads(result.stdout)["problems"]]
    assert "of what counts, 480 t CO2e are BASIC, 0 t BASIC+ beyond that, 2 t in the territorial total only" in told  # fmt: skip
    assert not [what for what in told if "outside the boundary" in what]
    (folder / "induced-split.csv").write_text(
        SPLITS["induced"].replace("II.1.3,leave-out,\n", ""), encoding="utf-8"
    )
    warned = formed("induced").output
    assert "warning: induced.xlsx, sheet eCRF_3: 30 t CO2e of II.1.3 are emitted outside the boundary" in warned  # fmt: skip


def test_notation_keys_are_no_numbers_and_sums_do_not_count(folder: Path) -> None:
    shown = formed("keys").output
    assert totals() == {
        "buildings/urban-homes": "75.000000",
        "buildings/rural-homes": "25.000000",
        "transport/road": "50.000000",
        "sink/land": "4.000000",
    }
    assert "so totals may be too low: I.1.1 all gases (NE, row 3), I.1.2 all gases (C, row 4)\n" in shown  # fmt: skip
    assert "count where they are included: I.2.1 all gases (IE, row 5)\n" in shown
    assert "2 rows of sums say what the rows above them add up to" in shown
    assert "1 row without emissions has no GPC reference" in shown
    assert "no sheet of sub-sectors" in shown


def case_with_totals(name: str, folder: Path, city: Path) -> Path:
    formed(name)
    (folder / "totals.csv").rename(city / "totals.csv")
    case = (city / "case.toml").read_text(encoding="utf-8")
    for section in ("facilities", "benchmark"):
        case = re.sub(rf"\n\[{section}\].*?(?=\n\[|\Z)", "", case, flags=re.DOTALL)
    (city / "case.toml").write_text(case.replace("year = 2020 ", "year = 2019 "), encoding="utf-8")
    return city / "case.toml"


@pytest.mark.parametrize("name", PLACES)
def test_the_totals_suit_the_land_of_a_city(folder: Path, city: Path, name: str) -> None:
    checked = CliRunner().invoke(main, ["check", str(case_with_totals(name, folder, city))])
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize(
    "name",
    [
        "keys",
        *(pytest.param(each, marks=pytest.mark.thorough) for each in PLACES if each != "keys"),
    ],
)
def test_the_totals_run_on_the_land_of_a_city(folder: Path, city: Path, name: str) -> None:
    """Every gram is in the ledger, and on land that carries it."""
    case = case_with_totals(name, folder, city)
    ran = CliRunner().invoke(main, ["run", str(case), "--out", str(city / "out")])
    assert ran.exit_code == 0, ran.output
    grams = sum(round(Decimal(value) * 10**6) for value in pd.read_csv(city / "totals.csv", dtype=str)["value"])  # fmt: skip
    ledger = pd.read_csv(city / "out" / "ledger.csv", dtype=str)
    assert sum(round(Decimal(value) * 10**6) for value in ledger["total_t"]) == grams
    assert {Decimal(value) for value in ledger["unallocated_t"]} == {Decimal(0)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (row("I.1.1", ENERGY, "Residential Buildings", INDIRECT, 5), "the GPC reference I.1.1 is of direct emissions, and the scope is 'Indirect emissions'"),
        (row("III.1", WASTE, "Solid waste disposal", INDIRECT, 5), "the GPC reference III.1 has none for the scope 'Indirect emissions'"),
        (row("I.6.1", ENERGY, "Agriculture", DIRECT, 5), "the GPC reference I.6.1 is none of 'Agriculture', whose references are I.5"),
        (row("Gas", ENERGY, "Agriculture", DIRECT, 5), "'Gas' is no GPC reference"),
        (row(None, ENERGY, "Huts", DIRECT, 5), "the GPC reference is blank, and 'Huts' is a sub-sector that is not known"),
        (row(None, ENERGY, "Fugitive emissions", DIRECT, 5), "the GPC reference is blank, and 'Fugitive emissions' may be I.7 or I.8"),
        (row(None, WASTE, "Wastewater", INDIRECT, 5), "the GPC reference is blank, and 'Wastewater' has none for the scope 'Indirect emissions'"),
        (row(None, "AFOLU", "Livestock", DIRECT, None, biogenic=5, year=None, key="NE", gases=("x", 1, 1)), "column GHGs (metric tonnes CO2e) - CO2: expected a finite number, not 'x'"),
        (row("II.1.1", TRANSPORT, "On-road", DIRECT, 5, key="NE"), "the notation key is NE, and the emissions are 5 t CO2e"),
        (row("II.1.1", TRANSPORT, "On-road", DIRECT, 0, key="NE", gases=(5, 1, None)), "the notation key is NE, and the gases are 5 and 1 t CO2e"),
        (row("II.1.1", TRANSPORT, "On-road", DIRECT, 5, key="Please select"), "column Notation key: 'Please select' is no notation key"),
        (row(None, WASTE, "Wastewater", DIRECT, 5), "the row is of III.4 as a whole, and other rows are of III.4.1"),
        (row("V.1", "AFOLU", "Livestock", DIRECT, "{{total}}"), "expected a finite number, not '{{total}}'"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_placed_is_named(tmp_path: Path, change: Row, message: str) -> None:
    rows = [row("III.4.1", WASTE, "Wastewater", DIRECT, 1), change]
    path = workbook(tmp_path / "place.xlsx", rows, above=2)
    with pytest.raises(InputError) as caught:
        read_ecrf(path)
    assert [str(each) for each in caught.value.problems if message in str(each) and "place.xlsx, sheet eCRF_3, row 5" in str(each)], caught.value  # fmt: skip


DISPOSED = row(None, WASTE, "Solid waste disposal", DIRECT, 22)


@pytest.mark.parametrize(
    ("outside", "grams"),
    [
        (row(None, WASTE, "Solid waste disposal", OUTSIDE, None, key="NO"), 0),
        (row(None, WASTE, "Solid waste disposal", OUTSIDE, "NA"), 0),
        (row(None, WASTE, "Solid waste disposal", OUTSIDE, 0), 0),
        (row(None, WASTE, "Solid waste disposal", OUTSIDE, None, key="NE"), None),
        (row(None, WASTE, "Solid waste disposal", OUTSIDE, 5), 5_000_000),
    ],
)
def test_waste_treated_here_and_outside_stand_side_by_side(
    tmp_path: Path, outside: Row, grams: int | None
) -> None:
    for rows in ([DISPOSED, outside], [outside, DISPOSED]):
        read = read_ecrf(workbook(tmp_path / "place.xlsx", rows))
        assert read is not None
        counted, uncounted, notes = counted_codes(read)
        known = {mass.code: mass.grams for mass in counted}
        assert known == {"III.1": 22_000_000} | ({} if grams is None else {"III.1.2": grams})
        assert not uncounted
        warned = [each.what for each in notes if each.level == "warning"]
        assert bool(warned) == (grams is None)


def test_nothing_treated_here_is_no_whole_of_what_is_treated_outside(tmp_path: Path) -> None:
    rows = [
        row(None, WASTE, "Wastewater", DIRECT, None, key="NO"),
        row(None, WASTE, "Wastewater", OUTSIDE, 5),
    ]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows))
    assert read is not None
    counted, uncounted, _ = counted_codes(read)
    assert {mass.code: mass.grams for mass in counted} == {"III.4": 0, "III.4.2": 5_000_000}
    assert not uncounted


def test_parts_without_mass_do_not_stand_for_their_whole(tmp_path: Path) -> None:
    parts = [
        row("III.1.1", WASTE, "Solid waste disposal", DIRECT, None, key="NE"),
        row("III.1.3", WASTE, "Solid waste disposal", DIRECT, 0),
        row("III.1.1", WASTE, "Solid waste disposal", DIRECT, 3, year=2018),
    ]
    path = workbook(tmp_path / "place.xlsx", [*parts, DISPOSED])
    read = read_ecrf(path, year=2019)
    assert read is not None
    counted, uncounted, _ = counted_codes(read)
    assert [(mass.code, mass.grams) for mass in counted] == [("III.1", 22_000_000)]
    assert not uncounted
    assert "2 rows without emissions are of parts of what other rows have as a whole, which counts: III.1.1 (row 2); III.1.3 (row 3)" in [each.what for each in read.checked]  # fmt: skip
    earlier = read_ecrf(path, year=2018)
    assert earlier is not None
    assert [mass.code for mass in counted_codes(earlier)[0]] == ["III.1.1"]


def test_a_whole_of_waste_without_a_scope_holds_what_is_outside(tmp_path: Path) -> None:
    whole = row("III.1", WASTE, "Solid waste disposal", "", 27)
    nothing = row("III.1.2", WASTE, "Solid waste disposal", OUTSIDE, 0)
    read = read_ecrf(workbook(tmp_path / "place.xlsx", [whole, nothing]))
    assert read is not None
    assert [mass.grams for mass in counted_codes(read)[0]] == [27_000_000]
    outside = row(None, WASTE, "Solid waste disposal", OUTSIDE, 5)
    with pytest.raises(InputError, match=re.escape("row 2: the row is of III.1 as a whole, and other rows are of III.1.2")):  # fmt: skip
        read_ecrf(workbook(tmp_path / "both.xlsx", [whole, DISPOSED, outside]))


def test_rows_without_mass_may_contradict_their_reference(tmp_path: Path) -> None:
    rows = [
        row("I.1.1", ENERGY, "Residential Buildings", INDIRECT, None, key="NE"),
        row("I.1.1", ENERGY, "Residential Buildings", DIRECT, 5),
    ]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows))
    assert read is not None
    assert "1 row without emissions has a GPC reference of another scope or sub-sector: I.1.1 (row 2)" in read.checked[0].what  # fmt: skip


def test_a_row_with_a_reference_is_no_sum(tmp_path: Path) -> None:
    rows = [
        row("I.1.1", ENERGY, "Total residential", DIRECT, 7),
        row("Total", ENERGY, "", "", 7),
    ]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows))
    assert read is not None
    assert [(value.code, value.grams) for value in read.values] == [("I.1.1", 7_000_000)]
    assert "1 row of sums says what the rows above it add up to" in [each.what for each in read.checked]  # fmt: skip


def test_a_land_sink_may_stand_in_the_sums(tmp_path: Path) -> None:
    rows = [row("V.1", "AFOLU", "Livestock", DIRECT, 9), row("V.2", "AFOLU", "Land use", DIRECT, -4)]  # fmt: skip
    sums: list[list[Cell]] = [
        ["AFOLU > Livestock", 9, None, None, None, None, None],
        ["AFOLU > Land use", -4, None, None, None, None, None],
        ["Total AFOLU", 5, None, None, None, None, None],
    ]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows, sums))
    assert read is not None
    assert read.checked[-1].what == "3 sums say what the rows by GPC reference add up to"
    sums[1][1] = 4
    other = read_ecrf(workbook(tmp_path / "other.xlsx", rows, sums))
    assert other is not None
    assert other.checked[-1].what.endswith("V.2, direct: 4 t here, -4 t in the rows")


@pytest.mark.parametrize(
    "header",
    [
        "Notation keys",
        "Notation",
        "NOTATION KEY (if needed)",
        "Notation Keys (NO/NE/IE/NA/C)",
        "Notation key, if applicable",
    ],
)
def test_the_column_of_notation_keys_has_several_names(tmp_path: Path, header: str) -> None:
    """Seen to fail: a key under another header than `Notation key` was passed over, so that what is elsewhere was unknown, and IE stood beside a mass."""
    path = tmp_path / "place.csv"
    head = [header if name == "Notation key" else name for name in HEAD]

    def written(total: Cell) -> Path:
        cells = row("I.2.1", ENERGY, "Commercial buildings & facilities", DIRECT, total, key="IE")
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, cells])
        return path

    read = read_ecrf(written(None))
    assert read is not None
    assert [value.key for value in read.values] == ["IE"]
    assert all(note.level == "note" for note in read.checked)
    with pytest.raises(InputError, match="the notation key is IE, and the emissions are 5000 t"):
        read_ecrf(written(5000))


def test_what_may_be_a_column_of_notation_keys_and_is_not_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "place.csv"
    head = ["Notation explanation" if name == "Notation key" else name for name in HEAD]
    cells = row("I.1.1", ENERGY, "Residential Buildings", DIRECT, 10, key="see the note")
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, cells])
    read = read_ecrf(path)
    assert read is not None
    [told] = [note for note in read.checked if note.level == "warning"]
    assert (
        told.what == "no column of notation keys is read; 'Notation explanation' is taken for none"
    )


@pytest.mark.parametrize("blanks", [0, 2])
def test_a_header_without_rows_is_told(tmp_path: Path, blanks: int) -> None:
    path = tmp_path / "place.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD, *[[]] * blanks])
    with pytest.raises(InputError, match="the table has no row with a code and a value"):
        read_ecrf(path)


def test_gases_are_held_against_their_total(tmp_path: Path) -> None:
    rows = [
        row("I.1.1", ENERGY, "Residential Buildings", DIRECT, 10, gases=(8, 1, 1)),
        row(
            "I.1.1", ENERGY, "Residential Buildings", DIRECT, 10.05, gases=(8.01, 1.02, 1.00000001)
        ),
        row("I.1.1", ENERGY, "Residential Buildings", DIRECT, 15, gases=(8, 1, 1), biogenic=5),
    ]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows))
    assert read is not None
    assert read.checked[0].level == "warning"
    assert "2 rows say another total than their gases, by 5.02 t in all; the totals count, since the sheet has no columns of other gases: row 3" in read.checked[0].what  # fmt: skip
    assert "row 3 10.05 t, its gases 10.03 t; row 4 15 t, its gases 10 t, as much more as its biogenic CO2" in read.checked[0].what  # fmt: skip


def test_a_sheet_with_other_gases_is_not_said_to_have_none(tmp_path: Path) -> None:
    path = tmp_path / "place.csv"
    cells = row("I.1.1", ENERGY, "Residential Buildings", DIRECT, 10, gases=(8, 1, 0))
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[*HEAD, f"{GHG}HFC"], [*cells, 7]])
    read = read_ecrf(path)
    assert read is not None
    assert "by 6 t in all; the totals count: row 2 10 t, its gases 16 t" in read.checked[0].what  # fmt: skip


def test_sums_that_differ_are_told_with_figures(tmp_path: Path) -> None:
    sums = [list(cells) for cells in TERRITORIAL_SUMS]
    sums[4][1] = 400
    rows = [*TERRITORIAL, row(None, "Total", "", "", 999)]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows, sums))
    assert read is not None
    told = [each.what for each in read.checked if each.level == "warning"]
    assert told[0].endswith("row 8 999 t, the rows above it 460.250001 or 460.250001 t")
    assert told[1] == "1 sums say another mass than the rows by GPC reference, which count: II.1, direct: 400 t here, 311.75 t in the rows"  # fmt: skip


CRF, OWN = "Industrial buildings & facilities", "Manufacturing industries"


@pytest.mark.parametrize(
    ("names", "generation", "of_sheet"),
    [
        ((CRF, ""), "Power plants", CRF),
        ((OWN, OWN), "Power plants", CRF),
        ((OWN, OWN), "Power plants", OWN),
        ((OWN, ""), "Power plants", OWN),
        ((CRF, CRF), "Energy Industries", CRF),
    ],
)
def test_a_row_that_calls_its_sub_sector_otherwise_is_held_against_the_sums_by_its_reference(
    tmp_path: Path, names: tuple[str, str], generation: str, of_sheet: str
) -> None:
    """A merged cell leaves the name blank in all rows but one, and some write it down over generation, which sheets tell apart. Seen to be told as 0 t in the rows, and Power plants as neither of two."""
    rows = [
        row("I.3.1", ENERGY, names[0], DIRECT, 9),
        row("I.3.2", ENERGY, names[1], INDIRECT, 4),
        row("I.4.1", ENERGY, "", DIRECT, 2),
        row("I.4.4", ENERGY, generation, DIRECT, 55),
        row("I.7.1", ENERGY, "Coal", DIRECT, 6),
    ]
    sums: list[Row] = [[of_sheet, 9, None, 4], ["Energy Industries", 2], ["Electricity-only generation", 55], ["Fugitive emissions", 6]]  # fmt: skip
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows, sums))
    assert read is not None
    assert [note.what for note in read.checked if "every city has" not in note.what] == ["5 sums say what the rows by GPC reference add up to"]  # fmt: skip


def test_a_row_without_a_scope_has_that_of_its_reference(tmp_path: Path) -> None:
    """Seen to fail: rows whose scope is blank were missing from the sums by scope."""
    rows = [row("II.1.1", TRANSPORT, "On-road", "", 311.75)]
    sums: list[list[Cell]] = [["Transportation > On-road", 311.75, None, None, None, None, None]]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows, sums))
    assert read is not None
    assert not [each for each in read.checked if each.level == "warning"]


def test_years_are_told_apart(tmp_path: Path) -> None:
    rows = [*TERRITORIAL, row("IV.1", "IPPU", "Industrial process", DIRECT, 3, year=2018)]
    path = workbook(tmp_path / "place.xlsx", rows, TERRITORIAL_SUMS)
    with pytest.raises(InputError, match="the table holds 2 years, 2018 to 2019"):
        read_ecrf(path)
    earlier = read_ecrf(path, year=2018)
    assert earlier is not None
    assert [(value.code, value.grams) for value in earlier.values] == [("IV.1", 3_000_000)]
    assert earlier.checked[-1].what == "the sheet is of 2019, so the rows of 2018 are not held against it"  # fmt: skip
    untold = [*rows, row("IV.2", "IPPU", "Product Use", DIRECT, 1, year="Please select")]
    with pytest.raises(
        InputError, match="the year is not told, where other rows are of 2018, 2019"
    ):
        read_ecrf(workbook(tmp_path / "untold.xlsx", untold))


@pytest.mark.parametrize(
    ("cell", "year"),
    [(datetime(2018, 1, 1), 2018), ("31/12/2018", 2018), ("FY2018", 2018), ("2018/19", None), ("2018-2019", None), ("43101", None), ("last", None)],
)  # fmt: skip
def test_a_year_that_is_written_otherwise_is_not_taken_for_a_blank(
    tmp_path: Path, cell: Cell, year: int | None
) -> None:
    rows = [
        row("II.1.1", TRANSPORT, "On-road", DIRECT, 100, year=cell),
        row("II.1.1", TRANSPORT, "On-road", DIRECT, 110),
    ]
    path = workbook(tmp_path / "place.xlsx", rows)
    if year is None:
        with pytest.raises(InputError, match=f"row 2, column Inventory year: '{cell}' is no year of four digits"):  # fmt: skip
            read_ecrf(path)
        return
    with pytest.raises(InputError, match=f"the table holds 2 years, {year} to 2019"):
        read_ecrf(path)
    read = read_ecrf(path, year=year)
    assert read is not None
    assert [value.grams for value in read.values] == [100_000_000]


def test_the_year_may_stand_on_another_sheet(tmp_path: Path) -> None:
    rows = [row("IV.1", "IPPU", "Industrial process", DIRECT, 3, year="Please select")]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", rows))
    assert read is not None
    assert (read.year, read.gwp) == (2019, "AR5")


@pytest.mark.parametrize(
    ("sheet", "cell", "text", "says"),
    [
        ("eCRF_1", "A9", "20191", ""),
        ("eCRF_1", "C3", "20191", "cell C3 holds '20191'"),
        ("eCRF_2", "H4", "71", ""),
        ("eCRF_2", "A9", "71", ""),
        ("eCRF_2", "B4", "1001", "cell B4 holds '1001'"),
        ("eCRF_3", "H2", "71", ""),
        ("eCRF_3", "A9", "20191", ""),
        ("eCRF_3", "M2", "1001", "cell M2 holds '1001'"),
    ],
)
def test_what_is_not_read_of_a_form_may_be_formed(
    tmp_path: Path, sheet: str, cell: str, text: str, says: str
) -> None:
    """Seen to be refused for footnotes' marks and struck words in comments and notes, and for formats of amounts that nothing reads."""
    path = workbook(tmp_path / "a.xlsx", [row("I.1.1", ENERGY, "Residential buildings", DIRECT, 100)], [["Residential buildings", 100]])  # fmt: skip
    book = openpyxl.load_workbook(path)
    book[sheet][cell] = CellRichText(text[:-1], TextBlock(InlineFont(vertAlign="superscript"), text[-1]))  # fmt: skip
    book["eCRF_3"]["I2"].number_format = "0.0,"  # the emission factor
    book.save(path)
    if says:
        with pytest.raises(InputError, match=says):
            read_ecrf(path)
    else:
        found = read_ecrf(path)
        assert found is not None
        assert len(found.values) == 1


def test_a_table_of_another_kind_is_none_and_two_are_an_error(tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("code,value,unit\nI.1.1,5,t CO2e\n", encoding="utf-8")
    assert read_ecrf(plain) is None
    book = openpyxl.load_workbook(workbook(tmp_path / "two.xlsx", TERRITORIAL))
    book.copy_worksheet(book["eCRF_3"]).title = "Light_eCRF_3"
    book.save(tmp_path / "two.xlsx")
    with pytest.raises(InputError, match="the sheets eCRF_3, Light_eCRF_3 all hold an inventory"):
        read_ecrf(tmp_path / "two.xlsx")


def test_a_header_without_totals_says_what_is_there(tmp_path: Path) -> None:
    path = workbook(tmp_path / "place.xlsx", TERRITORIAL, above=2, wide=True)
    book = openpyxl.load_workbook(path)
    book["eCRF_3"].cell(3, HEAD.index(f"{GHG}Total CO2e") + 1).value = "Total CO2e"
    book.save(path)
    with pytest.raises(InputError, match="row 3: no column of total emissions is found; there are 'Inventory year'"):  # fmt: skip
        read_ecrf(path)


@settings(max_examples=30)
@given(
    masses=st.lists(st.tuples(st.sampled_from(["I.1.1", "II.1.1", "III.4.1", "IV.1"]), st.integers(0, 10**12)), min_size=1, max_size=8),
    blanks=st.integers(0, 3),
)  # fmt: skip
def test_every_gram_is_read_however_many_rows_a_code_has(
    tmp_path_factory: pytest.TempPathFactory, masses: list[tuple[str, int]], blanks: int
) -> None:
    path = tmp_path_factory.mktemp("crf") / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        for code, grams in masses:
            writer.writerow(row(code, "", "", "", f"{Decimal(grams).scaleb(-6):f}"))
            writer.writerows([[]] * blanks)
    read = read_ecrf(path)
    assert read is not None
    assert [(value.code, value.grams) for value in read.values] == masses
    assert [value.row for value in read.values] == [2 + at * (blanks + 1) for at in range(len(masses))]  # fmt: skip


def test_scopes_of_codes_agree_with_the_totals_they_are_in() -> None:
    known = {"direct": {"BASIC", "BASIC+", "territorial"}, "indirect": {"BASIC"}, "outside": {"BASIC", "BASIC+"}}  # fmt: skip
    for table in packaged_table("inventory/gpc_subsectors.csv").to_dict("records"):
        for stem in str(table["codes"]).split():
            assert normal_code(stem, "gpc") == stem
            for last in ("1", "2", "3"):
                code = stem if stem[0] in "V" or stem.startswith("IV") or stem == "I.4.4" else f"{stem}.{last}"  # fmt: skip
                assert is_within(code, stem)
                assert level_of(code) in known[gpc_scope(code)]


CITY = [
    row("I.1.1", ENERGY, "Residential buildings", DIRECT, 50),
    row("I.2.1", ENERGY, "Commercial and institutional buildings and facilities", DIRECT, 40),
    row("II.1.1", TRANSPORT, "On-road transportation", DIRECT, 120),
    row("III.1.1", WASTE, "Solid waste disposal", DIRECT, 9),
    row("III.4.1", WASTE, "Wastewater treatment and discharge", DIRECT, 2),
]


def told_of(path: Path, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Levels and words of what is said of rows, but that there is no sheet of sums."""
    read = read_ecrf(workbook(path, rows))
    assert read is not None
    return [(note.level, note.what) for note in read.checked if "no sheet of sub-sectors" not in note.what]  # fmt: skip


def test_a_city_that_has_what_every_city_has_is_told_nothing(tmp_path: Path) -> None:
    """Another fuel, or another mass, is another row; a key says why there is no number."""
    other = list(CITY[0])
    other[5] = "another fuel"
    keyed = row("II.1.1", TRANSPORT, "On-road transportation", DIRECT, None, key="IE")
    assert told_of(tmp_path / "place.xlsx", [*CITY[:2], other, keyed, *CITY[3:]]) == []


def test_rows_that_were_pasted_twice_are_told(tmp_path: Path) -> None:
    """Seen without a word: all of an inventory, counted twice."""
    [(level, what)] = told_of(tmp_path / "place.xlsx", [*CITY, *CITY])
    assert level == "warning"
    assert what.startswith("rows agree in every cell, and count each, 221 t of emissions more than if each counted once: I.1.1 (rows 2, 7); ")  # fmt: skip


def test_rows_that_were_pasted_twice_of_another_year_count_nothing(tmp_path: Path) -> None:
    """Seen to be told, of rows that are not read."""
    before = [[2018, *cells[1:]] for cells in CITY]
    read = read_ecrf(workbook(tmp_path / "place.xlsx", [*before, *before, *CITY]), year=2019)
    assert read is not None and len(read.values) == len(CITY)
    assert not [note for note in read.checked if "agree in every cell" in note.what]


def test_zeros_in_place_of_notation_keys_are_told(tmp_path: Path) -> None:
    """0 counts as nothing emitted, where NE would be unknown."""
    zero = row("II.1.1", TRANSPORT, "On-road transportation", DIRECT, 0)
    told = told_of(tmp_path / "place.xlsx", [*CITY[:2], zero, *CITY[3:]])
    assert told == [("warning", "rows say 0 t without a notation key of what every city has: road traffic (II.1), row 4")]  # fmt: skip


def test_a_sheet_that_was_cut_off_is_told(tmp_path: Path) -> None:
    told = told_of(tmp_path / "place.xlsx", CITY[:3])
    assert told == [("note", "no row is of solid waste (III.1 to III.3); wastewater (III.4), which every city has")]  # fmt: skip


def test_rows_of_another_year_than_the_inventory_are_told(tmp_path: Path) -> None:
    rows = [[2018, *cells[1:]] for cells in CITY]
    told = told_of(tmp_path / "place.xlsx", rows)
    assert told == [("warning", "the rows are of 2018, and another sheet says that the inventory is of 2019")]  # fmt: skip
