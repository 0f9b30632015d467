"""Reading activity data: every mistake is told with sheet, row and column; marks are unknown, never zero."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inventory_example import EXAMPLE

from carbongrid import inventory
from carbongrid.errors import InputError
from carbongrid.io.activity import read_activity
from carbongrid.io.activity_template import write_inventory_template

HEADER = "id,activity,category,amount,unit,parameters,note"
Sheets = Callable[..., Path]


@pytest.fixture
def sheets(tmp_path: Path) -> Sheets:
    """Write a folder of sheets, of their rows below the header."""

    def write(**rows: str) -> Path:
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        for name, text in rows.items():
            head = {"settings": "setting,value", "factors": "key,name,value,unit,gas,low,high"}.get(
                name, HEADER
            )
            (folder / f"{name}.csv").write_text(f"{head}\n{text}\n", encoding="utf-8")
        return folder

    return write


def told(path: Path) -> list[tuple[str, str]]:
    """Return (where, what) of every problem of a file."""
    with pytest.raises(InputError) as raised:
        inventory.form(read_activity(path))
    return [(problem.where, problem.what) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("row", "column", "what"),
    [
        ("a,fuel/diesel,industry/mining,5,kWh,,", "", ""),
        ("a,fuel/diesel,industry/mining,5,m3,,", "unit", "volume, but fuel/diesel is counted in mass"),
        ("a,fuel/diesel,industry/mining,5,tons,,", "unit", "unknown unit 'tons'"),
        ("a,fuel/diesel,industry/mining,5,,,", "unit", "blank"),
        ("a,fuel/diesel,industry/mining,-5,t,,", "amount", "negative"),
        ("a,fuel/diesel,industry/mining,nan,t,,", "amount", "finite number"),
        ("a,fuel/diesel,industry/mining,inf,t,,", "amount", "finite number"),
        ("a,fuel/diesel,industry/mining,\"1,000\",t,,", "amount", "finite number"),
        ("a,fuel/disel,industry/mining,5,t,,", "activity", "unknown activity"),
        ("a,fuel/diesel,,5,t,,", "category", "blank"),
        ("a,fuel/diesel,buildings/commerce,5,t,,", "category", "no part of"),
        ("a,freight/road,,5,t km,,", "activity", "does not stand on the sheet"),
        ("a,fuel/diesel,industry/mining,5,t,factor,", "parameters", "no parameter"),
        ("a,fuel/diesel,industry/mining,5,t,oxidaton=1,", "parameters", "unknown parameter 'oxidaton'"),
        ("a,fuel/diesel,industry/mining,5,t,oxidation=ipcc.nothing,", "parameters", "unknown factor"),
        ("a,fuel/diesel,industry/mining,5,t,variant=foo,", "parameters", "unknown variant"),
        ("a,fuel/diesel,industry/mining,5,t,carbon_content=0.5 t C/t,", "parameters", "do not make a mass"),
        ("a,fuel/diesel,industry/mining,5,t,carbon_content=cn.co2.diesel,", "parameters", "do not make a mass"),
        ("a,fuel/diesel,industry/mining,5,t,factor=3.1 t/t,", "parameters", "names no gas"),
        ("a,fuel/diesel,industry/mining,5,t,methane=ipcc.manufacturing.n2o.diesel_oil,", "parameters", "is of N2O"),
        ("a,product/clinker,,5,t,factor=lal2004.n,", "parameters", "bounds but no value"),
        ("a,product/clinker,,x,t,,", "amount", "finite number"),
        ("a,product/glass-float,,5,t,cullet=ipcc.ww.bo_bod,", "parameters", "cullet is no mass of gas"),
        ("a,product/glass-float,,5,t,cullet=-0.1,", "parameters", "no negative number"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_sheet_row_and_column(
    sheets: Sheets, row: str, column: str, what: str
) -> None:
    path = sheets(industry=row)
    if not what:
        assert len(inventory.form(read_activity(path)).lines) == 3
        return
    problems = told(path)
    assert len(problems) == 1
    assert problems[0][0] == f"data, sheet industry, row 2, column {column}"
    assert what in problems[0][1]


@pytest.mark.parametrize(
    ("row", "column", "what"),
    [
        ("k,K,0.5,t C/t,CO2,,", "gas", "is of C, the gas is 'CO2'"),
        ("k,K,0.5,t/t,CH5,,", "gas", "unknown gas"),
        ("k,K,x,t CO2/t,CO2,,", "value", "finite number"),
        ("k,K,,t CO2/t,CO2,,", "value", "blank"),
        ("k,K,1,t CO2/foo,CO2,,", "unit", "unknown unit"),
        ("k,K,1,t CO2/t,CO2,2,3", "value", "outside its bounds"),
    ],
)
def test_a_wrong_factor_is_told_with_row_and_column(
    sheets: Sheets, row: str, column: str, what: str
) -> None:
    problems = told(sheets(industry="a,product/lime,,5,t,,", factors=row))
    assert problems[0][0] == f"data, sheet factors, row 2, column {column}"
    assert what in problems[0][1]


def test_a_factor_without_gas_is_refused_where_it_is_used(sheets: Sheets) -> None:
    path = sheets(industry="a,product/lime,,5,t,factor=mine,", factors="mine,Mine,0.5,t/t,,,")
    assert told(path) == [
        ("data, sheet industry, row 2, column parameters", "the factor 'mine' names no gas")
    ]


def test_a_factor_in_carbon_becomes_co2_by_44_12(sheets: Sheets) -> None:
    path = sheets(industry="a,product/lime,,12,t,factor=mine,", factors="mine,Mine,1,t C/t,C,,")
    assert inventory.totals(inventory.form(read_activity(path)))["mass_t"].tolist() == ["44.000000"]


def test_doubled_ids_and_doubled_rows_are_refused(sheets: Sheets) -> None:
    path = sheets(
        industry="a,product/lime,,5,t,,\na,product/clinker,,5,t,,\nb,product/lime,,6,t,,",
        waste="a,incineration/msw,,5,t,,",
        factors="k,K,1,t CO2/t,CO2,,\nk,K,2,t CO2/t,CO2,,",
    )
    problems = told(path)
    assert (
        "data, sheet industry, row 3, column id",
        "the id 'a' stands in sheet industry, row 2 too",
    ) in problems
    assert (
        "data, sheet waste, row 2, column id",
        "the id 'a' stands in sheet industry, row 2 too",
    ) in problems
    assert any(
        where.endswith("row 4, column activity") and "product/lime" in what
        for where, what in problems
    )
    assert any("factors" in where and "stands in rows 2, 3" in what for where, what in problems)


def test_all_mistakes_are_told_at_once(sheets: Sheets) -> None:
    path = sheets(
        industry="a,product/lime,,-5,kWh,,\nb,nothing,,5,t,,", waste="c,incineration/msw,,5,t,x=1,"
    )
    assert len(told(path)) == 4


@pytest.mark.parametrize("mark", ["-", "—", "…", "...", "……", "#", "", "不足1", "不足0.1"])
def test_a_yearbook_mark_is_unknown_and_never_zero(sheets: Sheets, mark: str) -> None:
    path = sheets(industry=f"a,product/lime,,{mark},t,,\nb,product/clinker,,10,t,,")
    formed = inventory.form(read_activity(path))
    assert [line.row.id for line in formed.lines] == ["b"]
    assert "unknown, which is not zero" in inventory.notes(formed)[0].what
    assert inventory.notes(formed)[0].level == "warning"
    zero = inventory.form(read_activity(sheets(industry="a,product/lime,,0,t,,")))
    assert inventory.totals(zero)["mass_t"].tolist() == ["0.000000"]


def test_settings_are_checked(sheets: Sheets) -> None:
    path = sheets(
        industry="a,electricity,industry/mining,5,GWh,,",
        settings="grid,jiangsoo\nyear,20\nfoo,1\nupstream,maybe\nprefer,chinese",
    )
    wheres = [where for where, _ in told(path)]
    assert sum("sheet settings" in where for where in wheres) == 4
    assert any("sheet industry" in where for where in wheres)


def test_upstream_inputs_stay_out_unless_asked_for(sheets: Sheets) -> None:
    row = "a,input/fertilizer,,12,t,,\nb,soil/urea,,1,t,,"
    formed = inventory.form(read_activity(sheets(agriculture=row)))
    assert {line.row.id for line in formed.lines} == {"b"}
    formed = inventory.form(read_activity(sheets(agriculture=row, settings="upstream,include")))
    assert {line.row.id for line in formed.lines} == {"a", "b"}
    assert "upstream" in " ".join(inventory.audit(formed)["remark"])


def test_an_unknown_sheet_is_told(sheets: Sheets) -> None:
    folder = sheets(industry="a,product/lime,,5,t,,")
    shutil.copy(folder / "industry.csv", folder / "industri.csv")
    assert told(folder) == [("data, sheet industri", "unknown sheet")]


def test_the_template_reads_back_as_the_example(tmp_path: Path) -> None:
    files = write_inventory_template(tmp_path)
    assert files[0].name == "inventory.xlsx"
    example = inventory.form(read_activity(EXAMPLE))
    for path in (tmp_path / "inventory.xlsx", tmp_path / "inventory"):
        again = inventory.form(read_activity(path))
        assert inventory.by_gas(again).equals(inventory.by_gas(example))
        assert [line.row.parameters for line in again.lines] == [
            line.row.parameters for line in example.lines
        ]
    with pytest.raises(InputError, match="is there already"):
        write_inventory_template(tmp_path)


def test_the_workbook_has_lists_notes_and_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_inventory_template(tmp_path / name)
    one, two = ((tmp_path / name / "inventory.xlsx").read_bytes() for name in ("one", "two"))
    assert one == two
    book = openpyxl.load_workbook(tmp_path / "one" / "inventory.xlsx")
    for name in ("industry", "buildings", "transport", "agriculture", "waste", "sinks"):
        kinds = {str(rule.sqref)[0] for rule in book[name].data_validations.dataValidation}
        assert kinds == {"B", "C", "E"}
        assert "活动" in book[name]["B1"].value
        assert "未知" in book[name]["D1"].comment.text
    assert "fuel/diesel" in {cell.value for cell in book["lists"]["A"]}
    assert "柴油" in " ".join(str(cell.value) for cell in book["lists"]["B"])


def test_a_mistake_in_a_workbook_is_told_where_it_stands(tmp_path: Path) -> None:
    write_inventory_template(tmp_path)
    path = tmp_path / "inventory.xlsx"
    book = openpyxl.load_workbook(path)
    book["waste"]["E3"] = "kWh"
    book["transport"]["D2"] = -1
    book.save(path)
    assert told(path) == [
        (
            "inventory.xlsx, sheet transport, row 2, column amount",
            "expected no negative number, not -1",
        ),
        (
            "inventory.xlsx, sheet waste, row 3, column unit",
            "'kWh' is energy, but wastewater/domestic is counted in people (person)",
        ),
    ]


def test_one_csv_with_a_column_of_sheets(tmp_path: Path) -> None:
    rows = [
        ("sheet", "activity", "amount", "unit"),
        ("industry", "product/lime", "12", "t"),
        ("sinks", "land/forest", "1", "ha"),
    ]
    with (tmp_path / "all.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    assert len(read_activity(tmp_path / "all.csv").rows) == 2
    (tmp_path / "none.csv").write_text("activity,amount,unit\nproduct/lime,1,t\n")
    with pytest.raises(InputError, match="'sheet' is missing"):
        read_activity(tmp_path / "none.csv")
    with pytest.raises(InputError, match="no such file"):
        read_activity(tmp_path / "nowhere.xlsx")


def test_more_than_can_be_counted_is_refused(sheets: Sheets) -> None:
    path = sheets(industry="a,product/lime,,20000000000000,t,,")
    assert told(path) == [
        ("data", "the totals add up to more than can be counted exactly (9.2e12 t)")
    ]


def test_a_preferred_variant_is_taken_where_there_is_one(sheets: Sheets) -> None:
    rows = "a,fuel/diesel,industry/mining,5,t,,\nb,product/lime,,5,t,,\nc,fuel/lng,industry/mining,1,t,,"
    formed = inventory.form(read_activity(sheets(industry=rows, settings="prefer,cn")))
    assert {line.row.id: line.variant for line in formed.lines} == {
        "a": "cn",
        "b": "default",
        "c": "gbt",
    }


def test_grid_and_year_have_no_default(sheets: Sheets) -> None:
    power = "a,electricity,industry/mining,5,GWh,,"
    assert told(sheets(industry=power))[0][1] == "which grid the electricity is from is not known"
    assert "year" in told(sheets(industry=power, settings="grid,jiangsu"))[0][1]
    path = sheets(industry=power, settings="grid,jiangsu\nyear,2023")
    of = {line.inputs[1].factor.key for line in inventory.form(read_activity(path)).lines}
    assert of == {"cn.grid.province.jiangsu.2023"}
    named = sheets(
        industry="a,electricity,industry/mining,5,GWh,factor=0.1 kg CO2/kWh,", settings=""
    )
    assert inventory.totals(inventory.form(read_activity(named)))["mass_t"].tolist() == [
        "500.000000"
    ]


def test_headers_may_be_in_chinese(tmp_path: Path) -> None:
    (tmp_path / "industry.csv").write_text("活动,数量,单位\nproduct/lime,12,吨\n", encoding="utf-8")
    assert inventory.totals(inventory.form(read_activity(tmp_path)))["mass_t"].tolist() == [
        "9.000000"
    ]


@settings(max_examples=60)
@given(st.floats())
def test_any_number_is_formed_or_refused(amount: float) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "industry.csv").write_text(
            f"activity,amount,unit\nproduct/lime,{amount!r},g\n"
        )
        data = read_activity(folder)
        if not 0 <= amount < 1e300:
            assert [problem.where.split(", ")[-1] for problem in data.problems] == ["column amount"]
        elif amount > 1e19:
            with pytest.raises(InputError, match="more than can be counted"):
                inventory.form(data)
        else:
            grams = int(inventory.by_gas(inventory.form(data))["grams"].iloc[0])
            assert grams == round(Fraction(repr(amount)) * Fraction(3, 4))


def test_a_link_out_of_the_folder_is_refused(sheets: Sheets, tmp_path: Path) -> None:
    folder = sheets(industry="a,product/lime,,5,t,,")
    (tmp_path / "elsewhere.csv").write_text(f"{HEADER}\n")
    (folder / "waste.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(InputError, match="symbolic link"):
        read_activity(folder)
