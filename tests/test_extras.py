"""The package without its optional parts: the core works, and whatever asks for more says what to install."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from data import ROOT
from town import square, write_town
from waiting import HANG

import carbongrid as cg
from carbongrid.errors import Extra
from carbongrid.sources.demo import writing

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENT = re.compile(r"([\w-]+)(?:\[([\w,-]+)\])?")


def libraries(requirements: list[str]) -> set[str]:
    """Return the names that requirements ask for; of ``dask[distributed]`` it is distributed."""
    found = set()
    for requirement in requirements:
        match = REQUIREMENT.match(requirement)
        assert match, requirement
        found |= {match[1]} if match[2] is None else set(match[2].split(","))
    return found


EXTRAS = {
    name: libraries(listed)
    for name, listed in PROJECT["optional-dependencies"].items()
    if name != "all"
}
OPTIONAL = sorted(set[str]().union(*EXTRAS.values()))

MODULES = {"pillow": "PIL"}
"""By which name a library is imported, where that is not its own."""

WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""
COMMAND = "from carbongrid.cli import main; main(sys.argv[1:])"
COMMANDS = """
import json
from click.testing import CliRunner
import carbongrid
from carbongrid.cli import main

said = []
for words in json.loads(sys.argv[1]):
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    said.append((done.exit_code, done.stdout, done.stderr))
for name in carbongrid.__all__:
    getattr(carbongrid, name)
print(json.dumps(said))
"""


def without(
    absent: list[str], *words: object, code: str = COMMAND
) -> subprocess.CompletedProcess[str]:
    """Run code, by default the command line, in a process where libraries are not installed."""
    modules = {MODULES.get(name, name) for name in absent}
    script = WITHOUT.format(absent=modules) + code
    command = [sys.executable, "-c", script, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG)


Without = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def told_absent(carbongrid: Without, monkeypatch: pytest.MonkeyPatch) -> Without:
    """Call a command in this process, where libraries are told to be absent: for what is asked before anything is imported."""
    from carbongrid import errors

    def command(absent: list[str], *words: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(errors, "_is_installed", lambda name: name not in absent)
        return carbongrid(*words)

    return command


def test_the_whole_is_all_of_its_parts() -> None:
    assert set(EXTRAS) == set(get_args(Extra))
    (whole,) = PROJECT["optional-dependencies"]["all"]
    assert whole.startswith("carbongrid[")
    assert libraries([whole]) == set(EXTRAS)
    assert not libraries(PROJECT["dependencies"]) & set(OPTIONAL)


def asked(tree: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Yield the extra and the libraries of each call that asks whether they are installed."""
    for node in ast.walk(tree):
        name = getattr(getattr(node, "func", None), "id", "")
        if isinstance(node, ast.Call) and name == "require_extra":
            parts = [each for word in node.args for each in ast.walk(word)]
            extra, *names = (each.value for each in parts if isinstance(each, ast.Constant))
            yield str(extra), {str(name) for name in names}


def test_the_readme_lists_every_part() -> None:
    """Seen to fail: a part had come without its row, and two were not on the first page of the docs."""
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("| part |")[1]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)[: len(EXTRAS) + 1] == [*EXTRAS, "all"]
    first = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", first.split("The parts are")[1].split("(")[0])) == set(EXTRAS)


def test_before_its_release_no_page_installs_the_package_from_a_registry() -> None:
    """Seen to fail: in an empty environment such a line ends with nothing found. The plugin said it just where the command is missing."""
    if f"## {cg.__version__} (unreleased)" not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        return
    installs = re.compile(
        r"""\b(?:pip3?|pipx|uv tool|uv pip|uvx)\s+(?:(?:install|run)\s+)?(?:-\S+\s+)*["']?carbongrid\b"""
    )
    below = [path for folder in ("docs", "examples", "qgis") for path in (ROOT / folder).rglob("*")]
    told = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *below)
        if path.suffix in (".md", ".ipynb", ".py", ".txt", ".toml") and "_build" not in path.parts
        for _ in installs.findall(path.read_text("utf-8"))
    ]
    # How what is asked for is named is said once, beside what to write instead, and where it was decided.
    assert told == ["README.md", "docs/decisions/0046-optional-parts.md"]


