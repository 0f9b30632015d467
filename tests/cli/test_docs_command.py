"""Pages and decisions that messages name, printed from where they are installed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from data import ROOT

from carbongrid.cli import console, docs_command, main


def printed(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["docs", *words])
    return result.exit_code, result.stdout + result.stderr


def named_in_the_package() -> set[str]:
    """Return the pages and decisions that its messages name."""
    kinds = ("py", "toml", "j2", "js", "csv")
    files = [file for kind in kinds for file in (ROOT / "carbongrid").rglob(f"*.{kind}")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    pages = re.findall(r"docs/[a-z][A-Za-z/_-]*(?:\.md|/\d{4})", text)
    cited = re.findall(r"\(([^()\n]*\bD\d{1,2}\b[^()\n]*)\)", text)
    decisions = [each for cite in cited for each in re.findall(r"\bD\d{1,2}\b", cite)]
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
        ("docs/howto/factor.md.", "# "),
        ("(D9)", "D9: Where do known emitters go?"),
        ("（D9）。", "D9: Where do known emitters go?"),
        ("《D9》。", "D9: Where do known emitters go?"),
        ("“D9”，", "D9: Where do known emitters go?"),
        ("「D9」", "D9: Where do known emitters go?"),
        ("'`docs/howto/factor.md`.'", "# "),
        ("'D9#x'", "D9: Where do known emitters go?"),
        ("D9.", "D9: Where do known emitters go?"),
        ("../case.md", "# The case file"),
        ("../../docs/case.md", "# The case file"),
        ("docs/howto/", "# How to"),
        ("docs", "# carbongrid"),
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
        ("D9, D31", "there is no such page. Give one name; `carbongrid docs` lists all."),
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
    decisions = tmp_path / "carbongrid" / "docs" / "decisions" / "README.md"
    decisions.parent.mkdir()
    decisions.touch()
    module = tmp_path / "carbongrid" / "cli" / "docs_command.py"
    monkeypatch.setattr(docs_command, "__file__", str(module))
    assert printed("one") == (0, "# Brought by the wheel\n")
    _, said = printed("--json")
    assert json.loads(said)["pages"] == ["decisions/README.md", "howto/one.md"]
    decisions.unlink()  # seen: no page and a success, or KeyError
    for words in ((), ("D9",), ("--json",)):
        code, said = printed(*words)
        assert code == 2 and "the pages were not installed" in said


def test_on_a_terminal_commands_and_tables_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen: a command of a page on three lines, which was another command."""
    monkeypatch.setattr(console, "_folded", lambda *_: "folded")
    _, said = printed("howto/climate-trace")
    page = (ROOT / "docs" / "howto" / "climate-trace.md").read_text(encoding="utf-8")
    code = [line for part in page.split("```")[1::2] for line in part.split("\n")[1:] if line]
    tables = [line for line in page.split("\n") if line.startswith("|")]
    assert len(code) > 5 and len(tables) > 5
    assert {*code, *tables} <= set(said.split("\n"))
    assert said.startswith("folded\n")
