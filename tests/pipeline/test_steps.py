"""The list of steps: its order, what a step is given, what is made only when somebody asks."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.case import Case
from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.case.readers.inputs import read_inputs
from carbongrid.errors import InputError, Problem
from carbongrid.pipeline import check, land, run, running
from carbongrid.pipeline import work as work_module
from carbongrid.pipeline.allocation import Allocation
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.step import Kept, Step
from carbongrid.pipeline.steps import STEPS
from carbongrid.pipeline.tables import Parcels
from carbongrid.pipeline.work import Work
from carbongrid.raster import row_blocks
from carbongrid.run_store import Recall, RunStore, new_run
from carbongrid.sources.demo import write_city

METHOD = ["read", "weigh", "allocate", "rasterize", "reduce", "index", "zone", "tables"]
BY_RASTER = ["weigh by rasters", "allocate all"]
GIVEN = {"case", "options", "fingerprints"}


def test_the_list_is_the_method_in_its_order() -> None:
    names = [step.name for step in STEPS]
    assert [name for name in names if name in METHOD] == METHOD
    assert len(set(names)) == len(names)


def test_a_step_asks_for_nothing_that_is_made_after_it() -> None:
    known = set(GIVEN)
    for step in STEPS:
        assert set(step.needs) <= known, step.name
        known.add(step.name)


def test_what_a_key_rests_on_is_a_step_that_is_kept() -> None:
    kept = {step.name for step in STEPS if step.kept}
    for step in STEPS:
        assert step.kept is None or set(step.kept.after) <= kept, step.name


@given(st.permutations(range(6)))
@settings(max_examples=20)
def test_steps_are_done_as_their_needs_come_whatever_their_order(order: list[int]) -> None:
    """A chain of additions: each step is done once, after the one that it needs."""
    done: list[int] = []

    def add(number: int, before: int) -> int:
        done.append(number)
        return before + 1

    steps = [
        Step(str(n), lambda before, n=n: add(n, before), ("start" if n == 0 else str(n - 1),))
        for n in order
    ]
    work = Work(steps, {"start": 0})
    work.go()
    assert done == list(range(6))
    assert work.values["5"] == 6
    work.go()
    assert len(done) == 6


def test_what_no_step_needs_any_more_is_let_go_of() -> None:
    """Seen to fail when what a later step needs is let go of, and when a step that was done is done again."""
    seen: list[dict[str, int | None]] = []

    def add(*before: int) -> int:
        seen.append(dict(work.values))
        return sum(before) + 1

    steps = [Step("a", add, ("start",)), Step("b", add, ("a",)), Step("c", add, ("a", "b")), Step("d", add, ("c",))]  # fmt: skip
    work = Work(steps, {"start": 1, "other": 5}, wanted=("b", "d"))
    work.go()
    assert seen[1] == {"start": None, "other": None, "a": 2}
    assert seen[2] == {"start": None, "other": None, "a": 2, "b": 3}
    assert work.values == {"start": None, "other": None, "a": None, "b": 3, "c": None, "d": 7}
    work.go()
    assert len(seen) == 4


def test_what_is_let_go_of_is_free() -> None:
    """Seen to fail when something else of the work still has a name for it."""

    class Large:
        pass

    alive: list[bool] = []
    known: list[weakref.ref[Large]] = []

    def make(_: object) -> Large:
        made = Large()
        known.append(weakref.ref(made))
        return made

    def look(_: object) -> None:
        gc.collect()
        alive.append(known[0]() is not None)

    steps = [Step("a", make, ("start",)), Step("b", lambda _: 1, ("a",)), Step("c", look, ("b",))]
    Work(steps, {"start": 0}, wanted=("c",)).go()
    assert alive == [False]


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Python's search for cycles pass over nothing, which the suite has it do otherwise."""
    monkeypatch.setattr(work_module, "_left_to_others", Event())
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.usefixtures("looked_at")
def test_what_was_there_is_passed_over_while_steps_are_done() -> None:
    """By Python's search for cycles, also where a step fails; and left to whoever has it pass over something already."""

    def found(_: object) -> int:
        return gc.get_freeze_count()

    work = Work([Step("a", found, ("start",))], {"start": 0})
    work.go()
    assert work.values["a"] > 0
    assert gc.get_freeze_count() == 0

    def fail(_: object) -> None:
        raise InputError("wrong")

    with pytest.raises(InputError):
        Work([Step("a", fail, ("start",))], {"start": 0}).go()
    assert gc.get_freeze_count() == 0
    gc.freeze()
    before = gc.get_freeze_count()
    Work([Step("a", found, ("start",))], {"start": 0}).go()
    assert gc.get_freeze_count() > before // 2


