"""The tutorial, walked as it stands: files are written, commands run, and what the page prints is printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from printed import without_font_warning
from tutorial_page import blocks
from waiting import HANG

from carbongrid.cli import main

pytestmark = pytest.mark.drawn


def printed_by(commands: str, folder: Path) -> str:
    """Run a block of commands in the folder that one is in, and return all that it prints; our own in this process."""
    told = ""
    for line in commands.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["carbongrid"] and not set("|&;<>$*") & set(line):
            done = CliRunner().invoke(main, words[1:])
            told += done.output
            assert done.exit_code == 0, f"{line}\n{told}"
        elif words:
            told += shell(line, folder)
    return told


def shell(commands: str, folder: Path) -> str:
    """Run a block of commands in a folder and return all that it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=HANG,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}"
    return done.stdout


def walk(folder: Path) -> list[tuple[str, str]]:
    """Walk the page in a folder; return what it promises and what was printed, block by block."""
    printed = ""
    outputs = []
    for language, name, text in blocks():
        if language == "sh":
            printed = printed_by(text, folder)
        elif language == "text":
            outputs.append((text, printed))
        else:
            (folder / name).write_text(text, encoding="utf-8")
    return outputs


def test_each_command_does_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outputs = walk(tmp_path)
    assert len(outputs) == 6
    for promised, printed in outputs:
        # "..." stands for lines left out, or for the rest of one.
        parts = [re.escape(part) for part in promised.strip().split("...")]
        printed = without_font_warning(printed).strip()
        assert re.fullmatch(".*".join(parts), printed, re.DOTALL), printed
    assert (tmp_path / "mytown-2024" / "report.html").is_file()


def test_page_shows_the_main_commands() -> None:
    commands = "".join(text for language, _, text in blocks() if language == "sh")
    for name in ("init", "check", "run", "verify"):
        assert f"carbongrid {name} " in commands
