"""The Chinese of a run's remarks: held against the code that says them, and against what the demo says."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import geopandas as gpd
import pandas as pd
import pytest
from english_left import english_in, names_of
from power_town import SUPPLY, WITH_PLANT, WITHOUT_PLANT, Row, formed
from scipy import sparse

import carbongrid as cg
from carbongrid import inventory
from carbongrid.case import Case
from carbongrid.case.readers.inputs import read_inputs
from carbongrid.method.evidence import EvidenceRow, evidence_problems
from carbongrid.method.facilities import FacilityRow
from carbongrid.outputs.report.notes import (
    _ONE_OF_THEM,
    _in_the_plural,
    note_in_chinese,
    templates,
)
from carbongrid.pipeline.cross_checks import _problems_of_supply
from carbongrid.pipeline.facilities import problems_of_borders, problems_of_place
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.tables import method_notes

_JOINT = re.compile(r'"\s*\n\s*f?"|\\(?=")')
# What the code puts together from several strings: a problem's parts, and words for a choice.
_SEAM = re.compile(
    r"\. (?=[A-Z])|^: |^\. |\.$| \((?:D\d|docs/decisions)[^)]*\)"
    "|all units|the units of the same|exact area|cells in common on the fine grid|: (?:ledger|nearest)|(?:(?<=pairs of )|(?<=1 pair of ))(?:parcels|units)"
    r"|(?<=left out): |(?<=Compared all the same): |(?<=gives is not known): |(?<=not formed): |^\): |(?<=come first) \(|(?<=passed over) \(|^\)\. |\)\. (?=Write)|\); (?=it would)|(?<=of the sinks), (?=made by)"
)
_PLACE = re.compile(r"\{\w+\}")
_COUNTED = re.compile(
    r"""\{?counted\([^"'{}]*?(?:\['\w+'\])?, ["']([^"']*)["'](?:, ["']([^"']*)["'])?\)\}?"""
)
# Sentences are of several things; of one they are the same in Chinese.


def _code() -> str:
    """All modules, strings over several lines joined, and what is counted in the plural."""
    return _COUNTED.sub(lambda each: f"{{}} {each[2] or each[1] + 's'}", _code_as_written())


def _code_as_written() -> str:
    folder = Path(cg.__file__).parent
    return "\n".join(_JOINT.sub("", path.read_text("utf-8")) for path in folder.rglob("*.py"))


def test_every_sentence_is_one_that_the_code_says() -> None:
    """Seen to fail when a sentence is reworded in the code alone."""
    code = _code()
    for english, _ in templates():
        for piece in _PLACE.split(english):
            for words in _SEAM.split(piece):
                said = words.strip(" :")
                assert len(said) < 6 or said in code, f"{said!r} of {english!r}"


def test_of_one_thing_remarks_are_those_of_several() -> None:
    """Seen to say "1 points", whose Chinese is that of one."""
    code, english = _code_as_written(), [each for each, _ in templates()]
    pairs = {(one, many or f"{one}s") for one, many in _COUNTED.findall(code)}
    # A noun alone may stand in another sentence.
    used = [(one, many) for one, many in pairs if " " in one and any(f"}} {many}" in each for each in english)]  # fmt: skip
    assert ("point has no count and is", "points have no count and are") in used
    for one, many in used:
        assert _ONE_OF_THEM.sub(_in_the_plural, f"1 {one}") == f"1 {many}"
    said = "people.csv: 1 point has no count and is left out: row 3. Write 0 where nobody lives."
    assert note_in_chinese(said).startswith("people.csv：1 ")
    for said in (
        "1 unit of 2015 is left out, since not every year has it: u3; it emits 1 t and takes up 2 t.",
        "action 1 leaves 1 unit of unknown GDP unchanged: u3",
        "1 merged unit had parts in another city before: u3. They count in that of the last run in all years.",
        "1 parcel (3 ha) is kept by red.gpkg, of which 0 (0 ha) might else be converted.",
    ):
        assert note_in_chinese(said)


def test_each_place_is_in_both_languages() -> None:
    for english, chinese in templates():
        assert set(_PLACE.findall(english)) == set(_PLACE.findall(chinese)), english
        assert re.search("[一-鿿]", chinese)
        assert english_in(_PLACE.sub("", chinese)) == [], english


