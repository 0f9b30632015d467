"""Problems, and what many of them are told as."""

from __future__ import annotations

import re

import pytest
from data import ROOT
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.errors import (
    MAX_EQUAL,
    InputError,
    Problem,
    listed,
    merged,
    missing_libraries,
    require_extra,
)

TEXTS = st.sampled_from(["negative", "blank"])
PLACES = st.builds("{}, row {}".format, st.sampled_from(["a.csv", "b.csv"]), st.integers(2, 9))
LEVELS = st.sampled_from(["error", "warning"])
PROBLEMS = st.lists(st.builds(Problem, TEXTS, PLACES, st.just("Mend it."), LEVELS), max_size=40)


def kind(problem: Problem) -> tuple[str, ...]:
    return problem.level, problem.what, problem.where.partition(",")[0]


@given(PROBLEMS)
def test_no_kind_of_problem_is_lost_nor_miscounted(problems: list[Problem]) -> None:
    """Seen to fail with levels merged, and with files merged."""
    told = merged(problems)
    assert list(dict.fromkeys(map(kind, told))) == list(dict.fromkeys(map(kind, problems)))
    for each in set(map(kind, problems)):
        all_of_it = [problem for problem in problems if kind(problem) == each]
        as_told = [problem for problem in told if kind(problem) == each]
        if len(all_of_it) <= MAX_EQUAL:
            assert as_told == all_of_it
        else:
            (one,) = as_told
            assert one.where.startswith(all_of_it[0].where)
            assert f"and {len(all_of_it) - 1} more" in one.where


@given(PROBLEMS)
def test_an_error_keeps_every_problem_and_tells_them_merged(problems: list[Problem]) -> None:
    error = InputError(problems)
    assert list(error.problems) == problems
    assert str(error).splitlines() == [str(each) for each in merged(problems)]


@pytest.mark.parametrize(
    "name", ["n" * 5000, "it's" + "n" * 5000, "\\'\"\n" * 1000, "昆山\u202e" * 2000]
)
def test_a_long_name_is_not_told_whole(name: str) -> None:
    """Seen to fail: a cell of 5,000 characters filled the screen, and what is wrong with it was not found behind."""
    problem = Problem(f"unknown region {name!r}, the 3rd", "t.csv", f"Did you mean {name!r}?")
    assert problem.what.startswith(f"unknown region {name!r}"[:60])
    assert problem.what.endswith(f"{name!r}, the 3rd"[-20:])
    assert len(str(problem)) < 350
    assert Problem(problem.what).what == problem.what
    assert len(str(Problem("unknown key", f"case.toml, {name}"))) < 350


def test_of_many_names_and_sentences_nothing_is_left_out() -> None:
    listed = ", ".join(f"'column {number}.'" for number in range(200))
    sentence = "the units' shares, " + "which are the run's, " * 30 + "are none of 'B.'"
    for text in (listed, sentence, repr("p" * 255)):
        assert Problem(text).what == Problem("", hint=text).hint == text


def test_problems_without_a_place_are_counted_too() -> None:
    (one,) = merged([Problem("odd")] * 5)
    assert str(one) == "(and 4 more): odd"


def test_a_library_that_is_not_installed_is_named_with_the_way_out() -> None:
    assert missing_libraries("json", "no_such_library") == ("no_such_library",)
    require_extra("report", "json", purpose="a page")
    with pytest.raises(InputError) as caught:
        require_extra(
            "report",
            *("no_such_library", "json", "nor_this"),
            purpose="a page",
            where="page.html",
            or_else="Or do without.",
        )
    assert str(caught.value) == (
        "page.html: a page needs no_such_library and nor_this, which are not installed. "
        'Install it with: pip install "carbongrid[report]". Or do without.'
    )


def test_the_first_items_are_listed_and_the_others_counted() -> None:
    assert listed(map(str, range(3))) == "0, 1, 2"
    assert listed(map(str, range(10))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert listed(map(str, range(12))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    made: list[int] = []
    many = (made.append(row) or str(row) for row in range(100))
    assert listed(many, 2, count=100) == "0, 1 and 98 more"
    assert made == [0, 1]  # seen to fail: a million were made for the first ten
    assert listed(map(str, range(2)), count=2) == "0, 1"


def test_other_items_are_told_as_the_sentence_has_it() -> None:
    assert listed("ab", 2, more=", ...") == "a, b"
    assert listed("abc", 2, more="; ...", between="; ") == "a; b; ..."
    assert listed("a" * 1002, 2, more=" and {:,} more") == "a, a and 1,000 more"
    assert listed([]) == ""


def test_ways_out_by_rioxarray_begin_with_its_import() -> None:
    """Seen to tell ``raster.rio.write_crs(...)`` alone, which no raster has in a session that did not import rioxarray."""
    modules = (ROOT / "carbongrid").rglob("*.py")
    lines = (line for path in modules for line in path.read_text(encoding="utf-8").splitlines())
    told = [line for line in lines if re.search(r"""["'].*\braster\.rio\.""", line)]
    assert len(told) >= 7
    assert [line for line in told if "rioxarray" not in line.partition("raster.rio.")[0]] == []