@pytest.mark.usefixtures("looked_at")
def test_work_beside_other_work_is_no_somebody_else() -> None:
    """Which would be left alone for ever: what is passed over is counted once, and not for each work again."""

    def within(_: object) -> int:
        Work([Step("b", lambda _: 1, ("start",))], {"start": 0}).go()
        return gc.get_freeze_count()

    for _ in range(2):
        work = Work([Step("a", within, ("start",))], {"start": 0})
        work.go()
        assert work.values["a"] > 0
        assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("looked_at")
def test_what_others_pass_over_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([1])
    monkeypatch.setattr(gc, "get_freeze_count", lambda: next(counts))
    for _ in range(3):
        Work([Step("a", lambda _: 1, ("start",))], {"start": 0}).go()


class _Found:
    def __init__(self, *problems: Problem) -> None:
        self.problems = problems


def test_an_error_is_told_with_the_warnings_before_it() -> None:
    warning, note = (Problem(level, level=level) for level in ("warning", "note"))
    steps = [
        Step("one", lambda _: _Found(warning, note), ("start",)),
        Step("two", lambda _: _Found(Problem("odd", level="warning"), Problem("wrong")), ("one",)),
        Step("three", lambda _: pytest.fail("gone on after an error"), ("two",)),
    ]
    with pytest.raises(InputError) as told:
        Work(steps, {"start": None}).go()
    odd = Problem("odd", level="warning")
    assert told.value.problems == (warning, odd, Problem("wrong"))
    work = Work(steps, {"start": None})
    work.go("two", refuse=False)
    assert work.problems == [warning, note, odd, Problem("wrong")]


def test_what_a_step_raises_is_told_with_the_warnings_before_it() -> None:
    """Seen to fail: a step that refused left out what often says why."""
    warning = Problem("odd", level="warning")

    def refuse(_: object) -> None:
        raise InputError([warning, Problem("wrong")])

    steps = [
        Step("one", lambda _: _Found(warning), ("start",)),
        Step("two", refuse, ("one",)),
    ]
    with pytest.raises(InputError) as told:
        Work(steps, {"start": None}).go()
    assert told.value.problems == (warning, Problem("wrong"))


