"""What a run keeps of its case, so that a finished run can be asked what would be otherwise: settings, totals, facilities."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from carbongrid.case import Case
from carbongrid.case.readers.inputs import Inputs
from carbongrid.method.categories import Category
from carbongrid.pipeline.sections import FOLDER
from carbongrid.raster.opening.files import read_text

FILES = [f"{FOLDER}/case.json"]


@dataclass(frozen=True)
class SmallTables:
    """All of a case but its land and its evidence.

    Parameters
    ----------
    case
        Its settings. The files that it names need not be there any more.
    categories, totals, facilities, water
        As :class:`carbongrid.case.readers.inputs.Inputs` has them.
    coefficients
        Uptake per area by territorial type.
    gdp
        As :class:`carbongrid.case.readers.inputs.Inputs` has it.
    """

    case: Case
    categories: dict[str, Category]
    totals: pd.DataFrame
    facilities: pd.DataFrame | None
    water: dict[str, int] | None
    coefficients: dict[str, float]
    gdp: pd.DataFrame | None


def content_of(inputs: Inputs) -> dict[str, Any]:
    """Return what is kept, as JSON has it."""
    case, facilities = inputs.case, inputs.facilities
    return {
        "file": case.path.name,
        "case": case.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "categories": [dataclasses.asdict(each) for each in inputs.categories.values()],
        "totals": _kept(inputs.totals),
        "facilities": None if facilities is None else _kept(facilities),
        "water": inputs.water,
        "coefficients": dict(inputs.coefficients),
        "gdp": None if inputs.gdp is None else _kept(inputs.gdp),
    }


def keep_tables(folder: Path, inputs: Inputs) -> None:
    """Write them."""
    text = json.dumps(content_of(inputs), ensure_ascii=False, indent=1)
    (folder / FILES[0]).write_text(text, encoding="utf-8")


def load_tables(folder: Path) -> SmallTables:
    """Read them back."""
    told = json.loads(read_text(folder / FILES[0]))
    categories = [Category.of(each) for each in told["categories"]]
    facilities = told["facilities"]
    return SmallTables(
        case=Case.of(told["case"], folder / told["file"]),
        categories={each.name: each for each in categories},
        totals=_masses(told["totals"]),
        facilities=None if facilities is None else _masses(facilities),
        water=told["water"],
        coefficients=told["coefficients"],
        gdp=None if told.get("gdp") is None else _frame(told["gdp"]),
    )


def _kept(table: pd.DataFrame) -> dict[str, Any]:
    # Of a float JSON keeps every bit; a place that is not known is NaN, which Python's JSON has as well. Of integers an unknown one is None.
    return {
        "dtypes": {name: str(kind) for name, kind in table.dtypes.items()},
        "columns": {
            name: [None if cell is pd.NA else cell for cell in table[name].tolist()]
            for name in table.columns
        },
    }


def _frame(told: dict[str, Any]) -> pd.DataFrame:
    cells, kinds = told["columns"], told["dtypes"]
    return pd.DataFrame({name: pd.Series(cells[name], dtype=kind) for name, kind in kinds.items()})


def _masses(told: dict[str, Any]) -> pd.DataFrame:
    """Return a table of masses; of a run of an earlier version, which kept nothing beside whole grams, they are what was meant."""
    table = _frame(told)
    whole = pd.Series("0", table.index, dtype="str")
    return table if "remainder" in table else table.assign(remainder=whole)
