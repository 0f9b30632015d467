"""XLSX workbooks give the same text as a CSV would."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from decimal import Decimal

import openpyxl
import pytest
import xlsxwriter

from carbongrid.case.readers import zip_limits
from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.readers.tables import DOUBTS, decimal_cell, read_table, with_header
from carbongrid.case.readers.workbook import first_sheet, sheets_named, workbook_sheets
from carbongrid.case.table_formats import WATER
from carbongrid.errors import InputError
from carbongrid.inventory.units_of_measure import of_percent
from carbongrid.outputs.report.notes import note_in_chinese


def saved(folder, rows, formats=()):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, number_format in formats:
        book.active[cell].number_format = number_format
    book.create_sheet("second").append(["not", "read"])
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


@pytest.mark.parametrize(
    ("first", "says"),
    [
        ("region;value", "separated by semicolons"),
        ("region\tvalue", "separated by tabs"),
        ("sep=;", "the first row is 'sep=;'"),
    ],
)
def test_a_text_file_that_a_workbook_took_as_one_column_is_told(tmp_path, first, says):
    """Seen to fail: the column 'region' is missing."""
    path = saved(tmp_path, [[first], ["0101;1", 5]])
    for read in (read_table, lambda path: [with_header(cells, "t") for cells in workbook_sheets(path).values()]):  # fmt: skip
        with pytest.raises(InputError, match=says):
            read(path)
    assert list(read_table(saved(tmp_path, [["a;b", "c"], ["1", "2"]])).columns) == ["a;b", "c"]
    assert list(read_table(saved(tmp_path, [["a;b,c"], ["1"]])).columns) == ["a;b,c"]


def test_cells_are_text(tmp_path):
    rows = [
        ["code", "value", "said", "on"],
        [101, 130.46, True, dt.date(2020, 5, 1)],
        ["0101", 12300.0, None, " x "],
        [None, None, None, None],
        [320505001, 1e-7, False, "=not a formula"[1:]],
    ]
    table = read_table(saved(tmp_path, rows))
    assert table.to_dict("list") == {
        "code": ["101", "0101", "320505001"],
        "value": ["130.46", "12300", "1e-07"],
        "said": ["true", "", "false"],
        "on": ["2020-05-01T00:00:00", "x", "not a formula"],
    }
    assert list(table.index) == [2, 3, 5]


def test_a_format_of_zeros_keeps_its_zeros(tmp_path):
    path = saved(
        tmp_path, [["code"], [101], [101], [101.5]], [("A2", "000000"), ("A3", "0"), ("A4", "000")]
    )
    assert list(read_table(path)["code"]) == ["000101", "101", "101.5"]


@pytest.mark.parametrize("shown", ["0", "00", "0000", "General"])
def test_a_format_that_shows_no_zero_keeps_none(tmp_path, shown):
    """Seen to fail: 011100, stored as the number 11100 in the format 0 of whole numbers, passed as 11100 and was found in no table of codes."""
    path = saved(tmp_path, [["code"], [11100]], [("A2", shown)])
    with pytest.raises(InputError, match=r"row 2, column code: .*holds numbers.*'11100'"):
        read_table(path, codes=("code",))
    for whole in ("00000", "000000"):
        path = saved(tmp_path, [["code"], [11100]], [("A2", whole)])
        assert read_table(path, codes=("code",))["code"].iloc[0] == f"{11100:0{len(whole)}}"
    with pytest.raises(InputError, match="an id is text or a whole number"):
        read_table(saved(tmp_path, [["code"], [1.5]], [("A2", "00")]), ids=("code",))


def test_the_content_decides_not_the_name(tmp_path):
    path = saved(tmp_path, [["a"], ["1"]]).rename(tmp_path / "t.csv")
    assert list(read_table(path)["a"]) == ["1"]


def test_a_formula_without_a_stored_value_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"t\.xlsx, row 3: the formula =A2\*2 has no stored value"):
        read_table(saved(tmp_path, [["a"], [1], ["=A2*2"]]))


def test_formulas_count_for_nothing_where_nothing_is_read(tmp_path):
    """Seen to fail: remarks, and columns beside those that are read, stopped a table that never looked at them."""
    rows = [["unit", "share", "remark", "check", None], ["01", 1, "=A2", "=A2", "=A2"]]
    assert list(read_declared(saved(tmp_path, rows), WATER)["share"]) == ["1"]
    with pytest.raises(InputError, match="row 2: the formula =A2 has no stored value") as error:
        read_table(saved(tmp_path, rows))
    assert len(error.value.problems) == 1
    with pytest.raises(InputError, match="row 1: the formula =A2 has no stored value"):
        read_declared(saved(tmp_path, [["unit", "share", "=A2"], ["01", 1, 2]]), WATER)


def test_a_strict_workbook_is_called_so(tmp_path):
    """Seen to tell to save it again as XLSX, which it is."""
    path = saved(tmp_path, [["a"], [1]])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    old, new = b"http://schemas.openxmlformats.org", b"http://purl.oclc.org/ooxml"
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            for each in (b"spreadsheetml%s/main", b"officeDocument%s/relationships"):
                data = data.replace(b"%s/%s" % (old, each % b"/2006"), b"%s/%s" % (new, each % b""))  # fmt: skip
            book.writestr(name, data)
    with pytest.raises(InputError, match=r"is a Strict Open XML Spreadsheet.*not as Strict"):
        read_table(path)


def test_a_formula_that_gives_an_empty_text_is_blank(tmp_path):
    """Seen to fail: =IF(A2="","",...) was said to be never saved, and saving it, as the hint said, changed nothing."""
    path = saved(tmp_path, [["a", "b"], ["x", '=IF(A2="x","",1)'], ["y", "1"]])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    found, times = re.subn(rb'<c r="B2"[^>]*>(<f>.*?</f>)<v ?/?>(</v>)?</c>', rb'<c r="B2" t="str">\1<v></v></c>', parts[sheet])  # fmt: skip
    assert times == 1
    computed = parts["xl/workbook.xml"].replace(b'fullCalcOnLoad="1"', b"")
    with zipfile.ZipFile(path, "w") as book:
        for name, data in (parts | {sheet: found, "xl/workbook.xml": computed}).items():
            book.writestr(name, data)
    assert list(read_table(path)["b"]) == ["", "1"]
    assert sheets_named(path, re.compile("Sheet"))["Sheet"].iat[1, 1] == ""


def by_xlsxwriter(folder, fill, **options):
    """Write a workbook in whose columns are region, value and remark."""
    with xlsxwriter.Workbook(folder / "x.xlsx", options) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([["region", "value", "remark"], ["0501", 100, "a"], ["0502", 200, "b"]]):  # fmt: skip
            sheet.write_row(row, 0, cells)
        fill(book, sheet)
    return folder / "x.xlsx"


@pytest.mark.parametrize("stored", [0, 1000])
def test_formulas_that_are_to_be_computed_when_the_workbook_is_opened_are_refused(tmp_path, stored):
    """Seen to fail in silence: XlsxWriter stores 0 for =500*2, and a city's industry was 0 t."""
    path = by_xlsxwriter(tmp_path, lambda _, sheet: sheet.write_formula("B2", "=500*2", None, stored))  # fmt: skip
    for read in (read_table, workbook_sheets):
        with pytest.raises(InputError, match=rf"cell B2 is a formula.*\(fullCalcOnLoad\): {stored}, which is stored, need not be"):  # fmt: skip
            read(path)


