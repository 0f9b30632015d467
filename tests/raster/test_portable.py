"""The small demo where nothing is there that only Linux has, and what stands in for it."""

from __future__ import annotations

import ast
import ctypes
import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest

import carbongrid
from carbongrid.raster import portable

PACKAGE = Path(carbongrid.__file__).parent
ONLY_SOME = {
    "os": (
        *("geteuid", "getuid", "uname", "sysconf", "posix_fallocate", "sched_getaffinity"),
        *("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"),
    ),
    "signal": ("pthread_sigmask", "pthread_kill"),
}
HIDE = f"""
import os, signal, sys
# What reads the machine for itself is loaded with it.
import asyncio, concurrent.futures.process, distributed, filelock, h5netcdf, matplotlib.pyplot, numba, pint, pyarrow, dask.threaded, rasterio, rich.console, xarray, zarr
sys.modules["fcntl"] = sys.modules["msvcrt"] = None
hidden = dict()
for module, names in {ONLY_SOME!r}.items():
    for name in set(names) - {{"getuid", "sched_getaffinity"}}:  # Python and its libraries need them here
        hidden[name] = vars(sys.modules[module]).pop(name, None)
import carbongrid.raster.portable
# Libraries choose their ways by the name of the system, and go on to use its flags.
vars(os).update((name, value) for name, value in hidden.items() if name.startswith("O_"))
"""


def python(text, *words):
    return subprocess.run(
        [sys.executable, "-c", HIDE + dedent(text), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_one_module_asks_for_what_some_systems_lack():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names} & {"fcntl", "msvcrt", "pwd", "grp"}
            elif isinstance(node, ast.ImportFrom):
                names = {node.module} & {"fcntl", "msvcrt", "pwd", "grp", "resource"}
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names = {node.attr} & set(ONLY_SOME.get(node.value.id, ()))
            else:
                continue
            if names:
                found.add(path.relative_to(PACKAGE).as_posix())
    # Threads are counted by what the system allows, or all that there are.
    assert found == {"raster/portable.py", "raster/row_blocks.py"}


@pytest.mark.thorough
def test_the_small_demo_runs_where_they_are_hidden(small_run, tmp_path):
    """Written and run there, with report and figures; as where they are not hidden."""
    hidden = python(
        """
        from pathlib import Path
        out, tests = map(Path, sys.argv[1:])
        sys.path.append(str(tests))
        from small_demo import write_small_city
        from carbongrid.cli import main
        case = write_small_city(out / "case")
        sys.argv = ["carbongrid", "run", str(case), "--out", str(out / "run"), "--quiet"]
        main()
        """,
        tmp_path,
        Path(__file__).parents[1],
    )
    assert hidden.returncode == 0, hidden.stderr
    digests = [
        json.loads((run / "manifest.json").read_bytes())["digests"]
        for run in (tmp_path / "run", small_run)
    ]
    assert digests[0] == digests[1]


def test_a_second_writer_is_refused_there(tmp_path):
    told = python(
        """
        from pathlib import Path
        from carbongrid.errors import RunError
        from carbongrid.run_store.lock import claimed
        out = Path(sys.argv[1])
        with claimed(out):
            try:
                with claimed(out):
                    print("both")
            except RunError as error:
                print(error)
        with claimed(out):
            print("again")
        beside = next(Path(sys.argv[1]).parent.glob("*lock*"), None)
        link = (beside or out.with_name(f".{out.name}.lock"))
        link.unlink(missing_ok=True)
        link.symlink_to(out.with_name("elsewhere"))
        try:
            with claimed(out):
                print("through a link")
        except RunError as error:
            print(error)
        """,
        tmp_path / "run",
    )
    lines = told.stdout.splitlines()
    assert "another process is writing this run directory" in lines[0], told.stderr
    assert lines[1] == "again"
    assert "is a link" in lines[2]
    assert not (tmp_path / "elsewhere").exists()


def test_links_are_refused_with_and_without_the_system(tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for flag in (portable._NO_LINKS, 0):
        monkeypatch.setattr(portable, "_NO_LINKS", flag)
        with pytest.raises(OSError, match="link") as caught:
            portable.open_without_links(tmp_path / "link", os.O_RDWR | os.O_CREAT)
        assert caught.value.errno == errno.ELOOP
        descriptor = portable.open_without_links(tmp_path / f"file{flag}", os.O_RDWR | os.O_CREAT)
        os.close(descriptor)
    assert not (tmp_path / "target").exists()


def test_room_is_asked_for_where_it_cannot_be_taken(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with (tmp_path / "probe").open("wb") as stream:
        portable.reserve(stream, 1, tmp_path)
        with pytest.raises(OSError, match="space") as caught:
            portable.reserve(stream, 2**62, tmp_path)
    assert caught.value.errno == errno.ENOSPC


def test_memory_nobody_tells_of_is_no_limit(monkeypatch):
    __import__("psutil")  # which asks Linux by the same name as it is loaded
    assert 2**28 < portable.physical_memory() < 2**50
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert portable.physical_memory() > 2**28
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert portable.physical_memory() == sys.maxsize


def test_an_interrupt_reaches_the_main_thread_either_way(monkeypatch):
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    for whole in (True, False):
        if not whole:
            monkeypatch.delattr(signal, "pthread_kill", raising=False)
            monkeypatch.delattr(signal, "pthread_sigmask", raising=False)
        with portable.interrupts_blocked():
            pass
        with pytest.raises(KeyboardInterrupt):
            portable.interrupt(threading.main_thread().ident, signal.SIGINT)
    signal.signal(signal.SIGINT, usual)


def test_nobody_is_ended_by_being_asked_for(monkeypatch):
    """On Windows the signal 0 is Ctrl-C."""
    assert portable.lives(os.getpid())
    monkeypatch.setattr(os, "name", "nt")
    monkeypatch.setattr(os, "kill", None)
    assert portable.lives(os.getpid())


def test_memory_is_given_back_or_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with a C library that has no such function."""
    asked: list[int] = []

    class Library:
        malloc_trim = asked.append

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(portable.ctypes, "CDLL", lambda _: Library)
    portable.give_back()
    assert asked == [0]

    def without(_: object) -> object:
        return object()

    monkeypatch.setattr(portable.ctypes, "CDLL", without)
    portable.give_back()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(portable.ctypes, "CDLL", pytest.fail)
    portable.give_back()


@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere lines may come")
def test_what_compiled_code_writes_meanwhile_is_not_among_the_answer(capfd) -> None:
    """Seen to: HiGHS writes lines of its own."""
    libc = ctypes.CDLL(None)
    with portable.compiled_says_to_errors():
        libc.puts(b"a line of its own")
    libc.puts(b"the answer")
    libc.fflush(None)
    assert capfd.readouterr() == ("the answer\n", "a line of its own\n")


@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere lines may come")
def test_threads_leave_the_standard_output_as_it_was(capfd) -> None:
    """Seen to fail where a second thread kept what the first had sent elsewhere."""
    libc, was = ctypes.CDLL(None), os.fstat(1)

    def written() -> None:
        for _ in range(200):
            with portable.compiled_says_to_errors():
                libc.puts(b"a line of its own")

    threads = [threading.Thread(target=written) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert os.path.samestat(was, os.fstat(1))
    assert capfd.readouterr() == ("", "a line of its own\n" * 800)


def test_without_a_standard_output_nothing_is_sent_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a program without a console."""
    monkeypatch.setattr(sys, "stdout", None)
    with portable.compiled_says_to_errors():
        done = True
    assert done
