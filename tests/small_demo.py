"""The small demo as the suite runs it: with a tenth of the draws, which are a quarter of the time of each of some hundred runs."""

from __future__ import annotations

import re
from pathlib import Path

from carbongrid.sources.demo import write_city


def write_small_city(folder: Path, *, with_years: bool = False) -> Path:
    """Write the small demo's case files and data; give the main case's path."""
    main = write_city(folder, size="small", with_years=with_years)
    for case in folder.glob("case*.toml"):
        with case.open("a", encoding="utf-8") as text:
            text.write("\n[uncertainty]\ndraws = 100\n")
    return main


def keep_labels(case: Path) -> Path:
    """Have a case keep its labels; give its path."""
    text, found = re.subn(r"^\[grid\].*", r"\g<0>\nlabels = true", case.read_text(encoding="utf-8"), flags=re.MULTILINE)  # fmt: skip
    assert found == 1
    case.write_text(text, encoding="utf-8")
    return case
