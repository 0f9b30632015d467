"""What the command line says to programs."""

from __future__ import annotations

import json
import re

from click.testing import CliRunner

from carbongrid.cli import main


def test_a_program_is_told_the_steps_in_lines(small_city, tmp_path, monkeypatch):
    """As the QGIS plugin asks for them: each step's lines go up to its end, and nothing of them is on standard output."""
    monkeypatch.setenv("CARBONGRID_PROGRESS", "lines")
    words = ["run", str(small_city / "case.toml"), "--out", str(tmp_path / "out"), "--json"]
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 0, told.output
    steps = [re.fullmatch(r"progress (\d+)/(\d+) (\w+)", line) for line in told.stderr.splitlines()]
    assert steps
    assert all(steps)
    last = {step[3]: (int(step[1]), int(step[2])) for step in steps}
    assert all(done == total for done, total in last.values())
    assert list(last) == ["reading", "rasterizing", "writing"]
    assert json.loads(told.stdout)
