"""The ledger: where every gram of every category went (docs/decisions/0008)."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_GUESSES = "First guesses, no figures of this place"
"""How the warning of a run begins whose totals are guesses; its report shows it on top."""

GUESSED = "its total is a first guess"
"""Said of a row whose total is no figure of the place (docs/decisions/0098)."""

SHARED_BY_GUESSES = "Given by a plan, but shared over regions as first guesses were"
"""How the warning begins of totals that are no guesses as a whole; the report shows it on top too."""

GUESSED_PARTS = "how its category's total lies over regions is a first guess"
"""Said of each row of such a total."""


@dataclass(frozen=True)
class LedgerRow:
    """What happened to one category's total in one region; mass in int64 grams.

    ``units``, ``outside_units`` and ``snapped`` are None except on a category's first row,
    where they hold for the whole category; they are known only after the reduction.
    The weights are None where they are not published.
    """

    category: str
    region: str
    total: int
    facilities: int
    by_rule: int
    by_area: int
    by_parent: int
    unallocated: int
    rule: str
    weight_unit: str = ""
    weight_placed: int | None = 0
    weight_snapped: int | None = 0
    weight_unplaced: int | None = 0
    elsewhere: int = 0
    reason: str = ""
    units: int | None = None
    outside_units: int | None = None
    snapped: int | None = None

    @property
    def placed(self) -> int:
        """Mass that reached parcels."""
        return self.facilities + self.by_rule + self.by_area + self.by_parent

    @property
    def balances(self) -> bool:
        """Whether what came in is what went out, to the gram."""
        if self.total != self.placed + self.unallocated:
            return False
        return (
            min(self.facilities, self.by_rule, self.by_area, self.by_parent, self.unallocated) >= 0
        )


Ledger = tuple[LedgerRow, ...]
