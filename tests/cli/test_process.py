"""How a process of the command line ends: all that was asked for is done, and nothing else."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ENDS = """
import atexit, sys
from carbongrid.cli import command

class Kept:
    def __del__(self):
        print("taken apart", flush=True)

kept = Kept()
atexit.register(print, "asked for at the end")
print("first")
sys.argv = ["carbongrid", *{words!r}]
command()
print("came back")
"""


def ended(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ENDS.format(words=words)], capture_output=True, text=True)  # fmt: skip


def test_after_a_success_nothing_is_taken_apart() -> None:
    """What is printed is all there, and what others asked for is done. Seen to fail without flushing, and with Python's own end."""
    done = ended("--version")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "first"
    assert done.stdout.splitlines()[-1] == "asked for at the end"
    assert "version" in done.stdout
    assert "taken apart" not in done.stdout
    assert "came back" not in done.stdout


def test_after_an_error_python_ends_as_it_does() -> None:
    done = ended("no-such-command")
    assert done.returncode == 2
    assert "No such command" in done.stderr
    assert done.stdout.splitlines() == ["first", "asked for at the end", "taken apart"]


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_success_that_nobody_hears_is_one(closed: str) -> None:
    """Seen to fail: Python has no stream there to be flushed."""
    command = f"{shlex.quote(sys.executable)} -m carbongrid --version {closed}"
    assert subprocess.run(["sh", "-c", command], capture_output=True).returncode == 0


def test_whoever_looks_on_sees_the_end(tmp_path: Path) -> None:
    """Seen to fail: a profile was not written."""
    done = subprocess.run(
        [sys.executable, "-m", "cProfile", "-o", tmp_path / "profile", "-m", "carbongrid", "--version"],
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert (tmp_path / "profile").stat().st_size


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that only Linux has")
@pytest.mark.parametrize("words", [("--help",), ("--version",), ("factors", "list")])
@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_a_full_disk_is_told_without_a_traceback(words: tuple[str, ...], unbuffered: str) -> None:
    """Seen to fail: help and version ended in a traceback of click."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "carbongrid", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode != 0
    assert "error: [Errno 28]" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_has_read_enough_gets_no_message() -> None:
    """As ``carbongrid factors diesel | head``; seen to fail: ``error: [Errno 32] Broken pipe``."""
    arguments = [sys.executable, "-m", "carbongrid", "factors"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