def test_formulas_that_are_not_read_or_were_computed_are_fine(tmp_path):
    """A workbook without formulas says the same of itself: openpyxl and pandas write it."""
    path = by_xlsxwriter(tmp_path, lambda _, sheet: sheet.write_formula("C2", "=500*2"))
    assert list(read_table(path)["value"]) == ["100", "200"]
    path = by_xlsxwriter(tmp_path, lambda _, sheet: sheet.write_formula("B2", "=500*2", None, 1000))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for said in (b"", b' fullCalcOnLoad="0"'):
        with zipfile.ZipFile(path, "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, part.replace(b' fullCalcOnLoad="1"', said))
        assert list(read_table(path)["value"]) == ["1000", "200"]


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize(
    ("form", "runs", "says"),
    [
        ({"font_script": 1}, ("100", "form", "1"), "cell B3 holds '1001', of which '1' is raised or lowered"),
        ({"font_script": 2}, ("1.A.1", "form", "2"), "cell B3 holds '1.A.12', of which '2' is raised"),
        ({"font_strikeout": True}, ("form", "90", "100"), "cell B3 holds '90100', of which '90' is struck out"),
        ({"font_strikeout": True}, ("urban; ", "form", "rural"), "of which 'rural' is struck out"),
    ],
)  # fmt: skip
def test_digits_that_are_raised_and_text_that_is_struck_out_are_refused(tmp_path, form, runs, says, inline):  # fmt: skip
    """Seen to fail in silence: 100 with a footnote's raised 1 was 1001, a struck 90 before 100 was 90100."""

    def in_column(column):
        def fill(book, sheet):
            formed = [book.add_format(form) if run == "form" else run for run in runs]
            assert sheet.write_rich_string(2, column, *formed) == 0

        return by_xlsxwriter(tmp_path, fill, constant_memory=inline)

    with pytest.raises(InputError, match=re.escape(says)):
        read_table(in_column(1))
    assert list(read_table(in_column(2))["value"]) == ["100", "200"]


@pytest.mark.parametrize(
    ("form", "runs", "text"),
    [
        ({"font_script": 2}, ("t CO", "form", "2", "e"), "t CO2e"),
        ({"font_script": 1}, ("1000 m", "form", "2"), "1000 m2"),
        ({"font_script": 1}, ("10", "form", "4", " t"), "104 t"),  # which whoever reads a unit refuses
        ({"bold": True}, ("1", "form", "00"), "100"),
        ({"font_strikeout": True}, ("100", "form", " "), "100"),
    ],
)  # fmt: skip
def test_formed_text_that_reads_as_it_is_seen(tmp_path, form, runs, text):
    def fill(book, sheet):
        formed = [book.add_format(form) if run == "form" else run for run in runs]
        assert sheet.write_rich_string(2, 1, *formed) == 0

    assert list(read_table(by_xlsxwriter(tmp_path, fill))["value"]) == ["100", text]


def test_cells_that_are_struck_out_are_told(tmp_path):
    def fill(book, sheet):
        struck = book.add_format({"font_strikeout": True})
        sheet.write_row(2, 0, ["0502", 200, "b"], struck)
        sheet.write_blank(3, 0, None, struck)

    table = read_table(by_xlsxwriter(tmp_path, fill))
    assert list(table["value"]) == ["100", "200"]
    (doubt,) = table.attrs[DOUBTS]
    assert str(doubt) == (
        "x.xlsx: cells are struck out and read as others are, 2 in all, the first A3 (0502). "
        "Delete those that are not to count, or take the line off the others."
    )
    assert note_in_chinese(str(doubt))


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", b"<v>7</v>", b""),
        ("xl/worksheets/sheet1.xml", b"<v>7</v>", b"<v></v>"),
        ("[Content_Types].xml", b"/xl/sharedStrings.xml", b"/xl/texts.xml"),
    ],
)
def test_texts_that_cells_share_need_no_index_and_no_name(tmp_path, part, old, new):
    """Seen to be refused as no workbook, where anything is struck out."""

    def fill(book, sheet):
        sheet.write_string(2, 0, "0502", book.add_format({"font_strikeout": True}))
        sheet.write_string(2, 1, "last")

    path = by_xlsxwriter(tmp_path, fill)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    texts = parts.pop("xl/sharedStrings.xml")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.writestr("xl/texts.xml" if new.startswith(b"/") else "xl/sharedStrings.xml", texts)
    table = read_table(path)
    assert list(table["value"]) == ["100", "last" if new.startswith(b"/") else ""]
    assert len(table.attrs[DOUBTS]) == 1


