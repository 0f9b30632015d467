"""The page of all columns of what runs and analyses write, made of their declaration."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

COLUMNS = pd.read_csv(
    Path(__file__).with_name("columns.csv"), dtype=str, keep_default_na=False, encoding="utf-8"
)
"""Files of one table, apart by blanks; a column, its unit, where it is there, and what it means."""

HEAD = """\
# Columns of the output tables

Every column that a run or an analysis writes, file by file; made by `docs/generate.py` from `docs/columns.csv`, which a test holds against files that were written. What the files are for stands in [the files of a run](files.md), [how sure](howto/how-sure.md), [years](howto/years.md), [plans](howto/plan.md) and [agreement](method/agreement.md).

- A mass is CO2e per year, in tonnes whose six decimals are whole grams, unless its unit or `measured_in` says otherwise: what `margins.csv` and `targets.csv` measure is in grams, `audit.csv` has tonnes of a gas. `_t` in a name is for tonnes.
- Blank is unknown, 0 is a value. A share is 0 to 1. `true` and `false` are flags.
- A unit that is the name of a column stands in that column of the same row. `currency` is that of the run.
- Zones are 1 to 4, and 0 for none; their names stand in the [glossary](glossary.md).
- `<category>`, `<sector>`, `<parent>` and other names in angle brackets stand for each of theirs: `<quantity>` for `emission` and `sink`, `<index>` for `ccr`, `ecc` and `esc`, `<run>` for `a` and `b`, `<point>` for `p05`, `p50` and `p95`, `<zone>` for 1, 2, 3, 4 and 0, `<part>` for `total`, `units`, `outside_units`, `unallocated` and `elsewhere`, `<fine>` for a side in m and `exact`, `<choice>` for each choice, `<type>` for a territorial type.
- `units.gpkg` and `zone_probability.gpkg` have the outlines of the units too. `uncertainty.csv` of `carbongrid skill` is a [table for a case](case.md).
"""


def page() -> str:
    """Return docs/columns.md."""
    parts = [HEAD]
    for files, columns in COLUMNS.groupby("file", sort=False):
        rows = [
            f"| `{row['column']}` | {row['unit']} | {row['meaning']}{f' ({row["where"]})' if row['where'] else ''} |"
            for row in columns.to_dict("records")
        ]
        lines = "\n".join(["| column | unit | meaning |", "| --- | --- | --- |", *rows])
        parts.append(f"## {', '.join(str(files).split())}\n\n{lines}\n")
    return "\n".join(parts)
