"""Rooms whose modules get generated faults, and the tests that are to notice them."""

from __future__ import annotations

from pathlib import Path

from mutants.copies import ROOT

ROOMS = ("weights", "io", "gdp.py", "fields", "inventory", "export")

_FORMED = (
    "tests/inventory/test_example.py tests/inventory/test_equations.py "
    "tests/inventory/test_worked_examples.py tests/io/test_activity.py"
)

# What is bound to seconds would fail beside anything else that runs, and say nothing of a fault.
_ESTIMATES = "tests/test_memory.py -k 'estimate or parquet or thousand or tell or bounds or raster'"
_UNTIMED = "-k 'not in_time'"

TESTS = {
    "weights/clipping.py": "tests/weights/test_lines.py",
    "io/activity_template.py": "tests/io/test_activity.py tests/inventory/test_crosswalks.py",
    "io/extents.py": _ESTIMATES,
    "io/masses.py": "tests/io/test_totals.py tests/io/test_facilities.py",
    "io/parquet_extents.py": _ESTIMATES,
    "io/regions.py": "tests/io/test_totals.py tests/io/test_facilities.py",
    "weights/__init__.py": "tests/weights/test_claims.py",
    "io/__init__.py": "tests/io/test_inputs.py",
    "fields": "tests/test_fields.py",
    "fields/memory.py": "",
    "inventory/code_tree.py": "tests/test_coded_inventory.py",
    "inventory/coded_table.py": "tests/test_coded_inventory.py",
    "inventory/crosswalks.py": "",
    "inventory/dimensions.py": "tests/inventory/test_equations.py",
    "inventory/equations.py": "tests/inventory/test_worked_examples.py",
    "inventory/spread.py": f"tests/inventory/test_uncertainty.py {_UNTIMED}",
    "inventory/tables.py": f"{_FORMED} tests/test_inventory_commands.py",
    "inventory/uncertainty.py": _UNTIMED,
    "inventory": _FORMED,
    "export/styles.py": "tests/test_styles.py",
    "export": "tests/test_export.py",
}
"""Tests of a module, or else of its room, beside the file that mirrors it."""


def modules(room: str) -> list[str]:
    """Return the files of a room, below the package, in the order of their names."""
    package = ROOT / "carbongrid"
    path = package / room
    files = [path] if path.is_file() else sorted(path.glob("*.py"))
    return [str(file.relative_to(package)) for file in files]


def tests_of(module: str) -> str:
    """Return the tests of a module: the file that mirrors it, then those that ``TESTS`` names for it or for its room."""
    room, _, name = module.rpartition("/")
    mirror = Path("tests", room, f"test_{name}")
    mirrored = [str(mirror)] if (ROOT / mirror).is_file() else []
    named = TESTS.get(module, TESTS.get(room, ""))
    if not mirrored and not named:
        raise SystemExit(f"no tests are known for {module}: name them in tools/mutants/rooms.py")
    return " ".join([*mirrored, *([named] if named else [])])
