"""Every promise of docs/reliability.md has a test, and the test is there."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
from data import ROOT, data_folder
from test_house import SESSIONS

PAGE = ROOT / "docs" / "reliability.md"


def table() -> list[str]:
    """Rows of the page's table, as they are written, with its head."""
    part = PAGE.read_text(encoding="utf-8").split("## Promises and their tests")[1]
    return [line for line in part.splitlines() if line.startswith("| ")]


def promises() -> dict[str, list[str]]:
    """Failures and the tests that the page names for them."""
    rows = [line.strip("|\n ").rsplit(" | ", 1) for line in table()]
    return {failure: re.findall(r"`(tests/[^`]+)`", tests) for failure, tests in rows[2:]}


@functools.cache
def functions(path: Path) -> dict[str, list[str]]:
    """Functions of a file, each with its decorators as they are written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {node.name: [*map(ast.unparse, node.decorator_list)] for node in found}


def session_of(test: str) -> str:
    """Return the session that alone runs a test, or nothing where the default suite does."""
    file, name = test.split("::")
    for session, (_, paths) in SESSIONS.items():
        if file.removeprefix("tests/") in paths:
            return session
    return "thorough" if "pytest.mark.thorough" in functions(ROOT / file)[name] else ""


def test_every_promise_has_a_test_that_exists() -> None:
    named = promises()
    assert len(named) > 30
    for failure, tests in named.items():
        assert tests, failure
        for test in tests:
            file, name = test.split("::")
            assert (ROOT / file).is_file(), test
            assert name in functions(ROOT / file), test


def test_each_failure_has_one_row() -> None:
    """Seen to fail: fourteen stood twice, and of two rows only the second was read."""
    assert len(promises()) == len(table()) - 2


def test_the_page_says_which_tests_the_default_suite_leaves_out() -> None:
    """Seen to fail: rows that only ``nox -s thorough`` and ``nox -s cluster`` hold looked like the others."""
    by_session = re.compile(r"`(tests/[^`]+)`(?: \(by `nox -s (\w+)`\))?")
    said = {found for row in table() for found in by_session.findall(row)}
    assert said == {(test, session_of(test)) for test, _ in said}
    assert {"", "bench", "cluster", "thorough"} == {session for _, session in said}


def test_nothing_that_was_promised_first_has_left_the_page() -> None:
    """The promises as they were written down first, beside the checkout; brackets hold their evidence. More have joined since."""
    first = data_folder().parent / "PROMISES.md"
    if not first.is_file():
        pytest.skip("the list of promises is not beside the data")
    rows = [
        line for line in first.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    failures = {re.sub(r"\s*\[[^]]*\]", "", row.strip("| ").split(" | ")[0]) for row in rows[2:]}
    assert failures <= {re.sub(r"\s*\[[^]]*\]", "", failure) for failure in promises()}


def test_a_name_that_is_none_would_be_noticed() -> None:
    assert "test_every_promise_has_a_test_that_exists" in functions(Path(__file__))
    assert "test_that_is_not_there" not in functions(Path(__file__))
