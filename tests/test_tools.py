"""The tools that a maintainer runs by hand still run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from data import ROOT
from test_rooms import PACKAGE, ROOMS


def tool(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools" / name, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.thorough
def test_digests_lists_the_tables_of_a_case_of_the_oracle(tmp_path):
    """Seen to fail with a list that was empty."""
    done = tool("digests.py", "--place", "tiny", "--out", str(tmp_path / "digests.txt"))
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "digests.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"tiny: \S+ (sha256:)?[0-9a-f]{64}", line) for line in lines)
    assert {"units", "parcels", "ledger"} <= {line.split()[1] for line in lines}


def test_digests_says_which_places_it_knows():
    done = tool("digests.py", "--place", "nowhere")
    assert done.returncode == 2
    for place in ("tiny", "small, other choices", "full, exact areas", "liechtenstein"):
        assert f"{place}" in done.stderr


def test_lines_counts_every_room():
    """Seen to fail when the files of a room's folders were left out."""
    done = tool("lines.py")
    if done.returncode:
        pytest.skip("this is no checkout")
    counted = dict(re.findall(r"^\| (\S.*) \| ([\d,]+) \|$", done.stdout, re.MULTILINE))
    assert {*ROOMS} < set(counted)
    *parts, whole = (int(number.replace(",", "")) for number in counted.values())
    assert sum(parts) == whole
    assert whole > 0.9 * sum(path.read_bytes().count(b"\n") for path in PACKAGE.rglob("*.py"))
