"""A short sample of ``nox -s faults``: one small city, a few faults of each kind, none lost, silent or a traceback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from waiting import HANG

import faults.machine
from faults.bad_inputs import bad_inputs, cases
from faults.cluster import worker_deaths
from faults.damage import KINDS, flipped_bytes, misaligned_writes
from faults.forking import Shell, shells
from faults.ground import Ground, prepare
from faults.interruptions import full_disks, interrupts, kills, two_writers
from faults.machine import (
    TRIES,
    Ended,
    Machine,
    Trials,
    _terminated,
    folders,
    machine,
    settings,
    terminations,
    verdict,
)
from faults.machine import (
    table_of as table_of_machines,
)
from faults.tally import BEGIN, END, MACHINES, PAGE, Row, table_of, write_into_page


@pytest.fixture(scope="module")
def both() -> Iterator[list[Shell]]:
    with shells(2) as opened:
        yield opened


@pytest.fixture(scope="module")
def ground(both: list[Shell], small_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return prepare(tmp_path_factory.mktemp("faults") / "ground", small_city, both)


def require_sound(row: Row, cases: int) -> None:
    assert row.sound, "\n".join(row.failures)
    assert row.cases == cases


@pytest.mark.thorough  # the next one interrupts
def test_killed_and_run_again(ground: Ground, both: list[Shell]) -> None:
    require_sound(kills(ground, both, 1), 1)


@pytest.mark.thorough
def test_interrupted_and_run_again(ground: Ground, both: list[Shell]) -> None:
    """Caught: the tracebacks of workers, which a terminal interrupts too."""
    require_sound(interrupts(ground, both, 1), 1)


@pytest.mark.thorough
def test_full_disks(ground: Ground, both: list[Shell]) -> None:
    require_sound(full_disks(ground, both, 1), 1)


def test_two_writers(ground: Ground, both: list[Shell]) -> None:
    require_sound(two_writers(ground, both, 1), 1)


def test_damage_on_the_disk(ground: Ground, both: list[Shell]) -> None:
    kinds = ["labels.zarr/parcel/c/*/*", "labels.zarr/unit/c/*/*", "manifest.json"]
    require_sound(flipped_bytes(ground, both, 3, kinds=kinds), 3)
    require_sound(misaligned_writes(ground, 10), 10)
    files = {path for kind in KINDS for path in ground.run.glob(kind)}
    kinds = {path.suffix for path in ground.run.rglob("*") if path.is_file()}
    assert kinds <= {path.suffix for path in files} | {".qml"}


def test_bad_input(ground: Ground, both: list[Shell]) -> None:
    known = len(list(cases()))
    assert known >= 100
    rows = bad_inputs(ground, both, 40)
    assert sum(row.cases for row in rows) == len(range(0, known, 40))
    for row in rows:
        assert not row.failures, "\n".join(row.failures)


@pytest.mark.thorough
def test_a_worker_killed_in_mid_run(ground: Ground) -> None:
    rows = worker_deaths(ground, 1)
    assert len(rows) == 2
    for row in rows:
        require_sound(row, 1)


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("machine"), installed=False) as made:
        yield made


@pytest.mark.thorough
def test_a_hostile_machine(on: Machine) -> None:
    """Seen to fail: without a driver's name set aside, and with SIGTERM to a run and to its worker told as no more than it is."""
    trials = [settings(on, True), folders(on, True), terminations(on, True)]
    assert [each.wrong for each in trials] == [[], [], []]
    assert [each.tried for each in trials] == [1, 2, 2]
    assert [each.same for each in trials[:2]] == [1, 2]
    # The run itself was struck while it worked, and said so.
    assert trials[2].refused >= 1


DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"


