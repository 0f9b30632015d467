"""The case as users meet it: :class:`Case`, read from a file or made of values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from carbongrid.case.reading import case_of, read_case
from carbongrid.case.schema import CaseFields


class Case(CaseFields):
    """One case: a city and a year, its land, evidence and figures.

    Read one with :meth:`Case.read`. Its attributes are the keys of the file by their names, and its sections by theirs, with keys of their own: ``case.year``,
    ``case.grid.coarse``. Sections that were left out are None, except ``grid`` and ``allow``. Every key, with its kind, default and meaning, is in the documentation's page
    on the case file (docs/case.md).

    Attributes
    ----------
    path : Path
        The file it was read from; the files that it names lie below its folder.
    year : int
        Of the totals.
    parcels, units
        The land and the units that mass is added up over.
    totals, inventory
        Mass per category, or the activity data that it is formed of; one of them is there.
    surroundings, pois, people, lines, facilities, gdp, categories, uncertainty, benchmark, report
        What else is known; None where the case names none.
    grid
        The fine grid and the coarse one.
    allow
        What would otherwise stop the run, by category.

    Examples
    --------
    >>> values = {"year": 2020, "parcels": {"path": "land.gpkg", "code_system": "tdland3"}, "units": {"path": "units.gpkg"}, "totals": {"path": "totals.csv"}}
    >>> case = cg.Case.of(values, "mycity/case.toml")
    >>> case.year, case.grid.coarse, case.people
    (2020, 1000.0, None)
    """

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a case file and check all of it; the files that it names must be there.

        Parameters
        ----------
        path
            Of the TOML file.

        Returns
        -------
        Case
            With every default filled in.

        Raises
        ------
        InputError
            With everything that is wrong in the file, at once.
        """
        return read_case(cls, Path(path))

    @classmethod
    def of(cls, values: Mapping[str, Any], path: str | Path) -> Self:
        """Make a case of values as a TOML file holds them, as if read from this path.

        The files that it names need not be there.

        Parameters
        ----------
        values
            Keys and sections, by name.
        path
            The file that they would stand in.

        Returns
        -------
        Case
            With every default filled in.

        Raises
        ------
        InputError
            With everything that is wrong in the values, at once.
        """
        return case_of(cls, values, Path(path))
