"""The run directory: absent or complete, one writer, steps reused only when nothing changed."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import functools
import json
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest
from pyogrio.errors import DataSourceError
from waiting import HANG, until

from carbongrid.errors import InputError, RunError
from carbongrid.raster import row_blocks
from carbongrid.raster.opening.digests import hash_path
from carbongrid.run_store import (
    Hashes,
    Making,
    Recall,
    RunStore,
    claimed,
    disk,
    location,
    lock,
    new_run,
    open_to_write,
    require_writable,
)
from carbongrid.run_store.recall import Record


def write_run(out: Path, key: str = "k", text: str = "made", replace: bool = False) -> list[str]:
    with claimed(out), new_run(out, replace=replace) as store:
        store.step(Making("one", key, ["one.txt"], lambda: _write(store.folder / "one.txt", text)))
        store.write_manifest({"title": "t"})
    return store.reused


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def test_a_finished_run_has_a_manifest_and_no_siblings(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"] == {"one.txt": hash_path(tmp_path / "run" / "one.txt")}
    assert manifest["steps"] == {"one": {"key": "k", "files": manifest["files"]}}


def test_an_existing_run_is_refused_without_replace(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with pytest.raises(InputError, match="--replace"):
        write_run(tmp_path / "run", text="other")
    assert (tmp_path / "run" / "one.txt").read_text(encoding="utf-8") == "made"


def test_a_path_too_long_for_its_geopackages_is_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    """Seen to end in a fault of the package after the whole run, by where the folder for temporary files was."""
    folder = tmp_path / ("n" * 120) / ("n" * 120)
    room = 512 - len(str(folder / "x" / "surroundings.gpkg")) + 1
    assert location.place_of(folder / ("x" * room)).name == "x" * room
    with pytest.raises(InputError, match=r"at most 512.*shorter path"):
        location.place_of(folder / ("x" * (room + 1)))


def test_a_folder_that_is_no_run_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(InputError, match="not a run directory"):
        write_run(tmp_path / "mine", replace=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8") == "precious"


def test_a_run_whose_manifest_is_cut_short_is_told_so(tmp_path: Path) -> None:
    """Seen to say that there was none."""
    out = tmp_path / "run"
    write_run(out)
    text = (out / "manifest.json").read_text("utf-8")
    (out / "manifest.json").write_text(text[:-20], encoding="utf-8")
    with pytest.raises(InputError, match=r"its manifest\.json cannot be read.*remove this one"):
        write_run(out, replace=True)


def test_a_step_is_reused_only_with_the_same_key(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    assert write_run(out, text="not called", replace=True) == ["one"]
    assert (out / "one.txt").read_text(encoding="utf-8") == "made"
    assert write_run(out, key="k2", text="anew", replace=True) == []
    assert (out / "one.txt").read_text(encoding="utf-8") == "anew"


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    (out / "one.txt").write_text("flipped", encoding="utf-8")
    assert write_run(out, text="anew", replace=True) == []
    assert (out / "one.txt").read_text(encoding="utf-8") == "anew"


def test_an_error_in_the_input_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError), new_run(tmp_path / "run") as store:
        (store.folder / "half").write_text("x", encoding="utf-8")
        raise InputError("wrong")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_leaves_the_old_one_and_is_resumed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    with pytest.raises(OSError, match="disk"), new_run(out, replace=True) as store:
        store.step(Making("two", "k", ["two.txt"], lambda: _write(store.folder / "two.txt", "2")))
        raise OSError("disk")
    assert (out / "one.txt").read_text(encoding="utf-8") == "made"
    with new_run(out, replace=True) as store:
        store.step(Making("two", "k", ["two.txt"], lambda: pytest.fail("two was finished already")))
        store.write_manifest({})
    assert {path.name for path in out.iterdir()} == {"manifest.json", "two.txt"}
    assert (out / "two.txt").read_text(encoding="utf-8") == "2"


def interrupted(out: Path) -> Path:
    """Leave a run that broke after its first step; return its folder."""
    with pytest.raises(OSError, match="power"), new_run(out) as store:
        store.step(
            Making("one", "k", ["one.txt"], lambda: _write(store.folder / "one.txt", "made"))
        )
        raise OSError("power")
    return store.folder


def test_a_file_of_an_interrupted_run_is_hashed_before_it_is_trusted(tmp_path: Path) -> None:
    folder = interrupted(tmp_path / "run")
    (folder / "one.txt").write_text("mAde", encoding="utf-8")
    assert write_run(tmp_path / "run", text="anew") == []
    assert (tmp_path / "run" / "one.txt").read_text(encoding="utf-8") == "anew"


def test_a_manifest_that_was_never_renamed_still_names_its_steps(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / ".run.partial")
    assert write_run(tmp_path / "run", text="not called") == ["one"]


def test_restart_takes_nothing_over(tmp_path: Path) -> None:
    out = tmp_path / "run"
    interrupted(out)
    with new_run(out, restart=True) as store:
        store.step(
            Making("one", "k", ["one.txt"], lambda: _write(store.folder / "one.txt", "anew"))
        )
        store.write_manifest({})
    assert (out / "one.txt").read_text(encoding="utf-8") == "anew"


@pytest.mark.parametrize("steps", ["", "[1]", '{"one": 3}', '{"one": {"key": "k"}}', "\x00"])
def test_a_damaged_record_of_steps_is_no_record(tmp_path: Path, steps: str) -> None:
    folder = interrupted(tmp_path / "run")
    (folder / "steps.json").write_text(steps, encoding="utf-8")
    assert write_run(tmp_path / "run", text="anew") == []


def test_a_file_that_changes_under_the_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"one\.txt was changed"), new_run(tmp_path / "run") as store:
        store.step(
            Making("one", "k", ["one.txt"], lambda: _write(store.folder / "one.txt", "made"))
        )
        (store.folder / "one.txt").write_text("other", encoding="utf-8")
        store.write_manifest({})
    assert not (tmp_path / "run").exists()


def test_files_of_the_user_in_an_old_run_are_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    (out / "map.qgz").write_text("hours of work", encoding="utf-8")
    (out / "one.txt-wal").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"not part of its run.*: map\.qgz"):
        write_run(out, text="other", replace=True)
    assert (out / "map.qgz").read_text(encoding="utf-8") == "hours of work"


@pytest.mark.parametrize(
    "name", ["figures/my_map.png", "steps/notes.txt", "one.zarr.d/a/b.txt", "notes.qmd"]
)
def test_files_of_the_user_deeper_in_an_old_run_are_not_replaced(tmp_path: Path, name: str) -> None:
    """Caught: only names at the top were compared with the manifest."""
    out = tmp_path / "run"
    with claimed(out), new_run(out) as store:
        for file in ("figures/map.png", "steps/p.parquet", "labels.zarr"):
            store.step(Making(file, "k", [file], lambda file=file: write_deep(store.folder / file)))
        store.write_manifest({})
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text("hours of work", encoding="utf-8")
    with pytest.raises(InputError, match=f"not part of its run.*: {name}"):
        write_run(out, replace=True)
    assert (out / name).read_text(encoding="utf-8") == "hours of work"
    (out / name).unlink()
    (out / "figures" / ".DS_Store").touch()
    (out / "figures" / "map.png.aux.xml").touch()
    if name.startswith(("figures", "steps", "notes")):
        write_run(out, replace=True)
        assert (out / "one.txt").exists()


def write_deep(path: Path) -> None:
    """Write a file, or a store with a chunk in it."""
    if path.suffix == ".zarr":
        path.mkdir()
        path /= "0.0"
    path.write_text(path.name, encoding="utf-8")


@pytest.mark.parametrize("replace", [False, True])
def test_the_only_run_outlives_a_folder_made_in_its_place(tmp_path: Path, replace: bool) -> None:
    """A commit cut between its renames, then mkdir. Caught: the run, set aside, was removed since something is there."""
    out = tmp_path / "run"
    write_run(out)
    out.rename(tmp_path / ".run.old")
    out.mkdir()
    with contextlib.suppress(InputError), claimed(out), new_run(out, replace=replace):
        raise InputError("another crash")
    assert (out / "one.txt").read_text(encoding="utf-8") == "made"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_the_only_run_outlives_files_put_in_its_place(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    out.rename(tmp_path / ".run.old")
    out.mkdir()
    (out / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match=r"beside it the run that was there before: .*\.run\.old"):
        write_run(out, replace=True)
    assert (out / "mine.txt").read_text(encoding="utf-8") == "x"
    assert (tmp_path / ".run.old" / "one.txt").read_text(encoding="utf-8") == "made"


def test_what_is_taken_over_is_on_the_disk_before_the_old_copy_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every folder of the new run, its parent's entries, and every file, if not by the run that made it, are synced before the old run is removed."""
    out, synced = tmp_path / "run", set()

    def write(replace: bool) -> None:
        with claimed(out), new_run(out, replace=replace) as store:
            for file in ("steps/p.parquet", "labels.zarr"):
                store.step(
                    Making(file, "k", [file], lambda file=file: write_deep(store.folder / file))
                )
            store.write_manifest({})

    bring, take_away = os.fsync, shutil.rmtree

    def logged(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        bring(descriptor)

    def watched(path: Path, **more: object) -> None:
        if path.name == ".run.old":
            paths = [out, *out.rglob("*"), tmp_path]
            assert not [path for path in paths if path.stat().st_ino not in synced]
            synced.clear()
        take_away(path, **more)

    monkeypatch.setattr(os, "fsync", logged)
    monkeypatch.setattr(shutil, "rmtree", watched)
    write(False)
    synced &= {path.stat().st_ino for path in out.rglob("*") if path.is_file()}
    write(True)
    assert tmp_path.stat().st_ino not in synced
    assert not (tmp_path / ".run.old").exists()


def test_finished_steps_outlive_an_error_in_the_input(tmp_path: Path) -> None:
    """Caught: labels of hours, removed for a wrong number in a table that is looked at after them."""
    out = tmp_path / "run"
    with pytest.raises(InputError, match="wrong") as told, new_run(out) as store:
        store.step(
            Making("one", "k", ["one.txt"], lambda: _write(store.folder / "one.txt", "made"))
        )
        raise InputError("wrong")
    wrong, kept = told.value.problems
    assert (wrong.level, kept.level) == ("error", "note")
    assert f"kept in {tmp_path / '.run.partial'}" in str(kept)
    assert not out.exists()
    assert write_run(out, text="not called") == ["one"]
    assert (out / "one.txt").read_text(encoding="utf-8") == "made"


def test_a_link_is_no_run_directory(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for target in ("there", "nowhere"):
        link = tmp_path / f"link-to-{target}"
        link.symlink_to(tmp_path / target)
        with pytest.raises(InputError, match="is a link to"), claimed(link):
            pass
        assert link.is_symlink()


def test_two_spellings_of_a_directory_take_one_lock(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with (
        claimed(tmp_path / "there" / "run"),
        pytest.raises(RunError, match="is writing this run directory"),
        claimed(tmp_path / "link" / "run"),
    ):
        pass


@pytest.mark.parametrize("text", ["[" * 100_000, '{"files": null}', '{"files": [1]}', "null"])
def test_a_damaged_manifest_is_an_error_in_words(tmp_path: Path, text: str) -> None:
    out = tmp_path / "run"
    write_run(out)
    (out / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="will not be replaced"):
        write_run(out, replace=True)
    assert (out / "one.txt").read_text(encoding="utf-8") == "made"


def test_a_disk_that_is_full_from_the_start_is_told_as_such(tmp_path: Path) -> None:
    """Caught: a bare error, and a lock that stayed."""
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from carbongrid.run_store import claimed\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "with claimed(Path(sys.argv[1])): pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "run")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "RunError" in done.stderr
    assert "the disk is full. Nothing is lost." in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file of this process be larger than 8 MB: as full as a disk gets for it."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 * 2**20, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


OF_CODE = [KeyError, MemoryError, ZeroDivisionError, TypeError, AttributeError, AssertionError, RecursionError]  # fmt: skip
OF_WRITING = [OSError, RuntimeError, DataSourceError, sqlite3.OperationalError]


def failing_with(out: Path, error: Exception) -> Exception:
    """Return what a run is ended with that is ended by an error."""
    with pytest.raises((type(error), RunError)) as told, new_run(out) as store:
        (store.folder / "some.bin").write_bytes(bytes(2**20))
        raise error
    return told.value


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("kind", OF_CODE)
def test_a_fault_of_the_package_is_no_full_disk(tmp_path: Path, kind: type[Exception]) -> None:
    """Caught: told as a full disk, whatever it was, where files may not be larger than some MB."""
    error = kind("a bug")
    assert failing_with(tmp_path / "run", error) is error


@pytest.mark.parametrize("kind", OF_WRITING)
def test_what_drivers_say_of_a_full_disk_is_told_with_it(
    tmp_path: Path, kind: type[Exception], request: pytest.FixtureRequest
) -> None:
    error = kind("Can't write")
    assert failing_with(tmp_path / "run", error) is error
    request.getfixturevalue("small_files")
    told = failing_with(tmp_path / "run", error)
    assert isinstance(told, RunError)
    assert "the disk is full" in str(told)
    assert f"The system said {kind.__name__}: Can't write" in str(told)


def test_a_folder_that_others_work_in_is_measured_all_the_same(tmp_path: Path) -> None:
    """Caught: a file that was gone by the time it was measured, told instead of the fault."""

    class Vanishing(type(tmp_path)):
        def is_file(self) -> bool:
            self.unlink()
            return True

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "was.here").touch()
    assert not disk.is_full(Vanishing(tmp_path / "run"), RuntimeError("the real fault"))
    assert not disk.is_full(Vanishing(tmp_path / "gone"), RuntimeError("the real fault"))


def test_a_commit_cut_between_its_renames_is_mended(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    out.rename(tmp_path / ".run.old")
    with pytest.raises(InputError, match="exists already"):
        write_run(out)
    assert (out / "one.txt").read_text(encoding="utf-8") == "made"


HOLDER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from carbongrid.run_store import Making, claimed, new_run
    with claimed(Path(sys.argv[1])), new_run(Path(sys.argv[1])) as store:
        print("open", flush=True)
        sys.stdin.read()
        store.step(Making("one", "k", ["one"], lambda: (store.folder / "one").touch()))
        store.write_manifest({})
""")


def holder(out: Path) -> subprocess.Popen[bytes]:
    """Start a process that holds the directory until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(out)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    return process


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every lock that this process asked for and did not get."""
    found: list[int] = []
    ask = fcntl.flock

    def flock(file: IO[str], how: int) -> None:
        try:
            ask(file, how)
        except BlockingIOError:
            found.append(how)
            raise

    monkeypatch.setattr(fcntl, "flock", flock)
    return found


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for a lock again for as long as a test may take."""
    monkeypatch.setattr(lock, "_TIMEOUT_S", HANG)


def test_the_second_writer_fails_at_once_and_names_the_first(
    tmp_path: Path, refusals: list[int]
) -> None:
    """At once: it asks for the lock once. Seen to fail when a living holder is asked again until patience ends."""
    with holder(tmp_path / "run") as first:
        with pytest.raises(RunError, match=rf"process {first.pid} on .*, since 20"):
            write_run(tmp_path / "run")
        assert len(refusals) == 1
        assert first.stdin is not None
        first.stdin.close()
        assert first.wait(HANG) == 0
    assert (tmp_path / "run" / "manifest.json").exists()


def test_a_dead_holder_is_no_holder(tmp_path: Path) -> None:
    with holder(tmp_path / "run") as first:
        first.kill()
        first.wait(HANG)
        assert (tmp_path / ".run.lock").exists()
        write_run(tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


@pytest.mark.usefixtures("patient")
def test_the_second_writer_waits_for_the_first_ones_name(
    tmp_path: Path, refusals: list[int]
) -> None:
    """Caught: the name of a dead holder, read between another's lock and its name."""
    path = tmp_path / ".run.lock"
    path.write_text(
        f"process 999999999 on {os.uname().nodename}, since 2020-01-01 00:00:00", encoding="utf-8"
    )
    with path.open("a+", encoding="utf-8") as stream, ThreadPoolExecutor() as pool:
        fcntl.flock(stream, fcntl.LOCK_EX)
        second = pool.submit(write_run, tmp_path / "run")
        until(lambda: len(refusals) > 1 or second.done())
        assert not second.done()
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {os.uname().nodename}, since 2026-01-01 00:00:00")
        stream.flush()
        with pytest.raises(RunError, match=f"process {os.getpid()} "):
            second.result(HANG)


def test_a_file_system_without_locks_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network and FUSE file systems have none. Caught: "another process is writing", after five seconds."""

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(RunError, match="cannot lock files"), claimed(tmp_path / "run"):
        pass


def test_folders_that_cannot_be_synced_do_not_end_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some network file systems; a file that cannot be brought to the disk still does."""
    sync, refused = os.fsync, [stat.S_IFDIR]

    def some(descriptor: int) -> None:
        if stat.S_IFMT(os.fstat(descriptor).st_mode) in refused:
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", some)
    with new_run(tmp_path / "run") as store:
        store.step(Making("one", "key", ["a.txt"], lambda: (store.folder / "a.txt").touch()))
        store.write_manifest({})
    refused.append(stat.S_IFREG)
    with pytest.raises(OSError, match="Invalid"), new_run(tmp_path / "other") as store:
        store.write_manifest({})


@pytest.mark.usefixtures("patient")
def test_a_lock_whose_file_is_gone_is_no_lock(tmp_path: Path, refusals: list[int]) -> None:
    """Caught: an error that names a holder which had finished between open and lock."""
    path = tmp_path / ".run.lock"
    with path.open("a+", encoding="utf-8") as stream, ThreadPoolExecutor() as pool:
        fcntl.flock(stream, fcntl.LOCK_EX)
        second = pool.submit(write_run, tmp_path / "run")
        until(lambda: refusals or second.done())
        path.unlink()
        fcntl.flock(stream, fcntl.LOCK_UN)
        assert second.result(HANG) == []
    assert (tmp_path / "run" / "one.txt").exists()


def test_an_unfinished_step_finds_what_it_left_unless_its_inputs_changed(tmp_path: Path) -> None:
    out, found = tmp_path / "run", []

    def make(folder: Path) -> None:
        found.append(sorted(path.name for path in folder.iterdir() if path.name != "steps.json"))
        (folder / "scratch").mkdir(exist_ok=True)
        (folder / f"scratch/{len(found)}").touch()
        if len(found) < 4:
            raise OSError("power")
        (folder / "one.txt").touch()

    for key in ("k", "k", "other", "other"):
        with contextlib.suppress(OSError), new_run(out) as store:
            store.step(Making("one", key, ["one.txt"], lambda: make(store.folder), ["scratch"]))
            store.write_manifest({})
    assert found == [[], ["scratch"], [], ["scratch"]]
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "one.txt"]


FILES = ("one.txt", "overlap.npz", "steps/p.parquet", "labels.zarr")
INSIDE = ("one.txt", "overlap.npz", "steps/p.parquet", "labels.zarr/0.0")


def run_of_files(out: Path, *, replace: bool = False, reuse: Path | None = None) -> list[int]:
    """Write a run with a product and with what only a next run needs; return their inodes."""
    with claimed(out), new_run(out, replace=replace, reuse=reuse) as store:
        for file in FILES:
            store.step(Making(file, "k", [file], lambda file=file: write_deep(store.folder / file)))
        store.write_manifest({})
    assert store.reused == (list(FILES) if replace or reuse else [])
    return [(out / name).stat().st_ino for name in INSIDE]


def test_what_a_run_keeps_is_read_once_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """When it is found, when it is written into the next run, and when that ends; only a copy of what people edit is another file."""
    read: list[str] = []
    run_of_files(tmp_path / "run")
    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", lambda path: read.append(path.name) or hash_path(path))  # fmt: skip
    run_of_files(tmp_path / "run", replace=True)
    assert sorted(read) == ["labels.zarr", "one.txt", "one.txt", "overlap.npz", "p.parquet"]
    read.clear()
    run_of_files(tmp_path / "other", reuse=tmp_path / "run")
    assert sorted(read) == ["labels.zarr", "one.txt", "one.txt", "overlap.npz", "p.parquet"]


def test_what_changes_while_it_is_copied_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Of a run that is lent: its file has not the digest that it was found by."""
    run_of_files(tmp_path / "run")

    def copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
        shutil.copy(source, target)
        for each in (source, target):
            Path(each).write_text("written by another program", encoding="utf-8")

    monkeypatch.setattr("carbongrid.run_store.store.shutil.copy2", copy)
    with pytest.raises(RunError, match=r"one.txt was changed while the run was working"):
        run_of_files(tmp_path / "other", reuse=tmp_path / "run")
    assert not (tmp_path / "other").exists()


def test_what_a_doctored_manifest_names_is_not_hashed_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Seen to fail: a file anywhere was read, and what is no name was a fault of the package."""
    read: list[Path] = []
    run_of_files(tmp_path / "run")
    secret = tmp_path / "secret.npz"
    secret.touch()
    path = tmp_path / "run" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    names = [[str(secret), ""], ["steps/../../secret.npz", ""], [1, ""], ["steps/p.parquet", ""]]
    manifest["steps"]["one.txt"]["files"] = names
    manifest["steps"].pop("steps/p.parquet")
    manifest["steps"].pop("overlap.npz")
    manifest["steps"].pop("labels.zarr")
    path.write_text(json.dumps(manifest), encoding="utf-8")
    monkeypatch.setattr(Hashes, "ahead", lambda _, files: contextlib.nullcontext(read.extend(files)))  # fmt: skip
    with Recall.around(tmp_path / "run").ahead():
        assert read == [tmp_path / "run" / "steps" / "p.parquet"]


@pytest.mark.parametrize("file", INSIDE)
def test_a_file_that_changes_after_its_step_ends_the_run(tmp_path: Path, file: str) -> None:
    """Made or taken over, by as many bytes, and with the time of change that it had."""
    for _ in range(2):
        with pytest.raises(RunError, match=r"was changed while the run was working"), new_run(tmp_path / "run", replace=True) as store:  # fmt: skip
            for name in FILES:
                store.step(
                    Making(name, "k", [name], lambda name=name: write_deep(store.folder / name))
                )
            changed = store.folder / file
            facts = changed.stat()
            changed.with_name("other").write_bytes(bytes(facts.st_size))
            os.utime(changed.with_name("other"), ns=(facts.st_atime_ns, facts.st_mtime_ns))
            changed.with_name("other").replace(changed)
            store.write_manifest({})


def test_a_product_is_copied_and_what_nobody_edits_is_linked(tmp_path: Path) -> None:
    """A file of a run that is lent must not change when the new run's does, nor a product that a program has open."""
    out = tmp_path / "run"
    lent = run_of_files(tmp_path / "lent")
    mine = run_of_files(out, reuse=tmp_path / "lent")
    assert not set(mine) & set(lent)
    replaced = run_of_files(out, replace=True)
    assert replaced[0] != mine[0]
    assert replaced[1:] == mine[1:]
    assert {(out / name).stat().st_nlink for name in INSIDE} == {1}


@pytest.mark.parametrize("late", [False, True])
def test_an_edit_of_the_old_run_does_not_reach_the_new_one(tmp_path: Path, late: bool) -> None:
    """Caught: both runs had one inode, so that a GIS with the old file open wrote into the new run."""
    out = tmp_path / "run"
    write_run(out, text="ONE")
    with (out / "one.txt").open("r+", encoding="utf-8") as held:
        with new_run(out, replace=True) as store:
            store.step(Making("one", "k", ["one.txt"], lambda: pytest.fail("it is there")))
            if not late:
                held.write("EDITED")
                held.flush()
            store.write_manifest({})
        held.write("EDITED")
    assert (out / "one.txt").read_text(encoding="utf-8") == "ONE"
    told = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert told == {"one.txt": hash_path(out / "one.txt")}


def test_a_step_begun_anew_never_writes_into_what_was_linked(tmp_path: Path) -> None:
    """Begun, then killed while its files were taken over, then made. Caught: the old run's file was written over."""
    out, folder = tmp_path / "run", tmp_path / ".run.partial"
    run_of_files(out)

    def stopped() -> None:
        raise KeyboardInterrupt

    def step(make: object) -> None:
        with contextlib.suppress(KeyboardInterrupt), new_run(out, replace=True) as store:
            store.step(Making("steps/p.parquet", "k", ["steps/p.parquet"], make))
            stopped()

    (out / "steps" / "p.parquet").write_text("damaged", encoding="utf-8")
    step(stopped)
    assert (
        json.loads((folder / "steps.json").read_text(encoding="utf-8"))["steps/p.parquet"]["files"]
        == {}
    )
    (out / "steps" / "p.parquet").write_text("p.parquet", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("carbongrid.run_store.store.sync_tree", lambda path, **_: stopped())
        step(lambda: pytest.fail("it is there"))
    assert (out / "steps" / "p.parquet").stat().st_nlink == 2
    (out / "steps" / "p.parquet").write_text("damaged", encoding="utf-8")
    step(lambda: (folder / "steps" / "p.parquet").write_text("NEW", encoding="utf-8"))
    assert (folder / "steps" / "p.parquet").read_text(encoding="utf-8") == "NEW"
    assert (out / "steps" / "p.parquet").read_text(encoding="utf-8") == "damaged"


def test_what_a_symbolic_link_leads_to_is_copied(tmp_path: Path) -> None:
    """Caught: a second name of the link, and of chunks outside the run, which do not go with it."""
    out = tmp_path / "run"
    run_of_files(out)
    for name in ("one.txt", "overlap.npz", "labels.zarr"):
        (out / name).rename(tmp_path / name)
        (out / name).symlink_to(tmp_path / name)
    run_of_files(out, replace=True)
    assert not [path for path in out.rglob("*") if path.is_symlink()]
    kept = [tmp_path / name for name in ("one.txt", "overlap.npz", "labels.zarr/0.0")]
    assert [path.stat().st_nlink for path in kept] == [1, 1, 1]


def test_a_folder_that_appears_while_the_run_works_is_not_replaced(tmp_path: Path) -> None:
    """Caught: looked at before the hours of work only, and removed after them."""
    out = tmp_path / "run"
    for replace, words in ((False, "exists already"), (True, "not a run directory")):
        with pytest.raises(InputError, match=words), new_run(out, replace=replace) as store:
            store.step(
                Making("one", "k", ["one.txt"], lambda: _write(store.folder / "one.txt", "made"))
            )
            store.write_manifest({})
            out.mkdir()
            (out / "mine.docx").write_text("hours of work", encoding="utf-8")
        assert (out / "mine.docx").read_text(encoding="utf-8") == "hours of work"
        (out / "mine.docx").unlink()
        out.rmdir()
    assert write_run(out, text="not called") == ["one"]


@pytest.mark.parametrize("last", [False, True], ids=["while it works", "at the last moment"])
def test_a_file_that_appears_while_the_run_works_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bool
) -> None:
    out = tmp_path / "run"
    write_run(out)
    sync = location.sync

    def note(path: Path) -> None:
        sync(path)
        if path.name == ".run.partial":
            (out / "notes.docx").write_text("hours of work", encoding="utf-8")

    with (
        pytest.raises(InputError, match=r"not part of its run.*: notes\.docx"),
        claimed(out),
        new_run(out, replace=True) as store,
    ):
        store.step(
            Making("one", "k2", ["one.txt"], lambda: _write(store.folder / "one.txt", "anew"))
        )
        store.write_manifest({"title": "t"})
        if last:
            monkeypatch.setattr(location, "sync", note)
        else:
            note(store.folder)
    monkeypatch.undo()
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "notes.docx", "one.txt"]
    assert (out / "one.txt").read_text(encoding="utf-8") == "made"
    (out / "notes.docx").rename(tmp_path / "notes.docx")
    assert write_run(out, key="k2", text="not called", replace=True) == ["one"]
    assert (out / "one.txt").read_text(encoding="utf-8") == "anew"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.docx", "run"]


def test_steps_that_need_nothing_of_each_other_are_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for the other one; they are finished, told and listed in the order given. Seen to fail when one is made after the other."""
    monkeypatch.setattr(row_blocks, "_cores", lambda: 2)
    both = threading.Barrier(2)

    def make(path: Path) -> None:
        both.wait(HANG)
        _write(path, path.name)

    with new_run(tmp_path / "run") as store:
        store.step(
            Making("first", "k", ["first.txt"], lambda: _write(store.folder / "first.txt", "1"))
        )
        told = store.steps(
            [
                Making(name, "k", [name], functools.partial(make, store.folder / name))
                for name in ("two", "one")
            ]
        )
        assert list(told) == ["two", "one"]
        store.write_manifest({})
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["steps"]) == ["first", "two", "one"]


def test_after_a_fault_nobody_writes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step whose record cannot be written ends the others before the run's lock is let go. Seen to fail when the fault kept them alive."""
    monkeypatch.setattr(row_blocks, "_cores", lambda: 2)
    at_work, ended = threading.Event(), []

    def long() -> None:
        at_work.set()
        with pytest.raises(CancelledError):
            while True:
                row_blocks.go_on()
        ended.append("two")

    def finish(self: RunStore, name: str, record: Record) -> None:
        if record.files:
            assert at_work.wait(HANG)
            raise RunError("disk")
        kept(self, name, record)

    kept = RunStore._finish
    monkeypatch.setattr(RunStore, "_finish", finish)
    with pytest.raises(RunError, match="disk"), new_run(tmp_path / "run") as store:
        one = Making("one", "k", ["one"], lambda: _write(store.folder / "one", "1"))
        list(store.steps([one, Making("two", "k", ["two"], long)]))
    assert ended == ["two"]


def test_what_is_beside_is_imported_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Of what is taken over nothing, nor of what is not there. Seen to fail when each thread imports for itself."""
    monkeypatch.setitem(sys.modules, "this", None)
    for name in ("colorsys", "quopri"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    found: list[bool] = []

    def makings(folder: Path) -> list[Making]:
        def make(name: str) -> None:
            found.append("colorsys" in sys.modules and "quopri" in sys.modules)
            _write(folder / name, name)

        imports = {"one": ("colorsys", "this"), "two": ("quopri", "no_such_module")}
        return [
            Making(name, "k", [name], functools.partial(make, name), imports=modules)
            for name, modules in imports.items()
        ]

    with new_run(tmp_path / "run") as store:
        list(store.steps(makings(store.folder)))
        store.write_manifest({})
    assert found == [True, True]
    monkeypatch.delitem(sys.modules, "colorsys")
    with new_run(tmp_path / "run", replace=True) as store:
        list(store.steps(makings(store.folder)))
        assert store.reused == ["one", "two"]
        store.write_manifest({})
    assert "colorsys" not in sys.modules


def test_of_steps_that_are_made_at_once_what_is_finished_is_kept(tmp_path: Path) -> None:
    """A fault in one is raised, what was finished before it in the list is taken over; what is taken over is not made. Seen to fail when nothing is."""

    def full() -> None:
        raise DataSourceError("disk")

    def made(folder: Path, name: str) -> Making:
        return Making(name, "k", [name], functools.partial(_write, folder / name, name))

    with pytest.raises(DataSourceError), new_run(tmp_path / "run") as store:
        makings = [made(store.folder, "one"), Making("two", "k", ["two"], full)]
        list(store.steps([*makings, made(store.folder, "three")]))
    with new_run(tmp_path / "run") as store:
        again = [made(store.folder, name) for name in ("one", "two", "three")]
        assert list(store.steps(again)) == ["one", "two", "three"]
        assert store.reused == ["one"]
        store.write_manifest({})
    assert (tmp_path / "run" / "three").read_text(encoding="utf-8") == "three"


def test_steps_beside_a_block_are_made_while_it_works_and_are_finished_at_its_end(
    tmp_path: Path,
) -> None:
    """What is saved and what is made wait for each other; the manifest lists what was saved first. Seen to fail when one is made after the other."""
    both = threading.Barrier(2)

    def make(path: Path) -> None:
        both.wait(HANG)
        _write(path, path.name)

    def makings(folder: Path, *names: str) -> list[Making]:
        return [Making(name, "k", [name], functools.partial(make, folder / name)) for name in names]

    with new_run(tmp_path / "run") as store:
        with store.beside(makings(store.folder, "saved", "more")):
            assert list(store.steps(makings(store.folder, "one"))) == ["one"]
            both.wait(HANG)
        assert set(store.records["more"].files) == {"more"}
        store.write_manifest({})
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["steps"]) == ["saved", "more", "one"]
    with new_run(tmp_path / "run", replace=True) as store:
        with store.beside(makings(store.folder, "saved", "more")):
            list(store.steps(makings(store.folder, "one")))
        assert store.reused == ["saved", "more", "one"]
        store.write_manifest({})


def test_an_error_beside_which_steps_are_made_waits_for_them(tmp_path: Path) -> None:
    """What took long and is finished is taken over, also what was not begun when the error came. Seen to fail when it is thrown away."""

    def made(folder: Path, name: str) -> Making:
        return Making(name, "k", [name], functools.partial(_write, folder / name, name))

    with (
        pytest.raises(InputError, match=r"unfit.*\n.*is kept in"),
        new_run(tmp_path / "run") as store,
        store.beside([made(store.folder, name) for name in ("one", "two")]),
    ):
        raise InputError("unfit")
    with new_run(tmp_path / "run") as store:
        assert list(store.steps([made(store.folder, name) for name in ("one", "two")]))
        assert store.reused == ["one", "two"]
        store.write_manifest({})


def test_a_fault_beside_a_block_is_raised_at_its_end(tmp_path: Path) -> None:
    done: list[int] = []

    def full() -> None:
        raise DataSourceError("disk")

    with (
        pytest.raises(DataSourceError),
        new_run(tmp_path / "run") as store,
        store.beside([Making("two", "k", ["two"], full)]),
    ):
        done.append(1)
    assert done == [1]


def hashing_until_left_alone(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let a digest take until nobody waits for it any more; return what is set when one is begun."""
    hashed = threading.Event()

    def slow(path: Path) -> str:
        hashed.set()
        with pytest.raises(CancelledError):
            while True:
                row_blocks.go_on()
        return hash_path(path)

    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", slow)
    return hashed


def test_whoever_is_left_alone_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """After a second Ctrl-C the run's lock is free, and another may have taken it. Seen to fail: the record of the one before was written over the other's."""
    hashed = hashing_until_left_alone(monkeypatch)
    with contextlib.suppress(KeyboardInterrupt), new_run(tmp_path / "run") as store:
        making = Making("one", "k", ["one"], lambda: _write(store.folder / "one", "1"))
        with store.beside([making]):
            assert hashed.wait(HANG)
            raise KeyboardInterrupt
    assert store.records == {"one": Record("k")}


def finished(out: Path, *names: str) -> Callable[[Path], list[Making]]:
    """Make a run of files; return how another makes them, or takes them over."""

    def makings(folder: Path) -> list[Making]:
        return [Making(name, "k", [name], functools.partial(_write, folder / name, name)) for name in names]  # fmt: skip

    with new_run(out) as store:
        list(store.steps(makings(store.folder)))
        store.write_manifest({})
    return makings


def test_what_is_beside_a_block_is_taken_over_while_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Also where its digest takes long, while which others write records. Seen to fail: the block waited for it."""
    makings = finished(tmp_path / "run", "one", "two")
    gone_on = threading.Event()

    def slow(path: Path) -> str:
        if path.name == "one":
            assert gone_on.wait(HANG), "the block waits for what is beside it"
        return hash_path(path)

    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", slow)
    with new_run(tmp_path / "other", reuse=tmp_path / "run") as store:
        one, two = makings(store.folder)
        with store.beside([one]):
            assert list(store.steps([two])) == ["two"]
            gone_on.set()
        assert store.reused == ["one", "two"]
        store.write_manifest({})


def test_what_is_to_be_taken_over_first_is_so_before_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """By whoever calls: a fault of it is told before what takes long."""
    makings = finished(tmp_path / "run", "one", "two")
    (tmp_path / "run" / "two").unlink()
    hashed_by: list[threading.Thread] = []

    def watched(path: Path) -> str:
        hashed_by.append(threading.current_thread())
        return hash_path(path)

    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", watched)
    with new_run(tmp_path / "other", reuse=tmp_path / "run") as store:
        with store.beside(makings(store.folder), take_over_first=True):
            assert (store.folder / "one").read_text(encoding="utf-8") == "one"
        assert store.reused == ["one"]
        assert hashed_by[0] is threading.main_thread()
        store.write_manifest({})


def test_whoever_is_left_alone_takes_nothing_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Seen to fail: it put its file over that of the run that was begun since."""
    makings = finished(tmp_path / "run", "one")
    hashed = hashing_until_left_alone(monkeypatch)
    lent = new_run(tmp_path / "other", reuse=tmp_path / "run")
    with contextlib.suppress(KeyboardInterrupt), lent as store, store.beside(makings(store.folder)):
        assert hashed.wait(HANG)
        raise KeyboardInterrupt
    assert not (store.folder / "one").exists()
    assert store.records == {}


def test_what_was_taken_over_and_forgotten_is_not_told_as_such(tmp_path: Path) -> None:
    makings = finished(tmp_path / "run", "one")
    with new_run(tmp_path / "other", reuse=tmp_path / "run") as store:
        list(store.steps(makings(store.folder)))
        store.forget_all()
        assert store.reused == []
        list(
            store.steps(
                [dataclasses.replace(making, key="other") for making in makings(store.folder)]
            )
        )
        assert store.reused == []
        store.write_manifest({})


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Seen: [Errno 30] Read-only file system, and no word of what to do."""
    open_to_write(tmp_path / "new" / "folder")
    assert not list((tmp_path / "new" / "folder").iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(
        RunError, match=r"nothing can be written here \(Not a directory\)\. Give another\."
    ):
        open_to_write(tmp_path / "file" / "folder")

    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    require_writable(tmp_path / "another" / "folder")
    assert not (tmp_path / "another").exists()
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    for ask, folder in ((open_to_write, "new"), (require_writable, "new"), (require_writable, "another")):  # fmt: skip
        with pytest.raises(RunError, match=rf"{folder}: nothing can be written here \(Read-only file system\)"):  # fmt: skip
            ask(tmp_path / folder)