def test_who_asks_for_an_extra_is_given_it() -> None:
    """Seen to fail with geocube asked of the extra ``report``, and with a library that no extra brings."""
    calls = [
        call
        for path in (ROOT / "carbongrid").rglob("*.py")
        for call in asked(ast.parse(path.read_text(encoding="utf-8")))
    ]
    for extra, needed in calls:
        assert needed
        assert needed <= EXTRAS[extra]
    assert {extra for extra, _ in calls} == set(EXTRAS)
    assert set[str]().union(*(needed for _, needed in calls)) == set(OPTIONAL)


def imported_at_once(tree: ast.AST) -> Iterator[str]:
    """Yield the libraries that a module imports as it is loaded, not those of its functions and of type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            yield from imported_at_once(node)


def test_no_module_imports_an_optional_library_as_it_is_loaded() -> None:
    modules = {MODULES.get(name, name) for name in OPTIONAL}
    found = {
        path.relative_to(ROOT).as_posix(): sorted({*imported_at_once(tree)} & modules)
        for path in (ROOT / "carbongrid").rglob("*.py")
        for tree in [ast.parse(path.read_text(encoding="utf-8"))]
    }
    assert len(found) > 200
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "noticed"),
    [
        ("import matplotlib.pyplot as plt", True),
        ("try:\n    from pint import Unit\nexcept ImportError:\n    pass", True),
        ("class A:\n    import jinja2", True),
        ("def f():\n    import jinja2", False),
        ("if TYPE_CHECKING:\n    import distributed", False),
    ],
)
def test_such_an_import_would_be_noticed(text: str, noticed: bool) -> None:
    assert bool({*imported_at_once(ast.parse(text))} & {*OPTIONAL}) is noticed


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Case file of two parcels in two units."""
    return write_town(
        tmp_path_factory.mktemp("town"),
        [("p1", "0601", square(0, 0)), ("p2", "0601", square(1, 0))],
        [("01", "D1", square(0, 0)), ("02", "D1", square(1, 0))],
        {"totals.csv": "category,value,unit\nindustry/manufacturing,1000,t CO2e\n"},
        '[allow]\nfallback = ["industry/manufacturing"]\n',
    )


@pytest.fixture(scope="module")
def core(
    town: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, subprocess.CompletedProcess[str]]:
    """What commands said, by the first of their words, one after the other in a process without any optional library."""
    out = tmp_path_factory.mktemp("core") / "run"
    commands = [["--help"], ["check", town], ["factors", "coal"], ["run", town, "--out", out]]
    done = without(OPTIONAL, json.dumps(commands, default=str), code=COMMANDS)
    assert done.returncode == 0, done.stderr
    return {
        words[0]: subprocess.CompletedProcess(words, *said)
        for words, said in zip(commands, json.loads(done.stdout), strict=True)
    }


