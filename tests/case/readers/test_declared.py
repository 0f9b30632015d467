"""Reading a table as it is declared: what holds for every table, whichever it is."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.case.readers.declared import cell, read_declared, rows_declared
from carbongrid.case.readers.tables import Faults
from carbongrid.case.table_formats import (
    CATEGORIES,
    CODE_SYSTEM,
    FACILITIES,
    TABLES,
    TABLES_WITHOUT_EXAMPLE,
    TOTALS,
    Column,
    Limit,
    TableFormat,
)
from carbongrid.case.template import example_table
from carbongrid.errors import InputError
from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import read_code_system

EVERY = (*TABLES, *TABLES_WITHOUT_EXAMPLE)
GOOD = {
    "text": "a",
    "code": "0601",
    "id": "0101",
    "number": "2.50",
    "coordinate": "-3.5",
    "year": "2020",
    "mass": "1",
    "unit of mass": "t CO2e",
}
WRONG = {
    "word": "somewhere",
    "number": "-1",
    "coordinate": "nan",
    "year": "20 20",
    "mass": "-1",
    "unit of mass": "furlong",
}


def frame(form: TableFormat, **changes: str) -> pd.DataFrame:
    """Return a table of one right row, some of its cells changed."""
    right = {one.name: one.words[0] if one.words else GOOD[one.kind] for one in form.columns}
    return pd.DataFrame({**right, **changes}, index=pd.RangeIndex(2, 3, name="row"), dtype=str)


def said(form: TableFormat, table: pd.DataFrame) -> list[tuple[str, str]]:
    _, faults = rows_declared(table, form, "t.csv")
    return [(problem.what, problem.where) for problem in faults.problems]


def columns_of(*kinds: str) -> list[object]:
    return [
        pytest.param(form, one, id=f"{form.key}: {one.name}")
        for form in EVERY
        for one in form.columns
        if not kinds or one.kind in kinds
    ]


@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.key)
def test_a_right_row_has_nothing_said_of_it(form):
    (row,), faults = rows_declared(frame(form), form, "t.csv")
    assert (row.number, row.right, faults.problems) == (2, True, [])
    assert set(row.values) == set(row.cells) == set(form.names())
    assert all(
        row.values[one.name] is not None for one in form.columns if one.kind != "unit of mass"
    )


@pytest.mark.parametrize(("form", "column"), columns_of())
def test_a_column_may_be_missing_unless_it_is_required(form, column):
    table = frame(form).drop(columns=column.name)
    if not column.required:
        rows, _ = rows_declared(table, form, "t.csv")
        assert rows[0].cells[column.name] == ""
        return
    with pytest.raises(InputError, match=f"the column '{column.name}' is missing"):
        rows_declared(table, form, "t.csv")


@pytest.mark.parametrize(("form", "column"), columns_of())
def test_a_blank_cell_is_told_unless_it_may_be_blank(form, column):
    told = said(form, frame(form, **{column.name: ""}))
    if column.may_be_blank and column.kind != "unit of mass":  # that is of a value, which is there
        assert told == []
    else:
        assert [where for _, where in told] == [f"t.csv, row 2, column {column.name}"]
        assert "blank" in told[0][0] or column.kind == "unit of mass"


@pytest.mark.parametrize(("form", "column"), columns_of(*WRONG))
def test_a_wrong_cell_is_told_with_its_place_and_itself(form, column):
    (told,) = said(form, frame(form, **{column.name: WRONG[column.kind]}))
    assert told[1] == f"t.csv, row 2, column {column.name}"
    assert WRONG[column.kind] in told[0]


@pytest.mark.parametrize("form", [form for form in EVERY if form.once], ids=lambda form: form.key)
def test_what_stands_once_is_told_with_its_rows(form):
    table = pd.concat([frame(form)] * 2)
    table.index = pd.RangeIndex(2, 4, name="row")
    ((what, where),) = said(form, table)
    assert (what.endswith("stands in rows 2, 3"), where) == (True, "t.csv")


@pytest.mark.parametrize("form", TABLES, ids=lambda form: form.file)
def test_the_example_is_as_declared(tmp_path, form):
    path = tmp_path / form.file
    path.write_text(example_table(form.file), encoding="utf-8")
    rows, faults = rows_declared(read_declared(path, form), form, path.name)
    assert (bool(rows), faults.problems) == (True, [])


@pytest.mark.parametrize(
    ("form", "read"), [(CATEGORIES, read_categories), (CODE_SYSTEM, read_code_system)]
)
def test_readers_of_the_method_need_what_is_declared_as_required(form, read):
    """They lie below this room and read by checks of their own; the documentation is made of the declaration."""
    table = pd.DataFrame(columns=list(form.names()), dtype=str)
    read(table[list(form.names(required=True))])
    for column in form.names(required=True):
        with pytest.raises(InputError, match=f"column '{column}'"):
            read(table.drop(columns=column))


def test_known_texts_are_the_readers_own():
    rows, faults = rows_declared(frame(TOTALS), TOTALS, "t.csv", {"region": {"0101"}})
    assert rows[0].right
    rows, faults = rows_declared(frame(TOTALS), TOTALS, "t.csv", {"region": {"01011"}})
    assert not rows[0].right
    assert [problem.what for problem in faults.problems] == ["unknown region '0101'"]


def test_a_slip_of_the_pen_in_an_optional_column_is_a_warning():
    """A region under another name would make a part the whole; a column of the user's own is none of our business."""
    notes: list[object] = []
    table = frame(TOTALS).rename(columns={"region": "regions"}).assign(comment="x")
    rows_declared(table, TOTALS, "t.csv", notes=notes)
    assert [(one.what, one.hint, one.level) for one in notes] == [
        ("the column 'regions' is not read", "Did you mean 'region'?", "warning")
    ]


def test_a_name_is_no_slip_of_a_name_in_a_language():
    """But a column without its unit is one."""
    notes: list[object] = []
    table = pd.DataFrame({"code": ["1"], "type": ["forest"], "name": ["x"], "Mode": [""]})
    rows_declared(table, CODE_SYSTEM, "t.csv", notes=notes)
    assert [one.hint for one in notes] == ["Did you mean 'mode'?"]
    table = frame(FACILITIES).rename(columns={"place_uncertainty_m": "place_uncertainty"})
    notes = []
    rows_declared(table, FACILITIES, "t.csv", notes=notes)
    assert [one.hint for one in notes] == ["Did you mean 'place_uncertainty_m'?"]


@given(st.decimals(0, 1000, places=3), st.integers(0, 1000))
def test_a_number_is_exact_and_at_most_its_limit(number, most):
    column = Column("n", "number", "", limit=Limit(most, "{text} is above {most:,}"))
    faults = Faults("t.csv")
    value = cell(column, str(number), 5, faults)
    if number <= most:
        assert (value, faults.problems) == (Decimal(str(number)), [])
    else:
        assert [str(problem) for problem in faults.problems] == [
            f"t.csv, row 5, column n: {number} is above {most:,}. Check the number."
        ]
