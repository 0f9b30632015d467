"""Only regular files are opened, and nothing is written through a link."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest
import shapely

from carbongrid.case import Case
from carbongrid.case.readers.activity_template import write_inventory_template
from carbongrid.case.readers.tables import read_table
from carbongrid.case.readers.vector import read_vector
from carbongrid.case.template import write_template
from carbongrid.cli import main
from carbongrid.errors import InputError, RunError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.opening import files
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.files import head_of, is_address, open_file, read_text, stamp_of
from carbongrid.raster.opening.formats import sniff_raster
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import ZonalOperator
from carbongrid.run_store import claimed, new_run
from carbongrid.run_store.location import check_target, place_of
from carbongrid.sources.demo import write_city


def odd_files(folder: Path) -> dict[str, Path]:
    """A pipe, a socket, a device that gives zeros for ever."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        # The path of a socket may not be long.
        here = Path.cwd()
        os.chdir(folder)
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
    return {
        "a pipe": folder / "pipe",
        "a socket": folder / "socket",
        "a device": Path("/dev/zero"),
    }


def test_nothing_is_written_to_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to be written, without a word, into a folder s3: where the process happened to be."""
    monkeypatch.chdir(tmp_path)
    land = Polygons.of(np.array([shapely.box(0, 0, 20, 20)]), "EPSG:32650")
    grid = Grid("EPSG:32650", 10, (0, 0, 20, 20))
    address = "s3://bucket/made"
    for write in (
        lambda to: rasterize(land, grid, store=to),
        ZonalOperator(land, grid).save,
        land.save,
        place_of,
        write_template,
        write_inventory_template,
        write_city,
    ):
        for to in (address, Path(address)):
            with pytest.raises(InputError, match=r"made: this is an address.*copy it there"):
                write(to)
        # Seen to end in a bare OSError: File name too long.
        for to in ("n" * 300, "县" * 100, f"missing/{'n' * 300}/made", tmp_path / ("n" * 300)):
            with pytest.raises(InputError, match=r"the longest name in it has 300 bytes.*shorter"):
                write(to)
    # Seen to end so, too: what they are made in had the name and more.
    longest = tmp_path / ("n" * 255)
    for save in (ZonalOperator(land, grid).save, land.save):
        save(longest)
        assert [*tmp_path.iterdir()] == [longest]
        shutil.rmtree(longest)
    with pytest.raises(InputError, match="has 259 bytes"):  # of what a run is made in
        check_target(Path("n" * 250), replace=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["C:/made", "C://made", "made", "a:b/c", "2020://a", "/s3://a", Path("a:b/c"), Path("D:/made"), "s3:/made", Path("run:/x"), Path("host:/export/data")])  # fmt: skip
def test_a_path_is_no_address(path: str | Path) -> None:
    """Drives of Windows, and colons in names: seen to be refused as an address where a folder's ends in one."""
    assert not is_address(path)


def test_what_is_no_regular_file_is_told_at_once(tmp_path: Path) -> None:
    for kind, path in odd_files(tmp_path).items():
        with pytest.raises(OSError, match=kind):
            open_file(path)
        with pytest.raises(OSError, match=kind):
            hash_path(path)
        for reader in (read_table, read_vector, sniff_raster, Case.read):
            with pytest.raises(InputError, match=kind):
                reader(path)
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)
    (tmp_path / "text").write_text("a\n", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "text")
    assert read_text(tmp_path / "link") == "a\n"


def test_what_takes_the_place_of_a_file_as_it_is_opened_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "require_regular", lambda path: None)
    for kind, path in odd_files(tmp_path).items():
        with pytest.raises(OSError, match=kind if kind != "a socket" else "No such device"):
            open_file(path)


@pytest.fixture
def no_hang() -> Iterator[None]:
    """End a test that waits for ever; a guard, no measure."""
    signal.alarm(600)
    yield
    signal.alarm(0)


