"""Rooms whose modules get generated faults, and the tests that are to notice them."""

from __future__ import annotations

from pathlib import Path

from mutants.copies import ROOT

ROOMS = (
    "method/weights",
    "case/readers",
    "method/gdp.py",
    "raster/zonal",
    "inventory",
    "outputs/tables",
)

_FORMED = (
    "tests/inventory/test_example.py tests/inventory/test_equations.py "
    "tests/inventory/test_worked_examples.py tests/case/readers/test_activity.py"
)

# What is bound to seconds would fail beside anything else that runs, and say nothing of a fault.
_ESTIMATES = (
    "tests/pipeline/test_memory.py -k 'estimate or parquet or thousand or tell or bounds or raster'"
)
_UNTIMED = "-k 'not in_time'"

TESTS = {
    "method/weights/cell_shares.py": "tests/method/weights/test_people.py",
    "method/weights/claims.py": "tests/method/weights/test_rules.py tests/method/test_evidence.py",
    "method/weights/clipping.py": "tests/method/weights/test_lines.py",
    "case/readers/activity_template.py": "tests/case/readers/test_activity.py tests/inventory/test_crosswalks.py",
    "case/readers/facility_masses.py": "tests/case/readers/test_facilities.py",
    "case/readers/cell_marks.py": "tests/case/readers/test_workbook.py",
    "case/readers/chinese_text.py": "tests/case/readers/test_shapefile.py tests/case/readers/test_tables.py",
    "case/readers/extents.py": _ESTIMATES,
    "case/readers/misread_text.py": "tests/case/readers/test_shapefile.py tests/case/readers/test_tables.py",
    "case/readers/masses.py": "tests/case/readers/test_totals.py tests/case/readers/test_facilities.py",
    "case/readers/overture_places.py": "tests/case/readers/test_overture.py",
    "case/readers/parquet_extents.py": _ESTIMATES,
    "case/readers/region_columns.py": "tests/case/readers/test_totals.py",
    "case/readers/regions.py": "tests/case/readers/test_totals.py tests/case/readers/test_facilities.py",
    "method/weights/__init__.py": "tests/method/weights/test_rules.py",
    "case/readers/coded_table.py": "tests/inventory/test_coded_inventory.py",
    "case/readers/ecrf.py": "tests/inventory/test_ecrf.py",
    "case/readers/categories.py": "tests/case/readers/test_totals.py",
    "case/readers/electricity_counted.py": "tests/pipeline/test_run_from_activity.py tests/pipeline/test_scenario_of_activity.py",
    "case/readers/totals.py": "tests/pipeline/test_run_from_activity.py::test_electricity_is_set_aside_by_scope_not_by_category",
    "case/readers/formed_totals.py": "tests/pipeline/test_run_from_activity.py tests/pipeline/test_run_of_regions.py",
    "case/readers/zip_limits.py": "tests/case/readers/test_security.py tests/case/readers/test_workbook.py",
    "case/readers/__init__.py": "tests/case/readers/test_inputs.py",
    "raster/zonal": "tests/raster/test_zonal.py",
    "raster/zonal/combinations.py": "tests/raster/zonal/test_pairs.py::test_combinations_equal_a_loop",
    "inventory/factors": _FORMED,
    "inventory/factors/catalogue.py": f"{_FORMED} tests/inventory/test_defaults.py",
    "inventory/factors/gwp.py": "tests/inventory/factors/test_catalogue.py",
    "inventory/factors/search.py": "tests/inventory/factors/test_catalogue.py",
    "inventory/code_tree.py": "tests/inventory/test_coded_inventory.py",
    "inventory/coded_table.py": "tests/inventory/test_coded_inventory.py",
    "inventory/crosswalks.py": "",
    "inventory/gas_names.py": "tests/inventory/test_gas_names.py",
    "inventory/dimensions.py": "tests/inventory/test_equations.py",
    "inventory/equations.py": "tests/inventory/test_worked_examples.py",
    "inventory/explained.py": f"{_FORMED} tests/cli/test_inventory_commands.py",
    "inventory/notes.py": f"{_FORMED} tests/cli/test_inventory_commands.py",
    "inventory/power_balance.py": (
        f"{_FORMED} tests/inventory/test_regions.py::test_regions_cannot_use_more_than_the_whole "
        "tests/inventory/test_regions.py::test_a_balance_gives_regions_their_part_of_the_whole_s_use"
    ),
    "inventory/spread.py": f"tests/inventory/test_uncertainty.py {_UNTIMED}",
    "inventory/tables.py": f"{_FORMED} tests/cli/test_inventory_commands.py",
    "inventory/uncertainty.py": _UNTIMED,
    "inventory": _FORMED,
    "outputs/tables/content.py": (
        "tests/outputs/test_tables.py "
        "tests/outputs/test_land_types.py::test_the_file_holds_the_sums_of_the_parcels_to_the_gram"
    ),
    "outputs/tables/parcel_layer.py": (
        "tests/outputs/test_tables.py "
        "tests/outputs/test_parcel_layer.py::test_one_file_of_the_format_that_was_asked_for "
        "tests/outputs/test_parcel_layer.py::test_each_parcel_is_in_one_class"
    ),
    "outputs/tables/styles.py": "tests/outputs/test_styles.py",
    "outputs/tables": "tests/outputs/test_tables.py",
}
"""Tests of a module, or else of its folder, beside the file that mirrors it."""


def modules(room: str) -> list[str]:
    """Return the files of a room and of the folders in it, below the package, in the order of their names."""
    package = ROOT / "carbongrid"
    path = package / room
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [str(file.relative_to(package)) for file in files]


def tests_of(module: str) -> str:
    """Return the tests of a module: the file that mirrors it, then those that ``TESTS`` names for it or for its folder."""
    folder, _, name = module.rpartition("/")
    mirror = Path("tests", folder, f"test_{name}")
    mirrored = [str(mirror)] if (ROOT / mirror).is_file() else []
    named = TESTS.get(module, TESTS.get(folder, ""))
    if not mirrored and not named:
        raise SystemExit(f"no tests are known for {module}: name them in tools/mutants/rooms.py")
    return " ".join([*mirrored, *([named] if named else [])])
