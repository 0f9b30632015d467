"""Fetch the report's library anew, as published: ``python tools/vendor.py`` (needs npm).

Writes the parts of D3 that carbongrid/outputs/report uses into its ``vendor`` folder, with their licences, and ``versions.json``, which holds version and
sha256 of each; tests/outputs/test_report_library.py compares the files with it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "carbongrid" / "outputs" / "report" / "vendor"
PARTS = {
    "d3-dispatch": "3.0.2",
    "d3-selection": "3.0.1",
    "d3-drag": "3.0.1",
    "d3-timer": "3.0.2",
    "d3-color": "3.1.1",
    "d3-interpolate": "3.0.2",
    "d3-ease": "3.0.2",
    "d3-transition": "3.0.2",
    "d3-brush": "3.0.1",
    "d3-zoom": "3.0.1",
}
LICENCES = {"d3-zoom": "LICENSE-d3", "d3-ease": "LICENSE-d3-ease"}
"""The parts' licences are one text (ISC), but for d3-ease (BSD-3-Clause)."""


def main() -> None:
    """Fetch every part, write its minified file and note its hash."""
    FOLDER.mkdir(exist_ok=True)
    versions = {}
    for name, version in PARTS.items():
        files = published(name, version)
        script = files[f"package/dist/{name}.min.js"]
        (FOLDER / f"{name}.min.js").write_bytes(script)
        versions[name] = {"version": version, "sha256": hashlib.sha256(script).hexdigest()}
        if name in LICENCES:
            (FOLDER / LICENCES[name]).write_bytes(files["package/LICENSE"])
    (FOLDER / "versions.json").write_text(json.dumps(versions, indent=1) + "\n", encoding="utf-8")


def published(name: str, version: str) -> dict[str, bytes]:
    """Return the files of a package as the registry has them."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["npm", "pack", "--silent", f"{name}@{version}"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        with tarfile.open(Path(folder) / packed) as archive:
            members = {entry.name: archive.extractfile(entry) for entry in archive}
            return {path: stream.read() for path, stream in members.items() if stream}


if __name__ == "__main__":
    main()