@pytest.fixture(scope="module")
def core_run(
    core: dict[str, subprocess.CompletedProcess[str]],
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Folder of a run without any optional library, and what the command said; not to be modified."""
    return core["run"].args[-1], core["run"]


LEFT_OUT = ["units.xlsx", "report.html", "figures"]
WARNING = (
    "runs are without units.xlsx, report.html, figures, since these libraries are not installed: xlsxwriter, jinja2, "
    'pillow, matplotlib. Install it with: pip install "carbongrid[report]"'
)


def test_the_core_loads_and_helps(core: dict[str, subprocess.CompletedProcess[str]]) -> None:
    assert core["--help"].returncode == 0, core["--help"].stderr
    assert "demo" in core["--help"].stdout


def test_check_says_what_a_run_would_leave_out(
    core: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    done = core["check"]
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"warning: {WARNING}\n") == 1
    assert "2 parcels" in done.stdout


def test_a_run_of_the_core_says_what_it_leaves_out(
    core_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, done = core_run
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(WARNING) == 1
    assert f"Results in {out}; open units.gpkg first." in done.stdout
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["left_out"] == LEFT_OUT
    tops = {name.partition("/")[0] for name in manifest["files"]}
    assert {"units.csv", "units.gpkg", "grid_1km.nc", "grid_1km.tif", "grid_1km.qml"} <= tops
    assert tops == {path.name for path in out.iterdir()} - {"manifest.json"}
    assert not tops & set(LEFT_OUT)


def test_a_report_is_left_out_where_only_the_pictures_of_parcels_cannot_be_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from carbongrid import errors
    from carbongrid.pipeline.writing import left_out, problems_of_left_out

    monkeypatch.setattr(errors, "find_spec", lambda name: None if name == "PIL" else name)
    assert left_out() == ["report.html", "figures"]
    [problem] = problems_of_left_out()
    assert problem.what == "runs are without report.html, figures, since these libraries are not installed: pillow"  # fmt: skip
    monkeypatch.setattr(errors, "find_spec", lambda name: name)
    assert left_out() == problems_of_left_out() == []


def test_what_was_left_out_is_made_by_the_next_run_of_the_same_numbers(
    town: Path, core_run: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """All tables are the same bytes but the sheet, which the first run has not; styles and their colours are among them."""
    core, _ = core_run
    whole = cg.run(town, tmp_path / "run", reuse=core)
    assert whole.manifest["left_out"] == []
    assert all((whole.directory / name).exists() for name in LEFT_OUT)
    bare = json.loads((core / "manifest.json").read_text(encoding="utf-8"))
    assert whole.manifest["digests"] == bare["digests"]
    for name in ("units.csv", "grid_1km.qml", "grid_1km.tif", "ledger.csv"):
        assert whole.manifest["files"][name] == bare["files"][name]


@pytest.mark.thorough
def test_a_run_of_the_core_is_verified_with_and_without_the_libraries(
    core_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, _ = core_run
    found = cg.verify(out)
    assert found.ok, [each.text for each in found.checks if not each.ok]
    (formats,) = [each for each in found.checks if each.name == "formats"]
    assert formats.text.startswith("units.gpkg says what units.csv says")
    done = without(OPTIONAL, "verify", out, "--sample", 0)
    assert done.returncode == 0, done.stderr


@pytest.mark.thorough
def test_a_run_of_the_core_shows_itself(
    core_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """A notebook is given no card, and shows the text."""
    code = """
import carbongrid as cg
result = cg.open(sys.argv[1])
print(repr(result))
print(result._repr_html_(), result.ledger._repr_html_())
"""
    out, _ = core_run
    done = without(OPTIONAL, out, code=code)
    assert done.returncode == 0, done.stderr
    assert re.search(r"report +not written", done.stdout)
    assert done.stdout.endswith("None None\n")


def one_error(done: subprocess.CompletedProcess[str], extra: str, *names: str) -> None:
    """Check that a command ended with one message, which names the libraries and the extra, and no traceback."""
    assert done.returncode == 2, done.stderr
    errors = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(errors) == 1, done.stderr
    verb = "is" if len(names) == 1 else "are"
    assert f" needs {' and '.join(names)}, which {verb} not installed. " in errors[0]
    assert f'Install it with: pip install "carbongrid[{extra}]"' in errors[0]
    assert "Traceback" not in done.stderr


def test_figures_ask_for_the_extra(
    core_run: tuple[Path, subprocess.CompletedProcess[str]], told_absent: Without, tmp_path: Path
) -> None:
    done = told_absent(OPTIONAL, "figures", core_run[0], "--out", tmp_path / "figures")
    one_error(done, "report", "matplotlib")
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize(
    ("call", "library"),
    [
        ("result.plot.zones()", "matplotlib"),
        ("result.plot.ecc_esc()", "matplotlib"),
        ("write_report(read_tables(out), out)", "jinja2 and pillow"),
        ("write_units_xlsx(None, None, out / 'units.xlsx')", "xlsxwriter"),
    ],
)
def test_drawing_and_writing_ask_for_the_extra(
    core_run: tuple[Path, subprocess.CompletedProcess[str]],
    call: str,
    library: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from carbongrid import errors
    from carbongrid.outputs.reading import read_tables
    from carbongrid.outputs.report import write_report
    from carbongrid.outputs.tables.spreadsheet import write_units_xlsx

    monkeypatch.setattr(errors, "_is_installed", lambda name: name not in OPTIONAL)
    out = core_run[0]
    names = {"result": cg.open(out), "out": out, "read_tables": read_tables}
    names |= {"write_report": write_report, "write_units_xlsx": write_units_xlsx}
    with pytest.raises(cg.InputError, match=rf"needs {library}.*carbongrid\[report\]"):
        eval(call, names)
    assert not {path.name for path in out.iterdir()} & set(LEFT_OUT)


def test_verify_asks_for_the_extra_before_it_starts(
    core_run: tuple[Path, subprocess.CompletedProcess[str]], told_absent: Without
) -> None:
    """No check is left out in silence."""
    done = told_absent(OPTIONAL, "verify", core_run[0])
    one_error(done, "verify", "geocube")
    assert "--sample 0" in done.stderr
    assert done.stdout == ""


def test_a_spreadsheet_that_is_there_is_verified_or_asked_for(
    small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from carbongrid import errors

    monkeypatch.setattr(errors, "_is_installed", lambda name: name != "openpyxl")
    with pytest.raises(cg.InputError, match=r"units\.xlsx needs openpyxl.*carbongrid\[verify\]"):
        cg.verify(small_run, sample=0)


def test_factors_ask_for_the_extra(core: dict[str, subprocess.CompletedProcess[str]]) -> None:
    """In another process: here the factors may have been read by now."""
    one_error(core["factors"], "inventory", "pint")


@pytest.mark.thorough
def test_the_inventory_asks_for_the_extra() -> None:
    template = ROOT / "carbongrid" / "data" / "template" / "inventory"
    one_error(without(OPTIONAL, "inventory", template), "inventory", "pint")


def test_the_template_of_an_inventory_asks_for_the_extra(
    tmp_path: Path, told_absent: Without
) -> None:
    done = told_absent(OPTIONAL, "init", tmp_path / "city", "--inventory")
    one_error(done, "inventory", "openpyxl")
    assert not (tmp_path / "city").exists()


def test_a_workbook_asks_for_the_extra_or_for_another_table(
    town: Path, told_absent: Without
) -> None:
    case = town.with_name("workbook.toml")
    case.write_text(
        town.read_text(encoding="utf-8").replace("totals.csv", "totals.xlsx"), encoding="utf-8"
    )
    town.with_name("totals.xlsx").write_bytes(b"PK\x03\x04")
    done = told_absent(OPTIONAL, "check", case)
    one_error(done, "inventory", "openpyxl")
    assert "totals.xlsx" in done.stderr
    assert "save the table as CSV" in done.stderr


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        (["distributed", "cryptography"], ("--workers", "1")),
        (["cryptography"], ("--workers", "1")),
        (["distributed"], ("--scheduler", "tcp://127.0.0.1:9")),
    ],
)
def test_a_cluster_asks_for_the_extra(
    town: Path, told_absent: Without, tmp_path: Path, absent: list[str], words: tuple[str, str]
) -> None:
    done = told_absent(absent, "run", town, "--out", tmp_path / "run", *words)
    one_error(done, "distributed", *absent)
    assert list(tmp_path.iterdir()) == []


def test_the_city_of_the_core_has_no_workbook(
    small_city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor the case that needs it, nor a word on either in its README."""
    monkeypatch.setattr(writing, "missing_libraries", lambda *_: ("openpyxl",))
    bare = writing.write_city(tmp_path / "city", size="small").parent
    names = {path.name for path in small_city.iterdir()} - {path.name for path in bare.iterdir()}
    assert names == {"inventory.xlsx", "case-inventory.toml"}
    rows = [(folder / "README.md").read_text(encoding="utf-8") for folder in (small_city, bare)]
    fewer = set(rows[0].splitlines()) - set(rows[1].splitlines())
    assert {line.split("`")[1] for line in fewer} == names
