"""What of a run may be published (D31): units and coarse cells, no parcels, no names; small counts are not printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from carbongrid.outputs.tables.content import MIN_PEOPLE, published_reason, without_sectors

if TYPE_CHECKING:
    from carbongrid.method.evidence import EvidenceRow
    from carbongrid.method.ledger import LedgerRow
    from carbongrid.outputs.result import RunTables


def published(tables: RunTables, assumptions: Sequence[tuple[str, str]]) -> RunTables:
    """Return the tables without what may not be published; files, report and figures are made of them.

    Parameters
    ----------
    tables
        The run's tables.
    assumptions
        The sentences that may be published: those on the method. What the readers remarked may name parcels,
        facilities and points, so it is counted and left out.

    Returns
    -------
    RunTables
        No parcels, and coarse cells without sectors, since a sector's mass in a cell may be that of one works; residents below ten unknown; ledger and evidence without remarks and without counts of people; no audit trail,
        whose rows may name works.
    """
    left_out = len(tables.assumptions) - len(assumptions)
    said = list(assumptions)
    said.append(("note", "Written to be published: no parcels, no names of facilities; counts of fewer than ten people are not printed (D31)."))  # fmt: skip
    if any(row.rule == "people" for row in tables.ledger):
        said.append(("note", "Masses spread by people follow their number, so a count that is not printed can be inferred from them; whoever must hide it publishes coarser units."))  # fmt: skip
    if left_out > 0:
        said.append(("note", f"{left_out} remarks are left out: they may name parcels or facilities."))  # fmt: skip
    residents = tables.units["residents"]
    return replace(
        tables,
        parcels=tables.parcels.iloc[:0],
        units=tables.units.assign(residents=residents.where(residents >= MIN_PEOPLE)),
        ledger=tuple(_without_counts(row) for row in tables.ledger),
        evidence=tuple(_uncounted(row) for row in tables.evidence),
        assumptions=tuple(said),
        audit=None,
        drawn=None,
        facilities=(),
        grid_1km=without_sectors(tables.grid_1km),
    )


def _without_counts(row: LedgerRow) -> LedgerRow:
    reason = published_reason(row.reason)
    if row.rule != "people":
        return replace(row, reason=reason)
    return replace(
        row, reason=reason, weight_placed=None, weight_snapped=None, weight_unplaced=None
    )


def _uncounted(row: EvidenceRow) -> EvidenceRow:
    if row.evidence != "people":
        return row
    return replace(row, given=None, used=None, lost=None, top_share=None, densest=None)
