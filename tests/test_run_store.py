"""The run directory: absent or complete, one writer, steps reused only when nothing changed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from carbongrid.errors import InputError, RunError
from carbongrid.run_store import claimed, hash_path, new_run


def write_run(out: Path, key: str = "k", text: str = "made", replace: bool = False) -> list[str]:
    with claimed(out), new_run(out, replace=replace) as store:
        store.step("one", key, ["one.txt"], lambda: _write(store.folder / "one.txt", text))
        store.write_manifest({"title": "t"})
    return store.reused


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def test_a_finished_run_has_a_manifest_and_no_siblings(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["files"] == {"one.txt": hash_path(tmp_path / "run" / "one.txt")}
    assert manifest["steps"] == {"one": {"key": "k", "files": manifest["files"]}}


def test_an_existing_run_is_refused_without_replace(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with pytest.raises(InputError, match="--replace"):
        write_run(tmp_path / "run", text="other")
    assert (tmp_path / "run" / "one.txt").read_text() == "made"


def test_a_folder_that_is_no_run_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="not a run directory"):
        write_run(tmp_path / "mine", replace=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_a_step_is_reused_only_with_the_same_key(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    assert write_run(out, text="not called", replace=True) == ["one"]
    assert (out / "one.txt").read_text() == "made"
    assert write_run(out, key="k2", text="anew", replace=True) == []
    assert (out / "one.txt").read_text() == "anew"


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    (out / "one.txt").write_text("flipped")
    assert write_run(out, text="anew", replace=True) == []
    assert (out / "one.txt").read_text() == "anew"


def test_an_error_in_the_input_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError), new_run(tmp_path / "run") as store:
        (store.folder / "half").write_text("x")
        raise InputError("wrong")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_leaves_the_old_one_and_is_resumed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    with pytest.raises(OSError, match="disk"), new_run(out, replace=True) as store:
        store.step("two", "k", ["two.txt"], lambda: _write(store.folder / "two.txt", "2"))
        raise OSError("disk")
    assert (out / "one.txt").read_text() == "made"
    with new_run(out, replace=True) as store:
        store.step("two", "k", ["two.txt"], lambda: pytest.fail("two was finished already"))
        store.write_manifest({})
    assert {path.name for path in out.iterdir()} == {"manifest.json", "two.txt"}
    assert (out / "two.txt").read_text() == "2"


def interrupted(out: Path) -> Path:
    """Leave a run that broke after its first step; return its folder."""
    with pytest.raises(OSError, match="power"), new_run(out) as store:
        store.step("one", "k", ["one.txt"], lambda: _write(store.folder / "one.txt", "made"))
        raise OSError("power")
    return store.folder


def test_a_file_of_an_interrupted_run_is_hashed_before_it_is_trusted(tmp_path: Path) -> None:
    folder = interrupted(tmp_path / "run")
    (folder / "one.txt").write_text("mAde")
    assert write_run(tmp_path / "run", text="anew") == []
    assert (tmp_path / "run" / "one.txt").read_text() == "anew"


def test_a_manifest_that_was_never_renamed_still_names_its_steps(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / ".run.partial")
    assert write_run(tmp_path / "run", text="not called") == ["one"]


def test_restart_takes_nothing_over(tmp_path: Path) -> None:
    out = tmp_path / "run"
    interrupted(out)
    with new_run(out, restart=True) as store:
        store.step("one", "k", ["one.txt"], lambda: _write(store.folder / "one.txt", "anew"))
        store.write_manifest({})
    assert (out / "one.txt").read_text() == "anew"


@pytest.mark.parametrize("steps", ["", "[1]", '{"one": 3}', '{"one": {"key": "k"}}', "\x00"])
def test_a_damaged_record_of_steps_is_no_record(tmp_path: Path, steps: str) -> None:
    folder = interrupted(tmp_path / "run")
    (folder / "steps.json").write_text(steps)
    assert write_run(tmp_path / "run", text="anew") == []


def test_a_file_that_changes_under_the_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"one\.txt was changed"), new_run(tmp_path / "run") as store:
        store.step("one", "k", ["one.txt"], lambda: _write(store.folder / "one.txt", "made"))
        (store.folder / "one.txt").write_text("other")
        store.write_manifest({})
    assert not (tmp_path / "run").exists()


def test_files_of_the_user_in_an_old_run_are_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    (out / "map.qgz").write_text("hours of work")
    (out / "units.gpkg-wal").write_text("")
    with pytest.raises(InputError, match=r"not part of its run.*: map\.qgz"):
        write_run(out, text="other", replace=True)
    assert (out / "map.qgz").read_text() == "hours of work"


def test_a_commit_cut_between_its_renames_is_mended(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    out.rename(tmp_path / ".run.old")
    with pytest.raises(InputError, match="exists already"):
        write_run(out)
    assert (out / "one.txt").read_text() == "made"


HOLDER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from carbongrid.run_store import claimed, new_run
    with claimed(Path(sys.argv[1])), new_run(Path(sys.argv[1])) as store:
        print("open", flush=True)
        sys.stdin.read()
        store.step("one", "k", ["one"], lambda: (store.folder / "one").touch())
        store.write_manifest({})
""")


def holder(out: Path) -> subprocess.Popen[bytes]:
    """Start a process that holds the directory until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(out)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    return process


def test_the_second_writer_fails_at_once_and_names_the_first(tmp_path: Path) -> None:
    with holder(tmp_path / "run") as first:
        begun = time.monotonic()
        with pytest.raises(RunError, match=rf"process {first.pid} on .*, since 20"):
            write_run(tmp_path / "run")
        assert time.monotonic() - begun < 1
        assert first.stdin is not None
        first.stdin.close()
        assert first.wait(10) == 0
    assert (tmp_path / "run" / "manifest.json").exists()


def test_a_dead_holder_is_no_holder(tmp_path: Path) -> None:
    with holder(tmp_path / "run") as first:
        first.kill()
        first.wait(10)
        assert (tmp_path / ".run.lock").exists()
        write_run(tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_the_second_writer_waits_for_the_first_ones_name(tmp_path: Path) -> None:
    """Caught: the name of a dead holder, read between another's lock and its name."""
    path = tmp_path / ".run.lock"
    path.write_text(f"process 999999999 on {os.uname().nodename}, since 2020-01-01 00:00:00")
    with path.open("a+") as stream, ThreadPoolExecutor() as pool:
        fcntl.flock(stream, fcntl.LOCK_EX)
        second = pool.submit(write_run, tmp_path / "run")
        time.sleep(0.2)
        assert not second.done()
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {os.uname().nodename}, since 2026-01-01 00:00:00")
        stream.flush()
        with pytest.raises(RunError, match=f"process {os.getpid()} "):
            second.result(10)


def test_a_lock_whose_file_is_gone_is_no_lock(tmp_path: Path) -> None:
    """Caught: an error that names a holder which had finished between open and lock."""
    path = tmp_path / ".run.lock"
    with path.open("a+") as stream, ThreadPoolExecutor() as pool:
        fcntl.flock(stream, fcntl.LOCK_EX)
        second = pool.submit(write_run, tmp_path / "run")
        time.sleep(0.2)
        path.unlink()
        fcntl.flock(stream, fcntl.LOCK_UN)
        assert second.result(10) == []
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
            store.step("one", key, ["one.txt"], lambda: make(store.folder), ["scratch"])
            store.write_manifest({})
    assert found == [[], ["scratch"], [], ["scratch"]]
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "one.txt"]