def test_a_workbook_that_unpacks_to_too_much(tmp_path, monkeypatch):
    path = saved(tmp_path, [["a"], ["x" * 20_000]])
    monkeypatch.setattr(zip_limits, "MAX_UNPACKED", 10_000)
    with pytest.raises(InputError, match="unpacks to"):
        read_table(path)


def test_rows_of_unlike_length_and_an_empty_book(tmp_path):
    table = read_table(saved(tmp_path, [["a", "b"], ["1"], ["2", "3"]]))
    assert list(table["b"]) == ["", "3"]
    with pytest.raises(InputError, match="empty"):
        read_table(saved(tmp_path, []))


def test_ids_are_whole_numbers_or_text(tmp_path):
    """Spreadsheets store integers as floats; 1.5 is no id, nor is what a float cannot hold to its last digit."""
    path = saved(tmp_path, [["region", "v"], [320505001.0, 1.5], [7, 2], ["0101", 3], [1e15, 4]])
    assert list(read_table(path, ids=("region",))["region"]) == [
        "320505001",
        "7",
        "0101",
        "1000000000000000",
    ]
    path = saved(tmp_path, [["region"], [1.5], [1e17], [2]])
    with pytest.raises(InputError) as error:
        read_table(path, ids=("region",))
    assert str(error.value).count("an id is text or a whole number") == 2
    assert (
        "t.xlsx, row 2, column region: an id is text or a whole number, not the number 1.5"
        in str(error.value)
    )


