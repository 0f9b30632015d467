"""The case as users meet it: :class:`Case`, read from a file or made of values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from carbongrid.case.reading import case_of, read_case
from carbongrid.case.schema import CaseFields


class Case(CaseFields):
    """One case: a city and a year, its land, evidence and figures.

    Read one with :meth:`Case.read`. Sections that were left out are None, except ``grid`` and ``allow``.
    """

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a case file and check all of it; the files that it names must be there.

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

        Raises
        ------
        InputError
            With everything that is wrong in the values, at once.
        """
        return case_of(cls, values, Path(path))