def test_all_that_decides_a_steps_files_changes_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is made anew once too often is seen; one that is taken over once too often is a wrong run."""
    told = {"digests": {"a.csv": "1"}, "decided": ("x",), "before": "k", "versions": {"numpy": "1"}, "settings": {}}  # fmt: skip
    other = {"digests": {"a.csv": "2"}, "decided": ("y",), "before": "l", "versions": {"numpy": "2"}, "settings": {"GDAL_X": "1"}}  # fmt: skip

    def key_of(name: str = "step", **changes: Any) -> str:
        now = {**told, **changes}
        for each in ("versions", "settings"):
            monkeypatch.setattr(work_module, each, lambda each=each: now[each])
        digests: Any = SimpleNamespace(take=lambda _: now["digests"])
        work = Work([], {}, digests)
        work._keys = {"before": now["before"], "beside": "no matter"}
        kept = Kept(files=lambda *_: ["f"], load=lambda *_: None, decided_by=lambda *_: now["decided"], after=("before",))  # fmt: skip
        return work._key(Step(name, lambda: None, (), kept=kept), kept, [])

    assert key_of() == key_of()
    keys = [key_of(), key_of("other"), *(key_of(**{name: other[name]}) for name in told)]
    assert len({*keys}) == len(keys) == 7


@pytest.mark.parametrize("public", [False, True])
def test_what_is_kept_is_in_the_run_and_in_the_keys_after_it_but_never_published(
    tmp_path: Path, public: bool
) -> None:
    """Seen to pass with files of earlier steps left out or, once forgotten, written by the next step that writes, and with keys that did not follow those before them."""

    def writes(name: str, *needs: str, after: tuple[str, ...] = ()) -> Step:
        def make(folder: Path, *_: object) -> None:
            (folder / name).write_text(name, encoding="utf-8")

        kept = Kept(files=lambda *_: [name], load=lambda *_: name, after=after)
        return Step(name, make, needs, kept=kept)

    keys = []
    for value in ("1", "2"):
        saved = Kept(
            files=lambda *_: ["kept"],
            load=lambda *_: None,
            save=lambda folder, text: (folder / "kept").write_text(text, encoding="utf-8"),
            decided_by=lambda text: text,
        )
        steps = [Step("kept", str, ("start",), kept=saved), writes("a", "kept", after=("kept",)), writes("b", "a", after=("a",))]  # fmt: skip
        digests: Any = SimpleNamespace(take=lambda _: {})
        work = Work(steps, {"start": value}, digests, Recall(()))
        work.go()
        out = tmp_path / value
        with new_run(out) as store:
            with work.keep_in(store):
                if public:
                    work.forget()
                work.go("a")
                assert (store.folder / "kept").exists() is not public
                if public:
                    work.forget()
                work.go()
            store.write_manifest({})
        assert {path.name for path in out.iterdir()} - {"manifest.json"} == ({"b"} if public else {"kept", "a", "b"})  # fmt: skip
        keys.append(work._keys)
    assert all(keys[0][name] != keys[1][name] for name in ("kept", "a", "b"))


def test_steps_beside_each_other_are_given_to_the_store_together(tmp_path: Path) -> None:
    """What has no files is not made, all of them are done, and progress is told of each. Seen to fail when one that is not due goes with them."""
    made: list[str] = []

    def writes(name: str, files: list[str], *needs: str) -> Step:
        def make(folder: Path, *_: object) -> None:
            made.append(name)
            for file in files:
                (folder / file).write_text(name, encoding="utf-8")

        kept = Kept(files=lambda *_: files, load=lambda *_: name)
        return Step(name, make, needs, kept=kept, phase="writing", beside=True, imports=("none.such",))  # fmt: skip

    steps = [writes("a", ["a"], "start"), writes("c", ["c"], "b"), writes("n", [], "start"), writes("b", ["b"], "start")]  # fmt: skip
    told: list[tuple[str, int, int]] = []
    case = write_city(tmp_path / "city", size="small")
    work = Work(steps, {"start": None}, Fingerprints(Case.read(case)), Recall(()), lambda *each: told.append(each))  # fmt: skip
    work.go()
    assert not made
    groups: list[list[str]] = []
    with new_run(tmp_path / "run") as store:
        steps_of = store.steps
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                RunStore, "steps", lambda _, those: groups.append([each.name for each in those]) or steps_of(those)
            )  # fmt: skip
            with work.keep_in(store):
                work.go()
        store.write_manifest({})
    assert groups == [["a", "b"], ["c"]]
    assert {name: work.values[name] for name in "abcn"} == {"a": "a", "b": "b", "c": "c", "n": None}
    assert sorted(made) == ["a", "b", "c"]
    assert told[0] == ("writing", 0, 4)
    assert told[-1] == ("writing", 4, 4)


def test_a_step_that_writes_meanwhile_is_finished_where_the_store_ends(tmp_path: Path) -> None:
    """The steps after it are done while it writes, in the one process; another run takes its file over. Seen to fail when it was waited for at once."""
    gone_on, made = Event(), []

    def slow(folder: Path, _: object) -> None:
        assert gone_on.wait(60), "nothing was done meanwhile"
        made.append("slow")
        (folder / "slow").write_text("slow", encoding="utf-8")

    def go_on(slowly: object) -> str:
        assert slowly is None
        assert not made
        gone_on.set()
        return "next"

    kept = Kept(files=lambda *_: ["slow"], load=lambda *_: pytest.fail("asked for"))
    none = Kept(files=lambda *_: [], load=lambda *_: pytest.fail("asked for"))
    steps = [
        Step("slow", slow, ("start",), kept=kept, meanwhile=True),
        Step("none", lambda *_: pytest.fail("it has no files"), ("start",), kept=none, meanwhile=True),
        Step("next", go_on, ("slow",)),
    ]  # fmt: skip
    case = Case.read(write_city(tmp_path / "city", size="small"))
    for turn, reuse in enumerate((None, tmp_path / "run-0")):
        with new_run(tmp_path / f"run-{turn}", reuse=reuse) as store:
            work = Work(steps, {"start": None}, Fingerprints(case), store.recall)
            with work.keep_in(store):
                work.go()
                assert work.values == {"start": None, "slow": None, "none": None, "next": "next"}
            assert (store.folder / "slow").read_text(encoding="utf-8") == "slow"
            store.write_manifest({})
            made.clear()
    assert store.reused == ["slow"]


def test_a_fault_of_what_is_written_meanwhile_is_raised_where_the_store_ends(tmp_path: Path) -> None:  # fmt: skip
    """Unless what is done meanwhile has one of its own; no run is left in either case."""

    gone_on = Event()

    def fail(*_: object) -> None:
        assert gone_on.wait(60)
        raise OSError("no such disk")

    def go_on(_: object) -> None:
        gone_on.set()

    def refuse(_: object) -> None:
        gone_on.set()
        raise InputError("wrong")

    kept = Kept(files=lambda *_: ["slow"], load=lambda *_: None)
    slow = Step("slow", fail, ("start",), kept=kept, meanwhile=True)
    case = Case.read(write_city(tmp_path / "city", size="small"))
    work: Work
    for step, told in ((Step("next", go_on, ("slow",)), OSError), (Step("next", refuse, ("slow",)), InputError)):  # fmt: skip
        gone_on.clear()
        with pytest.raises(told), new_run(tmp_path / "run") as store:
            work = Work([slow, step], {"start": None}, Fingerprints(case), Recall(()))
            with work.keep_in(store):
                work.go()
        assert not (tmp_path / "run").exists()
        assert work.store is None


def test_what_is_refused_where_the_store_ends_comes_with_the_warnings(tmp_path: Path) -> None:
    gone_on = Event()

    def refuse(*_: object) -> None:
        assert gone_on.wait(60)
        raise InputError("of the thread")

    kept = Kept(files=lambda *_: ["slow"], load=lambda *_: None)
    steps = [
        Step("one", lambda _: _Found(Problem("odd", level="warning")), ("start",)),
        Step("slow", refuse, ("one",), kept=kept, meanwhile=True),
    ]
    case = Case.read(write_city(tmp_path / "city", size="small"))
    with pytest.raises(InputError) as refused, new_run(tmp_path / "run") as store:
        work = Work(steps, {"start": None}, Fingerprints(case), Recall(()))
        with work.keep_in(store):
            work.go()
            gone_on.set()
    assert [problem.what for problem in refused.value.problems][:2] == ["odd", "of the thread"]


def test_a_fault_of_what_is_written_meanwhile_is_raised_before_the_next_step(tmp_path: Path) -> None:  # fmt: skip
    """Seen to fail: a full disk was told after hours of draws."""
    done: list[str] = []
    gone_on = Event()

    def fail(*_: object) -> None:
        assert gone_on.wait(60)
        raise OSError("no such disk")

    def fill(_: object) -> str:
        gone_on.set()
        for require_none_failed in work._written_meanwhile:
            with contextlib.suppress(OSError):
                while True:
                    require_none_failed()
        done.append("filled")
        return "filled"

    kept = Kept(files=lambda *_: ["slow"], load=lambda *_: None)
    steps = [
        Step("slow", fail, ("start",), kept=kept, meanwhile=True),
        Step("next", fill, ("slow",)),
        Step("later", lambda _: done.append("later"), ("next",)),
    ]
    case = Case.read(write_city(tmp_path / "city", size="small"))
    with pytest.raises(OSError, match="no such disk"), new_run(tmp_path / "run") as store:
        work = Work(steps, {"start": None}, Fingerprints(case), Recall(()))
        with work.keep_in(store):
            work.go()
    assert done == ["filled"]


def test_ctrl_c_ends_what_is_written_meanwhile(tmp_path: Path) -> None:
    """It is not finished, and is made again by the next run."""
    begun = Event()

    def endless(folder: Path, _: object) -> None:
        (folder / "slow").write_text("half", encoding="utf-8")
        begun.set()
        while True:
            row_blocks.go_on()

    def interrupt(_: object) -> None:
        assert begun.wait(60)
        raise KeyboardInterrupt

    def whole(folder: Path, _: object) -> None:
        (folder / "slow").write_text("whole", encoding="utf-8")

    kept = Kept(files=lambda *_: ["slow"], load=lambda *_: None)
    case, out = Case.read(write_city(tmp_path / "city", size="small")), tmp_path / "run"
    steps = [Step("slow", endless, ("start",), kept=kept, meanwhile=True), Step("next", interrupt, ("slow",))]  # fmt: skip
    with pytest.raises(KeyboardInterrupt), new_run(out) as store:
        work = Work(steps, {"start": None}, Fingerprints(case), store.recall)
        with work.keep_in(store):
            work.go()
    with new_run(out) as store:
        work = Work([replace(steps[0], make=whole)], {"start": None}, Fingerprints(case), store.recall)  # fmt: skip
        with work.keep_in(store):
            work.go()
        store.write_manifest({})
    assert store.reused == []
    assert (out / "slow").read_text(encoding="utf-8") == "whole"


def test_a_value_is_worked_out_while_steps_are_done_that_do_not_need_it() -> None:
    """And the first step of the list waits that needs it. Seen to fail when it was waited for at once."""
    gone_on, done = Event(), []

    def slow(start: int) -> int:
        assert gone_on.wait(60), "nothing was done meanwhile"
        done.append("slow")
        return start + 1

    def quick(start: int) -> int:
        done.append("quick")
        gone_on.set()
        return start + 10

    steps = [
        Step("slow", slow, ("start",), meanwhile=True, phase="adding up"),
        Step("quick", quick, ("start",), phase="adding up"),
        Step("after", lambda slow: done.append("after") or slow * 2, ("slow",), phase="adding up"),
        Step("both", lambda *both: done.append("both") or both, ("after", "quick")),
    ]
    told: list[tuple[str, int, int]] = []
    work = Work(steps, {"start": 1}, progress=lambda *each: told.append(each), wanted=("both",))
    work.go()
    assert done == ["quick", "slow", "after", "both"]
    assert work.values == {"start": None, "slow": None, "after": None, "quick": None, "both": (4, 11)}  # fmt: skip
    assert [number for _, number, _ in told] == sorted(number for _, number, _ in told)
    assert told[-1] == ("adding up", 3, 3)
    work.go()
    assert len(done) == 4


def test_a_value_that_is_worked_out_meanwhile_is_there_when_work_stops_before_it_is_needed() -> None:  # fmt: skip
    done: list[str] = []

    def slow(_: object) -> str:
        done.append("slow")
        return "slow"

    steps = [
        Step("slow", slow, ("start",), meanwhile=True),
        Step("quick", lambda _: "quick", ("start",)),
        Step("after", lambda *both: both, ("slow", "quick")),
    ]
    work = Work(steps, {"start": None})
    work.go(until="quick")
    assert work.values == {"start": None, "slow": "slow", "quick": "quick"}
    work.go()
    assert work.values["after"] == ("slow", "quick")
    assert done == ["slow"]


def test_what_a_thread_finds_is_told_as_that_of_any_step(caplog: pytest.LogCaptureFixture) -> None:
    """Once, with the warnings so far; where another step refuses first that is told, and the thread is waited for. Seen to fail: logged with a traceback as well."""
    begun, over = Event(), Event()
    ended: list[str] = []

    def refuse(_: object) -> None:
        begun.set()
        assert over.wait(60)
        ended.append("slow")
        raise InputError("of the thread")

    def find(_: object) -> _Found:
        return _Found(Problem("a warning of the thread", level="warning"), Problem("an error of the thread"))  # fmt: skip

    def warn(_: object) -> _Found:
        over.set()
        return _Found(Problem("a warning", level="warning"))

    def fail(_: object) -> None:
        assert begun.wait(60)
        over.set()
        raise InputError("of the list")

    for slow, other, told in (
        (refuse, warn, ["a warning", "of the thread"]),
        (find, warn, ["a warning", "a warning of the thread", "an error of the thread"]),
        (refuse, fail, ["of the list"]),
    ):
        begun.clear()
        over.clear()
        steps = [
            Step("slow", slow, ("start",), meanwhile=True),
            Step("other", other, ("start",)),
            Step("after", lambda _: pytest.fail("it needs what was refused"), ("slow",)),
        ]
        with pytest.raises(InputError) as refused:
            Work(steps, {"start": None}).go()
        assert [problem.what for problem in refused.value.problems] == told
        assert ("beside" in caplog.text) == (other is fail)
    assert ended == ["slow", "slow"]


def test_an_error_of_a_thread_is_told_before_the_next_step() -> None:
    """Not after hours of draws."""
    gone_on = Event()

    def fail(_: object) -> None:
        assert gone_on.wait(60)
        raise MemoryError("too little")

    def fill(_: object) -> None:
        gone_on.set()
        (later,) = work._later.values()
        with contextlib.suppress(MemoryError):
            while True:
                later.require_not_failed()

    steps = [
        Step("slow", fail, ("start",), meanwhile=True),
        Step("next", fill, ("start",)),
        Step("later", lambda _: pytest.fail("nobody was told"), ("next",)),
    ]
    work = Work(steps, {"start": None})
    with pytest.raises(MemoryError, match="too little"):
        work.go()


def test_of_steps_beside_each_other_those_wait_that_need_a_thread() -> None:
    """Seen to fail: a KeyError. And work that goes until a thread's value does nothing else."""
    done: list[str] = []
    steps = [
        Step("slow", lambda _: "slow", ("start",), meanwhile=True),
        Step("one", lambda _: done.append("one"), ("start",), beside=True),
        Step("two", lambda _: done.append("two"), ("slow",), beside=True),
    ]
    Work(steps, {"start": None}).go()
    assert done == ["one", "two"]
    work = Work(steps, {"start": None})
    work.go(until="slow")
    assert work.values == {"start": None, "slow": "slow"}


