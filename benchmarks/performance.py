"""docs/performance.md, from what was measured: ``python benchmarks/performance.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from measuring import PARTS, Row

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"
SCALING = RESULTS / "scaling.json"
PROFILE = RESULTS / "profile.json"
PICTURES = {
    "parcels": ("scaling_parcels.png", "Time against parcels"),
    "cells": ("scaling_cells.png", "Time against cells, the same parcels"),
    "threads": ("scaling_threads.png", "Time against threads"),
}
TITLES = {
    "reductions": "Zonal sums and pairs of label arrays",
    "lookups": "Lookups and block sums",
    "from-zarr": "Zonal sum from Zarr",
    "labels": "Labels of 100,000 parcels",
    "labels-large": "Labels of a million parcels",
    "overlaps": "Parcels x units from polygons",
    "steps": "Where the time goes, on one core",
    "areas": "Exact areas on a 1 km grid",
    "weighted": "Sums of a raster per unit",
    "zonal": "Statistics by exact shares of cells",
    "first-calls": "First calls",
    "demo": "The demo on the command line",
    "whole-run": "A whole run of a million parcels, and its second year",
    "live": "What a finished run answers",
    "labels-zarr": "Labels to Zarr, up to 17 billion cells",
    "analysis": "What a finished run is asked",
    "land-cover": "Parcels of a land-cover raster, up to a billion cells",
}


def line(row: Row) -> str:
    """Return one line of the table on the terminal."""
    theirs = (
        f"{row.theirs.seconds:9.3f} {row.theirs.peak:8.0f}" if row.theirs else f"{'-':>9} {'-':>8}"
    )
    ratio = f"{row.ratio:8.2f}" if row.ratio is not None else f"{'-':>8}"
    goal = f"{row.goal:6.2f}" if row.goal is not None else f"{'-':>6}"
    return f"{row.work:38} {row.peer:38} {row.ours.seconds:9.3f} {row.ours.peak:8.0f} {theirs} {ratio} {goal}  {row.note}"


def write() -> None:
    """Write the page from every part's results."""
    files = [RESULTS / f"{part}.json" for part in PARTS]
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in files if path.exists()]
    rows = [row for part in parts for row in part["rows"]]
    no_cell_centre = [row for row in rows if row["goal"] is not None and _ratio(row) < row["goal"]]
    lines = [
        "# Performance",
        "",
        "<!-- Written by benchmarks/performance.py from benchmarks/results; edit it there. -->",
        "",
        "Ratios to other tools that do the same work, on the same data and in the same process, each from the same start and with its result",
        "realized in full. `nox -s peers` measures them again, `nox -s peers -- --part NAME` one part.",
        "",
    ]
    for part in parts:
        lines += _table(part)
    lines += ["## Missed", ""]
    lines += [_miss(row) for row in no_cell_centre] or ["Nothing that was measured."]
    waiting = [part for part in PARTS if part not in {each["part"] for each in parts}]
    waiting += [] if SCALING.exists() else ["scaling"]
    if waiting:
        lines += ["", f"Not measured yet: {', '.join(waiting)}."]
    notes = HERE / "notes.md"
    if notes.exists():
        lines += ["", notes.read_text(encoding="utf-8").strip()]
    if PROFILE.exists():
        lines += ["", *profile_lines(json.loads(PROFILE.read_text(encoding="utf-8")), 12)]
    lines += ["", *_scaling(), *_how()]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def _ratio(row: dict[str, Any]) -> float:
    return row["theirs"]["seconds"] / row["ours"]["seconds"] if row["theirs"] else float("nan")


