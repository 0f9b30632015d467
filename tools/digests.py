"""List the digest of every table of the demo (small, full, and small with exact areas) and of Liechtenstein.

    python tools/digests.py OUT.txt            # of this tree
    diff <(git worktree's digests) OUT.txt     # before a change and after it

The lines are the same before and after a change that shall move no number. Runs are made in a temporary folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write the list to the file that is named, or print it."""
    with tempfile.TemporaryDirectory() as folder:
        lines = list(listed(Path(folder)))
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text("\n".join([*lines, ""]), encoding="utf-8")
    else:
        print(*lines, sep="\n")


def listed(folder: Path) -> Iterator[str]:
    """Yield a line for each table of each place."""
    for size in ("small", "full"):
        command("demo", str(folder / size), "--size", size, "--quiet")
        yield from digests(size, folder / size / "run")
    exact = (folder / "small" / "case" / "case.toml").read_text(encoding="utf-8")
    (folder / "small" / "case" / "exact.toml").write_text(
        exact.replace('reduce = "cells"', 'reduce = "exact"')
        if "reduce =" in exact
        else f'reduce = "exact"\n{exact}',
        encoding="utf-8",
    )
    command("run", str(folder / "small/case/exact.toml"), "--out", str(folder / "exact"), "--quiet")
    yield from digests("small, exact areas", folder / "exact")
    example = ROOT / "examples" / "liechtenstein.py"
    subprocess.run(
        [sys.executable, example, folder / "liechtenstein"], cwd=ROOT, check=True, stdout=sys.stderr
    )
    yield from digests("liechtenstein", folder / "liechtenstein" / "run")


def command(*words: str) -> None:
    """Run the command line of this tree."""
    subprocess.run([sys.executable, "-m", "carbongrid", *words], cwd=ROOT, check=True)


def digests(place: str, run: Path) -> Iterator[str]:
    """Yield the digests that a run's manifest holds."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    for name, digest in sorted(manifest["digests"].items()):
        yield f"{place}: {name} {digest}"


if __name__ == "__main__":
    main()
