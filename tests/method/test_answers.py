"""What answers say of themselves where Python prints them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from carbongrid.analysis.choices.audit import ChoiceAudit
from carbongrid.analysis.compensation.compensation import Compensation
from carbongrid.analysis.finished import FinishedRun
from carbongrid.analysis.inequality.inequality import Inequality
from carbongrid.analysis.scale.audit import ScaleAudit
from carbongrid.analysis.skill.skill import Skill
from carbongrid.analysis.targets.plan import TargetPlan
from carbongrid.analysis.targets.targets import Targets
from carbongrid.analysis.trend.trend import Trend
from carbongrid.analysis.validation.validation import Validation
from carbongrid.errors import Problem
from carbongrid.method.answers import Answer
from carbongrid.method.probability.zone_probability import ZoneProbability
from carbongrid.pipeline.check_report import CheckReport
from carbongrid.pipeline.verification.checks import Verification
from carbongrid.pipeline.verification.verdict import Check

ANSWERS = (ChoiceAudit, Compensation, Inequality, ScaleAudit, Skill, TargetPlan, Targets, Trend, Validation, ZoneProbability)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Found(Answer):
    run: FinishedRun
    table: pd.DataFrame
    drawn: np.ndarray
    none: pd.DataFrame | None
    notes: tuple[Problem, ...]
    remarks: tuple[tuple[Problem, str] | str, ...] = ()


def test_an_answer_names_its_tables_and_says_its_notes_in_full():
    """Seen to print the manifest of the run and tables row by row: 66,000 characters of a trend."""
    table = pd.DataFrame(dict.fromkeys(map("column_{}".format, range(40)), range(900)))
    run = FinishedRun("mycity-2020", {"versions": dict.fromkeys(map(str, range(900)))})
    note = Problem("what has to be said beside the numbers, " * 5, level="note")
    shown = repr(Found(run, table, np.zeros((9, 97)), None, (note,)))
    assert shown.splitlines()[:5] == [
        "<Found>",
        "  run      mycity-2020",
        "  table    900 rows: column_0, column_1, column_2, column_3, column_4, column_5, column_6, column_7, column_8, ...",
        "  drawn    array of shape (9, 97)",
        "  none     None",
    ]
    assert f"note: {note}" in shown
    # Seen to end in the middle, at 100 characters, and to be shown as data beside their Chinese.
    told = repr(Found(run, table, np.zeros(1), None, (), ((note, "须知"), "a sentence " * 20)))
    assert f"  note: {note}" in told.splitlines()
    assert f"  note: {'a sentence ' * 20}" in told.splitlines()
    assert "1 row: a" in repr(Found(run, pd.DataFrame({"a": [1]}), np.zeros(1), None, ()))


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_of_tables_does(kind):
    assert kind.__repr__ is Answer.__repr__


def test_checks_print_what_the_commands_do():
    """Seen to print data: 10,000 characters of one line."""
    checks = (Check("files", True, "as listed"), Check("tiles", True, "none", made=False), Check("sums", False, "off"))  # fmt: skip
    assert repr(Verification(checks)).splitlines() == ["ok   files: as listed", "--   tiles: none", "FAIL sums: off"]  # fmt: skip
    report = CheckReport({}, (Problem("no file", "case.toml"), Problem("odd", level="warning")))
    assert repr(report).splitlines() == ["error: case.toml: no file", "warning: odd"]


def test_a_name_is_no_command_of_the_terminal():
    """Seen to be sent as it is, where the data that were printed before had its code."""
    name = "a \x1b[31m name"
    note = Problem(name, level="note")
    empty = pd.DataFrame()
    answers = (
        Found(FinishedRun(name, {}), empty, np.zeros(1), None, (note,)),
        CheckReport({}, (note,)),
        Verification((Check("files", False, name),)),
    )
    for answer in answers:
        assert r"a \u001b[31m name" in repr(answer)
        assert "\x1b" not in repr(answer)
