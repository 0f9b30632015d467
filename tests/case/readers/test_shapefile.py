from __future__ import annotations

import pytest
from geodata_layers import survey_layer, write_layer

from carbongrid.case.readers.misread_text import first_lines, misread, proposal
from carbongrid.case.readers.shapefile import known_encoding, shapefile_encoding
from carbongrid.case.readers.tables import DOUBTS, decoded
from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.raster.opening.encodings import encoding_named
from carbongrid.raster.opening.vectors import VectorFile

NAMES = ["水田", "农村宅基地", "工业用地", "公路用地", "城镇住宅用地", "河流水面"]


def shapefile(tmp_path, encoding, names=NAMES, *, cpg):
    """Write a Shapefile in an encoding, with or without the file that says so."""
    layer = survey_layer().assign(名称=names)[["BSM", "名称", "geometry"]]
    if not all(ord(character) < 256 for character in "".join(names)) or encoding in (
        "gbk",
        "utf-8",
    ):
        path = write_layer(layer, tmp_path / "layer.shp", encoding)
    else:
        path = write_layer(layer.rename(columns={"名称": "name"}), tmp_path / "layer.shp", encoding)
    if not cpg:
        path.with_suffix(".cpg").unlink()
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030"])
@pytest.mark.parametrize("cpg", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_chinese_names_are_read(tmp_path, encoding, cpg, named):
    path = shapefile(tmp_path, encoding, cpg=cpg)
    table = read_vector(path, encoding=encoding if named else None, columns=["名称"])
    assert table["名称"].tolist() == NAMES


@pytest.mark.parametrize(
    "names",
    [
        ["Zürich", "Bäch", "Höri", "Rüti", "Örlikon", "Küsnacht"],
        ["Größe", "Town", "Town", "Town", "Town", "Town"],
        ["AÇÃO", "Town", "Town", "Town", "Town", "Town"],
    ],
)
def test_latin_1_without_cpg_asks_for_the_encoding(tmp_path, names):
    path = shapefile(tmp_path, "ISO-8859-1", names, cpg=False)
    with pytest.raises(InputError, match=r"neither as UTF-8 nor as Chinese.*encoding = "):
        read_vector(path)
    assert read_vector(path, encoding="latin-1")["name"].tolist() == names


def test_korean_without_cpg_asks_for_the_encoding(tmp_path):
    """Seen to be read as Chinese characters that make no name."""
    names = ["종로구", "중구", "용산구", "성동구", "광진구", "동대문구"]
    layer = survey_layer().assign(name=names)[["BSM", "name", "geometry"]]
    path = write_layer(layer, tmp_path / "layer.shp", "cp949")
    path.with_suffix(".cpg").unlink()
    with pytest.raises(InputError, match=r"reads as Chinese by GB18030 and as Korean by CP949.*\"gb18030\" reads.*\"cp949\" reads"):  # fmt: skip
        read_vector(path)
    assert read_vector(path, encoding="cp949")["name"].tolist() == names


def test_gbk_by_the_number_of_its_code_page(tmp_path):
    path = shapefile(tmp_path, "gbk", cpg=True)
    path.with_suffix(".cpg").write_text("936\n", encoding="utf-8")
    assert read_vector(path)["名称"].tolist() == NAMES


def test_a_cpg_that_lies_is_told(tmp_path):
    path = shapefile(tmp_path, "gbk", cpg=True)
    path.with_suffix(".cpg").write_text("UTF-8", encoding="utf-8")
    with pytest.raises(InputError, match="not utf-8"):
        read_vector(path)


@pytest.mark.parametrize(
    ("encoding", "said", "meant"),
    [("gbk", "ISO-8859-1", "gb18030"), ("gbk", "1252", "gb18030"), ("utf-8", "GBK", "utf-8"), ("utf-8", "1252", "utf-8")],
)  # fmt: skip
def test_a_cpg_of_another_encoding_is_told(tmp_path, encoding, said, meant):
    """Seen to fail: names were mojibake, and nothing was said."""
    path = shapefile(tmp_path, encoding, cpg=True)
    path.with_suffix(".cpg").write_text(said, encoding="utf-8")
    with pytest.raises(InputError, match=rf'the text is {meant}: .*encoding = "{meant}"'):
        read_vector(path)
    table = read_vector(path, encoding=meant)
    assert NAMES in [table[name].tolist() for name in table.columns]


JAPANESE = ["中央区", "北区", "横浜市", "名古屋市", "つくば市", "港区"]


def japanese(tmp_path, cpg=""):
    layer = survey_layer()[["BSM", "geometry"]].assign(name=JAPANESE)
    path = write_layer(layer, tmp_path / "layer.shp", "cp932")
    path.with_suffix(".cpg").unlink()
    if cpg:
        path.with_suffix(".cpg").write_text(cpg, encoding="utf-8")
    return path


def test_the_encoding_that_reads_words_is_proposed(tmp_path):
    """Seen to fail: cp1252, gbk and latin-1 alone were proposed, under which the names are garbage."""
    with pytest.raises(InputError, match=r'encoding = \.\.\.: "cp932" reads .つくば市.') as caught:
        read_vector(japanese(tmp_path))
    assert '"cp1252"' not in str(caught.value)
    table = read_vector(japanese(tmp_path), encoding="cp932")
    assert table["name"].tolist() == JAPANESE
    assert not table.attrs


@pytest.mark.parametrize("named", ["cp1252", "latin-1", "gbk", "gb18030", "cp1251"])
def test_a_named_encoding_that_makes_no_words_is_told(tmp_path, named):
    """Seen to fail: garbage names stood on maps, in tables and in the report without a word."""
    try:
        table = read_vector(japanese(tmp_path), encoding=named)
    except InputError as error:
        assert named in ("cp1252", "cp1251")
        assert '"cp932" (Japanese)' in str(error)
        return
    (told,) = table.attrs[DOUBTS]
    assert told.level == "warning"
    assert 'Name the right encoding: "cp932" reads' in told.hint
    assert note_in_chinese(str(told))


def test_latin_names_by_a_chinese_encoding_are_told(tmp_path):
    """Seen to be silent where not one of the characters was a common one: ``D黶seldorf``."""
    names = ["Düsseldorf", "Köln", "München", "Görlitz", "Aachen", "Bonn"]
    path = write_layer(survey_layer()[["BSM", "geometry"]].assign(name=names), tmp_path / "layer.shp", "cp1252")  # fmt: skip
    (told,) = read_vector(path, encoding="gbk").attrs[DOUBTS]
    assert '"cp1252" reads' in told.hint


def test_rare_characters_behind_pinyin_are_no_latin_names(tmp_path):
    """Seen to be warned of where the column has no common character."""
    names = ["wang喆", "zhao翀", "qian堃", "zhou赟", "sun燚", "wu"]
    path = write_layer(survey_layer()[["BSM", "geometry"]].assign(name=names), tmp_path / "layer.shp", "gbk")  # fmt: skip
    assert not read_vector(path, encoding="gbk").attrs


def test_a_cpg_that_makes_no_words_is_told(tmp_path):
    """Seen to fail: garbage names, without a word."""
    with pytest.raises(InputError, match=r'the text is cp932: .*"cp932" reads'):
        read_vector(japanese(tmp_path, "ISO-8859-1"))
    for name in ("ANSI 932", "932", "Shift_JIS", "Windows-31J", "MS932"):
        assert read_vector(japanese(tmp_path, name))["name"].tolist() == JAPANESE


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", ["Größe", "Zürich", "Öölen", "créée", "Füße", "Weiß"]),
        ("cp1252", ["Größe", "Füssen", "Krems", "Graz", "Wels", "Steyr"]),
        ("cp1251", ["Москва", "Тверь", "Орёл", "Псков", "Омск", "Томск"]),
        ("cp949", ["서울", "부산", "대구", "인천", "광주", "울산"]),
        ("big5", ["臺北", "高雄", "臺中", "臺南", "新竹", "嘉義"]),
        ("utf-8", ["café", "Orléans", "Nîmes", "Besançon", "Éze", "Pré"]),
        ("gbk", NAMES),
    ],
)
def test_a_cpg_that_is_right_is_believed(tmp_path, encoding, names):
    path = write_layer(
        survey_layer()[["BSM", "geometry"]].assign(name=names), tmp_path / "layer.shp", encoding
    )
    path.with_suffix(".cpg").write_text(encoding.removeprefix("cp"), encoding="utf-8")
    table = read_vector(path)
    assert table["name"].tolist() == names
    assert not table.attrs


