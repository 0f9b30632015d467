"""The tutorial's blocks: files that it writes, commands that it runs, what it prints."""

from __future__ import annotations

import re
from pathlib import Path

from data import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path = PAGE) -> list[tuple[str, str, str]]:
    """Return language, name of the file and text of each block of a page, in order."""
    return _BLOCK.findall(page.read_text(encoding="utf-8"))