@pytest.mark.parametrize(
    ("value", "shown", "text"),
    [
        (0.4, "0%", "40%"),
        (0.125, "0.0%", "12.5%"),
        (1, "0%", "100%"),
        (0.07, "0.00 %;[Red]-0.00 %", "7%"),
        (40, '0"%"', "40"),
        (40, "0\\%", "40"),
        (40, "0!%", "40"),
        (40, "General", "40"),
        (40, "#,##0.0_%_)", "40"),
        (40, "0*%", "40"),
    ],
)
def test_a_percentage_keeps_its_sign(tmp_path, value, shown, text):
    """Seen to fail: 40 % was read as 0.4, and in a column of percent a plant got a hundredth of its share."""
    path = saved(tmp_path, [["share"], [value]], [("A2", shown)])
    assert list(read_table(path)["share"]) == [text]


def test_a_percentage_of_a_column_without_a_unit_is_what_it_says(tmp_path):
    assert [of_percent(text) for text in ("30%", "7.5 %", "0.3", "x%", "%", "")] == ["0.3", "0.075", "0.3", "x%", "%", ""]  # fmt: skip
    table = read_table(saved(tmp_path, [["unit", "share"], ["a", 0.3], ["b", 0.7]], [("B2", "0%"), ("B3", "0%")]))  # fmt: skip
    rows, faults = rows_declared(table, WATER, "t.xlsx")
    assert [row.values["share"] for row in rows] == [Decimal("0.3"), Decimal("0.7")]
    assert not faults.problems


@pytest.mark.parametrize(
    "shown",
    ["#,##0,,", "#,##0.00,", "#,##0,.00", "0,_)", '0.0,"k"', '[>=1000000]0.0,,"M";0', "0!.0000", '0"."0000'],
)  # fmt: skip
def test_a_number_that_is_shown_in_another_size_is_refused(tmp_path, shown):
    """Seen to fail: a GDP that the sheet showed as 69,643 counted as 69,643,000,000, in a unit of millions."""
    rows = [["gdp", "note", ""], [1.5e6, 3e6, 3e6], [0, 2, 2]]
    path = saved(tmp_path, rows, [("A2", shown), ("A3", shown)])
    with pytest.raises(
        InputError,
        match=r"cell A2 shows another number than it holds, 1500000 .*, which would be read\. Write",
    ):
        read_table(path)
    with pytest.raises(InputError, match="sheet Sheet: cell A2 shows another number"):
        sheets_named(path, re.compile("Sheet"))
    apart = saved(tmp_path, rows, [("B2", shown), ("C2", shown), ("A3", shown)])
    assert list(read_table(apart)["gdp"]) == ["1500000", "0"]
    with pytest.raises(
        InputError, match=r"cell B2 shows another number than it holds, .*; 1 more cells do"
    ):
        sheets_named(apart, re.compile("Sheet"))


