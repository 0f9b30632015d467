"""What ``.ci/run`` asks of a machine, on machines made of a folder of programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from data import ROOT

NEEDED = ("bash", "cat", "dirname", "env", "grep", "mktemp", "rm", "sh", "tail", "tee", "timeout")
SETS_UP = "python3 -m venv .boot && cat told.txt; : nox -s tests"
REASON = re.compile(r'pytest\.skip\("(no (?:QGIS|qgis_process|LibreOffice)[^"]*)"\)')

FONTS = "echo Noto Sans CJK SC; i=0; while [ $i -lt 5000 ]; do echo of another family, $i; i=$((i + 1)); done"
"""More than a pipe holds: who leaves at the first line lets it end with an error."""


@pytest.fixture
def machine(tmp_path):
    """Run ``.ci/run`` where there are no programs but these, and the suite ends with these words."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "README.md").write_text(SETS_UP + "\n", encoding="utf-8")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(str(shutil.which(name)))

    def run(told, more=(), **scripts):
        (tmp_path / "told.txt").write_text(
            f"{told}\n=== 3 passed, 1 skipped in 1.00s ===\n", encoding="utf-8"
        )
        log = tmp_path / "calls.txt"
        log.write_text("", encoding="utf-8")
        for name, script in {"python3": "exit 0", "chromium": "exit 0", "id": "echo 0", "apt-get": "exit 1", **scripts}.items():  # fmt: skip
            (programs / name).write_text(
                f'#!/bin/sh\necho {name} "$@" >> {log}\n{script}\n', encoding="utf-8"
            )
            (programs / name).chmod(0o755)
        surroundings = {"PATH": str(programs), "HOME": os.environ["HOME"], **dict(more)}
        words = ["bash", str(tmp_path / ".ci" / "run")]
        done = subprocess.run(words, env=surroundings, capture_output=True, text=True, check=False)
        return done, log.read_text(encoding="utf-8")

    return run


def test_a_machine_that_cannot_have_the_programs_passes_and_says_so(machine):
    for name in ("no LibreOffice here", "no qgis_process here"):
        done, calls = machine(f"SKIPPED [2] tests/x.py:1: {name}")
        assert done.returncode == 0, done.stderr
        assert "no QGIS or LibreOffice: some tests are skipped" in done.stdout
        assert "apt-get update" in calls
    done, calls = machine("", id="echo 1000")
    assert done.returncode == 0
    assert "apt-get" not in calls


def test_who_may_be_root_without_a_password_installs_what_is_lacking(machine):
    sudo = 'shift; "$@"'
    scripts = {"id": "echo 1000", "sudo": sudo, "apt-get": "exit 0"}
    _, calls = machine("", **scripts)
    assert {"qgis", "python3-qgis", "libreoffice-calc", "fonts-noto-cjk"} <= installed(calls)


def installed(calls):
    lines = (line for line in calls.splitlines() if line.startswith("apt-get install"))
    return {word for line in lines for word in line.split()}


def test_a_font_for_chinese_is_installed_whatever_else_is_there(machine):
    """Seen to fail: only a machine that lacked QGIS or LibreOffice got one."""
    _, calls = machine("", **{"apt-get": "exit 0"})
    lines = [line for line in calls.splitlines() if "apt-get install" in line]
    (own,) = [line for line in lines if "fonts-noto-cjk" in line]
    assert "qgis" not in own
    _, calls = machine("", **{"apt-get": "exit 0", "fc-list": FONTS})
    assert "qgis" in installed(calls)
    assert "fonts-noto-cjk" not in installed(calls)


def test_where_there_is_a_font_no_test_is_skipped_for_lack_of_one(machine):
    told = "SKIPPED [1] tests/x.py:1: no font for Chinese"
    for more, scripts in (({"CARBONGRID_PROGRAMS": "1"}, {}), ({}, {"fc-list": FONTS})):  # fmt: skip
        done, _ = machine(told, more, **scripts)
        assert done.returncode == 1
        assert "Chinese was not drawn" in done.stderr
    assert 'skip("no font for Chinese")' in (ROOT / "tests/outputs/test_figures.py").read_text("utf-8")  # fmt: skip


def test_a_machine_that_cannot_have_a_font_passes_and_says_so(machine):
    done, calls = machine("SKIPPED [1] tests/x.py:1: no font for Chinese")
    assert done.returncode == 0, done.stderr
    assert "no font for Chinese: some tests are skipped" in done.stdout
    assert "apt-get update" in calls


def test_where_they_are_asked_for_no_test_of_theirs_is_skipped(machine):
    """Whatever the test gives as its reason."""
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    reasons = {reason for source in sources for reason in REASON.findall(source)}
    assert len(reasons) >= 3
    for reason in reasons:
        done, _ = machine(f"SKIPPED [1] tests/x.py:1: {reason}", {"CARBONGRID_PROGRAMS": "1"})
        assert done.returncode == 1, reason
        assert "not opened in QGIS and LibreOffice" in done.stderr
    done, _ = machine("", {"CARBONGRID_PROGRAMS": "1"})
    assert done.returncode == 0
