"""The run directory: absent or complete, one writer, steps reused only when nothing changed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from carbongrid.errors import InputError, RunError
from carbongrid.run_store import hash_path, new_run


def write_run(out: Path, key: str = "k", text: str = "made", replace: bool = False) -> list[str]:
    with new_run(out, replace=replace) as store:
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
    assert manifest["steps"] == {"one": "k"}


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
    assert (out / "two.txt").read_text() == "2"


def test_a_commit_cut_between_its_renames_is_mended(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_run(out)
    out.rename(tmp_path / ".run.old")
    with pytest.raises(InputError, match="exists already"):
        write_run(out)
    assert (out / "one.txt").read_text() == "made"


def test_the_second_writer_fails_at_once_and_names_the_first(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from carbongrid.run_store import new_run
        with new_run(Path(sys.argv[1])) as store:
            print("open", flush=True)
            sys.stdin.read()
            store.write_manifest({})
    """)
    command = [sys.executable, "-c", script, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stdout.readline() == b"open\n"
        with pytest.raises(RunError, match=f"process {first.pid} "):
            write_run(tmp_path / "run")
        first.stdin.close()
        assert first.wait(10) == 0
    assert (tmp_path / "run" / "manifest.json").exists()
