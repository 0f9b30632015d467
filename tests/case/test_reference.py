"""docs/case.md is what the models say."""

from __future__ import annotations

import subprocess
import sys

from data import ROOT

from carbongrid.case import Case, case_reference
from carbongrid.case.schema import keys_of, sections
from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import TYPES


def test_the_committed_page_is_the_models_own():
    committed = (ROOT / "docs" / "case.md").read_text(encoding="utf-8")
    assert committed == case_reference(), "make it anew: python -m carbongrid.case > docs/case.md"


def test_every_key_category_and_type_is_there():
    text = case_reference()
    keys = {
        key
        for model in (Case, *sections().values())
        for key in keys_of(model)
        if key not in sections()
    }
    for word in (*keys, *read_categories(), *TYPES):
        assert f"| `{word}` |" in text
    assert all(f"### [{name}]" in text for name in sections())


def test_tables_of_the_page_are_even():
    """A cell with an unescaped bar would shift its row."""
    for block in case_reference().split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count(" | ") for row in rows}) <= 1, rows[:1]


def test_the_command_prints_it():
    command = [sys.executable, "-m", "carbongrid.case"]
    printed = subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout
    assert printed.decode("utf-8") == case_reference()
