"""One code, however it is written."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid import inventory
from carbongrid.inventory.codes import SYSTEMS, gpc_scope, normal_code
from carbongrid.inventory.crosswalks import _rows

CODES = {
    system: sorted({row[system] for row in _rows() if row[system]})
    + {"crt": ["1", "2.F", "1.A.3.b.ii"], "ipcc2006": ["1.A.1", "3.C"], "gpc": ["I", "IV"]}[system]
    for system in SYSTEMS
}


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str, str]:
    """Return a system, a code of it, and the code as somebody may write it."""
    system = draw(st.sampled_from(SYSTEMS))
    code = draw(st.sampled_from(CODES[system]))
    parts = [draw(st.sampled_from((part, part.lower(), part.upper()))) for part in code.split(".")]
    text = parts[0]
    for part in parts[1:]:
        # Digits beside digits, and letters beside letters, need something between them.
        apart = text[-1].isdigit() == part[0].isdigit()
        joints = (".", ". ", " ", " . ", "．", *(() if apart else ("",)))
        text += draw(st.sampled_from(joints)) + part
    before = draw(st.sampled_from(("", " ", "\u3000")))
    after = draw(st.sampled_from(("", ".", ". ", " ", ".  Energy industries", " Other (CO2)")))
    return system, code, f"{before}{text}{after}"


@given(spellings())
def test_every_spelling_of_a_code_has_the_same_answer(written: tuple[str, str, str]) -> None:
    """Seen to fail with codes taken as they are written: 1.A.1. was supply, 3.D. nothing."""
    system, code, text = written
    assert normal_code(text, system) == code
    answers = [
        inventory.from_system(pd.DataFrame({"code": [each], "gas": "CO2", "grams": 7}), system)
        for each in (code, text)
    ]
    assert answers[0][0].equals(answers[1][0])
    assert answers[0][1]["reason"].tolist() == answers[1][1]["reason"].tolist()


@given(st.text(max_size=12), st.sampled_from(SYSTEMS))
def test_the_normal_spelling_is_its_own(text: str, system: str) -> None:
    normal = normal_code(text, system)
    assert normal_code(normal, system) == normal


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1A3bii", "1.A.3.b.ii"),
        ("1.A.2.g.iii.", "1.A.2.g.iii"),
        ("2.F.  Product uses as substitutes for ODS", "2.F"),
        ("1.C. CO2 Transport and storage", "1.C"),
        # Seen to fail: n, 2 and o were parts of the code, 2.G.3 was no whole any more, and its mass counted twice.
        ("2.G.3. N2O from product uses", "2.G.3"),
        ("3.B.2 N2O and NMVOC emissions", "3.B.2"),
        ("2.G.3.n N2O", "2.G.3.n"),
        ("3", "3"),
        (3.0, "3"),
        ("Total (net emissions)", ""),
        ("2019", ""),
        ("1.Axyz", ""),
        ("..", ""),
        ("I.1.1", ""),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_what_is_a_code_of_the_crt(text: object, code: str) -> None:
    assert normal_code(text, "crt") == code


def test_what_has_no_category_lists_candidates() -> None:
    table = pd.DataFrame({"code": ["1.A.1.", "2.d", "7", "Total"], "gas": "CO2", "grams": 1})
    _, listed = inventory.from_system(table, "crt")
    assert listed["reason"].tolist() == [
        "1.A.1 may be industry/manufacturing, industry/mining, industry/supply",
        "no category has the code 2.D; under 2 there are 2.A.1, 2.A.2, 2.A.3, 2.A.4, 2.B.1, 2.B.2, 2.B.3, 2.B.5, ...",
        "no category has the code 7; codes begin with 1, 2, 3, 4, 5",
        "'Total' is no code of crt, whose codes are like 1.A.2",
    ]


def test_a_category_must_have_the_code_in_any_spelling() -> None:
    table = pd.DataFrame(
        {"code": ["3.d."], "category": ["agriculture/plantation"], "gas": "N2O", "grams": 2}
    )
    mapped, listed = inventory.from_system(table, "crt")
    assert mapped["grams"].tolist() == [2]
    assert listed.empty


def test_where_a_code_of_the_gpc_is_emitted():
    """Third figures are scopes, but in generation for the grid, waste and what lies beside."""
    direct = ("I.1.1", "I.4.1", "I.4.4", "II.2.1", "III.1.1", "III.1.3", "IV.1", "V.3")
    indirect, outside = ("I.1.2", "I.4.2", "II.2.2"), ("I.1.3", "II.1.3", "III.1.2", "VI.1")
    assert {gpc_scope(code) for code in direct} == {"direct"}
    assert {gpc_scope(code) for code in indirect} == {"indirect"}
    assert {gpc_scope(code) for code in outside} == {"outside"}
    assert {gpc_scope(code) for code in ("I.1", "II", "III.1", "I.1.4")} == {""}
