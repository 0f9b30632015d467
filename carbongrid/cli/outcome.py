"""The tables that end a run on the terminal: zones, and what became of the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carbongrid.outputs.result import Result
    from carbongrid.outputs.zone_shares import ZoneShare


def zone_lines(result: Result) -> Iterator[str]:
    """Yield the tables of the zones: units, emissions and sinks; then what part each has in all of them."""
    from carbongrid.method.zoning import either_side
    from carbongrid.outputs.without_zone import counted_reasons, lines_without_zone
    from carbongrid.outputs.zone_shares import in_percent, zone_shares

    units = result.units
    zoned = units["zone"] > 0
    none = [*lines_without_zone(counted_reasons(units["reason"][~zoned]), len(units))]
    # Where no unit has a zone four of nothing tell nothing.
    shares = [row for row in zone_shares(units, "t") if row.zone.code == 0 or zoned.any()]
    rule = "ECC      ESC"
    high, low = (
        (">= 1", "< 1")
        if result.manifest["parameters"].get("ties", ">=") == ">="
        else ("> 1", "<= 1")
    )
    yield f"{'zone':<36} {rule:<14} {'units':>5} {'emission Mt':>12} {'sink Mt':>9}"
    pairs = {1: (high, high), 2: (high, low), 3: (low, high), 4: (low, low)}
    rules = {code: f"{ecc:<8} {esc}" for code, (ecc, esc) in pairs.items()}
    for row in shares:
        rule = rules.get(row.zone.code, "")
        yield f"{_name(row):<36} {rule:<14} {row.count:>5} {row.emission / 1e6:>12.3f} {row.sink / 1e6:>9.4f}"
    emission, sink = units["emission_t"].sum() / 1e6, units["sink_t"].sum() / 1e6
    yield f"{'all units':<36} {'':<14} {len(units):>5} {emission:>12.3f} {sink:>9.4f}"
    yield ""
    if not zoned.any():
        yield from none
        return
    yield f"{'share of':<34} {'units':>8} {'area':>8} {'emission':>8} {'sink':>8} {'GDP':>8}"
    for row in shares:
        parts = (row.unit_share, row.area_share, row.emission_share, row.sink_share, row.gdp_share)
        yield f"{_name(row):<34} {' '.join(f'{in_percent(part):>8}' for part in parts)}"
    if units["gdp"].isna().any() and units["gdp"].notna().any():
        yield f"GDP is unknown in {int(units['gdp'].isna().sum())} units: its shares are of what is known."
    yield from none
    if "firm" in units:
        yield f"{int(units['firm'].sum())} of {int(zoned.sum())} zones are firm: at least 90 % of {result.manifest['parameters']['draws']:,} draws have them."
    flagged = int(units["borderline"].sum())
    if flagged:
        yield f"{flagged} units are close to 1: an index within 0.05 of it. That is a distance, no probability."
    split = int((units["ecc_low"] < units["ecc_high"]).sum())
    if split:
        either = int(either_side(units["reason"]).sum())
        yield f"ECC of {split} units rests on derived GDP; the 90 % interval of {either} contains 1, so their zone depends on how GDP is split."
    yield "Zones are relative to the whole of the reference region: halving every emission changes none."


def _name(row: ZoneShare) -> str:
    return f"{row.zone.code} {row.zone.name_en}"


def what_to_open(result: Result) -> dict[str, str]:
    """Return the files of a run that are worth opening first, each with the program for it."""
    programs = {
        "report.html": "a browser",
        "units.gpkg": "QGIS",
        "units.csv": "a spreadsheet",
    }
    return {name: by for name, by in programs.items() if (result.directory / name).is_file()}


def evidence_table(result: Result) -> list[str]:
    """Return the lines of what was given, used and lost, by category."""
    from carbongrid.method.evidence import EvidenceRow, evidence_lines

    return evidence_lines(EvidenceRow(**each) for each in result.manifest["evidence"])
