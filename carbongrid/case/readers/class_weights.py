"""Reads what the classes of lines weigh, and of which mode they are (D14)."""

from __future__ import annotations

import pandas as pd

from carbongrid.case.models import Case
from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.readers.tables import rows_of
from carbongrid.case.table_formats import CLASS_WEIGHTS
from carbongrid.method.landuse import packaged_table


def read_class_weights(case: Case) -> pd.DataFrame:
    """Return the weight and the mode of each class of lines.

    Parameters
    ----------
    case
        Rows of its ``lines.class_weights`` replace those of the package or add to them.

    Returns
    -------
    DataFrame
        class, weight (float64, 0: carries no motor traffic), mode, own (whether the case has a row of it), packaged (the package's weight, float64,
        NaN of a class that it does not know), sorted by class.

    Raises
    ------
    InputError
        If a weight is negative or no number, a mode unknown, a class blank or there twice.
    """
    found: dict[str, tuple[float, str]] = {}
    for _, cells in rows_of(packaged_table("road_classes.csv"), ("class", "weight", "mode")):
        found[cells["class"]] = (float(cells["weight"]), cells["mode"])
    packaged = {name: weight for name, (weight, _) in found.items()}
    own: set[str] = set()
    if case.lines is not None and case.lines.class_weights is not None:
        path = case.resolve(case.lines.class_weights)
        table = read_declared(path, CLASS_WEIGHTS, beside=case.lines.encoding)
        rows, faults = rows_declared(table, CLASS_WEIGHTS, path.name)
        faults.raise_any()
        for row in rows:
            found[row.cells["class"]] = (float(row.values["weight"]), row.cells["mode"])
        own = {row.cells["class"] for row in rows}
    classes = sorted(found)
    return pd.DataFrame(
        {
            "class": pd.Series(classes, dtype="str"),
            "weight": pd.Series([found[name][0] for name in classes], dtype="float64"),
            "mode": pd.Series([found[name][1] for name in classes], dtype="str"),
            "own": pd.Series([name in own for name in classes], dtype="bool"),
            "packaged": pd.Series([packaged.get(name) for name in classes], dtype="float64"),
        }
    )
