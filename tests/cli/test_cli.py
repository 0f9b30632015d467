"""The command line as a newcomer meets it."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import shutil
import signal
import sys
import threading
import warnings
import weakref
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyogrio
import pytest
from click.testing import CliRunner
from printed import without_font_warning
from waiting import HANG

from carbongrid.cli import main
from carbongrid.cli.console import Console, _Terminated, set_up_logging
from carbongrid.errors import Problem
from carbongrid.pipeline import writing


def invoke(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_the_list_of_commands_says_what_each_does() -> None:
    """Seen to say ``Say which units of the finished run in...`` and no more: seven commands were told apart by nothing."""
    _, out, _ = invoke("--help")
    listed = " ".join(out.partition("Commands:")[2].split())
    assert "..." not in listed.replace("FILE...", "")
    assert "would compensate which, so that each has its part. demo Write" in listed
    assert (
        "Print how the total of CATEGORY is formed, down to the rows" in invoke("explain", "-h")[1]
    )


def test_the_demo_ends_with_the_zones_and_what_to_open(tmp_path: Path) -> None:
    code, out, _ = invoke("demo", tmp_path / "d", "--size", "small")
    assert code == 0
    for words in (
        "low-carbon economic",
        "high-carbon optimization",
        "report.html",
        "would be in another zone",
    ):
        assert words in out
    assert (tmp_path / "d" / "case" / "case.toml").exists()
    assert (tmp_path / "d" / "run" / "manifest.json").exists()


def test_the_demo_does_not_write_into_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious", encoding="utf-8")
    code, _, err = invoke("demo", tmp_path)
    assert code == 2
    assert "not empty" in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_run_says_nothing_when_quiet_and_json_to_machines(small_city: Path, tmp_path: Path) -> None:
    code, out, err = invoke("run", small_city / "case.toml", "--out", tmp_path / "a", "--quiet")
    assert (code, out, without_font_warning(err)) == (0, "", "")
    code, out, _ = invoke("run", small_city / "case.toml", "--out", tmp_path / "b", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["status"] == "done"
    assert sum(answer["zones"].values()) == 6


def test_a_run_without_a_case_file_says_so(tmp_path: Path) -> None:
    code, _, err = invoke("run", tmp_path / "no.toml", "--out", tmp_path / "run")
    assert code == 2
    assert "no.toml" in err


def test_verify_ends_with_1_and_names_the_damage(small_run: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(small_run, tmp_path / "run"))
    text = (out / "units.csv").read_text(encoding="utf-8-sig")
    (out / "units.csv").write_text(text.replace("1", "2", 1), encoding="utf-8-sig")
    code, stdout, err = invoke("verify", out)
    assert code == 1
    assert "units.csv" in err
    code, stdout, _ = invoke("verify", out, "--json", "--sample", "0")
    assert json.loads(stdout)["status"] == "damaged"
    checks = {each["name"]: each for each in json.loads(stdout)["checks"]}
    assert {name for name, each in checks.items() if not each["made"]} == {"tiles"}


def test_verify_of_no_run_ends_with_2_and_a_check_that_was_not_made_is_not_ok(
    small_run: Path, tmp_path: Path
) -> None:
    """Seen to end with 1, as a damaged run does; and to say ok of tiles that nobody asked for."""
    code, _, err = invoke("verify", tmp_path / "nosuch")
    assert code == 2
    assert "this is not a finished run: it is not there" in err
    code, stdout, _ = invoke("verify", small_run, "--sample", "0")
    assert code == 0
    (tiles,) = (line for line in stdout.splitlines() if "tiles: " in line)
    assert tiles == "--   tiles: not looked at (--sample 0)"


def test_init_writes_a_case_that_explains_itself(tmp_path: Path) -> None:
    code, out, _ = invoke("init", tmp_path / "mycity")
    assert code == 0
    assert "carbongrid check" in out
    assert "code_system" in (tmp_path / "mycity" / "case.toml").read_text(encoding="utf-8")


class _Dies:
    """Something whose end calls back."""


@pytest.mark.parametrize("going_on", [False, True], ids=["at the end", "in between"])
@pytest.mark.parametrize(
    ("lost", "ends", "told"),
    [(KeyboardInterrupt, KeyboardInterrupt, ""), (_Terminated, SystemExit, "error: terminated\n")],
)
def test_an_interrupt_in_a_callback_is_not_lost(
    lost: type[BaseException],
    ends: type[BaseException],
    told: str,
    going_on: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Caught: a Ctrl-C inside a weak reference's callback was printed as a traceback, and the run went on.

    Caught, too: asked again after the command had ended, it hit what came next.
    """

    def interrupted(_reference: object) -> None:
        raise lost

    others = set(threading.enumerate())
    # A shell has its background jobs ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ended = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(ends), Console().errors():
            dies = _Dies()
            kept = weakref.ref(dies, interrupted)
            del dies
            if going_on:
                threading.Event().wait(HANG)
        assert kept() is None
        # Whoever would still ask has asked when what was started here has ended.
        for thread in set(threading.enumerate()) - others:
            thread.join(HANG)
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, ended)
    assert capsys.readouterr().err == told


