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
import pytest
from click.testing import CliRunner

import carbongrid as cg
from carbongrid.cli import main
from carbongrid.cli.bars import Bars
from carbongrid.cli.console import (
    Console,
    escape_what_cannot_be_encoded,
    or_dash,
    set_up_logging,
    warnings_logged,
)
from carbongrid.errors import Problem
from carbongrid.pipeline.work import Work


def told_in_lines(monkeypatch, *words):
    """Done and total at the end of each step, by step in order, as the QGIS plugin asks for them; the answer is JSON all the same."""
    monkeypatch.setenv("CARBONGRID_PROGRESS", "lines")
    told = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)
    steps = [
        re.fullmatch(r"progress (\d+)/(\d+) ([a-z ]+)", line) for line in told.stderr.splitlines()
    ]
    assert all(steps)
    return {step[3]: (int(step[1]), int(step[2])) for step in steps}


def test_a_program_is_told_the_steps_in_lines(small_city, tmp_path, monkeypatch):
    """Each step's lines go up to its end, and nothing of them is on standard output."""
    last = told_in_lines(monkeypatch, "run", small_city / "case.toml", "--out", tmp_path / "out")
    steps = ["reading", "allocating", "rasterizing", "adding up", "drawing", "writing"]
    assert list(last) == steps
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
    """A terminal of a hundred columns that keeps all that it was sent. Its time moves when it is told to; bars are drawn when a step is told."""

    now = 0.0

    @classmethod
    def as_standard_error(cls, monkeypatch):
        """Put one in the place of standard error; in the test itself, since pytest takes that back after its fixtures."""
        terminal = cls()
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr("rich.console.monotonic", lambda: terminal.now)
        monkeypatch.setattr("rich.live._RefreshThread.run", lambda _: None)
        show = Bars.show

        def show_at_once(bars, *step):
            show(bars, *step)
            bars.refresh()

        monkeypatch.setattr(Bars, "show", show_at_once)
        monkeypatch.setattr(sys, "stderr", terminal)
        return terminal

    def isatty(self) -> bool:
        return True

    def plain(self):
        """What it was sent, without what it obeys; what is drawn over other lines stands below them."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue()).replace("\r", "\n")

    def bars(self):
        """Every bar that was drawn, in order: step, percentage, time that passed, time that is left."""
        bar = r"^(\w[\w ]*?) +[━╸╺ ]+ +(\d+%) (\S+) (\S+) *$"
        return re.findall(bar, self.plain(), re.MULTILINE)


def test_a_bar_says_how_much_is_loaded_until_the_first_step(monkeypatch):
    """Seen to fail when the seconds of importing passed without a word, and when the word had no percentage."""
    terminal = Terminal.as_standard_error(monkeypatch)
    with Bars():
        pass  # rich loads more of itself when it draws
    monkeypatch.setattr("carbongrid.cli.bars._MODULES", len(sys.modules) + 40)
    with Bars() as bars:
        assert terminal.bars()[-1][:2] == ("starting", "0%")
        for number in range(10):
            monkeypatch.setitem(sys.modules, f"a module of a test, {number}", sys)
        terminal.now = 2.0
        bars.refresh()
        assert terminal.bars()[-1] == ("starting", "25%", "0:00:02", "0:00:06")
        bars.show("reading", 1, 4)
        before = len(terminal.bars())
        bars.show("writing", 0, 4)
        assert {step for step, *_ in terminal.bars()[before:]} == {"reading", "writing"}


def test_what_is_left_is_told_from_the_first_part_on(monkeypatch):
    """As long as the parts that are done took; a step that begins again, as in a second run, has its own time."""
    terminal = Terminal.as_standard_error(monkeypatch)
    with Console().progress() as progress:
        progress("reading", 0, 4)
        terminal.now = 40.0
        progress("reading", 1, 4)
        progress("writing", 0, 2)
        told = [("reading", "25%", "0:00:40", "0:02:00"), ("writing", "0%", "0:00:00", "-:--:--")]
        assert terminal.bars()[-2:] == told
        progress("reading", 4, 4)
        progress("reading", 0, 4)
        terminal.now = 45.0
        progress("reading", 2, 4)
        assert terminal.bars()[-2] == ("reading", "50%", "0:00:05", "0:00:05")


def test_a_run_tells_percent_and_time_left_of_every_step(small_city, tmp_path, monkeypatch, capsys):
    """Reading included, and a warning in between leaves them whole. Each step takes ten seconds on the clock of the test."""
    terminal = Terminal.as_standard_error(monkeypatch)
    done, logger = Work._done, logging.getLogger("carbongrid")

    def lasting(work, steps):
        for each in done(work, steps):
            terminal.now += 10
            if each[0].name == "cross-check":
                logger.warning("a word in between")
            yield each

    monkeypatch.setattr(Work, "_done", lasting)
    monkeypatch.setattr(logger, "handlers", [])
    words = ["run", str(small_city / "case.toml"), "--out", str(tmp_path / "out")]
    main(words, standalone_mode=False)
    assert "Results in" in capsys.readouterr().out
    # Ten of eleven steps are done, in a hundred seconds.
    assert re.search(
        r"a word in between\n+reading +[━╸╺]+ +91% 0:01:40 0:00:10 *\n", terminal.plain()
    )
    bars = terminal.bars()
    steps = ["reading", "allocating", "rasterizing", "adding up", "drawing", "writing"]
    last = bars[-len(steps) :]
    assert [step for step, *_ in last] == steps
    assert {(percent, left) for _, percent, _, left in last} == {("100%", "0:00:00")}
    # Whatever is drawn while another step is not done has a percentage and a time; tiles and draws take none on this clock.
    assert all(re.fullmatch(r"\d+%", percent) for _, percent, *_ in bars)
    assert all(re.fullmatch(r"\d:\d\d:\d\d", passed) for *_, passed, _ in bars)
    begun = [each for each in bars if each[0] not in ("starting", "rasterizing", "drawing") and each[1] not in ("0%", "100%")]  # fmt: skip
    assert {step for step, *_ in begun} == {"reading", "allocating", "adding up", "writing"}
    assert not [each for each in begun if each[3] in ("-:--:--", "0:00:00")]


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (["explain", "unit", "{code}", "{run}"], ["reading", "explaining"]),
        (["skill", "{run}", "--out", "{out}"], ["reading", "holding out"]),
        (["inequality", "{run}", "--no-clusters", "--out", "{out}"], ["measuring inequality"]),
        (["targets", "{run}", "--unit", "{code}", "--out", "{out}"], ["reading", "trying plans"]),
        (["validate", "{run}", "{table}", "--out", "{out}"], ["comparing"]),
        (
            ["scenario", "{run}", "{plan}", "--out", "{out}"],
            ["reading", "adding up", "drawing", "writing"],
        ),
    ],
)
def test_commands_that_ask_a_run_tell_their_steps(words, steps, small_run, tmp_path, monkeypatch):
    """Up to their ends; a step that nobody tells would pass in silence."""
    units = pd.read_csv(small_run / "units.csv", dtype={"id": str})
    published = pd.DataFrame({"region": units["id"], "of": "emission", "value": units["emission_t"], "unit": "t CO2e"})  # fmt: skip
    published.to_csv(tmp_path / "table.csv", index=False)
    plan = tmp_path / "plan.toml"
    plan.write_text('reference = "frozen"\n[[action]]\ndo = "scale"\ncategory = "buildings/*"\nfactor = 0.5\n', encoding="utf-8")  # fmt: skip
    places = {"plan": plan, "code": units["id"][0], "run": small_run, "out": tmp_path / "out", "table": tmp_path / "table.csv"}  # fmt: skip
    told = told_in_lines(monkeypatch, *(word.format(**places) for word in words))
    assert list(told) == steps
    assert all(done == total > 0 for done, total in told.values())


def test_a_warning_does_not_break_the_bars(monkeypatch):
    """Each line of it begins where the bars were wiped away; seen to fail with a handler that kept the first standard error."""
    terminal = Terminal.as_standard_error(monkeypatch)
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
    sent = terminal.getvalue()
    for words in ("a log line [bold]in brackets[/bold]", "a note"):
        (before,) = re.findall(rf"([^\n]*){re.escape(words)}", sent)
        wiped = before.rpartition("\x1b[2K")[2]
        assert "reading" not in wiped, before
        assert "\x1b[2K" in before or "\x1b[1A" in before, before


def test_who_asks_for_nothing_but_errors_has_no_warning_in_the_log(capsys):
    """Seen to fail: of a run with --public --quiet what is not published was on standard error. A title of two lines was seen to end a warning and to begin one of its own."""
    logger = logging.getLogger("carbongrid")
    handlers = logger.handlers[:]
    try:
        for quiet in (True, False):
            set_up_logging(0, quiet=quiet)
            with warnings_logged() as logged:
                logger.warning("quiet is %s", quiet)
                logger.info("no warning")
            assert logged == [f"quiet is {quiet}"]
        logger.warning("the title is %s", "a\nerror: b")
    finally:
        logger.handlers[:] = handlers
    said = capsys.readouterr().err
    assert said == "warning: quiet is False\nwarning: the title is a\n  error: b\n"


def test_a_log_that_is_asked_for_says_who_speaks(capsys):
    logger = logging.getLogger("carbongrid")
    handlers, level = logger.handlers[:], logger.level
    try:
        set_up_logging(1)
        logger.warning("so")
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)
    assert capsys.readouterr().err == "WARNING carbongrid: so\n"


def test_a_program_has_the_warnings_that_a_run_with_public_leaves_out(small_run, monkeypatch):
    """Seen to fail: they were on standard error alone, and not there when quiet."""

    def warn(*_, **__):
        for _time in range(2):
            logging.getLogger("carbongrid.pipeline.tables").warning("%s", "left out of what is handed on")  # fmt: skip
        return cg.open(small_run)

    monkeypatch.setattr("carbongrid.pipeline.run", warn)
    told = CliRunner().invoke(main, ["run", "case.toml", "--out", str(small_run), "--public", "--json", "--quiet"])  # fmt: skip
    assert json.loads(told.stdout)["warnings"].count("left out of what is handed on") == 1
    assert told.stderr == ""


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


def test_a_number_that_is_not_known_is_a_dash():
    """Seen to fail: validate and skill printed nan."""
    assert or_dash(0.12345, 7, ".3f") == "  0.123"
    assert or_dash(float("nan"), 7, ".3f") == "      -"
    assert or_dash(1.0, 8, ".0%") == "    100%"
