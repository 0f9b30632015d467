"""The pages: their code runs, their cases parse, their commands exist, their links lead somewhere."""

from __future__ import annotations

import doctest
import inspect
import json
import os
import pydoc
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from data import ROOT
from PIL import Image, ImageColor
from squares_case import squares_case

import carbongrid as cg
import carbongrid.raster as engine
from carbongrid.case import Case
from carbongrid.cli import main
from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.framework import framework_svg

DOCS = ROOT / "docs"
PAGES = sorted(
    path for path in DOCS.rglob("*.md") if not {"api", "_build"} & set(path.relative_to(DOCS).parts)
)
WALKED = [page for page in PAGES if page.parent.name in ("howto", "method")]
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """Yield the blocks of a page in a language, but those that say ``no-run``."""
    for language, word, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in languages and word != "no-run":
            yield text


def named(page: Path) -> str:
    return str(page.relative_to(DOCS))


_SAID = """if True:
    import pathlib, sys
    import how_sure
    for page, text in how_sure.pages(pathlib.Path(sys.argv[1])).items():
        assert page.read_text("utf-8") == text, page
"""


@pytest.mark.thorough
def test_what_is_said_of_the_demos_certainty_is_what_its_run_says(full_demo: Path) -> None:
    words = [sys.executable, "-c", _SAID, str(full_demo / "run")]
    done = subprocess.run(words, cwd=DOCS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", [p for p in WALKED if any(blocks(p, "python"))], ids=named)
def test_the_code_of_a_page_runs(
    page: Path, years_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the demo's years, as ``carbongrid demo out --years --size small`` leaves them."""
    for year, name in (("2015", "run-2015"), ("2018", "run-2018"), ("2020", "run")):
        (tmp_path / f"mycity-{year}").symlink_to(years_demo / name)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), names)
    for value in names.values():
        if hasattr(value, "close"):
            value.close()


def test_the_runs_that_pages_read_are_those_that_the_first_page_says_how_to_get() -> None:
    """Seen: mycity-2020 was read on 13 pages, and none said where a reader without a city has it from."""
    made = "".join(blocks(DOCS / "howto" / "index.md", "sh"))
    read = set()
    for page in WALKED:
        for text in blocks(page, "python"):
            read |= set(re.findall(r"""["'](mycity(?:-\d{4})?)\b""", text))
    assert {"mycity", "mycity-2020"} <= read
    assert [name for name in read if f" {name}\n" not in made] == []


def test_what_is_cited_is_what_came_in_also_where_nothing_was_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen to send to the masses of the units, without those that lie outside or nowhere, and to end in ``KeyError: 'firm'``."""
    tables = {
        "totals.csv": "category,value,unit,place\nindustry/manufacturing,3,kt CO2e,\nindustry/mining,2,kt CO2e,elsewhere\n"
        "buildings/commerce,4,kt CO2e,\nsink/forest,1,kt CO2e,\n"
    }
    allow = {"fallback": ["industry/manufacturing"], "unallocated": ["buildings/commerce"]}
    codes = ["0601", "0601", "0301", "0301"]
    case = squares_case(tmp_path, codes, tables, allow=allow)
    cg.run(case, tmp_path / "mycity-2020")
    monkeypatch.chdir(tmp_path)
    for text in blocks(DOCS / "howto" / "cite.md", "python"):
        exec(compile(text, "cite.md", "exec"), {})
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    masses = {words[0]: words[1:] for words in printed if words and words[0].endswith("_t")}
    assert masses["total_t"] == ["7,000", "1,000"]
    assert masses["unallocated_t"] == ["4,000", "0"]
    assert masses["elsewhere_t"] == ["2,000", "0"]
    assert {"facilities_t", "by_area_t", "by_parent_t", "outside_units_t"} < set(masses)


def test_the_cells_of_the_notebook_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But the slider, whose library the tests do not install; ``nox -s docs`` runs all of it."""
    from matplotlib import pyplot as plt

    monkeypatch.chdir(tmp_path)
    read = json.loads((DOCS / "howto" / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in read["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for text in cells:
        if "ipywidgets" not in text:
            exec(compile(text, "notebook.ipynb", "exec"), names)
    plt.close("all")
    assert not any(cell.get("outputs") for cell in read["cells"]), "kept without outputs"


@pytest.mark.parametrize("page", [p for p in WALKED if any(blocks(p, "toml"))], ids=named)
def test_the_cases_of_a_page_are_cases(page: Path, tmp_path: Path) -> None:
    for text in blocks(page, "toml"):
        rest = {
            "year": 2020,
            "parcels": {"path": "parcels.gpkg", "code_system": "tdland3"},
            "units": {"path": "units.gpkg"},
            "totals": {"path": "totals.csv"},
        }
        Case.of({**rest, **tomllib.loads(text)}, tmp_path / "case.toml")


@pytest.mark.parametrize("page", [p for p in PAGES if any(blocks(p, "sh"))], ids=named)
def test_the_commands_of_a_page_exist(page: Path) -> None:
    lines = "".join(blocks(page, "sh")).splitlines()
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:1] != ["carbongrid"]:
            continue
        context = click.Context(main)
        command = main.get_command(context, words[1])
        assert command is not None, line
        if isinstance(command, click.Group):
            continue
        command.make_parser(click.Context(command)).parse_args(words[2:])


CHANGES = DOCS / "howto" / "change-one-thing.md"
TRIED = ("A land-use code system", "A weight rule")  # the others by nox -s thorough
_CHANGE = re.compile(
    r"^## (.*?)$.*?^```diff\n(.*?)^```$.*?^```python no-run\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        pytest.param(change, shown, id=name, marks=[pytest.mark.thorough] * (name not in TRIED))
        for name, change, shown in _CHANGE.findall(CHANGES.read_text(encoding="utf-8"))
    ],
)
def test_a_change_of_one_thing_touches_one_room_and_works(
    change: str, shown: str, tmp_path: Path
) -> None:
    """Seen to fail, each of them, when the diff was not applied."""
    touched = re.findall(r"^\+\+\+ b/carbongrid/([^/\n]+)/", change, re.MULTILINE)
    assert len(touched) == change.count("\n+++ ")
    assert len(set(touched) - {"data"}) == 1
    copy_package(tmp_path)
    apply(change, tmp_path)
    copied = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "tests")])}
    code = f"import carbongrid\nassert carbongrid.__file__.startswith({str(tmp_path)!r})\n{shown}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=copied,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_four_changes_are_shown_and_apply(tmp_path: Path) -> None:
    """Seen to fail when an import beside one had changed, and only the thorough tests tried that diff."""
    copy_package(tmp_path)
    found = _CHANGE.findall(CHANGES.read_text(encoding="utf-8"))
    assert len(found) == 4
    for _, change, _ in found:
        apply(change, tmp_path, "--check")