def test_ctrl_c_ends_what_is_worked_out_meanwhile() -> None:
    begun, ended = Event(), []

    def endless(_: object) -> None:
        begun.set()
        try:
            while True:
                row_blocks.go_on()
        except CancelledError:
            ended.append("cancelled")
            raise

    def interrupt(_: object) -> None:
        assert begun.wait(60)
        raise KeyboardInterrupt

    steps = [Step("slow", endless, ("start",), meanwhile=True), Step("next", interrupt, ("start",))]
    with pytest.raises(KeyboardInterrupt):
        Work(steps, {"start": None}).go()
    assert ended == ["cancelled"]


def test_only_what_is_not_kept_or_writes_itself_is_done_meanwhile() -> None:
    for step in STEPS:
        assert not step.meanwhile or step.kept is None or step.writes_itself, step.name
    kept = Kept(files=lambda *_: ["file"], load=lambda *_: None, save=lambda *_: None)
    step = Step("kept", lambda _: 1, ("start",), kept=kept, meanwhile=True)
    with pytest.raises(AssertionError, match="what is kept"):
        Work([step], {"start": None}).go()


def test_units_are_zoned_while_the_table_of_parcels_is_put_together(tmp_path: Path) -> None:
    """The steps of a run, each of which but tells its name: in the order of the list, but for what has to wait for the table."""
    done: list[str] = []
    others: Event = Event()

    def stub(step: Step) -> Step:
        def make(*_: object) -> object:
            if step.name == "parcels":
                assert others.wait(60), "nothing was done meanwhile"
            done.append(step.name)
            if step.name == "grid_1km":
                others.set()
            return Parcels(gpd.GeoDataFrame({"geometry": []}, crs=3035), "digest") if step.name == "parcels" else step.name  # fmt: skip

        return replace(step, make=make, kept=None, meanwhile=step.name == "parcels")

    given = dict.fromkeys(GIVEN)
    Work([stub(step) for step in STEPS], given).go()
    names = [step.name for step in STEPS]
    at, waiting = names.index("parcels"), names.index("write parcels")
    meanwhile = names[at + 1 : waiting]
    assert meanwhile == ["index", "zone", "readings", "grid_1km"]
    assert {"probability", "assemble"} <= set(names[waiting:]), (
        "what takes long is done while parcels are written"
    )
    assert done == [*names[:at], *meanwhile, "parcels", *names[waiting:]]