@pytest.mark.parametrize(
    ("code", "verdict_of_it", "times"),
    [
        (DEAF, "goes on to its end, though it was terminated", 1),
        ("print(flush=True)", f"ended before the signal came, {TRIES} times", TRIES),
        ("print(flush=True); input()", "ended with -15 and without words", 1),
    ],
    ids=["deaf", "too fast", "silent"],
)
def test_a_termination_that_does_nothing_is_no_success(
    code: str, verdict_of_it: str, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to pass: runs that had ended before the signal came, and those that did not hear it."""
    struck = []

    def acted(
        _on: Machine,
        words: Sequence[object],
        _environment: object,
        *,
        strike: Callable[[subprocess.Popen[bytes], str], None] | None = None,
    ) -> Ended:
        out = Path(str(words[words.index("--out") + 1]))
        if strike is None:
            out.mkdir(exist_ok=True)
            return Ended(0, "", 0)
        partial = out.with_name(".run.partial")
        partial.mkdir()
        means = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen([sys.executable, "-c", code], **means) as process:
            process.stdout.readline()
            if "input" not in code:
                process.wait(HANG)
            strike(process, "mark")
            process.communicate(b"\n")
        partial.rmdir()
        struck.append(process.returncode)
        return Ended(process.returncode, "", 0)

    monkeypatch.setattr(faults.machine, "command", acted)
    (tmp_path / "places").mkdir()
    on = Machine(tmp_path, tmp_path, tmp_path, {})
    assert _terminated(on, (), "run", "begun")[0] == verdict_of_it
    assert len(struck) == times


@pytest.mark.thorough
def test_what_a_machine_did_is_judged(on: Machine, tmp_path: Path) -> None:
    """The oracle itself: neither words beside a traceback, nor silence, nor a process that is left, nor half a run is right."""
    words = "error: the disk is full"
    assert verdict(on, Ended(0, "", 0)) == "same"
    assert verdict(on, Ended(1, words, 0), tmp_path / "run") == "refused"
    for wrong in (
        Ended(1, f"Traceback (most recent call last)\n{words}", 0),
        Ended(1, f"{words}. This is a fault of carbongrid", 0),
        Ended(1, "", 0),
        Ended(-15, words, 0),
        Ended(1, words, 1),
        Ended(0, "", 0),
    ):
        assert verdict(on, wrong, tmp_path / "run") not in ("same", "refused")
    (tmp_path / "run").mkdir()
    assert verdict(on, Ended(1, words, 0), tmp_path / "run") == "refused, and a run is there"
    trials = Trials("planted")
    trials.count("a", "same")
    trials.count("b", "refused")
    trials.count("c", "another result", "text")
    assert "| planted | 3 | 1 | 1 | 1 |" in table_of_machines([trials])


def test_the_tally_counts_and_finds_its_place(tmp_path: Path) -> None:
    row = Row("planted")
    row.case("a", text="all is well")
    row.case("b", lost=True, text="Traceback (most recent call last)")
    assert (row.cases, row.lost, row.silent, row.tracebacks, row.sound) == (2, 1, 0, 1, False)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_into_page(table_of([row]), page)
    text = page.read_text(encoding="utf-8")
    assert "| planted | 2 | 1 | 0 | 1 |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")


def test_the_page_has_a_sound_table() -> None:
    """What is printed there was counted: no kind of fault lost, silent or with a traceback, and enough of each."""
    table = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    rows = [line.strip("| \n").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    counts = {name: [int(each) for each in numbers] for name, *numbers in rows[2:]}
    assert all(harm == [0, 0, 0] for _, *harm in counts.values())
    machines = PAGE.read_text(encoding="utf-8").split(MACHINES[0])[1].split(MACHINES[1])[0]
    lines = [line.strip("| \n").split(" | ") for line in machines.splitlines() if line.startswith("| ")]  # fmt: skip
    assert len(lines) > 6
    for _, *numbers in lines[2:]:
        tried, same, refused, wrong = map(int, numbers)
        assert (same + refused, wrong) == (tried, 0)
    for kind, number in {"run killed": 50, "two writers": 20, "bad input": 100}.items():
        assert any(kind in name and cases[0] >= number for name, cases in counts.items()), kind
