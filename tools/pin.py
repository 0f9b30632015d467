"""Repeat constraints.txt in pyproject's ``[tool.uv] constraint-dependencies``: ``python tools/pin.py``."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Rewrite the list between the brackets, one pin a line."""
    pins = [
        line
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    rows = "".join(f'    "{pin.replace(chr(34), chr(39))}",\n' for pin in pins)
    project = ROOT / "pyproject.toml"
    text, count = re.subn(
        r"(?s)(constraint-dependencies = \[\n).*?(\]\n)",
        lambda match: match[1] + rows + match[2],
        project.read_text(encoding="utf-8"),
        count=1,
    )
    if count != 1:
        raise SystemExit("pyproject.toml has no constraint-dependencies list")
    project.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
