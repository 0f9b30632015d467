"""A case's set of sinks: by name, from a table, and on the land that it counts; a case with ponds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from squares_case import squares_case

import carbongrid as cg
from carbongrid.case.readers.sinks import read_sinks, sinks_of
from carbongrid.errors import InputError

ACTIVITY = """activity,category,amount,unit,parameters
land/forest,sink/land,100,ha,
land/water,sink/land,100,ha,
land/ponds,sink/ponds,100,ha,coefficient=sci_rep_2025.water
crop/rice,sink/crops,500,t,
"""


def case_of(folder: Path, sinks: str | None):
    """Forest, a lake, an aquaculture pond, a pond, a field: a square of 1 km each."""
    (folder / "activity").mkdir()
    tables = {
        "activity/sinks.csv": ACTIVITY,
        "activity/settings.csv": "setting,value\nyear,2020\n",
        "own.csv": "activity,products,source\nland/forest,land,a survey\n",
        "fed.csv": "activity,products,source\nland/ponds,land+ch4,a survey\n",
    }
    section = {"path": "activity", **({} if sinks is None else {"sinks": sinks})}
    codes = ["0301", "1102", "1104A", "1104", "0101"]
    return squares_case(folder, codes, tables, totals=None, inventory=section)


@pytest.mark.parametrize(
    ("sinks", "sink", "emission"),
    [
        (None, {"p0"}, {"p2", "p3"}),
        ("ipcc", {"p0"}, {"p2", "p3"}),
        ("balanced", {"p0", "p1"}, {"p1", "p2", "p3"}),
        ("study", {"p0", "p1", "p4"}, set()),
        ("own.csv", {"p0"}, set()),
        # What ponds take up lies on ponds: it was seen on other land, or on none.
        ("fed.csv", {"p2", "p3"}, {"p2", "p3"}),
    ],
)
def test_a_case_with_ponds(tmp_path: Path, sinks, sink, emission) -> None:
    """Seen to fail with ponds as water, and with the coefficients of all sets for every set."""
    case = case_of(tmp_path, sinks)
    if not emission:
        # A case needs an emission: not of the sinks' sheet.
        text = "activity,category,amount,unit\nsoil/urea,agriculture/plantation,1,t\n"
        (tmp_path / "activity" / "agriculture.csv").write_text(text, "utf-8")
        emission = {"p4"}
    cg.run(case, tmp_path / "run")
    parcels = pd.read_parquet(tmp_path / "run" / "parcels.parquet")
    assert set(parcels["id"][parcels["sink_g"] > 0]) == sink
    assert set(parcels["id"][parcels["emission_g"] > 0]) == emission
    assert cg.verify(tmp_path / "run").ok


def test_a_set_is_named_or_a_table(tmp_path: Path) -> None:
    assert read_sinks(case_of(tmp_path, None)).name == "ipcc"
    assert sinks_of("own.csv", tmp_path / "own.csv").name == "own.csv"
    with pytest.raises(InputError, match="unknown set of sinks"):
        sinks_of("ipc", tmp_path / "ipc")