@pytest.mark.parametrize(
    ("encoding", "cpg", "names"),
    [
        ("gbk", "GBK", ["中西區", "灣仔區", "東區", "觀塘區", "離島區", "深水埗區"]),
        ("gb18030", "54936", ["臺北市", "桃園市", "嘉義縣", "臺南市", "新竹縣", "屏東縣"]),
        ("gb18030", "GB18030", ["家塆", "东塱", "北滘", "大塅", "沟墘", "垟心村"]),
        ("gbk", "936", ["圐圙村", "东圐圙村", "埇桥区", "堽城镇", "A", "B"]),
        ("gb18030", "GB18030", ["Zone Ⅰ", "Zone Ⅱ", "Zone Ⅲ", "Zone Ⅳ", "A", "B"]),
        ("gb18030", "GB18030", ["面积㎡", "→东", "○", "★", "A", "B"]),
        ("cp1250", "1250", ["Łódź", "Żółć", "Święć", "A", "B", "C"]),
        ("cp1250", "1250", ["Žďár", "Tišň", "Čížů", "Úněž", "A", "B"]),
        ("cp1254", "1254", ["ÇİĞLİ", "İĞDİR", "ŞİŞLİ", "A", "B", "C"]),
        ("cp1257", "1257", ["Žąsė", "Šėta", "Ūla", "A", "B", "C"]),
        ("cp1252", "1252", ["Zone ½", "Area ™", "Site ®", "Block ¶ 3", "© A", "± 5"]),
        ("cp932", "x-sjis", ["澁谷區", "廣島縣", "A", "B", "C", "D"]),
        # Of what is called by the narrower encoding GDAL lost what the wider one has more.
        ("gb18030", "GB2312", ["漷县镇", "鄠邑区", "硚口区", "珺村", "苏州市", "B"]),
        ("cp932", "Shift_JIS", ["①番地", "髙島町", "㈱工場", "つくば市", "水戸市", "B"]),
        ("big5", "Big5", ["臺北市", "新北市", "桃園市", "嘉義縣", "花蓮縣", "B"]),
        ("euc_jp", "EUC-JP", ["東京都", "横浜市", "蘂取郡", "A", "B", "C"]),
        ("euc_kr", "EUC-KR", ["서울", "강남구", "종로구", "A", "B", "C"]),
        ("mac_roman", "MACINTOSH", ["Malmö", "Örebro", "Zürich", "A", "B", "C"]),
        ("cp1255", "1255", ["תל אביב", "ירושלים", "חיפה", "A", "B", "C"]),
        ("cp1258", "1258", ["Cà Mau", "Huê", "Vinh", "A", "B", "C"]),
        ("latin-1", "ISO88591", ["Zürich", "Genève", "Bern", "A", "B", "C"]),
        ("koi8-r", "KOI8-R", ["Москва", "Тверь", "Орёл", "A", "B", "C"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("named", [False, True])
def test_honest_text_is_neither_refused_nor_told(tmp_path, encoding, cpg, names, named):
    """Seen to fail: refused as no words, with garbage proposed; or the last letter lost (CP1255, CP1258); or no such encoding (EUC-KR, ISO88591)."""
    layer = survey_layer()[["BSM", "geometry"]]
    stored = [name.encode(encoding).decode("latin-1") for name in names]
    path = write_layer(layer.assign(name=stored), tmp_path / "layer.shp", "ISO-8859-1")
    path.with_suffix(".cpg").write_text(cpg, encoding="utf-8")
    table = read_vector(path, encoding=cpg if named else None, columns=["name"])
    assert table["name"].tolist() == names
    assert not table.attrs


def test_names_of_columns_are_whole_too(tmp_path):
    """Seen to fail: the last letter of a column's name was lost."""
    name = "חיפה".encode("cp1255").decode("latin-1")
    layer = survey_layer()[["BSM", "geometry"]].assign(**{name: list("abcdef")})
    path = write_layer(layer, tmp_path / "layer.shp", "ISO-8859-1")
    path.with_suffix(".cpg").write_text("1255", encoding="utf-8")
    assert read_vector(path, columns=["חיפה"])["חיפה"].tolist() == list("abcdef")


def test_a_cpg_beside_which_another_encoding_of_single_bytes_reads_better_is_told(tmp_path):
    """Seen to fail: refused."""
    names = ["Москва", "Тверь", "Орёл", "Псков", "Омск", "Томск"]
    path = write_layer(survey_layer()[["BSM", "geometry"]].assign(name=names), tmp_path / "layer.shp", "cp1251")  # fmt: skip
    path.with_suffix(".cpg").write_text("1252", encoding="utf-8")
    (told,) = read_vector(path).attrs[DOUBTS]
    assert "\"cp1251\" reads 'Москва'" in told.hint
    assert note_in_chinese(str(told))


@pytest.mark.parametrize(
    ("encoding", "names"),
    [("koi8-r", ["Москва", "Тверь"]), ("cp866", ["Москва", "Тверь"]), ("cp1254", ["Şişli", "Beyoğlu"]), ("cp1257", ["Šiauliai"]), ("cp1255", ["ירושלים"]), ("iso8859-2", ["Łódź", "Śródmieście"])],
)  # fmt: skip
def test_the_right_encoding_is_among_the_proposed(encoding, names):
    """Seen to fail: CP1251 alone was offered for KOI8-R and CP866, CP1252 and CP1250 for Turkish."""
    told = proposal("\n".join(names).encode(encoding))
    assert any(f'"{encoding}" reads {name!r}' in told for name in names)
    assert told.endswith("or another")


def test_the_judgement_is_formed_of_a_thousand_lines():
    """Seen to fail: an error took eight times as long, with the rows of the file."""
    data = b"\n".join(b"Stra\xdfe %d" % row for row in range(5000))
    assert first_lines(data) == b"\n".join(data.split(b"\n")[:1000])
    row = ("昆山市".encode("gb18030") + b",") * 50_000
    assert len(first_lines(row)) < 2**17 < len(row)
    assert set(first_lines(row).decode("gb18030")) == set("昆山市,")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le", "iso2022_jp"])
def test_encodings_of_all_characters_are_not_judged(encoding):
    """Seen to fail: each table with a letter beyond ASCII was told in ``utf-8-sig``."""
    assert misread(["Zürich", "≥ 3 ± 1", "½ × 2"], encoding) is None


@pytest.mark.parametrize(
    ("encoding", "again"),
    [("utf-8", []), ("gbk", [["名称".encode("gbk").decode("latin-1")]])],
)
def test_a_right_cpg_costs_no_second_reading_of_all(tmp_path, encoding, again, monkeypatch):
    """Seen to fail: all columns were read again to hold the text against its bytes."""
    path, reads = shapefile(tmp_path, encoding, cpg=True), []
    whole = VectorFile.table
    monkeypatch.setattr(VectorFile, "table", lambda *told, **more: reads.append(told[3]) or whole(*told, **more))  # fmt: skip
    assert read_vector(path, columns=["名称"])["名称"].tolist() == NAMES
    assert reads == [["名称"], *again]
    reads.clear()
    read_vector(path, columns=["BSM"])
    assert reads == [["BSM"]]


def test_chinese_between_capitals_is_chinese(tmp_path):
    names = ["A区B栋", "A座B", "A型B", "C", "D", "E"]
    path = write_layer(survey_layer()[["BSM", "geometry"]].assign(name=names), tmp_path / "layer.shp", "gbk")  # fmt: skip
    path.with_suffix(".cpg").unlink()
    assert read_vector(path)["name"].tolist() == names


def test_ascii_is_utf_8(tmp_path):
    path = write_layer(survey_layer()[["BSM", "geometry"]], tmp_path / "layer.shp")
    path.with_suffix(".cpg").unlink()
    assert shapefile_encoding(path, None) == "utf-8"


def test_names_of_encodings():
    assert known_encoding("936", "f") == known_encoding("GBK", "f") == "gbk"
    assert known_encoding("65001", "f") == "utf-8"
    assert known_encoding("88591", "f") == known_encoding("8859_1", "f") == "iso8859-1"
    with pytest.raises(InputError, match="'klingon' is not a text encoding"):
        known_encoding("klingon", "layer.cpg")
    pages = {"51949": "euc_kr", "20932": "euc_jp", "51932": "euc_jp", "20866": "koi8-r", "10000": "mac-roman", "54936": "gb18030", "28591": "iso8859-1", "28592": "iso8859-2"}  # fmt: skip
    assert {page: encoding_named(page) for page in pages} == pages
    assert {encoding_named(each) for each in ("x-gbk", "ANSI 936", "windows-936", " ms936 ")} == {"gbk"}  # fmt: skip
    assert encoding_named("OEM 437") == "cp437"
    assert encoding_named("ISO 8859-15") == encoding_named("885915") == "iso8859-15"


@pytest.mark.parametrize(
    "name",
    ["klingon", "", "a\0b", "\udcff", "x" * 5000, "../utf-8", "rot13", "zlib", "hex", "idna", "undefined", "unicode_escape", "65002"],
)  # fmt: skip
def test_what_is_no_encoding_of_text_is_told_as_such(name):
    """Seen to fail: ``undefined`` raises what no reader expects, and a zero byte in the name, too."""
    assert encoding_named(name) is None
    with pytest.raises(InputError):
        decoded(b"a", "table.csv", name)
