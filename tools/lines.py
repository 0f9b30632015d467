"""Count the lines of Python code of every room: the last column of the history in docs/architecture.md.

python tools/lines.py            # of what is committed
python tools/lines.py e1a763d    # of an older commit, since the package has rooms
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WITHOUT_ROOM = "`__init__`, `__main__`"


def lines_by_room(commit: str) -> Counter[str]:
    """Return the lines of each room, and of what is in none."""
    counted = subprocess.run(
        ["git", "grep", "-c", "", commit, "--", "carbongrid/*.py"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines: Counter[str] = Counter()
    for row in counted.stdout.splitlines():
        _, path, number = row.split(":")
        room = path.split("/")[1].removesuffix(".py")
        lines[WITHOUT_ROOM if room.startswith("__") else room] += int(number)
    return lines


def main() -> None:
    """Print a row for each, and for all."""
    lines = lines_by_room(sys.argv[1] if len(sys.argv) > 1 else "HEAD")
    for name, number in [*sorted(lines.items()), ("all", lines.total())]:
        print(f"| {name} | {number:,} |")


if __name__ == "__main__":
    main()