def copy_package(folder: Path) -> None:
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "carbongrid", folder / "carbongrid", ignore=without)


def apply(change: str, folder: Path, *options: str) -> None:
    # The folder may lie in a checkout, of which git would think that the names are meant.
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)}
    words = ["git", "apply", "--whitespace=nowarn", *options, "-"]
    subprocess.run(words, input=change, text=True, cwd=folder, env=alone, check=True)


def test_each_equation_is_said_with_the_functions_that_compute_it() -> None:
    page = (DOCS / "method" / "index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \((\d+)\) \|.*?\|(.*)\|.*\|$", page, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 11))
    told: dict[int, str] = {}
    for number, where in rows:
        told[int(number)] = told[int(number) - 1] if where.strip() == "the same" else where
        for file, names in re.findall(r"`([\w/]+\.py)`(?:: ((?:`\w+`(?:, )?)+))?", where):
            code = (ROOT / "carbongrid" / file).read_text(encoding="utf-8")
            for name in re.findall(r"`(\w+)`", names):
                assert f"\ndef {name}(" in code, f"equation ({number}): {file} has no {name}"
    # What a function says of itself: no term of the inventory is left out of the table.
    equations = (ROOT / "carbongrid" / "inventory" / "equations.py").read_text(encoding="utf-8")
    for name, text in re.findall(r'\ndef (\w+)\(.*?"""(.*?)"""', equations, re.DOTALL):
        for number in re.findall(r"(?<!beside )equation \((\d)\)", text):
            assert f"`{name}`" in told[int(number)], f"{name} is of equation ({number})"


