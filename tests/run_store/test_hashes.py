"""Digests that are taken once: of a file that is the same, under whatever name."""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from waiting import HANG

from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.row_blocks import go_on
from carbongrid.run_store.hashes import Hashes, Stamps, stamps_of


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was read for its digest."""
    names: list[str] = []
    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", lambda path: names.append(path.name) or hash_path(path))  # fmt: skip
    return names


def written(path: Path, text: str = "1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_once_and_so_is_its_second_name(tmp_path: Path, read: list[str]) -> None:
    one, hashes = written(tmp_path / "one"), Hashes()
    os.link(one, tmp_path / "two")
    taken = {hashes.take(path) for path in (one, tmp_path / "two", one)}
    assert {digest for digest, _ in taken} == {hash_path(one)}
    assert read == ["one"]


def test_a_copy_is_read(tmp_path: Path, read: list[str]) -> None:
    """What was copied may be something else: a full disk, a file that was replaced meanwhile."""
    hashes = Hashes()
    hashes.take(written(tmp_path / "one"))
    hashes.take(written(tmp_path / "copy"))
    assert read == ["one", "copy"]


def test_a_copy_is_known_by_what_was_copied(tmp_path: Path, read: list[str]) -> None:
    """If that was known before, is what it was, and nothing is missing of the copy."""
    hashes, copies = Hashes(), tmp_path / "copies"
    known, changed, new = (written(tmp_path / name, name) for name in ("known", "changed", "new"))
    folder = written(tmp_path / "folder" / "file").parent
    digest = hashes.take(folder)[0]
    for path in (known, changed):
        hashes.take(path)
    read.clear()
    for path, name, cut in ((known, "whole", 9), (known, "cut", 2), (changed, "other", 9), (new, "unknown", 9)):  # fmt: skip
        with hashes.copying(path, copies / name):
            copied = written(copies / name, path.read_text(encoding="utf-8")[:cut])
            if path == changed:
                written(changed, "CHANGED")
        assert hashes.digest_of(copied) == hash_path(copied)
    assert read == ["cut", "other", "unknown"]
    with hashes.copying(folder, copies / "folder"):
        shutil.copytree(folder, copies / "folder")
    assert hashes.digest_of(copies / "folder") == digest
    assert read == ["cut", "other", "unknown"]
    with hashes.copying(folder, copies / "folder"):
        (copies / "folder" / "more").touch()
    assert hashes.digest_of(copies / "folder") != digest
    assert read == ["cut", "other", "unknown", "folder"]


@pytest.mark.parametrize("other", ["2", "22", ""])
def test_a_file_that_was_changed_is_read_again(tmp_path: Path, other: str) -> None:
    one, hashes = written(tmp_path / "one"), Hashes()
    before = hashes.take(one)
    written(one, other)
    facts = one.stat()
    os.utime(
        one, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1)
    )  # a clock of a file system may be slow
    after = hashes.take(one)
    assert after[0] == hash_path(one) != before[0]
    assert after[1] != before[1]


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    one, hashes = written(tmp_path / "one"), Hashes()
    before, facts = hashes.take(one), one.stat()
    other = written(tmp_path / "other", "2")
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    other.replace(one)
    assert hashes.take(one)[0] == hash_path(one) != before[0]


@pytest.mark.parametrize("happens", ["changed", "added", "renamed", "removed"])
def test_of_a_folder_each_file_counts(tmp_path: Path, read: list[str], happens: str) -> None:
    folder, hashes = tmp_path / "labels.zarr", Hashes()
    chunk = written(folder / "c" / "0")
    written(folder / "c" / "1")
    before = hashes.take(folder)
    assert hashes.take(folder) == before
    assert read == ["labels.zarr"]
    if happens == "changed":
        written(chunk, "other")
    elif happens == "added":
        written(folder / "d" / "0")
    elif happens == "renamed":
        chunk.rename(folder / "c" / "2")
    else:
        chunk.unlink()
    assert hashes.take(folder)[0] == hash_path(folder) != before[0]


def test_what_is_not_there_is_told_each_time_and_found_once_it_is(tmp_path: Path) -> None:
    hashes = Hashes()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            hashes.take(tmp_path / "one")
    assert hashes.take(written(tmp_path / "one"))[0] == hash_path(tmp_path / "one")


def test_a_folder_that_gets_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    """What is read from elsewhere is not taken for what was there."""
    folder, hashes = tmp_path / "labels.zarr", Hashes()
    written(folder / "0")
    hashes.take(folder)
    (folder / "more").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(OSError, match="it is a link to a folder"):
        hashes.take(folder)


@pytest.mark.parametrize("before", [None, "other"])
def test_what_is_replaced_between_a_look_and_its_opening_is_not_known_by_the_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:  # fmt: skip
    """Seen to fail: what was missing had a digest from then on, and so had a second name of what was there."""
    one, hashes = tmp_path / "one", Hashes()
    if before is not None:
        os.link(written(one, before), tmp_path / "two")

    def late(path: Path) -> str:
        written(tmp_path / "new", "late").replace(one)
        return hash_path(path)

    with monkeypatch.context() as patch:
        patch.setattr("carbongrid.run_store.hashes.hash_path", late)
        assert hashes.take(one)[0] == hash_path(one)
    if before is None:
        with pytest.raises(FileNotFoundError):
            hashes.take(tmp_path / "two")
    else:
        assert hashes.take(tmp_path / "two")[0] == hash_path(tmp_path / "two") != hash_path(one)


def test_files_without_numbers_are_known_by_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """As on some file systems of Windows. Seen to fail: as many bytes of the same time were one file."""
    monkeypatch.setattr("carbongrid.run_store.hashes.stamp_of", lambda path: (path.stat().st_size, 0, 0, 0))  # fmt: skip
    files, hashes = [written(tmp_path / name, name) for name in ("a", "b", "folder/c", "other/c")], Hashes()  # fmt: skip
    written(tmp_path / "other" / "c", "d")
    for path in (*files, tmp_path / "folder", tmp_path / "other"):
        assert hashes.take(path)[0] == hash_path(path)


def test_ahead_is_another_thread_and_who_asks_meanwhile_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    begun, go, threads, hashes = threading.Event(), threading.Event(), [], Hashes()

    def slow(path: Path) -> str:
        threads.append(threading.current_thread())
        begun.set()
        assert go.wait(HANG)
        return hash_path(path)

    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", slow)
    one = written(tmp_path / "one")
    with hashes.ahead([one]):
        assert begun.wait(HANG)
        threading.Thread(target=go.set).start()
        assert hashes.take(one)[0] == hash_path(one)
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


def test_ahead_reads_no_folder_and_tells_of_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    read, all_begun, hashes = [], threading.Event(), Hashes()

    def faulty(path: Path) -> str:
        read.append(path.name)
        if path.name == "last":
            all_begun.set()
        raise OSError("disk")

    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", faulty)
    folder = written(tmp_path / "folder" / "file").parent
    files = [written(tmp_path / name) for name in ("first", "last")]
    with hashes.ahead([tmp_path / "not there", folder, *files]):
        assert all_begun.wait(HANG)
    assert read == ["first", "last"]
    with pytest.raises(OSError, match="disk"):
        hashes.take(files[0])


@pytest.mark.parametrize("name", ["n" * 300, "file/inside"])
def test_ahead_passes_over_what_cannot_even_be_looked_at(tmp_path: Path, name: str) -> None:
    """Names come from any earlier manifest. Seen to end a run in a traceback: a name that is too long, a folder that may not be searched."""
    written(tmp_path / "file")
    with Hashes().ahead([tmp_path / name]):
        pass


def test_ahead_passes_over_what_the_system_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> bool:
        raise PermissionError(13, "not yours")

    one = written(tmp_path / "one")
    monkeypatch.setattr(type(one), "is_file", refused)
    with Hashes().ahead([one]):
        pass


class Endless:
    """Hashes no file to its end, until nobody waits for it."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), []

    def __call__(self, path: Path) -> str:
        self.begun.set()
        try:
            while True:
                go_on()
        except CancelledError:
            self.ended.append(path.name)
            raise


