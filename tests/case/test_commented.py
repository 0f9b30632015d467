"""A case file with a comment on every line holds the values that it was made of."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.case import Case, commented_toml
from carbongrid.case.fields import facts_of
from carbongrid.case.schema import keys_of, sections
from carbongrid.errors import InputError

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
cells: st.SearchStrategy[Any] = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(texts, max_size=3),
)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Any values under known keys: the writer does not judge them."""
    top = [key for key in keys_of(Case) if key not in sections()]
    values: dict[str, Any] = draw(st.dictionaries(st.sampled_from(top), cells))
    for name in draw(st.lists(st.sampled_from(sorted(sections())), unique=True)):
        keys = sorted(keys_of(sections()[name]))
        values[name] = draw(st.dictionaries(st.sampled_from(keys), cells))
    return values


@settings(max_examples=40)
@given(cases(), st.booleans())
def test_round_trip(values, unused):
    assert tomllib.loads(commented_toml(values, unused=unused)) == values


@settings(max_examples=40)
@given(cases())
def test_every_line_has_a_comment(values):
    lines = [line for line in commented_toml(values).split("\n") if line]
    assert all("  # " in line for line in lines)


def test_order_is_that_of_the_models():
    values = {name: {} for name in reversed(sections())}
    heads = [
        line.split("]")[0][1:]
        for line in commented_toml(values).splitlines()
        if line.startswith("[")
    ]
    assert heads == list(sections())


def test_comments_are_the_models_words():
    line = commented_toml({"grid": {"resolution": 10}}).splitlines()[-1]
    field = keys_of(sections()["grid"])["resolution"]
    assert line.startswith("resolution = 10 ")
    assert f"# [m] {field.description}; default 10" in line


def test_unused_keys_are_shown_as_examples_that_hold():
    text = commented_toml({}, unused=True)
    shown = tomllib.loads("\n".join(line.removeprefix("# ") for line in text.splitlines()))
    del shown["inventory"]
    shown["people"]["crs"] = "gcj02"
    case = Case.of(shown, "case.toml")
    assert case.parcels.area_field == "TBDLMJ"
    for name, model in sections().items():
        examples = {key: facts_of(field)["example"] for key, field in keys_of(model).items()}
        assert name == "inventory" or shown[name] == examples


def test_unknown_keys_are_refused():
    with pytest.raises(InputError, match=r"'resolutoin' in \[grid\]. Did you mean 'resolution'"):
        commented_toml({"grid": {"resolutoin": 10}})
    with pytest.raises(InputError, match="unknown key 'yaer'"):
        commented_toml({"yaer": 2020})