def test_all_remarks_of_a_run_are_known(small_run: Path, small_city: Path) -> None:
    manifest = json.loads((small_run / "manifest.json").read_text("utf-8"))
    told = [text for _, text in manifest["assumptions"]]
    names = names_of(Case.read(small_city / "case.toml"))
    assert told
    assert [text for text in told if not note_in_chinese(text)] == []
    assert [text for text in told if english_in(note_in_chinese(text), names)] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"reduce": "cells", "reference": "district", "basis": "net"},
        {"electricity": "use", "gdp": None},
        {"electricity": "supply", "reduce": "exact"},
        {"electricity": "both", "attribution": "© OpenStreetMap contributors"},
        {"electricity": "consumption"},
    ],
)
def test_all_choices_are_known(small_city: Path, changes: dict[str, object]) -> None:
    case = Case.read(small_city / "case.toml")
    inputs = dataclasses.replace(read_inputs(case), case=case.model_copy(update=changes))
    names = names_of(case) | {str(changes.get("attribution"))}
    for water in ("ledger", "nearest", "water.csv"):
        units = inputs.case.units.model_copy(update={"water": water})
        with_water = inputs.case.model_copy(update={"units": units})
        for _, text in method_notes(dataclasses.replace(inputs, case=with_water)):
            assert note_in_chinese(text), text
            assert english_in(note_in_chinese(text), names) == [], text


@pytest.mark.parametrize("gone", ["", "industry/supply", "buildings/"])
@pytest.mark.parametrize("electricity", ["both", "supply", "use"])
def test_electricity_is_spoken_of_where_there_are_both_kinds(
    city: Path, electricity: str, gone: str
) -> None:
    """Seen to fail when the choice alone decided: a case without power plants counted electricity "both where ..."."""
    rows = (city / "totals.csv").read_text("utf-8").splitlines(keepends=True)
    kept = "".join(row for row in rows if not (gone and row.startswith(gone)))
    (city / "totals.csv").write_text(kept, "utf-8")
    case = Case.read(city / "case.toml").model_copy(
        update={"electricity": electricity, "facilities": None, "people": None}
    )
    notes = [text for _, text in method_notes(read_inputs(case))]
    assert any(text.startswith("Electricity is counted") for text in notes) == (not gone)


@pytest.mark.parametrize(
    ("file", "electricity"),
    [*itertools.product(["case.toml", "case-inventory.toml"], ["both", "supply", "use"]), ("case-inventory.toml", "consumption")],
)  # fmt: skip
def test_all_remarks_on_the_input_are_known(small_city: Path, file: str, electricity: str) -> None:
    case = Case.read(small_city / file).model_copy(update={"electricity": electricity})
    told = [str(note) for note in read_inputs(case).notes]
    names = names_of(case)
    assert told
    assert [text for text in told if not note_in_chinese(text)] == []
    assert [text for text in told if english_in(note_in_chinese(text), names)] == []


@pytest.mark.parametrize(
    ("weight", "with_pois", "said"),
    [
        ("pois", True, "to the land of type utilities at "),
        ("pois", False, "by area to all land of type utilities, since no point of interest is of"),
        ("area", True, "by area to all land of type utilities"),
        ("field:output", True, "by field:output to land of type utilities"),
    ],
)
def test_where_power_goes_is_said_as_it_is(small_city: Path, weight: str, with_pois: bool, said: str) -> None:  # fmt: skip
    """Seen to fail when the warning said all utilities' land, whatever the weight."""
    inputs = read_inputs(Case.read(small_city / "case.toml"))
    supply = dataclasses.replace(inputs.categories["industry/supply"], weight=weight)
    changed = dataclasses.replace(
        inputs,
        case=inputs.case.model_copy(update={"pois": None}),  # no crosswalk that lacks supply
        categories={**inputs.categories, supply.name: supply},
        facilities=None,
        pois=inputs.pois.assign(category=supply.name) if with_pois else None,
    )
    (problem,) = _problems_of_supply(changed)
    assert said in problem.what
    assert note_in_chinese(str(problem))


@pytest.mark.parametrize(
    "rows",
    [
        [*WITH_PLANT, ("electricity/imported", SUPPLY, 1, "GWh")],
        [*WITH_PLANT, ("electricity/losses", SUPPLY, None, "GWh")],
        [WITH_PLANT[0], WITH_PLANT[3]],
        [*WITH_PLANT[:3], WITH_PLANT[4]],
        [*WITHOUT_PLANT, ("fuel/diesel", SUPPLY, 1, "t")],
        [*WITH_PLANT, ("heat", SUPPLY, 10**9, "GJ")],
    ],
)
def test_what_a_balance_lacks_is_told_in_chinese(rows: list[Row]) -> None:
    for problem in inventory.energy_notes(formed(rows)):
        chinese = note_in_chinese(str(problem))
        assert chinese
        assert "balance of" not in chinese


def test_supply_that_is_not_spread_here_asks_for_no_facilities(small_city: Path) -> None:
    """Seen to fail when electricity = "use" set supply aside, its plants with it, and they were said not to be named."""
    case = Case.read(small_city / "case.toml").model_copy(update={"pois": None})
    told = {
        choice: [*_problems_of_supply(dataclasses.replace(read_inputs(case.model_copy(update={"electricity": choice})), facilities=None))]
        for choice in ("supply", "use")
    }  # fmt: skip
    assert [len(told[choice]) for choice in ("supply", "use")] == [1, 0]