@pytest.mark.parametrize("command", ["check", "run", "verify", "figures", "inventory"])
@pytest.mark.usefixtures("no_hang")
def test_no_command_waits_for_a_pipe_or_reads_a_device_without_end(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Caught: a case that is a pipe waited for ever, /dev/zero was read until the memory was full."""
    for kind, path in odd_files(tmp_path).items():
        folder = tmp_path / kind.replace(" ", "-")
        folder.mkdir()
        (folder / "manifest.json").symlink_to(path)
        given = [str(folder if command in ("verify", "figures") else path)]
        given += ["--out", str(tmp_path / "out")] if command == "run" else []
        with pytest.raises(SystemExit) as ended:
            main([command, *given])
        told = capsys.readouterr()
        assert ended.value.code in (1, 2), (command, kind)
        assert "Traceback" not in told.err
        assert "fault of carbongrid" not in told.err
    assert not (tmp_path / "out").exists()


def test_a_case_that_names_a_pipe_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    odd_files(tmp_path)
    (tmp_path / "totals.csv").write_text("category,value,unit\n", encoding="utf-8")
    (tmp_path / "case.toml").write_text(
        "year = 2020\n[parcels]\npath = 'pipe'\nid = 'a'\ncode_system = 'tdland3'\n"
        "[units]\npath = 'socket'\nid = 'a'\nname = 'b'\n[totals]\npath = 'totals.csv'\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        Case.read(tmp_path / "case.toml")
    text = str(caught.value)
    assert "it is a pipe, not a file" in text
    assert "it is a socket, not a file" in text


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_a_lock_that_is_another_file_is_not_written(tmp_path: Path, kind: str) -> None:
    """Caught: ``.run.lock`` as a link to a file of the user's, which was emptied and then held a process's name."""
    treasure = tmp_path / "thesis.txt"
    treasure.write_text("years of work", encoding="utf-8")
    lock = tmp_path / ".run.lock"
    if kind == "link":
        lock.symlink_to(treasure)
    elif kind == "hard link":
        lock.hardlink_to(treasure)
    else:
        os.mkfifo(lock)
    untrusted = pytest.raises(RunError, match=r"\.run\.lock: .*cannot be trusted.*Remove it")
    with untrusted, claimed(tmp_path / "run"):
        pytest.fail("it was taken")
    assert treasure.read_text(encoding="utf-8") == "years of work"
    assert lock.is_symlink() or lock.exists()


def test_a_dangling_lock_makes_no_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / ".run.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="it is a link"), claimed(tmp_path / "run"):
        pytest.fail("it was taken")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("place", ["itself", "inside", "old", "file"])
@pytest.mark.parametrize("restart", [False, True])
def test_nothing_is_removed_behind_a_link(tmp_path: Path, place: str, restart: bool) -> None:
    """Caught: ``.run.partial`` as a link to a folder of the user's, whose files were removed."""
    treasure = tmp_path / "photos"
    treasure.mkdir()
    (treasure / "one.jpg").write_text("smile", encoding="utf-8")
    partial = tmp_path / ".run.partial"
    if place == "itself":
        partial.symlink_to(treasure)
    elif place == "inside":
        partial.mkdir()
        (partial / "units.csv").symlink_to(treasure / "one.jpg")
    elif place == "old":
        (tmp_path / ".run.old").symlink_to(treasure)
    else:
        partial.write_text("mine", encoding="utf-8")
    refused = pytest.raises(InputError, match=r"not made by carbongrid.*Remove it")
    with refused, new_run(tmp_path / "run", restart=restart) as store:
        store.write_manifest({})
    assert (treasure / "one.jpg").read_text(encoding="utf-8") == "smile"
    assert [file.name for file in treasure.iterdir()] == ["one.jpg"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".run.partial").mkdir()
    (tmp_path / ".run.lock").touch()
    for name in (".run.partial", ".run.lock"):
        os.chown(tmp_path / name, 12345, -1)
    with pytest.raises(RunError, match="another user"), claimed(tmp_path / "run"):
        pytest.fail("it was taken")
    with pytest.raises(InputError, match="another user"), new_run(tmp_path / "run"):
        pytest.fail("it was begun")
    os.chown(tmp_path, 12345, -1)  # to whom the folder belongs, he may do as he likes there anyway
    with claimed(tmp_path / "run"), new_run(tmp_path / "run") as store:
        store.write_manifest({})


def test_a_digest_for_which_nobody_waits_ends_at_the_next_piece(tmp_path, monkeypatch):
    """Seen to fail: after Ctrl-C a run waited until all its inputs were hashed."""
    path, asked = tmp_path / "large", []
    path.write_bytes(bytes(3 * 2**10))

    def leave() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise CancelledError

    assert hash_path(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr("carbongrid.raster.opening.digests._AT_ONCE", 2**10)
    assert hash_path(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr("carbongrid.raster.opening.digests.go_on", leave)
    with pytest.raises(CancelledError):
        hash_path(path)
    assert len(asked) == 2


def test_the_digest_of_a_folder_is_of_its_relative_names_and_files_in_order(tmp_path: Path) -> None:
    """What lies in another folder, or under another name, is another digest."""
    contents = {"a/x": b"1", "a/y": b"2", "a-b/x": b"1", "c": b""}
    expected = hashlib.sha256()
    for name, content in sorted(contents.items(), key=lambda item: item[0].split("/")):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        expected.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\0".encode())
    assert hash_path(tmp_path / "folder") == expected.hexdigest()
    (tmp_path / "folder" / "a" / "x").rename(tmp_path / "folder" / "a-b" / "z")
    assert hash_path(tmp_path / "folder") != expected.hexdigest()


@pytest.mark.parametrize("odd", ["pipe", "link to a folder", "link to a pipe"])
def test_a_folder_that_holds_what_is_no_file_has_no_digest(tmp_path: Path, odd: str) -> None:
    """A driver reads what lies behind a link, and nothing of it would be in the digest. Seen of a link to a folder: it is a folder, not a file."""
    folder, elsewhere = tmp_path / "a.gdb", tmp_path / "elsewhere"
    (folder / "inside").mkdir(parents=True)
    elsewhere.mkdir()
    os.mkfifo(elsewhere / "pipe")
    (folder / "inside" / "file").touch()
    hash_path(folder)
    if odd == "pipe":
        os.mkfifo(folder / "inside" / "odd")
    else:
        behind = elsewhere if odd == "link to a folder" else elsewhere / "pipe"
        (folder / "inside" / "odd").symlink_to(behind)
    with pytest.raises(
        OSError, match="link to a folder" if "folder" in odd else "it is a pipe"
    ) as caught:
        hash_path(folder)
    assert str(caught.value.filename) == str(folder / "inside" / "odd")


def test_whatever_writes_or_replaces_a_file_changes_its_stamp(tmp_path: Path) -> None:
    """Its time alone where it has as many bytes, its number alone where another took its place with its time."""
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"abc")
    stamps = [stamp_of(path), stamp_of(other)]
    facts = path.stat()
    path.write_bytes(b"xyz")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    stamps.append(stamp_of(path))
    other.write_bytes(b"abc")
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    other.replace(path)
    stamps.append(stamp_of(path))
    path.write_bytes(b"abcd")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    stamps.append(stamp_of(path))
    assert len({*stamps}) == len(stamps)
    assert stamp_of(path) == stamps[-1]


def test_the_head_of_a_file_is_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert (head_of(path, 2), head_of(path, 9)) == (b"ab", b"abc")
    with pytest.raises(InputError, match=f"{tmp_path}/b: there is no such file"):
        head_of(tmp_path / "b", 2)
    with pytest.raises(InputError, match=f"{tmp_path}: .*cannot be read: it is a folder"):
        head_of(tmp_path, 2)