@pytest.mark.parametrize(
    "shown",
    ["#,##0", "#,##0.00_);(#,##0.00)", '_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"??_ ;_ @_ ', '0" t"', '"¥"#,##0.00', '0.0"千瓦时"', '#,##0" km"', "[$€-407] #,##0"],
)  # fmt: skip
def test_a_number_that_is_shown_whole_is_read(tmp_path, shown):
    path = saved(tmp_path, [["v"], [1234]], [("A2", shown)])
    assert list(read_table(path)["v"]) == ["1234"]


@pytest.mark.parametrize("shown", [";;;", '"";"";""'])
def test_numbers_that_are_not_shown_are_refused(tmp_path, shown):
    """Seen to fail: they counted, with nobody seeing them."""
    path = saved(tmp_path, [["gdp", "note"], [7, 7], [5, 7], [0, 7]], [(f"{column}{row}", shown) for column in "AB" for row in (2, 3, 4)])  # fmt: skip
    with pytest.raises(InputError, match=r"cell A2 shows nothing of the number that it holds, 7 .*; 1 more cells do\. Give the cells"):  # fmt: skip
        read_table(path)
    path = saved(tmp_path, [["gdp", "note"], [7, 7]], [("B2", shown)])
    assert list(read_table(path)["gdp"]) == ["7"]


@pytest.mark.parametrize(
    ("header", "unit", "of_all"),
    [("value (万元)", "", ""), ("value", "万元", ""), ("value", "10000 t CO2e", ""), ("value", "万吨", ""), ("value", "", "1e4 CNY"), ("value", "", "万元")],
)  # fmt: skip
def test_a_size_in_words_is_fine_where_the_unit_has_it(tmp_path, header, unit, of_all):
    """Seen to fail: 123,456.7万元 under a header in 万元, which holds 123456.7, was refused."""
    path = saved(tmp_path, [[header, "unit"], [1.02, unit]], [("A2", '#,##0.0"万元"')])
    table = read_table(path, unit=of_all)
    assert list(table[header]) == ["1.02"]
    assert table.attrs[DOUBTS] == []
    assert sheets_named(path, re.compile("Sheet"), doubts := []) or doubts == []


def test_a_size_in_words_that_nothing_else_says_is_told(tmp_path):
    """Such a number is what the cell holds; whether that is what is meant the unit says, and here it does not."""
    rows = [["region", "value", "unit"], ["万州区", 1.02, "t CO2e"], ["b", 3, "万吨 CO2e"], ["c", 0, "t CO2e"], ["d", 4, "kt CO2e"]]  # fmt: skip
    path = saved(tmp_path, rows, [(f"B{row}", '0.00"万"') for row in (2, 3, 4, 5)])
    (doubt,) = read_table(path).attrs[DOUBTS]
    assert doubt.level == "warning"
    assert str(doubt) == (
        "t.xlsx: numbers are read as their cells hold them, 2 in all, the first 1.02 in B2, which the number format '0.00\"万\"' shows with '万': "
        "neither the header nor a unit says so. Say in the unit what the numbers are in, or take the word out of the format."
    )
    assert note_in_chinese(str(doubt))
    for read in (workbook_sheets, lambda path, _, doubts: sheets_named(path, re.compile("Sheet"), doubts)):  # fmt: skip
        doubts = []
        read(path, ["second"], doubts)
        assert [each.where for each in doubts] == ["t.xlsx, sheet Sheet"]
    notes = []
    rows = [["unit", "share"], ["01", 1.5], ["02", 1.5]]
    rows_declared(read_declared(saved(tmp_path, rows, [("B2", '0"k"')]), WATER), WATER, "t.xlsx", notes=notes)  # fmt: skip
    assert [each.what[:12] for each in notes] == ["numbers are "]


