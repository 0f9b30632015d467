"""A case in a folder with tables of figures, for the tests of their readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from carbongrid.case import Case


def case_with(folder: Path, tables: dict[str, str], **changes: Any) -> Case:
    """Return a case whose folder holds these tables; sections are laid over the shortest case."""
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    values: dict[str, Any] = {
        "year": 2020,
        "parcels": {"path": "parcels.gpkg", "code_system": "tdland3"},
        "units": {"path": "units.gpkg"},
        "totals": {"path": "totals.csv"},
    }
    return Case.of({**values, **changes}, folder / "case.toml")