def test_a_termination_is_an_interrupt_while_a_command_works(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Seen to fail: SIGTERM ended a run at once, without a word, and what its processes shared was left for others to clean up.

    Seen to fail, too: it was told as Ctrl-C, whose exit code no batch system knows.
    """
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as exit_code, Console().errors():
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            pytest.fail("the signal was lost")
        assert exit_code.value.code == 143
        assert capsys.readouterr().err == "error: terminated\n"
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        # Whoever calls the commands from a program of his own, and listens for it, goes on to do so.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with Console().errors():
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_termination_that_a_library_swallows_ends_the_command_at_its_next_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Seen to fail: SIGTERM came while a run started its workers, and it went on to its end."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    steps = []
    console = Console()
    try:
        with pytest.raises(SystemExit) as exit_code, console.errors(), console.progress() as told:
            told("reading", 0, 1)
            with contextlib.suppress(BaseException):
                signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            steps.append("starting workers")
            told("rasterizing", 0, 1)
            pytest.fail("the signal was lost")
        assert exit_code.value.code == 143
        assert capsys.readouterr().err == "error: terminated\n"
        # The next command in this process was not asked to end.
        with console.errors(), console.progress() as told:
            told("reading", 0, 1)
            steps.append("reading")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert steps == ["starting workers", "reading"]


def test_many_equal_errors_are_one_with_a_count(city: Path) -> None:
    """Seen to fail with 1,335 lines, which hid the other error."""
    rows = ["agriculture/plantation,-1,t CO2e"] * 1335
    text = "\n".join(["category,value,unit", "no/such,1,t CO2e", *rows])
    (city / "totals.csv").write_text(text, encoding="utf-8")
    code, _, told = invoke("check", city / "case.toml")
    errors = [line for line in told.splitlines() if "totals.csv" in line]
    assert code == 2
    of_value = [line for line in errors if "no negative mass" in line]
    assert len(of_value) == 1
    assert "row 3, column value (and 1,334 more, such as row 4, column value; row 5, column value): " in of_value[0]  # fmt: skip
    assert any("no/such" in line for line in errors)
    answer = json.loads(invoke("check", city / "case.toml", "--json")[1])
    assert sum("no negative" in each["what"] for each in answer["problems"]) == 1335


def test_check_says_why_units_get_no_zone(city: Path) -> None:
    """Seen: nothing was said of GDP that is not there, nor of the zones that it takes along."""
    case, gdp = city / "case.toml", city / "gdp.csv"
    lines = gdp.read_text(encoding="utf-8-sig").splitlines()
    gdp.write_text("\n".join(lines[:-2]), encoding="utf-8")
    assert "2 of 6 units get no zone: GDP unknown. Give each a value" in invoke("check", case)[1]
    text = case.read_text(encoding="utf-8")
    case.write_text(re.sub(r"(?ms)^\[gdp\].*?(?=^\[)", "", text), encoding="utf-8")
    assert (
        "6 of 6 units get no zone: their reference region has no GDP." in invoke("check", case)[1]
    )
    told = json.loads(invoke("check", case, "--json")[1])["without_zone"]
    assert told == {"its reference region has no GDP": 6}


def test_check_answers_in_numbers_of_the_case_s_own_files(small_city: Path) -> None:
    code, out, _ = invoke("check", small_city / "case.toml", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["status"] == "fine"
    assert {"title", "year", "crs", "parcels", "units", "types", "categories", "electricity", "by_raster", "cost", "evidence", "problems"} <= set(told)  # fmt: skip
    parcels = pyogrio.read_dataframe(small_city / "parcels.gpkg", read_geometry=False)
    units = pyogrio.read_info(small_city / "townships.gpkg")["features"]
    assert told["parcels"]["count"] == len(parcels)
    assert told["parcels"]["km2"] == pytest.approx(parcels["TBDLMJ"].sum() / 1e6)
    assert told["units"]["count"] == units
    assert sum(each["parcels"] for each in told["types"]) == len(parcels)
    assert sum(each["km2"] for each in told["types"]) == pytest.approx(told["parcels"]["km2"])
    totals = pd.read_csv(small_city / "totals.csv", dtype={"value": str})
    assert set(totals["unit"]) == {"10000 t CO2e"}
    grams = {row.category: int(Decimal(row.value) * 10**10) for row in totals.itertuples()}
    spread = {each["category"]: each["grams"] for each in told["categories"]}
    assert spread == {name: grams[name] for name in spread}
    assert len(spread) >= 15
    assert all(each["carriers"] > 0 for each in told["categories"])


@pytest.mark.parametrize(
    ("stops", "ends", "happened"), [(KeyboardInterrupt, 1, "interrupted"), (_Terminated, 143, "terminated")]
)  # fmt: skip
def test_an_interrupted_run_says_how_to_go_on(
    city: Path,
    monkeypatch: pytest.MonkeyPatch,
    stops: type[BaseException],
    ends: int,
    happened: str,
) -> None:
    """Seen to fail with the word Aborted alone. What is said is true: the steps before are taken over."""

    def interrupted(*_: object) -> None:
        raise stops

    words = ("run", city / "case.toml", "--out", city / "run", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_report", interrupted)
        code, answer, told = invoke(*words)
    assert code == ends
    assert f"error: {happened}; run again to go on" in told
    assert json.loads(answer)["status"] == happened
    assert not (city / "run").exists()
    code, answer, told = invoke(*words)
    assert code == 0, told
    finished = {"read parcels", "land", "rasterize", "weigh", "tables"}
    assert finished <= set(json.loads(answer)["reused"])


ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\r\x08"
OBEYED = set("\x1b\x07\x9b\u202e\r\x08\udc80")


def test_what_a_case_says_never_commands_the_terminal(tmp_path: Path) -> None:
    """Titles of windows, colours, cleared screens: from keys, values and names of files. Seen to fail with all of them."""
    case = tmp_path / "case\x1b[2J.toml"
    case.write_text(f"{json.dumps(ESCAPES)} = 1\nyear = {json.dumps(ESCAPES)}\n", encoding="utf-8")
    for words in (("check", case), ("check", case, "--json"), ("check", case, "-v")):
        code, out, err = invoke(*words)
        assert code == 2
        assert not (set(out + err) & OBEYED), words
        assert "\\u001b[2J" in out + err
    told = json.loads(invoke("check", case, "--json")[1])["problems"]
    assert any(ESCAPES in str(each) for problem in told for each in problem.values())


def test_whatever_is_told_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines, problems, checks, logs and warnings of libraries; a line of a message is none of its own."""
    set_up_logging(1)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        Console().say(f"a {ESCAPES}\udc80\nerror: b")
        Console().problem(Problem(f"c {ESCAPES}\nerror: d"))
        Console().outcome(True, f"e {ESCAPES}")
        Console().outcome(False, f"f {ESCAPES}")
        logging.getLogger("carbongrid.g").warning("g %s", ESCAPES)
        logging.lastResort.handle(logging.makeLogRecord({"msg": f"h {ESCAPES}"}))
        sys.stderr.write(warnings.formatwarning(f"i {ESCAPES}", UserWarning, "j", 1))
        with pytest.raises(SystemExit), Console().errors():
            raise ValueError(f"k {ESCAPES}")
    out, err = capsys.readouterr()
    assert not (set(out + err) & OBEYED)
    assert out.count("\\u001b]0;owned\\u0007") == 2
    assert "error: b" in out.splitlines()[0]
    assert not [line for line in err.splitlines() if line.startswith("error: d")]
    assert "Traceback" in err
