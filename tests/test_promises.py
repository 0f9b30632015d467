"""Every promise of docs/reliability.md has a test, and the test is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from data import ROOT, data_folder

PAGE = ROOT / "docs" / "reliability.md"


def promises() -> dict[str, list[str]]:
    """Failures and the tests that the page names for them."""
    table = PAGE.read_text(encoding="utf-8").split("## Promises and their tests")[1]
    rows = [
        line.strip("|\n ").rsplit(" | ", 1) for line in table.splitlines() if line.startswith("| ")
    ]
    return {failure: re.findall(r"`(tests/[^`]+)`", tests) for failure, tests in rows[2:]}


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_has_a_test_that_exists() -> None:
    named = promises()
    assert len(named) >= 30
    for failure, tests in named.items():
        assert tests, failure
        for test in tests:
            file, name = test.split("::")
            assert (ROOT / file).is_file(), test
            assert name in functions(ROOT / file), test


def test_what_is_promised_is_what_the_page_lists() -> None:
    """All that was written down first, beside the checkout, is promised still; brackets hold the evidence."""
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
