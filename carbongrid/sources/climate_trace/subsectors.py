"""What a subsector of Climate TRACE is here: a category, and whether its sources are places (docs/decisions/0094)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from carbongrid.method.landuse import packaged_table

Place = Literal["point", "area", "boundary"]
"""Whether a source is a place (point), stands for land (area), or is a place where it has no boundary (boundary)."""


@dataclass(frozen=True)
class Subsector:
    """A subsector as the package's table has it.

    Parameters
    ----------
    name
        As published.
    place
        One of :data:`Place`.
    category
        Of the package; blank where there is none.
    fossil
        Whether its CH4 brings fossil carbon; None where nothing tells.
    reason
        Why there is no category, of a place.
    note
        What is worth saying where a source becomes a facility.
    """

    name: str
    place: Place
    category: str
    fossil: bool | None
    reason: str
    note: str


def _subsectors() -> dict[str, Subsector]:
    methane = {"fossil": True, "nonfossil": False, "": None}
    rows = packaged_table("climate_trace/subsectors.csv").to_dict("records")
    return {
        str(row["subsector"]): Subsector(
            str(row["subsector"]),
            cast(Place, row["place"]),
            str(row["category"]),
            methane[str(row["methane"])],
            str(row["reason"]),
            str(row["note"]),
        )
        for row in rows
    }


SUBSECTORS = _subsectors()
"""By name; those of older releases are among them."""