@pytest.mark.parametrize(
    ("evidence", "unit", "said"),
    [("lines:water", "m", "8.43 km 线路中有 0.485"), ("people", "person", "8,430 人中有 485"), ("pois", "POI", "8,430 个兴趣点中有 485")],
)  # fmt: skip
def test_lost_evidence_is_told_in_chinese(evidence: str, unit: str, said: str) -> None:
    """Seen to say ``8.43k m of lines 中有 485``: the place was thought to begin at its last word; and ``8.43k m``, which is no length."""
    name = "transport/water"
    row = EvidenceRow(name, evidence, unit, 8430, 7945, 485, 1.0, 99, 98, 1, 0.1, 0.1)
    (problem,) = evidence_problems([row])
    assert said in note_in_chinese(str(problem))
    assert english_in(note_in_chinese(str(problem))) == []


@pytest.mark.parametrize(("count", "told"), [(1, " t of 1 facility "), (2, " t of 2 facilities ")])
@pytest.mark.parametrize("unit", ["090105001", ""])
def test_facilities_at_a_border_are_told_in_chinese(unit: str, count: int, told: str) -> None:
    """Seen to end ``t not in 090105001`` in Chinese; and ``1 facilities``."""
    units = gpd.GeoDataFrame({"id": ["090105001", "2"]}, geometry=[None, None])
    parcels = pd.DataFrame({"id": ["7", "8"]})
    shares = sparse.csr_array([[0.4, 0.3], [0.5, 0.5]])
    land = cast(
        Land,
        SimpleNamespace(units=units, parcels=parcels, shares_of_area=lambda rows: shares[rows]),
    )
    row = FacilityRow(
        "Works (old)", "industry/manufacturing", "value", 10**9, "7", unit, 900.0, ("2", "3")
    )
    rows = [row, dataclasses.replace(row, name="Mill of all", grams=10**8)][:count]
    for (problem,) in (problems_of_borders(rows, land, ()), problems_of_place(rows)):
        chinese = note_in_chinese(str(problem))
        assert told in problem.what and f"{count} 个重点排放设施" in chinese
        assert english_in(chinese, [each.name for each in rows]) == []
        assert all(each.name in chinese for each in rows)
        assert unit in chinese


def test_where_a_remark_is_of_is_told_in_chinese() -> None:
    said = "row 3, old.xlsx, sheet waste, row 3, column parameters (and 4 more, such as sheet waste, row 5): fuel is left out: the amount is blank: unknown, which is not zero"
    assert note_in_chinese(said).partition("：")[0] == (
        "row 3, old.xlsx, 工作表 waste, 第 3 行, parameters 列（另有 4 处，如 工作表 waste, 第 5 行）"
    )


def test_what_lies_where_is_told_in_chinese() -> None:
    """Seen to fail with "sink 的分布"."""
    said = "No facility and no total of a region has a say in where sink lies: what Moran's I tells of it is of the proxies."
    assert note_in_chinese(said).startswith("碳汇的分布")


def test_what_stands_in_a_remark_is_kept() -> None:
    said = "my: parcels.gpkg: 2 parcels lay wholly under others and are left out: a{b}c, 一: 二"
    assert (
        note_in_chinese(said)
        == "my: parcels.gpkg：2 个地块完全被其他地块覆盖，已略去：a{b}c, 一: 二"
    )
    assert note_in_chinese("Somebody says something else.") == ""


class Watched(str):
    """A remark that counts how many of its letters were looked through for the words of a sentence."""

    __slots__ = ("looked_through",)

    def __init__(self, _: str) -> None:
        self.looked_through = 0

    def rfind(self, words: str, start: int, end: int) -> int:
        place = super().rfind(words, start, end)
        self.looked_through += end - max(place, start)
        return place


@pytest.mark.parametrize(
    "hostile", [": " * 1500, "x: 1 t CO2e, 95 % interval " * 111, "x" * 10**5], ids=["colons", "words", "long"]
)  # fmt: skip
def test_a_hostile_remark_is_looked_through_at_most_once_for_a_sentence(hostile: str) -> None:
    """Seen to fail when words are looked for in any way that is not counted, as a regular expression's steps are not."""
    sentences = [_PLACE.split(english) for english, _ in templates()]
    hard = [words for words in sentences if len(words) > 2 and not words[0]]
    assert len(hard) > 20
    for *_, ending in hard:
        remark = Watched(hostile + ending)
        note_in_chinese(remark)
        assert 0 < remark.looked_through <= len(remark) * len(sentences)