def test_parcels_are_written_again_where_they_lie_in_another_system() -> None:
    """The same numbers are another file then, and so they are where they are of another gas."""
    (own,) = [step for step in STEPS if step.name == "write parcels"]

    def inputs(gas: str) -> SimpleNamespace:
        row = {"category": "waste/industrial", "place": "here", "gas": gas, "grams": 1}
        category = SimpleNamespace(name="waste/industrial", sink=False)
        return SimpleNamespace(
            by_gas=pd.DataFrame([row]),
            categories={category.name: category},
            case=SimpleNamespace(inventory=None),
        )

    assert own.meanwhile
    assert own.kept is not None
    frames = [gpd.GeoDataFrame({"geometry": []}, crs=code) for code in (3035, 3857)]
    of_all = inputs("CO2e")
    decided = [own.kept.decided_by(of_all, Parcels(frame, "digest")) for frame in frames]
    assert decided[0] != decided[1]
    assert own.kept.decided_by(inputs("CO2"), Parcels(frames[0], "digest")) != decided[0]
    assert own.kept.files(of_all, Parcels(frames[0], "digest")) == ["parcels.parquet"]
    assert own.kept.files(of_all, Parcels(frames[0], None)) == []


def with_weight_raster(city: Path) -> Path:
    (city / "categories.csv").write_text(
        "category,weight\n"
        "buildings/urban-homes,raster:people.tif\n"
        "buildings/rural-homes,raster:./people.tif\n",
        encoding="utf-8",
    )
    return city / "case.toml"


