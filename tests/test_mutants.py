"""The faults of ``nox -s mutants`` can still be planted, the tests that are to notice them are there, and what counts is counted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from data import ROOT

# The rest of tools is not to be found by the tests.
sys.path.append(str(ROOT / "tools"))
from mutants import copies, counted, handpicked, rooms, survivors

sys.path.remove(str(ROOT / "tools"))


def test_every_fault_has_its_place_and_its_tests() -> None:
    planted = handpicked.MUTANTS
    for mutant in planted:
        text = (ROOT / "carbongrid" / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.was) == 1, mutant.name
        assert mutant.was != mutant.now
        assert (ROOT / mutant.tests.split()[0]).is_file(), mutant.name
    assert len({mutant.name for mutant in planted}) == len(planted) >= 20
    names = {mutant.name.split(":")[0] for mutant in planted}
    assert {"split", "spreading", "targets", "overlaps", "indices", "zoning", "pipeline"} <= names


def test_every_module_of_the_rooms_has_tests() -> None:
    for room in rooms.ROOMS:
        files = rooms.modules(room)
        assert files, room
        for file in files:
            for tests in rooms.tests_of(file).partition(" -k ")[0].split():
                assert (ROOT / tests.partition("::")[0]).is_file(), (file, tests)


def test_rooms_are_covered_whole_and_nothing_else_is_named() -> None:
    """Seen to fail with rooms without the folders in them, and with tests named for a module that is gone."""
    package = ROOT / "carbongrid"
    files = [path.relative_to(package).as_posix() for path in sorted(package.rglob("*.py"))]
    covered = [file for room in rooms.ROOMS for file in rooms.modules(room)]
    folders = tuple(f"{room}/" for room in rooms.ROOMS)
    assert set(covered) == {file for file in files if f"{file}/".startswith(folders)}
    assert len(set(covered)) == len(covered)
    assert set(rooms.TESTS) <= {*covered, *(file.rpartition("/")[0] for file in covered)}


@pytest.fixture
def two_tests(tmp_path: Path) -> copies.Copy:
    """A package of one module and a test that ends when the module says so."""
    root = tmp_path / "root"
    for folder in ("carbongrid", "tests", "docs"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").touch()
    (root / "carbongrid" / "__init__.py").touch()
    (root / "carbongrid" / "loop.py").write_text("END = True\nSUM = 1 + 1\n", encoding="utf-8")
    (root / "tests" / "test_loop.py").write_text(
        "from carbongrid.loop import END, SUM\n"
        "def test_it() -> None:\n"
        "    while not END: pass\n"
        "    assert SUM == 2\n",
        encoding="utf-8",
    )
    return copies.Copy(tmp_path / "copy", root, libraries=())


@pytest.mark.thorough
def test_a_fault_is_noticed_by_a_test_or_by_no_end(two_tests: copies.Copy) -> None:
    """Caught: an endless loop kept the whole session waiting; bytecode trusted by time and size made ``1 - 1`` of an earlier fault the sound sum."""

    def outcome(was: str, now: str, patience: float = 300) -> copies.Outcome:
        fault = copies.Mutant("a fault", "loop.py", was, now, "tests/test_loop.py")
        return two_tests.run_on(fault, patience)

    assert two_tests.run("tests/test_loop.py").survived
    assert outcome("1 + 1", "1 - 1").noticed
    assert two_tests.run("tests/test_loop.py").survived
    assert outcome("1 + 1", "1 * 2").survived
    endless = outcome("True", "False", patience=3)
    assert endless.noticed and endless.code < 0
    broken = outcome("SUM", "1SUM")
    assert not broken.survived and not broken.noticed
    assert (two_tests.root / "carbongrid" / "loop.py").read_text(
        encoding="utf-8"
    ) == "END = True\nSUM = 1 + 1\n"
    with pytest.raises(SystemExit, match="no tests were run"):
        assert two_tests.run("tests/test_none.py").survived
    two_tests.close()


MODULE = '''"""A module: 1 + 1."""
from __future__ import annotations
__all__ = ["a" + "b"]
if TYPE_CHECKING:
    SIZE = 10 + 1
def grösse(a: int | None = 2 + 1, *, b: Size[3 + 4] = None) -> int | str:
    """Return 5 + 1."""
    "ö" + "ü"; x: list[1 + 1] = 6 + 1
    if x > 7 + 1:
        raise InputError(f"{x + 1}", where=x + 2)
    problems.append(Problem(x + 3, where=x + 4))
    logger.info("%d", x + 5)
    return zip(a + 6, strict=7 + 1 > 8)
class Room:
    def size(self):
        return 9 + 1
'''


def test_what_counts_goes_by_its_place_in_the_syntax() -> None:
    found = counted.Counted(MODULE)
    places = {
        (row, line.index(word)): word
        for row, line in enumerate(MODULE.splitlines(), 1)
        for word in ("2 + 1", "6 + 1", "7 + 1:", '"ö"', "a + 6", "9 + 1")
        if word in line
    }
    assert len(places) == 6
    for place, word in places.items():
        assert found.counts(place), word
    for word in (
        '1 + 1."""', '"b"', "10 + 1", "int | None", "3 + 4", "int | str", "5 + 1", "1 + 1]",
        "x + 1", "x + 2", "x + 3", "x + 4", "x + 5", "7 + 1 >",
    ):  # fmt: skip
        row = next(at for at, line in enumerate(MODULE.splitlines(), 1) if word in line)
        assert not found.counts((row, MODULE.splitlines()[row - 1].index(word))), word
    assert found.function((16, 15)) == "Room.size"
    assert found.function((9, 7)) == "grösse"
    assert found.function((1, 0)) == ""


def test_equal_bytecode_is_no_fault() -> None:
    sound = counted.bytecode("def f(x):\n    return x + 2 * 3\n")
    assert counted.bytecode("def f(x):\n\n    return (x +   (2) * 3)\n") == sound
    assert counted.bytecode("def f(x):\n    return x - 2 * 3\n") != sound
    assert counted.bytecode("def f(x):\n    return x + 5\n") != sound
    assert counted.bytecode("def f(x):\n    return 6.0 + x\n") != counted.bytecode(
        "def f(x):\n    return 6 + x\n"
    )
    assert counted.bytecode("def f(x:\n") is None


def test_each_survivor_has_its_line_and_a_reason(tmp_path: Path) -> None:
    """What the operator makes of the line is looked at by ``nox -s mutants``."""
    entries = survivors.explained()
    for each in entries:
        text = (ROOT / "carbongrid" / each.file).read_text(encoding="utf-8")
        found = counted.Counted(text)
        rows = [at for at, line in enumerate(text.splitlines(), 1) if line.strip() == each.line]
        functions = {
            found.function((at, len(line) - len(line.lstrip())))
            for at, line in enumerate(text.splitlines(), 1)
            if at in rows
        }
        assert each.function in functions, each
        assert each.becomes != each.line
    bare = tmp_path / "bare.toml"
    bare.write_text(
        "[[survivor]]\nfile = 'a.py'\nfunction = ''\noperator = 'X'\nline = 'a'\nbecomes = 'b'\nwhy = ''\n",
        encoding="utf-8",
    )
    with pytest.raises(SystemExit, match="does not say why: a"):
        survivors.explained(bare)