@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_whoever_leaves_waits_for_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException] | None) -> None:  # fmt: skip
    """Seen to fail: who had written a key wrong was told when a file of gigabytes was hashed."""
    endless = Endless()
    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", endless)
    files = [written(tmp_path / name) for name in ("one", "two")]
    with contextlib.nullcontext() if error is None else pytest.raises(error), Hashes().ahead(files):
        assert endless.begun.wait(HANG)
        if error is not None:
            raise error
    assert endless.ended == ["one"]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_whoever_waits_for_another_s_digest_hears_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:  # fmt: skip
    """Seen to fail: of two threads that were to hash one file the second could not be told to stop, and so the first was waited for."""
    endless, hashes, asked = Endless(), Hashes(), threading.Event()
    monkeypatch.setattr("carbongrid.run_store.hashes.hash_path", endless)
    stamps = stamps_of
    one = written(tmp_path / "one")

    def noted(path: Path) -> Stamps:
        if threading.current_thread() is not threading.main_thread() and endless.begun.is_set():
            asked.set()
        return stamps(path)

    monkeypatch.setattr("carbongrid.run_store.hashes.stamps_of", noted)
    with pytest.raises(error), hashes.ahead([one]):
        assert endless.begun.wait(HANG)
        with hashes.ahead([one]):
            assert asked.wait(HANG)
            raise error
    assert endless.ended == ["one"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_knows_no_file(tmp_path: Path, read: list[str], copied: Callable[[Hashes], Hashes]) -> None:  # fmt: skip
    """Seen to fail: a result that was asked something could not be pickled."""
    hashes, one = Hashes(), written(tmp_path / "one")
    hashes.take(one)
    assert copied(hashes).take(one) == hashes.take(one)
    assert read == ["one", "one"]
