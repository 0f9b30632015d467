"""Rooms whose modules get generated faults, and the tests that are to notice them."""

from __future__ import annotations

from mutants.copies import ROOT

ROOMS = ("weights", "io", "gdp.py", "fields", "inventory", "export")

_FORMED = (
    "tests/inventory/test_example.py tests/inventory/test_equations.py "
    "tests/inventory/test_worked_examples.py tests/inventory/test_uncertainty.py"
)

TESTS = {
    "weights/clipping.py": "tests/weights/test_lines.py",
    "io/fingerprints.py": "tests/test_pipeline.py",
    "io/activity_template.py": "tests/io/test_activity.py tests/inventory/test_crosswalks.py",
    "io/extents.py": "tests/test_memory.py",
    "io/masses.py": "tests/io/test_totals.py tests/io/test_facilities.py",
    "io/parquet_extents.py": "tests/test_memory.py",
    "io/regions.py": "tests/io/test_totals.py tests/io/test_facilities.py",
    "weights": "tests/weights/test_claims.py",
    "io": "tests/io/test_inputs.py",
    "fields": "tests/test_fields.py",
    "inventory": _FORMED,
    "export/styles.py": "tests/test_styles.py",
    "export/publishing.py": "tests/test_public.py tests/test_export.py",
    "export": "tests/test_export.py",
}
"""Tests of a module, or of the modules of a room, that no file of tests mirrors, or not alone."""


def modules(room: str) -> list[str]:
    """Return the files of a room, below the package, in the order of their names."""
    package = ROOT / "carbongrid"
    path = package / room
    files = [path] if path.is_file() else sorted(path.glob("*.py"))
    return [str(file.relative_to(package)) for file in files]


def tests_of(module: str) -> str:
    """Return the tests of a module: the file that mirrors it, then those that ``TESTS`` names for it or else for its room."""
    mirror = f"tests/{module.rpartition('/')[0]}/test_{module.rpartition('/')[2]}".replace(
        "//", "/"
    )
    mirrored = [mirror] if (ROOT / mirror).is_file() else []
    room = module.partition("/")[0]
    named = TESTS.get(module, "" if mirrored else TESTS.get(room, ""))
    tests = " ".join([*mirrored, *named.split()])
    if not tests:
        raise SystemExit(f"no tests are known for {module}: name them in tools/mutants/rooms.py")
    return tests
