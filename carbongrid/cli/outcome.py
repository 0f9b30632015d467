"""The tables that end a run on the terminal: zones, and what became of the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carbongrid.outputs.result import Result


def zone_lines(result: Result) -> Iterator[str]:
    """Yield the table of the zones: units, emissions, sinks, the mean of each index."""
    from carbongrid.method.zoning import zones

    units = result.units
    rule = "ECC      ESC"
    yield f"{'zone':<36} {rule:<14} {'units':>5} {'emission Mt':>12} {'sink Mt':>9}"
    rules = {1: ">= 1     >= 1", 2: ">= 1     < 1", 3: "< 1      >= 1", 4: "< 1      < 1"}
    for zone in zones():
        members = units[units["zone"] == zone.code]
        if zone.code == 0 and members.empty:
            continue
        emission, sink = members["emission_t"].sum() / 1e6, members["sink_t"].sum() / 1e6
        name = f"{zone.code} {zone.name_en}"
        yield f"{name:<36} {rules.get(zone.code, ''):<14} {len(members):>5} {emission:>12.3f} {sink:>9.4f}"
    emission, sink = units["emission_t"].sum() / 1e6, units["sink_t"].sum() / 1e6
    yield f"{'all units':<36} {'':<14} {len(units):>5} {emission:>12.3f} {sink:>9.4f}"
    flagged = int(units["borderline"].sum())
    if flagged:
        yield f"{flagged} units are borderline: an index within 0.05 of 1."


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
