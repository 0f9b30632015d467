"""The command line as a newcomer meets it."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import weakref
from pathlib import Path

import pytest
from click.testing import CliRunner
from printed import without_font_warning
from waiting import HANG

from carbongrid.cli import main
from carbongrid.cli.talk import Talk
from carbongrid.pipeline import writing


def invoke(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_the_demo_ends_with_the_zones_and_what_to_open(tmp_path: Path) -> None:
    code, out, _ = invoke("demo", tmp_path / "d", "--size", "small")
    assert code == 0
    for words in (
        "low-carbon economic",
        "high-carbon optimization",
        "report.html",
        "change their zone",
    ):
        assert words in out
    assert (tmp_path / "d" / "case" / "case.toml").exists()
    assert (tmp_path / "d" / "run" / "manifest.json").exists()


def test_the_demo_does_not_write_into_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
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
    code, stdout, _ = invoke("verify", out, "--json")
    assert json.loads(stdout)["status"] == "damaged"


def test_init_writes_a_case_that_explains_itself(tmp_path: Path) -> None:
    code, out, _ = invoke("init", tmp_path / "mycity")
    assert code == 0
    assert "carbongrid check" in out
    assert "code_system" in (tmp_path / "mycity" / "case.toml").read_text(encoding="utf-8")


class _Dies:
    """Something whose end calls back."""


@pytest.mark.parametrize("going_on", [False, True], ids=["at the end", "in between"])
def test_an_interrupt_in_a_callback_is_not_lost(
    going_on: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Caught: a Ctrl-C inside a weak reference's callback was printed as a traceback, and the run went on.

    Caught, too: asked again after the command had ended, it hit what came next.
    """

    def interrupted(_reference: object) -> None:
        raise KeyboardInterrupt

    others = set(threading.enumerate())
    # A shell has its background jobs ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), Talk().errors():
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
    assert capsys.readouterr().err == ""


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


def test_an_interrupted_run_says_how_to_go_on(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the word Aborted alone. What is said is true: the steps before are taken over."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    words = ("run", city / "case.toml", "--out", city / "run", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_report", interrupted)
        code, _, told = invoke(*words)
    assert code == 1
    assert "interrupted; run again to go on" in told
    assert not (city / "run").exists()
    code, answer, told = invoke(*words)
    assert code == 0, told
    finished = {"read parcels", "land", "labels and overlaps", "weights", "tables"}
    assert finished <= set(json.loads(answer)["reused"])