def test_categories_by_raster_are_placed_after_the_rasterization_and_all_others_before(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: what was wrong with a category by area was told after hours of labels, once another weighed by a raster."""
    done = noted_steps(monkeypatch)
    result = run(with_weight_raster(city), city.parent / "by-raster")
    order = METHOD[:4] + BY_RASTER + METHOD[4:]
    assert [name for name in done if name in order] == order
    homes = [f"buildings/{kind}-homes" for kind in ("rural", "urban")]
    rules = result.ledger.set_index("category")["rule"]
    assert set(rules[homes]) == {"raster:people.tif"}
    names = [category["name"] for category in result.manifest["categories"]]
    assert list(dict.fromkeys(result.ledger["category"])) == names
    done.clear()
    pois = (city / "pois.csv").read_text(encoding="utf-8").splitlines()
    (city / "pois.csv").write_text("\n".join(pois[:2]), encoding="utf-8")
    with pytest.raises(InputError, match="fallback"):
        run(city / "case.toml", city.parent / "wrong")
    assert done[-1] == "allocate"
    assert not list(city.parent.glob("*wrong*"))


def noted_steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the steps that runs do from now on."""
    done: list[str] = []

    def noted(step: Step) -> Step:
        def make(*arguments: Any) -> Any:
            done.append(step.name)
            return step.make(*arguments)

        return replace(step, make=make)

    monkeypatch.setattr(running, "STEPS", [noted(step) for step in STEPS])
    return done


def test_steps_are_done_in_the_order_of_the_method(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = noted_steps(monkeypatch)
    run(city / "case.toml", city.parent / "plain")
    assert [name for name in done if name in METHOD] == METHOD
    first = [name for name in done if name == "read" or name.startswith("read ")]
    assert all(done.index(one) < done.index(other) for one, other in pairwise([*first, "land"]))


def overlays(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of units of every exact overlay that the land makes from now on."""
    found: list[int] = []
    measured = land.areas_in_plane

    def counted(parcels: Any, units: Any) -> Any:
        found.append(len(units))
        return measured(parcels, units)

    monkeypatch.setattr(land, "areas_in_plane", counted)
    return found


@pytest.mark.parametrize("reduce", ["cells", "exact"])
def test_an_exact_overlay_is_made_once_and_only_when_somebody_asks(
    city: Path, monkeypatch: pytest.MonkeyPatch, reduce: str
) -> None:
    """Seen to be made twice for exact areas."""
    text = (city / "case.toml").read_text(encoding="utf-8")
    (city / "case.toml").write_text(
        text.replace('reduce = "cells"', f'reduce = "{reduce}"'), encoding="utf-8"
    )
    found = overlays(monkeypatch)
    measured = Land.of(read_inputs(Case.read(city / "case.toml")))
    assert len(measured.hashes) == 2
    assert found == []
    assert 0 < measured.share_in_units <= 1
    assert measured.covered > 0
    assert found == [6]
    found.clear()
    run(city / "case.toml", city.parent / "run")
    assert found == [6]
    totals = (city / "totals.csv").read_text(encoding="utf-8")
    (city / "totals.csv").write_text(totals.replace("2020", "2021", 1), encoding="utf-8")
    run(city / "case.toml", city.parent / "later", reuse=city.parent / "run")
    assert found == [6]  # taken over


def test_check_and_run_allocate_by_the_same_steps(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Allocation] = []

    def kept(step: Step) -> Step:
        def make(*arguments: Any) -> Any:
            made.append(step.make(*arguments))
            return made[-1]

        return replace(step, make=make) if step.name == "allocate" else step

    from carbongrid.pipeline import check_report

    for module in (running, check_report):
        monkeypatch.setattr(module, "STEPS", [kept(step) for step in STEPS])
    assert not check(city / "case.toml").wrong
    run(city / "case.toml", city.parent / "run")
    first, second = made
    assert first.names == second.names
    for one, other in zip(first.masses, second.masses, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.grams.tolist() == other.grams.tolist()
    assert (first.ledger, first.evidence) == (second.ledger, second.evidence)
