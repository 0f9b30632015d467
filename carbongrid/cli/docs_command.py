"""The command ``docs``: the pages and decisions that messages and reports name, for who has the wheel alone."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import with_console
from carbongrid.errors import InputError

_DECISIONS = "decisions/README.md"


@main.command("docs")
@click.argument("name", required=False)
@with_console
def docs(console: Console, name: str | None) -> None:
    """Print the page or decision NAME, as messages and reports name them; without NAME the list of pages.

    \b
        carbongrid docs docs/howto/facilities.md
        carbongrid docs D9
    """  # noqa: D301  (click wants the character)
    folder = folder_of_pages()
    pages = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.md")}
    if name is None:
        # The decisions are listed by their own page.
        listed = sorted(page for page in pages if page == _DECISIONS or "decisions/" not in page)
        for page in listed:
            console.say(f"{page}: {_title(pages[page])}")
        console.document({"status": "done", "folder": str(folder), "pages": listed})
        return
    page = _page(name, list(pages))
    text = pages[page].read_text(encoding="utf-8")
    if page == _DECISIONS and _is_decision(_as_named(name)):
        text = _decision(text, _as_named(name))
    code = False
    for line in text.rstrip("\n").split("\n"):
        fence = line.lstrip().startswith("```")
        code ^= fence
        # A command that was broken in two is another one.
        console.say(line, whole=code or fence or line.lstrip().startswith("|"))
    console.document({"status": "done", "page": page, "text": text})


def folder_of_pages() -> Path:
    """Return the folder of the pages: inside the package as installed from a wheel, beside it in a checkout.

    Raises
    ------
    InputError
        If they are at neither place.
    """
    package = Path(__file__).parent.parent
    for folder in (package / "docs", package.parent / "docs"):
        if (folder / _DECISIONS).is_file():
            return folder
    raise InputError("the pages were not installed", str(package), "They are in docs of the source distribution; wheels bring them, too.")  # fmt: skip


def _title(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").split("\n")
    return next((line.removeprefix("# ") for line in lines if line.startswith("# ")), "")


_OPENING = " (`'\"（《“‘「["
_CLOSING = " )`'\"）》”’」].,;:，。；：、"


def _as_named(name: str) -> str:
    """Return a name without what stands around it in a sentence of either language, without a place in the page and the way to it from another one."""
    name = name.partition("#")[0].lstrip(_OPENING).rstrip(_CLOSING)
    while name.startswith(("./", "../")):
        name = name.partition("/")[2]
    return name


def _is_decision(name: str) -> bool:
    return name[:1] in "Dd" and name[1:].isdigit()


def _page(name: str, pages: list[str]) -> str:
    """Return the page that is meant, with or without ``docs/`` and ``.md``; a record of a decision by its number, too."""
    asked = _as_named(name).rstrip("/")
    if _is_decision(asked):
        return _DECISIONS
    stem = asked.removeprefix("docs/").removesuffix(".md") if asked != "docs" else "index"
    by_stem = {page.removesuffix(".md"): page for page in pages}
    # A folder is its first page.
    found = [by_stem[each] for each in (stem, f"{stem}/index", f"{stem}/README") if each in by_stem]
    # 0044 or decisions/0044, and a page by its last name where one alone has it.
    number = stem.removeprefix("decisions/")
    if not found and len(number) == 4 and number.isdigit():
        found = [page for page in pages if page.startswith(f"decisions/{number}-")]
    if not found:
        found = [page for each, page in by_stem.items() if each.rpartition("/")[2] == stem]
    if len(found) == 1:
        return found[0]
    close = found or difflib.get_close_matches(stem, by_stem, n=1, cutoff=0.6)
    hint = f"Did you mean {' or '.join(close)}?" if close else "`carbongrid docs` lists all."
    if len(name.replace(",", " ").split()) > 1:
        hint = "Give one name; `carbongrid docs` lists all."
    raise InputError("there is no such page", name, hint)


def _decision(text: str, name: str) -> str:
    """Return a decision's question, what is chosen and why, of the table of decisions.

    Raises
    ------
    InputError
        For a number that is not in the table.
    """
    for line in text.split("\n"):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if cells[0] == name.upper():
            question, chosen, why = (cell.rstrip("| ") for cell in cells[1:4])
            return f"{cells[0]}: {question}\n\n    {chosen}\n\nWhy: {why}\n"
    raise InputError("there is no such decision", name, "`carbongrid docs decisions` lists all.")
