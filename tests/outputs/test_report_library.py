"""The report's library is what was published, and its licences go with it."""

from __future__ import annotations

import hashlib
import json

from data import ROOT
from tables_example import example_tables

from carbongrid.outputs.report import write_report

FOLDER = ROOT / "carbongrid" / "outputs" / "report" / "vendor"


def test_every_part_is_the_published_file():
    versions = json.loads((FOLDER / "versions.json").read_text(encoding="utf-8"))
    files = {path.name: path for path in FOLDER.glob("*.js")}
    assert sorted(files) == sorted(f"{name}.min.js" for name in versions)
    for name, part in versions.items():
        content = files[f"{name}.min.js"].read_bytes()
        assert hashlib.sha256(content).hexdigest() == part["sha256"]
        assert f"v{part['version']} ".encode() in content[:80]
    assert sum(path.stat().st_size for path in files.values()) < 80_000


def test_the_licences_are_in_the_page(tmp_path):
    text = write_report(example_tables(), tmp_path).read_text(encoding="utf-8")
    for words in ("Permission to use, copy, modify, and/or distribute", "Redistributions of source code must retain", "Copyright 2001 Robert Penner"):  # fmt: skip
        assert words in text
