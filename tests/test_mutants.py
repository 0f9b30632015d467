"""The faults of ``nox -s mutants`` can still be planted, and the tests that are to notice them are there."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from data import ROOT


@pytest.fixture(scope="module")
def planted() -> list:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools" / "mutants.py")
    module = sys.modules["mutants"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MUTANTS


def test_every_fault_has_its_place_and_its_tests(planted: list) -> None:
    for mutant in planted:
        text = (ROOT / "carbongrid" / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.was) == 1, mutant.name
        assert mutant.was != mutant.now
        assert (ROOT / mutant.tests.split()[0]).is_file(), mutant.name
    assert len({mutant.name for mutant in planted}) == len(planted) >= 20
    rooms = {mutant.name.split(":")[0] for mutant in planted}
    assert {"split", "spreading", "targets", "overlaps", "indices", "zoning", "pipeline"} <= rooms