def test_links_between_pages_lead_somewhere() -> None:
    links = [
        (page, target)
        for page in PAGES
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert len(links) > 50
    for page, target in links:
        assert (page.parent / target).exists(), f"{named(page)}: {target}"


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md", CHANGES])
def test_files_that_a_page_of_the_code_names_are_there(page: str | Path) -> None:
    """By path below the repository, the package or tests; a bare name is that of some file of the package."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
    named = set(re.findall(r"`([a-z0-9_./]+\.py)`", text))
    assert len(named) > 3
    package = ROOT / "carbongrid"
    for name in named:
        found = (ROOT / name).is_file() or (package / name).is_file()
        assert found or ("/" not in name and any(package.rglob(name))), name


def test_every_public_name_has_a_page() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    names = set(re.findall(r"^   carbongrid\.(\w+)$", page, re.MULTILINE))
    assert names == set(cg.__all__) - {"__version__"}


def public_functions() -> dict[str, Callable[..., Any]]:
    """The public functions, and the methods that a case is made and a run is asked by, by name."""
    public = {name: getattr(cg, name) for name in cg.__all__}
    found = {name: of for name, of in public.items() if inspect.isfunction(of)}
    found |= {f"Case.{name}": getattr(cg.Case, name) for name in ("read", "of")}
    asked = ("with_totals", "with_weights", "without", "scenario", "by_proxies_alone")
    return found | {f"LiveResult.{name}": getattr(cg.LiveResult, name) for name in asked}


def test_every_public_function_says_what_it_takes_returns_and_raises() -> None:
    """Seen to fail: ``cg.check``, ``cg.trend``, ``Case.read`` and methods of answers did not tell what comes back."""
    for name, function in public_functions().items():
        told = inspect.getdoc(function) or ""
        for part in ("Parameters", "Returns", "Raises"):
            assert f"\n{part}\n---" in told, f"{name} has no {part}"


def test_examples_of_public_names_give_what_they_say() -> None:
    """Seen to fail: examples knew the names of their own modules, which ``import carbongrid as cg`` does not give."""
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(verbose=False)
    for name in set(cg.__all__) - {"__version__"}:
        value = getattr(cg, name)
        for each in finder.find(value, name, module=False, globs={"cg": cg}):
            runner.run(each)
    assert runner.tries > 5
    assert runner.failures == 0


def test_what_public_functions_return_is_on_the_page() -> None:
    """Seen to fail: of what analyses return only Comparison was there."""
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    names = re.findall(r"^   (carbongrid\.[\w.]+)$", page, re.MULTILINE)
    assert [name for name in names if pydoc.locate(name) is None] == []
    listed = {name.rpartition(".")[2] for name in names}
    for name, function in public_functions().items():
        module = sys.modules[function.__module__]
        for word in re.findall(r"\w+", str(inspect.signature(function).return_annotation)):
            value = getattr(module, word, None)
            if inspect.isclass(value) and value.__module__.startswith("carbongrid."):
                assert word in listed, f"{name} returns {word}"


def test_the_engine_alone_is_listed_with_all_its_names() -> None:
    """Seen to fail when one was left out, and when one was listed that the engine has not."""
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    part = page.split("## The engine alone")[1].split("\n## ")[0]
    named = re.findall(r"`~carbongrid\.(\w+)`|^   carbongrid\.raster\.(\w+)$", part, re.MULTILINE)
    assert sorted(of_all or own for of_all, own in named) == engine.__all__


def test_every_page_is_reached() -> None:
    """Seen to fail when a page lay in a folder that no table of contents names."""
    start = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in PAGES:
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        if page.parent.name in ("howto", "method") and page.stem != "index":
            contents = (page.parent / "index.md").read_text(encoding="utf-8")
            assert f"\n{page.stem}\n" in contents, name
        elif page.parent.name == "decisions":
            assert page.stem == "README" or page.stem.startswith("0"), name
        elif page.parent != DOCS:
            assert f"\n{name}\n" in start, name
        elif name != "index":  # seen to list the tutorial, the gallery and the glossary twice
            assert len(re.findall(rf"^{name}$|<{name}>$", start, re.MULTILINE)) == 1, name


@pytest.mark.parametrize("name", ["zones.png", "gallery/demo-fig9-zones.png", "report-desktop.png"])
def test_the_pictures_have_the_zones_own_colours(name: str) -> None:
    """Seen to fail with pictures saved with a palette of 200 colours."""
    with Image.open(DOCS / "images" / name) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    for zone in zones():
        if zone.code:
            count = (pixels == ImageColor.getrgb(zone.colour)).all(axis=1).sum()
            assert count > 300, zone


def test_every_choice_and_decision_that_is_named_is_there() -> None:
    """``D24`` is a row of the table of choices, ``docs/decisions/0024`` a page."""
    table = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    choices = set(re.findall(r"^\| (D\d+) \|", table, re.MULTILINE))
    pages = {path.name[:4] for path in (DOCS / "decisions").glob("[0-9]*.md")}
    assert choices == {f"D{number}" for number in range(1, len(choices) + 1)}
    missing, old = [], []
    for folder in ("carbongrid", "tests", "docs", "benchmarks", "tools"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".py", ".md", ".toml", ".csv", ".j2") or "_build" in path.parts:
                continue
            text = path.read_text(encoding="utf-8")
            name = str(path.relative_to(ROOT))
            named = set(re.findall(r"\bD\d{1,2}\b(?=[,);:.]| (?:and|to|in)\b)", text)) - choices
            cited = re.findall(r"decisions/((?:\d{4}(?:, )?)+)", text)
            missing += [(name, each) for each in sorted(named)]
            missing += [
                (name, each)
                for several in cited
                for each in several.strip(", ").split(", ")
                if each not in pages
            ]
            old += [(name, each) for each in re.findall(r"\bdecisions? \d{1,2}\b", text, re.I)]
    assert missing == []
    assert [each for each in old if each[0] != "tests/test_docs.py"] == []


def test_the_framework_of_the_pages_is_that_of_the_package() -> None:
    """Seen to fail when a word of it changed: ``python docs/framework.py`` draws it again."""
    for name, language in (("framework.svg", "en"), ("framework-zh.svg", "zh")):
        drawn = framework_svg(language)  # type: ignore[arg-type]
        assert (DOCS / "images" / name).read_text(encoding="utf-8") == drawn