def test_columns_that_are_not_read_may_be_hidden_and_shown_in_another_size(tmp_path):
    """Seen to fail: a hidden OBJECTID, and a helper column in thousands, stopped a case that ran without looking at them."""
    rows = [["OBJECTID", "unit", "share", "check", "gone"], [1, "01", 1, 400, 3]]
    path = saved(tmp_path, rows, [("D2", "0,"), ("E2", ";;;")])
    book = openpyxl.load_workbook(path)
    book.active.column_dimensions["A"].hidden = True
    book.save(path)
    assert list(read_declared(path, WATER)["share"]) == ["1"]
    with pytest.raises(InputError, match=r"column A \(OBJECTID\) is hidden"):
        read_table(path)
    book.active["C1"] = "shares"
    book.active["C2"].number_format = "0,"
    book.save(path)
    with pytest.raises(InputError, match="cell C2 shows another number"):
        read_declared(path, WATER)
    book.active["C2"].number_format = "0"
    book.active.column_dimensions["C"].hidden = True
    book.save(path)
    with pytest.raises(InputError, match=r"column C \(shares\) is hidden"):
        read_declared(path, WATER)


def test_a_percentage_is_no_number():
    with pytest.raises(InputError, match=r"not '40%'.*not as percentages"):
        decimal_cell("40%", "t.xlsx, row 2, column share")


@pytest.mark.parametrize("merged", ["B3:B4", "A3:B3"])
def test_merged_cells_of_a_table_are_refused(tmp_path, merged):
    """Seen to fail: a place that two rows shared was blank in the second, which then lay in the city."""
    path = saved(tmp_path, [["category", "place", "来源说明", "value", "other"], ["a", "", "", 1], ["b", "elsewhere", "", 2], ["c", "", "", 3], [], ["Fuels of all"], ["d"]])  # fmt: skip
    book = openpyxl.load_workbook(path)
    book.active.merge_cells(merged)
    # Headers, a heading, remarks, and what stands beside the table.
    for fine in ("A6:B6", "E1:F1", "C3:C4", "E2:E4", "H2:I5"):
        book.active.merge_cells(fine)
    book.save(path)
    with pytest.raises(InputError, match=rf"t\.xlsx: {merged} are merged cells.*Unmerge"):
        read_table(path)
    assert sheets_named(path, re.compile("Sheet"))["Sheet"].iloc[2, 0] == "b"
    book.active.unmerge_cells(merged)
    book.save(path)
    assert list(read_table(path)["place"])[1] == ("" if merged == "A3:B3" else "elsewhere")


def test_a_hidden_sheet_is_not_the_first(tmp_path):
    """Seen to fail: the figures of last year's hidden sheet counted."""
    path = saved(tmp_path, [["a"], ["last year"]])
    book = openpyxl.load_workbook(path)
    book["second"]["A1"], book["second"]["A2"] = "a", "this year"
    book["second"]["B1"] = None
    book["second"]["B1"].value = ""
    book["Sheet"].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    assert list(read_table(path)["a"]) == ["this year"]
    assert list(sheets_named(path, re.compile("none"))) == ["second"]
    assert list(sheets_named(path, re.compile("Sheet|second"))) == ["second"]
    with pytest.raises(InputError, match=r"sheet Sheet: the sheet is hidden.*Show it"):
        workbook_sheets(path)
    empty = openpyxl.load_workbook(path)
    del empty["Sheet"]
    empty.create_sheet("none").sheet_state = "hidden"
    empty.save(path)
    assert list(workbook_sheets(path)) == ["second"]
    book.save(path)
    assert list(workbook_sheets(path, ["Sheet"])) == ["second"]


