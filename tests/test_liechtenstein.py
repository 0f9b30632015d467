"""The example on a real country: conservation by ==, what is unknown stays unknown."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from data import ROOT, data_folder

from carbongrid.pipeline.verification import verify


@pytest.fixture(scope="session")
def example() -> ModuleType:
    data_folder()
    path = ROOT / "examples" / "liechtenstein.py"
    spec = importlib.util.spec_from_file_location("liechtenstein", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def grams(column: pd.Series) -> int:
    return sum(int(Decimal(cell) * 10**6) for cell in column if cell)


def test_what_came_in_is_in_units_and_ledger(liechtenstein: Path) -> None:
    read = {"dtype": str, "keep_default_na": False, "encoding": "utf-8-sig"}
    units = pd.read_csv(liechtenstein / "run" / "units.csv", **read)
    ledger = pd.read_csv(liechtenstein / "run" / "ledger.csv", **read)
    totals = pd.read_csv(liechtenstein / "case" / "totals.csv", **read)
    for category, value in zip(totals["category"], totals["value"], strict=True):
        rows = ledger[ledger["category"] == category]
        column = category.replace("/", "_") + "_t"
        assert grams(units[column]) + grams(rows["outside_units_t"]) == int(Decimal(value) * 10**6)
        assert grams(rows["unallocated_t"]) == 0


def test_without_gdp_esc_is_known_and_ecc_is_not(liechtenstein: Path) -> None:
    units = pd.read_csv(liechtenstein / "run" / "units.csv", encoding="utf-8-sig")
    assert len(units) == 11
    assert units["ecc"].isna().all()
    assert units["esc"].notna().all()
    assert (units["zone"] == 0).all()
    assert units["reason"].str.contains("GDP").all()
    assert units["residents"].sum() == pytest.approx(38_749, abs=50)


def test_the_forest_sink_is_the_inventory_s(example: ModuleType) -> None:
    inventory = data_folder() / "liechtenstein" / "ghg_inventory_crt.csv"
    totals = example.totals(inventory).set_index("category")["value"].astype(float)
    assert round(totals["sink/forest"]) == 15_332
    assert round(totals["industry/supply"]) == 3_425 + 1_329


def test_the_run_verifies(liechtenstein: Path) -> None:
    verification = verify(liechtenstein / "run")
    assert verification.ok, [check for check in verification.checks if not check.ok]


@pytest.mark.thorough  # the fixture runs the same script
def test_the_script_runs_as_the_page_says(
    example: ModuleType,
    liechtenstein: Path,
    carbongrid: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = carbongrid("check", liechtenstein / "case" / "case.toml")
    assert done.returncode == 0, done.stderr
    assert "transport/road" in done.stdout
