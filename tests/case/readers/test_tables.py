"""Tables are text, whatever they were, and say where they are wrong.

Seeded bugs that these tests were seen to catch: NA read as a blank; blank rows dropped before
rows are numbered; GB18030 taken for anything that decodes.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.case.readers import tables
from carbongrid.case.readers.tables import (
    DOUBTS,
    Faults,
    decimal_cell,
    decoded,
    read_table,
    require_columns,
)
from carbongrid.errors import InputError


def csv(folder, data: str | bytes):
    path = folder / "t.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_every_cell_is_text_without_blanks_around_it(tmp_path):
    table = read_table(csv(tmp_path, 'code , n\n 0101,1.50\n"0,2", NA\n\u3000null\u00a0,\n'))
    assert list(table.columns) == ["code", "n"]
    assert table.to_dict("list") == {"code": ["0101", "0,2", "null"], "n": ["1.50", "NA", ""]}
    assert all(dtype == "str" for dtype in table.dtypes)


def test_text_that_begins_like_another_file_is_text(tmp_path):
    assert list(read_table(csv(tmp_path, "PAR1,SQLite format 3\n1,2\n")).columns) == ["PAR1", "SQLite format 3"]  # fmt: skip
    assert list(read_table(csv(tmp_path, "a,b\n1,ä\n".encode("utf-16-le")), encoding="utf-16-le")["b"]) == ["ä"]  # fmt: skip


def test_rows_keep_their_number_in_the_file(tmp_path):
    table = read_table(csv(tmp_path, "a,b\n1,2\n\n,\n3\n"))
    assert table.index.name == "row"
    assert list(table.index) == [2, 5]
    assert list(table["b"]) == ["2", ""]


def test_columns_without_a_name_are_left_out(tmp_path):
    assert list(read_table(csv(tmp_path, "a,,b,\n1,2,3,\n")).columns) == ["a", "b"]


def test_a_header_alone_is_a_table(tmp_path):
    table = read_table(csv(tmp_path, "a,b\n"))
    assert (len(table), list(table.columns)) == (0, ["a", "b"])


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "gbk", "gb18030"],
    ids=["utf-8", "with a mark", "gbk", "gb18030"],
)
@pytest.mark.parametrize("name", ["苏州市", "甪直镇", "Triesenberg"])
def test_encodings_that_are_told_apart(tmp_path, encoding, name):
    table = read_table(csv(tmp_path, f"名称,code\n{name},01\n".encode(encoding)))
    assert table.iloc[0].to_dict() == {"名称": name, "code": "01"}


def test_a_named_encoding_of_a_table_that_makes_no_words_is_told(tmp_path):
    """Seen to fail: the names were garbage, without a word; latin-1 was what the message proposed."""
    path = csv(tmp_path, "name,code\n名古屋市,01\n横浜市,02\n北区,03\n".encode("cp932"))
    with pytest.raises(InputError, match=r'of a command that has it: "cp932" reads .名古屋市'):
        read_table(path)
    assert not read_table(path, encoding="cp932").attrs.get(DOUBTS)
    for named in ("latin-1", "gbk"):
        (told,) = read_table(path, encoding=named).attrs[DOUBTS]
        assert told.level == "warning"
        assert '"cp932" reads' in told.hint


def test_a_byte_order_mark_tells_utf_16(tmp_path):
    """As spreadsheet programs save text; seen to be told to be latin-1."""
    for encoding in ("utf-16", "utf-16-be"):
        mark = "\ufeff" if encoding == "utf-16-be" else ""
        table = read_table(csv(tmp_path, f"{mark}名称,code\n苏州,01\n".encode(encoding)))
        assert table.iloc[0].to_dict() == {"名称": "苏州", "code": "01"}


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_latin_text_is_not_taken_for_chinese(tmp_path, encoding):
    """Seen to fail with the word alone: its two letters beyond ASCII are a common Chinese character, ``Gr鲞e``."""
    for names in (
        ["Zürich", "Genève"],
        ["Größe"],
        ["Süßen", "Straße"],
        ["AÇÃO", "POPULAÇÕES"],
        ["COMPAÑÍA"],
    ):
        path = csv(tmp_path, "\n".join(["name", *names]).encode(encoding))
        with pytest.raises(InputError, match=r"neither UTF-8 nor GB18030.*encoding"):
            read_table(path)
        assert list(read_table(path, encoding=encoding)["name"]) == names


DISTRICTS = ["종로구", "중구", "용산구", "성동구", "광진구", "동대문구"]


@pytest.mark.parametrize(
    "more", [[], ["Ａ동"], ["ㄱ동", "1ª", "제Ⅱ구역"], ["서초", "마포", "양천", "은평", "강南구"]]
)
def test_korean_is_not_taken_for_chinese(tmp_path, more):
    """Seen to be read as ``讥肺``: syllables of EUC-KR have the bytes of common Chinese characters; and again where one other letter stood among them."""
    names = DISTRICTS + more
    path = csv(tmp_path, "\n".join(["name", *names]).encode("euc_kr"))
    with pytest.raises(InputError, match=r"reads as Chinese by GB18030 and as Korean by CP949.*\"gb18030\" reads.*\"cp949\" reads"):  # fmt: skip
        read_table(path)
    assert list(read_table(path, encoding="cp949")["name"]) == names


def test_chinese_is_not_taken_for_korean(tmp_path):
    """All of these are pairs of bytes of Korean too, two in three of them of syllables."""
    names = [
        "耕地",
        "林地",
        "草地",
        "工业",
        "公共",
        "交通",
        "水域",
        "农村",
        "道路",
        "铁路",
        "机关",
        "采矿",
        "仓储",
        "居住",
        "港口",
        "水库",
        "河流",
        "果园",
    ]
    data = "\n".join(["name", *names]).encode("gb18030")
    assert sum("\uac00" <= letter <= "\ud7a3" for letter in {*data.decode("cp949")}) > 12
    assert list(read_table(csv(tmp_path, data))["name"]) == names


@pytest.mark.parametrize(
    "text", ["kW·h", "t·km", "A区B", "A区B栋", "A至B", "A型B", "x和y", "LNG和LPG", "AB座CD座"]
)
def test_little_chinese_between_letters_is_chinese(tmp_path, text):
    """Seen to be refused: a table whose one sign beyond ASCII stands between letters."""
    path = csv(tmp_path, f"name\n{text}\n".encode("gb18030"))
    assert list(read_table(path)["name"]) == [text]


def test_what_a_table_tells_of_itself_is_kept_with_it(tmp_path):
    """Seen to fail: pandas warned that it could not write it."""
    table = read_table(csv(tmp_path, "title,\nname,value\na,1\n"))
    table.to_parquet(tmp_path / "table.parquet")
    with pytest.raises(InputError, match="seem to stand in row 2"):
        require_columns(table, "table.csv", ["name", "value"])


def test_chinese_beside_letters_is_chinese(tmp_path):
    rows = ["名称", "A座B区", "APP店", "x轴y", "甪直WiFi点"]
    path = csv(tmp_path, "\n".join(rows).encode("gbk"))
    assert list(read_table(path)["名称"]) == rows[1:]


def test_a_named_encoding_must_fit(tmp_path):
    path = csv(tmp_path, "名称\n苏州\n".encode("gbk"))
    for wrong in ("utf-8", "klingon"):
        with pytest.raises(InputError, match=wrong):
            read_table(path, encoding=wrong)


@given(st.binary(max_size=60))
def test_any_bytes_are_text_or_an_input_error(data):
    try:
        text = decoded(data, "t.csv")
    except InputError as error:
        assert "encoding" in str(error)
    else:
        assert text.encode("utf-8") in (data, data[3:]) or text == data.decode("gb18030")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("a,b\n1,2\n1,2,3\n", "row 3: there are 3 cells, expected 2"),
        ("a;b\n1;2\n", "separated by semicolons"),
        ("a\tb\n1\t2\n", "separated by tabs"),
        # Seen to ask for quotes, since 1,5 is two cells.
        ("a;b\n1,5;2\n", "separated by semicolons"),
        ("a\tb\n1,5\t2\n", "separated by tabs"),
        ("sep=,\na,b\n1,2\n", "row 1: the first row is 'sep=,'"),
        ("a,b,a\n1,2,3\n", "'a' stand twice"),
        ('a,b\n"1,2\n', "a quote opens in row 2 and never closes"),
        ('a,b\n1,"2\n3,"4\n', "a cell in quotes goes from row 2 to row 3"),
        ('a,b\r\n1,"2\r\n3,"4\r\n', "a cell in quotes goes from row 2 to row 3"),
        ('a,b\n1,x\n1,"2\n3,4\n5,"6",7\n', "a cell in quotes goes from row 3 to row 5"),
        ('a,"b\nc"\n1,2\n', "a cell in quotes goes from row 1 to row 2"),
        ('a,b\n1,"2" x\n', "row 2: a cell goes on after its closing quote"),
        (b"a,b\n1,\x002\n", "not a text file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel file"),
        (b"PAR1\x15\x04\x15\xd0\x01", "this is Parquet. Save the table as CSV or XLSX"),
        (b"\x1f\x8b\x08\x08\xd0", "this is a gzip archive. Unpack it"),
        (b"SQLite format 3\0\x10", "this is an SQLite database"),
        (b"\x93NUMPY\x01\0v\0", "not a text file"),
        (b"PK\x03\x04nonsense", "no XLSX"),
    ],
)
def test_what_is_no_table(tmp_path, data, says):
    with pytest.raises(InputError, match=says) as caught:
        read_table(csv(tmp_path, data))
    assert "t.csv" in str(caught.value)


@settings(derandomize=True)
@given(st.lists(st.text(st.sampled_from('x1," '), max_size=4), min_size=1, max_size=6))
def test_no_row_of_a_file_is_swallowed(tmp_path_factory, cells):
    """Caught: a quote that opens in one row and closes in a later one, with every row between in its cell."""
    lines = ["a,b", *(f"{number},{cell}" for number, cell in enumerate(cells))]
    path = csv(tmp_path_factory.mktemp("csv"), "\n".join(lines) + "\n")
    try:
        table = read_table(path)
    except InputError:
        return
    assert table["a"].tolist() == [str(number) for number in range(len(cells))]


def test_a_case_file_is_no_table(tmp_path):
    """Seen to ask for other quotes in row 15."""
    path = tmp_path / "case.toml"
    path.write_text('name = "a"\n', encoding="utf-8")
    with pytest.raises(InputError, match="such as a case file, not a table"):
        read_table(path)


def test_quotes_within_a_row_are_read(tmp_path):
    table = read_table(csv(tmp_path, 'a,b\n"x, ""y""",2\n 5\' 6", "3"\n'))
    assert table.to_numpy().tolist() == [['x, "y"', "2"], ["5' 6\"", "3"]]


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path)


