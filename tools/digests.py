"""List the digest of every table of the demo, of the oracle's cases and of Liechtenstein.

- ``python tools/digests.py --out AFTER.txt``: of this tree; the same in a worktree of the commit before
- ``diff BEFORE.txt AFTER.txt``
- ``python tools/digests.py --place tiny --place small``: of some places; ``--help`` lists them

The lines are the same before and after a change that shall move no number. Runs are made in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WRITE_CITY = "import pathlib, sys; from carbongrid.sources.demo import write_city; write_city(pathlib.Path(sys.argv[1]), size=sys.argv[2])"
# The oracle's cases are those of its tests.
sys.path.append(str(ROOT / "tests"))

from oracle.tiny_case import write_tiny_case  # noqa: E402
from oracle.variants import exact, with_facilities_of_each_kind, with_other_choices  # noqa: E402


def main() -> None:
    """Write the list to the file that is named, or print it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, help="the file to write; else the list is printed")
    options.add_argument("--place", choices=PLACES, action="append", help="only this; may be given again")  # fmt: skip
    given = options.parse_args()
    lines = [line for place in given.place or PLACES for line in listed(place)]
    if given.out is None:
        print(*lines, sep="\n")
    else:
        given.out.write_text("\n".join([*lines, ""]), encoding="utf-8")


def listed(place: str) -> Iterator[str]:
    """Yield a line for each table of a place: the digests that the manifest of its run holds."""
    with tempfile.TemporaryDirectory() as folder:
        case, run = PLACES[place](Path(folder)), Path(folder) / "digests-run"
        command("-m", "carbongrid", "run", str(case), "--out", str(run), "--quiet")
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    for name, digest in sorted(manifest["digests"].items()):
        yield f"{place}: {name} {digest}"


def command(*words: str) -> None:
    """Run Python in this tree; what it says is not part of the list."""
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=sys.stderr)


def demo(size: str) -> Callable[[Path], Path]:
    """Return what writes the demo's case."""

    def write(folder: Path) -> Path:
        command("-c", WRITE_CITY, str(folder / "city"), size)
        return folder / "city" / "case.toml"

    return write


def liechtenstein(folder: Path) -> Path:
    """Make Liechtenstein's case of its extract and its inventory."""
    command("examples/liechtenstein.py", str(folder / "place"))
    (case,) = folder.glob("place/**/case.toml")
    return case


def changed(write: Callable[[Path], Path], *, name: str = "case.toml", by: Callable[[Path, Path], Path] = shutil.copytree) -> Callable[[Path], Path]:  # fmt: skip
    """Return what writes a case with exact areas, changed as the oracle's tests do."""

    def write_changed(folder: Path) -> Path:
        areas = exact(write(folder).parent, folder / "exact")
        by(areas, folder / "changed")
        return folder / "changed" / name

    return write_changed


PLACES: dict[str, Callable[[Path], Path]] = {
    "tiny": write_tiny_case,
    "small": demo("small"),
    "small, exact areas": changed(demo("small")),
    "small, GDP of districts": changed(demo("small"), name="case-district-gdp.toml"),
    "small, other choices": changed(demo("small"), by=with_other_choices),
    "small, facilities of each kind": changed(demo("small"), by=with_facilities_of_each_kind),
    "full": demo("full"),
    "full, exact areas": changed(demo("full")),
    "liechtenstein": liechtenstein,
    "liechtenstein, exact areas": changed(liechtenstein),
}
"""What writes the case of each place into a folder, and gives its path."""


if __name__ == "__main__":
    main()
