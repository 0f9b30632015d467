"""What the command line says to programs."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys

import pandas as pd
from click.testing import CliRunner

from carbongrid.cli import main
from carbongrid.cli.console import Console, escape_what_cannot_be_encoded, set_up_logging
from carbongrid.errors import Problem


def told_in_lines(monkeypatch, *words):
    """Done and total at the end of each step, by step in order, as the QGIS plugin asks for them; the answer is JSON all the same."""
    monkeypatch.setenv("CARBONGRID_PROGRESS", "lines")
    told = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)
    steps = [re.fullmatch(r"progress (\d+)/(\d+) (\w+)", line) for line in told.stderr.splitlines()]
    assert all(steps)
    return {step[3]: (int(step[1]), int(step[2])) for step in steps}


def test_a_program_is_told_the_steps_in_lines(small_city, tmp_path, monkeypatch):
    """Each step's lines go up to its end, and nothing of them is on standard output."""
    last = told_in_lines(monkeypatch, "run", small_city / "case.toml", "--out", tmp_path / "out")
    assert list(last) == ["reading", "rasterizing", "writing"]
    assert all(done == total for done, total in last.values())


def test_check_and_verify_tell_their_steps(small_city, small_run, monkeypatch):
    """Seen to fail when they told none."""
    checked = told_in_lines(monkeypatch, "check", small_city / "case.toml")
    assert list(checked) == ["reading", "allocating"]
    verified = told_in_lines(monkeypatch, "verify", small_run, "--sample", "0")
    assert list(verified) == ["verifying"]
    for done, total in (*checked.values(), *verified.values()):
        assert done == total > 0


def test_what_an_encoding_lacks_is_shown_in_codes(small_run, tmp_path):
    """As on a Windows console; seen to fail: the answer was a UnicodeEncodeError, a fault of carbongrid."""
    surroundings = os.environ | {"PYTHONIOENCODING": "cp1252"}
    words = [sys.executable, "-m", "carbongrid", "init", str(tmp_path / "杏")]
    told = subprocess.run(words, capture_output=True, env=surroundings, check=False)
    assert told.returncode == 0, told.stderr
    assert rb"\u674f" in told.stdout
    unit = pd.read_csv(small_run / "units.csv", dtype=str).iloc[0]
    words = ["explain", "unit", unit["id"], str(small_run)]
    told = CliRunner(charset="cp1252").invoke(main, words)
    assert told.exit_code == 0, told.output
    assert unit["name"].encode("ascii", "backslashreplace") in told.stdout_bytes


def test_json_is_json_in_any_encoding(monkeypatch):
    """Python's code of a picture is none of JSON's; seen to fail where it was left to standard output."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    escape_what_cannot_be_encoded()
    content = {"name": "杏 🌳"}
    Console(as_json=True).document(content)
    assert json.loads(sys.stdout.buffer.getvalue()) == content


class Terminal(io.StringIO):
    """Standard error as a terminal that keeps all that it was sent."""

    def isatty(self) -> bool:
        return True


def test_a_bar_says_that_the_program_starts_until_the_first_step(monkeypatch):
    """Seen to fail when the seconds of importing passed without a word."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Console().progress() as progress:
        assert "starting" in sys.stderr.getvalue()
        progress("reading", 1, 4)
        before = len(sys.stderr.getvalue())
        progress("writing", 0, 4)
        drawn = sys.stderr.getvalue()[before:]
    assert "writing" in drawn
    assert "starting" not in drawn


def test_a_warning_does_not_break_the_bars(monkeypatch):
    """Each line of it begins where the bars were wiped away; seen to fail with a handler that kept the first standard error."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    handlers = logging.getLogger("carbongrid").handlers[:]
    try:
        set_up_logging(0)
        with Console().progress() as progress:
            assert progress is not None
            progress("reading", 1, 4)
            logging.getLogger("carbongrid").warning("a log line [bold]in brackets[/bold]")
            Console().problem(Problem("a note", level="note"))
            progress("reading", 4, 4)
    finally:
        logging.getLogger("carbongrid").handlers[:] = handlers
    sent = sys.stderr.getvalue()
    for words in ("a log line [bold]in brackets[/bold]", "a note"):
        (before,) = re.findall(rf"([^\n]*){re.escape(words)}", sent)
        wiped = before.rpartition("\x1b[2K")[2]
        assert "reading" not in wiped, before
        assert "\x1b[2K" in before or "\x1b[1A" in before, before


def test_a_shell_is_told_how_to_complete(monkeypatch):
    """As docs/howto/command-line.md says."""
    monkeypatch.setenv("_CARBONGRID_COMPLETE", "zsh_source")
    told = CliRunner().invoke(main, [], prog_name="carbongrid")
    assert told.exit_code == 0
    assert "_CARBONGRID_COMPLETE=zsh_complete carbongrid" in told.output
    monkeypatch.setenv("_CARBONGRID_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", "carbongrid explain ")
    monkeypatch.setenv("COMP_CWORD", "2")
    words = CliRunner().invoke(main, [], prog_name="carbongrid").output.split("\n")
    assert {"inventory", "unit"} <= set(words)
