"""Tables and sentences on a terminal."""

from __future__ import annotations

import os
import sys

import pytest

from carbongrid.cli.aligned import aligned_columns, folded
from carbongrid.cli.console import Console
from carbongrid.errors import Problem
from carbongrid.outputs.numbers import text_width

pty = pytest.importorskip("pty", reason="no terminals of this kind here")


def test_chinese_names_stand_in_columns_and_numbers_at_the_right():
    """Seen to stand a column further left for each more sign of a name, and numbers at the left."""
    rows = [("unit", "index", "t"), ("1 霜桥圩镇", "ECC", "9,844"), ("2 云荷湾街道", "ESC", "< 0.1")]  # fmt: skip
    assert aligned_columns(rows) == [
        "unit          index      t",
        "1 霜桥圩镇    ECC    9,844",
        "2 云荷湾街道  ESC    < 0.1",
    ]
    long = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
    assert aligned_columns([(long, "1")], cut=False) == [f"{long}  1"]
    assert aligned_columns([(long, "1")]) == [f"{long[:45]}...  1"]
    assert aligned_columns([("in 90 %",), ("85%",)]) == ["in 90 %", "    85%"]
    assert aligned_columns([("unit", "t"), ("t CO2/t", "-")]) == ["unit     t", "t CO2/t  -"]


def test_a_line_is_folded_between_words():
    """Seen to end a line in the middle of a word or a number: 26.7883720 and 93 below it."""
    line = "  A fine grid of 26.788372093 by 31.5 km: 云荷湾街道 of /a/long/path/to/run.html"
    lines = folded(line, 24).splitlines()
    assert [each for each in lines if text_width(each) > 24] == ["    /a/long/path/to/run.html"]
    assert [word for each in lines for word in each.split()] == line.split()
    assert all(each.startswith("    ") for each in lines[1:])
    assert lines[0].startswith("  A fine grid of")
    assert folded(line, 200) == line
    command = "Edit it, then: carbongrid check mytown/case.toml"
    assert folded(command, 40).splitlines()[1] == "  carbongrid check mytown/case.toml"
    # Seen to be broken where they are copied: before an option, and in the blanks of lines of a case.
    command = (
        "Form totals: carbongrid inventory a.csv --system crt --totals NEW.csv (docs/inventory.md)"
    )
    assert folded(command, 40).splitlines()[1].endswith(" a.csv --system crt --totals NEW.csv")
    case = '    path = "of the planning institute/facilities of 2020.csv"'
    assert folded(case, 40) == case


def test_a_terminal_has_folded_lines_and_a_pipe_whole_ones(monkeypatch, capsys):
    text = "words " * 30
    problem = Problem(text, level="warning")
    Console().problem(problem)
    assert capsys.readouterr().err == f"warning: {text}\n"
    ours, theirs = pty.openpty()
    monkeypatch.setenv("NO_COLOR", "1")  # seen to be coloured all the same
    monkeypatch.setattr(os, "get_terminal_size", lambda _file: os.terminal_size((40, 24)))
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        Console().problem(problem)
        terminal.flush()
        shown = os.read(ours, 4096).decode().splitlines()
    os.close(ours)
    assert shown[0].startswith("warning: words")
    assert len(shown) == 6
    assert all(line.startswith("  words") for line in shown[1:])


def test_a_stream_that_is_closed_is_not_written_to(monkeypatch):
    """Seen to end with a fault where standard output is closed, as by ``>&-``."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    Console().say("a line")
    Console().outcome(True, "a check")
    Console().problem(Problem("a problem"))
    with Console().progress() as progress:
        progress("a step", 1, 2)