def test_missing_columns_are_all_named(tmp_path):
    table = read_table(csv(tmp_path, "Category,value\nx,1\n"))
    require_columns(table, "t.csv", ["value"])
    with pytest.raises(InputError) as caught:
        require_columns(table, "t.csv", ["category", "value", "unit"])
    first, second = map(str, caught.value.problems)
    assert "'category' is missing" in first and "Did you mean 'Category'" in first
    assert "'unit' is missing" in second


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=12
    )
)
def test_numbers_are_exact(number):
    assert decimal_cell(str(number), "t.csv") == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back(number):
    assert float(decimal_cell(repr(number), "t.csv")) == number


@pytest.mark.parametrize(
    "text",
    ["nan", "NaN", "inf", "-Infinity", "1e", "1 2", "0x10", "1_000", "12%", "#N/A", "１２", "--1", "sNaN", "9" * 99, "1e99999"],
)  # fmt: skip
def test_what_is_no_number(text):
    with pytest.raises(InputError, match="expected a finite number") as caught:
        decimal_cell(text, "t.csv, row 7, column value")
    assert str(caught.value).startswith("t.csv, row 7, column value: ")
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["1,234.5", "1 234", "1'234'567", "1\u00a0234"])
def test_thousands_are_told(text):
    with pytest.raises(InputError, match="without separators"):
        decimal_cell(text, "t.csv")


