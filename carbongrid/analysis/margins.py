"""``margins``: how far the units of a finished run are from another zone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from carbongrid.method.margins import margins as margins_of_units
from carbongrid.method.zoning import sinks_below_floor
from carbongrid.outputs.reading import open_finished
from carbongrid.outputs.tables.plain import write_text_csv

if TYPE_CHECKING:
    import pandas as pd

    from carbongrid.outputs.result import Result


def margins(run: str | Path | Result) -> pd.DataFrame:
    """Return how much emission, sink or GDP would bring each unit's ECC or ESC to 1, in whole grams and currency units.

    Parameters
    ----------
    run
        A finished run: its directory, or what :func:`carbongrid.open` returned.

    Returns
    -------
    pandas.DataFrame
        Eight rows for each unit: unit, name, boundary (``ecc``, ``esc``), reference (``floating``: the region follows the unit; ``frozen``: its
        ratios stay those of the run), quantity (``emission``, ``sink``, ``gdp``), measured_in, now, at_boundary, difference (Python integers,
        None where there is no boundary), percent (of now), remark (why there is none), sinks_below_floor (whether the unit's reference region takes up
        so little that ESC ranks noise: how far it is from 1 says little then).

    Raises
    ------
    InputError
        If the directory is not a finished run.
    VerificationError
        If units.csv is unreadable, or was changed since the run.

    Notes
    -----
    All other units stay as they are. At the boundary the index is high; one gram of emission more, or one gram of sink or currency unit less, it is
    low. Not in it: how likely such a change is, and what else would change with it.
    """
    _, manifest, units = open_finished(run)
    told = manifest["parameters"]
    table = margins_of_units(units, told["reference"], told.get("ties", ">="))
    currency = manifest["currency"] or "currency units"
    measured = table["quantity"].map({"emission": "g yr-1", "sink": "g yr-1", "gdp": currency})
    rows_each = len(table) // len(units)
    few = sinks_below_floor(units, told["reference"], told.get("sink_floor", 0.0))
    table.insert(1, "name", units["name"].repeat(rows_each).tolist())
    table.insert(5, "measured_in", measured)
    table["sinks_below_floor"] = few.repeat(rows_each)
    return table


def write_margins(table: pd.DataFrame, path: Path) -> None:
    """Write what :func:`margins` returned as CSV: whole numbers to the last digit, percent with four decimals, blank where there is no boundary.

    Parameters
    ----------
    table
        The margins.
    path
        The file, replaced if it is there.
    """
    whole = {
        name: ["" if cell is None else str(cell) for cell in table[name]]
        for name in ("now", "at_boundary", "difference")
    }
    percent = ["" if cell != cell else f"{cell:.4f}" for cell in table["percent"]]
    few = ["true" if each else "false" for each in table["sinks_below_floor"]]
    write_text_csv(table.assign(**whole, percent=percent, sinks_below_floor=few), path)
