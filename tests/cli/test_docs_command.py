"""Pages and decisions that messages name, printed from where they are installed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from data import ROOT

from carbongrid.cli import docs_command, main


def printed(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["docs", *words])
    return result.exit_code, result.stdout + result.stderr


def named_in_the_package() -> set[str]:
    """Return the pages and decisions that its messages name."""
    files = [*(ROOT / "carbongrid").rglob("*.py"), *(ROOT / "carbongrid").rglob("*.toml")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    pages = re.findall(r"docs/[a-z][a-z/-]*(?:\.md|/\d{4})", text)
    decisions = re.findall(r"\((?:[^()\n]*\b)?(D\d{1,2})\)", text)
    return {*pages, *decisions}


def test_every_page_and_decision_that_is_named_is_printed() -> None:
    named = named_in_the_package()
    assert {"docs/howto/facilities.md", "docs/decisions/0037", "D9", "D31"} <= named
    refused = {name: said for name in named for code, said in [printed(name)] if code}
    assert refused == {}


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("howto/qgis", "# "),
        ("qgis.md", "# "),
        ("0044", "# 0044: "),
        ("decisions/", "# Decisions"),
        ("0002-regions.md", "# "),
        ("d9", "D9: Where do known emitters go?"),
        ("docs/method/zones.md#ties", "# "),
    ],
)
def test_a_page_is_found_by_each_of_its_names(name: str, begins: str) -> None:
    code, said = printed(name)
    assert (code, said[: len(begins)]) == (0, begins)


def test_without_a_name_pages_are_listed_by_their_titles() -> None:
    code, said = printed()
    assert code == 0
    assert "howto/facilities.md: Name the large emitters first\n" in said
    assert "decisions/README.md: Decisions\n" in said
    assert not re.search(r"decisions/\d", said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("howto/facility", "there is no such page. Did you mean howto/facilities?"),
        ("D99", "there is no such decision. `carbongrid docs decisions` lists all."),
        ("../pyproject.toml", "there is no such page. `carbongrid docs` lists all."),
    ],
)
def test_what_is_not_there_is_told_with_what_is(name: str, said: str) -> None:
    assert printed(name) == (2, f"error: {name}: {said}\n")


def test_pages_of_a_wheel_come_before_those_beside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "carbongrid" / "docs" / "howto" / "one.md"
    page.parent.mkdir(parents=True)
    page.write_text("# Brought by the wheel\n", encoding="utf-8")
    module = tmp_path / "carbongrid" / "cli" / "docs_command.py"
    monkeypatch.setattr(docs_command, "__file__", str(module))
    assert printed("one") == (0, "# Brought by the wheel\n")
    _, said = printed("--json")
    assert json.loads(said)["pages"] == ["howto/one.md"]