def _table(part: dict[str, Any]) -> list[str]:
    told = part["machine"]
    versions = {name: version for name, version in told["versions"].items() if version}
    used = [name for name in versions if any(name in row["peer"] for row in part["rows"])]
    lines = [
        f"## {TITLES[part['part']]}",
        "",
        f"{told['processor']}, {told['cores']} cores, {told['memory_gib']} GiB, Python {told['python']}; carbongrid {versions['carbongrid']}"
        + "".join(f", {name} {versions[name]}" for name in used)
        + f". Load of the machine at the start: {told['load_at_start']}.",
        "",
        "| work | size | against | s | MB | its s | its MB | ratio | goal | |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in part["rows"]:
        ours, theirs = row["ours"], row["theirs"]
        its = f"{theirs['seconds']:.3g} | {theirs['peak']:.0f}" if theirs else "| "
        ratio = f"{_ratio(row):.3g}" if theirs else ""
        goal = f"{row['goal']:.3g}" if row["goal"] is not None else ""
        lines.append(
            f"| {row['work']} | {row['size']} | {row['peer']} | {ours['seconds']:.3g} | {ours['peak']:.0f} | {its} | {ratio} | {goal} | {row['note']} |"
        )
    return [*lines, ""]


def _miss(row: dict[str, Any]) -> str:
    ratio = _ratio(row)
    return f"- {row['work']} against {row['peer']}: {ratio:.3g} of the {row['goal']:.3g} aimed at ({ratio / row['goal']:.0%})."


def profile_lines(profile: dict[str, Any], listed: int) -> list[str]:
    """Return the section on where the processor's time goes, so many functions of each run."""
    told = profile["machine"]
    lines = [
        "## Where the processor's time goes",
        "",
        f"{told['processor']}, {told['cores']} cores, Python {told['python']}. Seconds of all threads by the innermost function of the package, as `nox -s profile` samples them; other work on the machine does not count, but for the seconds that pass.",
    ]
    for name, run in profile["runs"].items():
        whole = run["processor"]
        lines += ["", f"{name}: {whole:.1f} s of the processor, {run['wall']:.1f} s passed.", ""]
        lines += ["| function | s | share |", "| --- | ---: | ---: |"]
        functions = list(run["functions"].items())
        rest = sum(seconds for _, seconds in functions[listed:])
        for function, seconds in [*functions[:listed], ("all others", rest)]:
            lines.append(f"| {function} | {seconds:.2f} | {seconds / whole:.0%} |")
    return [*lines, ""]


def _scaling() -> list[str]:
    if not SCALING.exists():
        return []
    lines = ["## Scaling", ""]
    for key, series in json.loads(SCALING.read_text(encoding="utf-8"))["series"].items():
        name, title = PICTURES[key]
        lines += [f"![{title}](images/{name})", "", f"{title}: {series['what']}.", ""]
        lines += ["| " + " | ".join([series["axis"], *series["lines"]]) + " |"]
        lines += ["| " + " | ".join(["---:"] * (1 + len(series["lines"]))) + " |"]
        for i, x in enumerate(series["x"]):
            cells = [_seconds(values[i]) for values in series["lines"].values()]
            lines.append("| " + " | ".join([f"{x:,}", *cells]) + " |")
        lines.append("")
    return lines


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _how() -> list[str]:
    return [
        "## How it was measured",
        "",
        "- Land is made by `benchmarks/landuse.py`: clustered Voronoi parcels with a vertex every 60 m, islands in holes, ribbons, parcels under a cell.",
        "- The time is the least of three calls (of one, where a call takes more than 15 s), after what is compiled was compiled.",
        "- Before each call as much memory is written to and let go as the largest result takes, so that none has to be fetched from a virtual machine's host.",
        "- MB is how far resident memory rose above what it was before the call, from the kernel's high-water mark, the result included. What a library",
        "  kept from an earlier call does not show: rusterize holds its raster, though its row says next to nothing.",
        "- A part is a process of its own; both sides of a row run in it, one after the other. Where a peer cannot hold the whole raster it goes in",
        "  bands of 4,096 rows, and its counts are merged.",
        "- Each table tells the load of the machine when it began. Above about 1 others were at work on the same cores: what takes two threads suffers",
        "  more from that than what takes one.",
        "- Compared in the same run: zonal sums with those of numpy.bincount (an assertion, to 1e-9), labels with rusterize's (the row tells how many",
        "  cells differ). Results of numbagg, flox and geocube are timed and not compared; the package's tests hold its own against slow loops and GDAL.",
        "- carbongrid uses two threads for label arrays above 16 Mcells, as Dask does for flox; numbagg, NumPy and the rasterizers use what they use.",
    ]


if __name__ == "__main__":
    write()