def test_a_blank_is_no_number():
    with pytest.raises(InputError, match="not a blank"):
        decimal_cell("", "t.csv")


@given(st.text("0123456789.+-eE", max_size=5))
def test_what_is_a_number_agrees_with_fractions(text):
    try:
        expected = Fraction(text)
    except ValueError:
        with pytest.raises(InputError):
            decimal_cell(text, "t.csv")
    else:
        assert Fraction(decimal_cell(text, "t.csv")) == expected


@given(st.text(max_size=12))
def test_any_text_is_a_finite_number_or_an_input_error(text):
    try:
        number = decimal_cell(text, "t.csv")
    except InputError:
        return
    assert number.is_finite()
    assert text.isascii()


def test_faults_are_gathered():
    faults = Faults("t.csv")
    faults.raise_any()
    assert faults.number("1.5", 2, "v") == Decimal("1.5")
    assert faults.number("-1", 3, "v") is None
    assert faults.number("-1", 4, "v", signed=True) == -1
    assert not faults.member("forrest", ["forest", "water"], "type", 5, "t")
    assert faults.member("water", ["forest", "water"], "type", 6, "t")
    assert not faults.member("q", [f"kind-{each}" for each in range(10)], "kind", 7, "k")
    faults.once([(2, "a"), (3, "b"), (9, "a")], "the key")
    with pytest.raises(InputError) as caught:
        faults.raise_any()
    assert [str(problem) for problem in caught.value.problems] == [
        "t.csv, row 3, column v: expected no negative number, not -1",
        "t.csv, row 5, column t: unknown type 'forrest'. Did you mean 'forest'?",
        # Seen to end in four dots.
        "t.csv, row 7, column k: unknown kind 'q'. Known: kind-0, kind-1, kind-2, kind-3, kind-4, kind-5, kind-6, kind-7 and 2 more.",
        "t.csv: the key a stands in rows 2, 9. Keep one of them.",
    ]


