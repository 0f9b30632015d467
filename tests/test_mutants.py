"""The faults of ``nox -s mutants`` can still be planted, and the tests that are to notice them are there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from data import ROOT


@pytest.fixture(scope="module")
def mutants() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools" / "mutants.py")
    module = sys.modules["mutants"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_fault_has_its_place_and_its_tests(mutants: ModuleType) -> None:
    planted = mutants.MUTANTS
    for mutant in planted:
        text = (ROOT / "carbongrid" / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.was) == 1, mutant.name
        assert mutant.was != mutant.now
        assert (ROOT / mutant.tests.split()[0]).is_file(), mutant.name
    assert len({mutant.name for mutant in planted}) == len(planted) >= 20
    rooms = {mutant.name.split(":")[0] for mutant in planted}
    assert {"split", "spreading", "targets", "overlaps", "indices", "zoning", "pipeline"} <= rooms


def test_a_fault_without_an_end_is_noticed(
    mutants: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caught: an endless loop kept the whole session waiting."""
    (tmp_path / "carbongrid").mkdir()
    (tmp_path / "carbongrid" / "loop.py").write_text("END = True\n")
    (tmp_path / "test_loop.py").write_text(
        "from pathlib import Path\n"
        "def test_it() -> None:\n"
        "    while 'True' not in Path('carbongrid/loop.py').read_text(): pass\n"
    )
    monkeypatch.setattr(mutants, "PATIENCE", 2.0)
    fault = mutants.Mutant("no end", "loop.py", "True", "False", "test_loop.py")
    assert mutants._killed(tmp_path, fault)
    assert (tmp_path / "carbongrid" / "loop.py").read_text() == "END = True\n"
