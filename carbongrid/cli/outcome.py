"""The tables that end a run on the terminal: zones, and what became of the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carbongrid.outputs.result import Result
    from carbongrid.outputs.zone_shares import ZoneShare


def zone_lines(result: Result) -> Iterator[str]:
    """Yield the tables of the zones: units, emissions and sinks; then what part each has in all of them."""
    from carbongrid.method.tonnes import at_decimals, counted
    from carbongrid.method.zoning import either_side
    from carbongrid.outputs.numbers import in_percent, mass_scale
    from carbongrid.outputs.without_zone import counted_reasons, lines_without_zone
    from carbongrid.outputs.zone_shares import zone_shares

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
    emission, sink = units["emission_t"].sum(), units["sink_t"].sum()
    grams, mass = mass_scale(max(emission, sink) * 1e6, 3)
    scale = grams / 1e6
    yield f"{'zone':<36} {rule:<13} {'units':>6} {f'emission {mass}':>12} {f'sink {mass}':>9}"
    pairs = {1: (high, high), 2: (high, low), 3: (low, high), 4: (low, low)}
    rules = {code: f"{ecc:<8} {esc}" for code, (ecc, esc) in pairs.items()}
    for row in shares:
        rule = rules.get(row.zone.code, "")
        yield f"{_name(row):<36} {rule:<13} {row.count:>6,} {at_decimals(row.emission / scale, 3, ''):>12} {at_decimals(row.sink / scale, 4, ''):>9}"
    yield f"{'all units':<36} {'':<13} {len(units):>6,} {at_decimals(emission / scale, 3, ''):>12} {at_decimals(sink / scale, 4, ''):>9}"
    yield ""
    if not zoned.any():
        yield from none
        return
    yield f"{'share of':<34} {'units':>8} {'area':>8} {'emission':>8} {'sink':>8} {'GDP':>8}"
    for row in shares:
        parts = (row.unit_share, row.area_share, row.emission_share, row.sink_share, row.gdp_share)
        yield f"{_name(row):<34} {' '.join(f'{in_percent(part):>8}' for part in parts)}"
    unknown = int(units["gdp"].isna().sum())
    if 0 < unknown < len(units):
        yield f"GDP is unknown in {counted(unknown, 'unit')}: its shares are of what is known."
    yield from none
    if "firm" in units:
        yield firm_line(
            int(units["firm"].sum()), int(zoned.sum()), result.manifest["parameters"]["draws"]
        )
    flagged = int(units["borderline"].sum())
    if flagged:
        verb = "is" if flagged == 1 else "are"
        yield f"{counted(flagged, 'unit')} {verb} close to 1: an index within 0.05 of it. That is a distance, no probability."
    split = int((units["ecc_low"] < units["ecc_high"]).sum())
    if split:
        either = int(either_side(units["reason"]).sum())
        whose = "its" if either == 1 else "their"
        yield f"ECC of {counted(split, 'unit')} rests on derived GDP; the 90 % interval of {either:,} contains 1, so {whose} zone depends on how GDP is split."
    yield "Zones are relative to the whole of the reference region: halving every emission changes none."


def firm_line(firm: int, zoned: int, draws: int) -> str:
    """Return how many of the zones are firm, and that there are none where no unit has one."""
    if not zoned:
        return "No unit has a zone, so there is none that could be firm."
    if not firm:
        return f"0 of {zoned:,} zones are firm: none has at least 90 % of {draws:,} draws."
    verb, them = ("is", "it") if firm == 1 else ("are", "them")
    return f"{firm:,} of {zoned:,} zones {verb} firm: at least 90 % of {draws:,} draws have {them}."


def _name(row: ZoneShare) -> str:
    return f"{row.zone.code} {row.zone.name_en}"


def what_to_open(result: Result) -> dict[str, str]:
    """Return the files of a run that are worth opening first, each with the program for it."""
    programs = {
        "report.html": "a browser",
        "units.gpkg": "QGIS",
        "units.xlsx": "a spreadsheet",
        "units.csv": "a spreadsheet",
    }
    there = {name: by for name, by in programs.items() if (result.directory / name).is_file()}
    if "units.xlsx" in there:
        # A spreadsheet reads the code 001 of a CSV as 1.
        there.pop("units.csv", None)
    return there


_FATES = {
    "facilities": "at facilities",
    "by_rule": "by rule",
    "by_area": "by area",
    "by_parent": "by area of the parent's types",
    "unallocated": "unallocated",
}


def fate_lines(result: Result) -> Iterator[str]:
    """Yield what part of the emissions, and of the sinks, that came in was placed by what, or was not, and what lies in no unit; nothing of what a run has none of."""
    from carbongrid.outputs.numbers import in_percent, mass_scale

    sinks = {each["name"] for each in result.manifest["categories"] if each["sink"]}
    for kind in ("emissions", "sinks"):
        rows = [row for row in result.manifest["ledger"] if (row["category"] in sinks) == (kind == "sinks")]  # fmt: skip
        total = sum(row["total"] for row in rows)
        if not total:
            continue
        parts = {told: sum(row[name] for row in rows) for name, told in _FATES.items()}
        told = ", ".join(f"{in_percent(part / total)} {by}" for by, part in parts.items() if part)
        grams, mass = mass_scale(total, 3)
        outside = sum(row["outside_units"] or 0 for row in rows)
        beyond = (
            f"; {in_percent(outside / total)} of all lies outside every unit" if outside else ""
        )
        yield f"Of {total / grams:,.3f} {mass} of {kind}: {told}{beyond}."


def evidence_table(result: Result) -> list[str]:
    """Return the lines of what was given, used and lost, by category."""
    from carbongrid.method.evidence import EvidenceRow, evidence_lines

    return evidence_lines(EvidenceRow(**each) for each in result.manifest["evidence"])
