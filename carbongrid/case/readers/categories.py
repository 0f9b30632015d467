"""The categories of a case: the package's, with the case's own laid over them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from carbongrid.case.fields import nearest
from carbongrid.case.models import Case
from carbongrid.case.readers.declared import misspelt
from carbongrid.case.readers.tables import DOUBTS, Faults, read_table
from carbongrid.case.table_formats import CATEGORIES
from carbongrid.errors import Problem
from carbongrid.method.categories import Category, read_categories


def categories_of(case: Case, notes: list[Problem] | None = None) -> dict[str, Category]:
    """Return the categories of the package, some by people where the case has any, with the case's own laid over them.

    Parameters
    ----------
    case
        The case.
    notes
        A warning is appended for each column that is not read and looks like one that is missing, and for text that is no words.

    Raises
    ------
    InputError
        With every wrong cell, and every unknown category in [allow].
    """
    notes = [] if notes is None else notes
    people = case.people is not None
    if case.categories is None:
        categories = read_categories(people=people)
    else:
        path = case.resolve(case.categories.path)
        table = read_table(path, encoding=case.categories.encoding, columns=CATEGORIES.names())
        categories = read_categories(table, where=path.name, people=people)
        notes += table.attrs.get(DOUBTS, [])
        notes += misspelt(table, CATEGORIES, path.name)
    faults = Faults(case.path.name)
    for key in type(case.allow).model_fields:
        for name in getattr(case.allow, key):
            faults.member(name, categories, "category", None, f"[allow] {key}")
    faults.raise_any()
    return categories


def notes_on_unused(
    case: Case, categories: Mapping[str, Category], used: Collection[str]
) -> Iterator[Problem]:
    """Yield a warning of each category that the case adds, and of which it has nothing: its row changes nothing.

    One by people changes where the people of a case are located, with or without a total.

    Parameters
    ----------
    case
        The case.
    categories
        Of :func:`categories_of`.
    used
        Categories that have a total, or a type of POI.
    """
    where = case.path.name if case.categories is None else case.resolve(case.categories.path).name
    for name in sorted(set(categories) - set(read_categories()) - set(used)):
        if case.people is not None and categories[name].weight == "people":
            continue
        close = nearest(name, [other for other in categories if other != name])
        hint = "Give it a total, or take its row out."
        if close:
            hint = f"Did you mean {close!r}? Give it a total, or take its row out."
        what = f"the category {name!r} is none of the package's, and as none of it has a total its row changes nothing"
        yield Problem(what, where, hint, "warning")