def test_hidden_rows_are_refused(tmp_path):
    """Seen to fail: what a filter had left out counted."""
    path = saved(tmp_path, [["a"], ["x"], ["y"], [None]])
    book = openpyxl.load_workbook(path)
    book.active.row_dimensions[4].hidden = True
    book.save(path)
    assert list(read_table(path)["a"]) == ["x", "y"]
    book.active.row_dimensions[3].hidden = True
    book.save(path)
    with pytest.raises(InputError, match=r"row 3 is hidden, as by a filter.*delete those"):
        read_table(path)
    book.active.row_dimensions[2].hidden = True
    book.save(path)
    with pytest.raises(InputError, match="row 2 and 1 more rows are hidden"):
        workbook_sheets(path)


def test_hidden_rows_of_a_form_are_refused(tmp_path):
    """Seen to fail: a row of on-road transport that a filter had left out counted its 500,000 t."""
    path = saved(tmp_path, [["a form"], ["x"], ["y"]])
    book = openpyxl.load_workbook(path)
    book.active.row_dimensions[2].hidden = True
    book.save(path)
    with pytest.raises(InputError, match="sheet Sheet: row 2 is hidden, as by a filter"):
        sheets_named(path, re.compile("Sheet"))


def test_hidden_columns_are_refused(tmp_path):
    """Seen to fail: a hidden column 'place' took 12.3 Mt off the map."""
    rows = [["category", "place", "note", None, "region"], ["a", "elsewhere", "seen", "x", None]]
    path = saved(tmp_path, rows)
    book = openpyxl.load_workbook(path)
    for column in "CDE":
        book.active.column_dimensions[column].hidden = True
    book.save(path)
    assert list(read_table(path)["place"]) == ["elsewhere"]
    with pytest.raises(InputError, match=r"column C \(note\) and 1 more columns are hidden"):
        sheets_named(path, re.compile("Sheet"))
    book.active.column_dimensions["B"].hidden = True
    book.save(path)
    with pytest.raises(
        InputError, match=r"t\.xlsx: column B \(place\) is hidden, .*Show the columns"
    ):
        read_table(path)
    with pytest.raises(InputError, match=r"sheet Sheet: column B \(place\) is hidden"):
        workbook_sheets(path)
    for column in "BCDE":
        book.active.column_dimensions[column].hidden = False
    book.active.column_dimensions.group("F", "AA", hidden=True)
    book.active["AA2"] = 5
    book.save(path)
    assert list(read_table(path)["place"]) == ["elsewhere"]
    book.active["AA1"] = "value"
    book.save(path)
    with pytest.raises(InputError, match=r"column AA \(value\) is hidden"):
        read_table(path)


def test_of_another_sheet_the_header_ends_with_its_last_name(tmp_path):
    """Seen to fail: its names were followed by blanks, to the 1,024th column."""
    path = saved(tmp_path, [["a"], [1]])
    book = openpyxl.load_workbook(path)
    book["second"]["E1"].number_format = "0.00"
    book.create_sheet("blank")
    book.save(path)
    assert first_sheet(path).others == {"second": ("not", "read"), "blank": ()}


def test_other_sheets_of_the_same_table_are_told(tmp_path):
    """Seen to fail: the totals on a second sheet were nowhere, and a first sheet of notes was not named."""
    path = saved(tmp_path, [["unit", "share"], ["01", 1]])
    book = openpyxl.load_workbook(path)
    sheet = book.create_sheet("more")
    for row in (["note", "share", "unit"], ["", 1, "02"]):
        sheet.append(row)
    book.save(path)
    notes = []
    rows_declared(read_table(path), WATER, "t.xlsx", notes=notes)
    (note,) = notes
    assert "only the first sheet is read; others have the columns of the same table: 'more'" in str(note)  # fmt: skip
    book.move_sheet("second", -1)
    book.active = 0
    book.save(path)
    with pytest.raises(InputError, match=r"t\.xlsx, sheet second"):
        rows_declared(read_table(path), WATER, "t.xlsx")