@pytest.mark.parametrize(
    ("text", "known", "hint"),
    [
        ("320682100", ["320682100000", "320682107000"], "Did you mean '320682100000', which is the same but for zeros"),
        ("320682100000", ["320682100", "320682107"], "Did you mean '320682100', which is the same but for zeros"),
        ("320682", ["320682100", "320682107"], "Known: "),  # several begin with it
        ("320682108", ["320682100", "320682107"], "Known: "),
        ("at221", ["AT221", "AT222"], "Did you mean 'AT221'?"),
        ("AT223", ["AT221", "AT222"], "Known: "),
        ("1", ["10", "2"], "Known: "),
        ("\u00cele", ["I\u0302le", "Ile"], "'I\u0302le' differs in characters that look alike"),
        ("\uc11c\uc6b8", ["\u1109\u1165\u110b\u116e\u11af"], "'\u1109\u1165\u110b\u116e\u11af' differs in characters"),
    ],
)  # fmt: skip
def test_no_code_with_other_digits_is_proposed(text, known, hint):
    """Seen to fail: for 320682100 another township's 320682107000 was proposed, and it was asked whether 'Île' is meant by 'Île'."""
    faults = Faults("t.csv")
    assert not faults.member(text, known, "region", 2, "region")
    assert faults.problems[0].hint.startswith(hint)


def test_rows_of_several_years_are_told_by_their_years():
    """Seen to fail: 'Keep one of them' did not say what tells them apart."""
    faults = Faults("t.csv")
    faults.once([(2, "a"), (3, "a")], "the key", {2: 2021, 3: 2022})
    faults.once([(4, "b"), (5, "b")], "the key", {4: 2021, 5: 2021})
    assert list(map(str, faults.problems)) == [
        "t.csv: the key a stands in rows 2, 3, of 2021, 2022. Keep the rows of one year, that of the case.",
        "t.csv: the key b stands in rows 4, 5. Keep one of them.",
    ]


@pytest.mark.parametrize(
    "text", ["GDP of 2022,\nin 1e8 CNY,\nregion,value\n01,5\n", "GDP,of 2022,,\n,,,\nvalue,region,x,\n5,01,,\n"]
)  # fmt: skip
def test_a_header_below_a_title_is_told(tmp_path, text):
    """Seen to fail: the columns were missing, and were to be added."""
    path = tmp_path / "gdp.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"seem to stand in row 3. Take out what stands above row 3"):  # fmt: skip
        require_columns(read_table(path), "gdp.csv", ["region", "value"])
    path.write_text("GDP of 2022\nregion,value\n01,5\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"row 2: .*Take out what stands above the names"):
        read_table(path)


def test_a_header_of_too_many_columns_is_refused_before_a_cell_is_held(tmp_path):
    """Seen to fail: a million columns took two minutes and 4 GB."""
    path = tmp_path / "totals.csv"
    path.write_text(
        ",".join(f"c{i}" for i in range(1025)) + "\n" + "1," * 1024 + "1\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match="the header has 1,025 columns"):
        read_table(path)
    path.write_text(
        ",".join(f"c{i}" for i in range(1024)) + "\n" + "1," * 1023 + "1\n", encoding="utf-8"
    )
    assert read_table(path).shape == (1, 1024)


def test_a_csv_of_very_many_columns_is_refused_by_its_first_line(tmp_path, monkeypatch):
    """A column of a table costs far more than its comma: nothing is parsed before they are counted."""
    monkeypatch.setattr(tables, "MAX_COLUMNS", 5)
    assert len(read_table(csv(tmp_path, "a,b,c,d,e\n1\n"))) == 1
    monkeypatch.setattr(tables.pd, "read_csv", lambda *_, **__: pytest.fail("it was parsed"))
    with pytest.raises(InputError, match=r"header has 6 columns, too many.*5 at most"):
        read_table(csv(tmp_path, "a,b,c,d,e,f\n1\n"))


def test_codes_that_a_spreadsheet_shortened_are_told_as_such():
    """Seen to fail: ``Keep one of them`` of twelve units, whose codes had become one."""
    faults = Faults("t.csv")
    faults.once([(2, "'3.52590E+14'"), (3, "'3.52590E+14'")], "the region")
    (problem,) = faults.problems
    assert problem.hint.startswith("They may be several: a spreadsheet wrote long codes as numbers")
