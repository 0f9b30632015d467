"""Hand the files of a run to the validators of their formats: ``nox -s formats``.

    python tools/formats.py [RUN]

Without a run directory the small demo is made and checked. Ends with an error if a validator is not content.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import pandas as pd
import pyarrow.parquet as parquet
import pyogrio
import rioxarray  # noqa: F401  (registers .rio)
import xarray as xr

import carbongrid
from carbongrid.outputs.marks import CLOSE, INDICATIVE, NOT_FIRM
from carbongrid.sources.demo import write_city

SCRIPTS = Path(sys.executable).parent


def validator_faults(run: Path) -> Iterator[str]:
    """Yield what rio-cogeo, compliance-checker and geoparquet-validator say against a file."""
    for command, content in {
        ("rio", "cogeo", "validate", "--strict", "grid_1km.tif"): "is a valid cloud optimized",
        ("compliance-checker", "--test=cf:1.11", "--criteria=strict", "grid_1km.nc"): "",
        ("geoparquet-validator", "check", "parcels.parquet"): "covering: 6 pass, 0 fail",
    }.items():
        done = subprocess.run(
            [SCRIPTS / command[0], *command[1:]],
            cwd=run,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        if done.returncode or content not in done.stdout:
            yield f"{command[-1]}: {command[0]} is not content"


def style_faults(run: Path) -> Iterator[str]:
    """Yield what is wrong with the styles: none is the default, or one does not parse."""
    styles = pyogrio.read_dataframe(run / "units.gpkg", layer="layer_styles")
    if styles["useAsDefault"].sum() != 1:
        yield "units.gpkg: not one default style"
    for row in styles.to_dict("records"):
        renderer = ET.fromstring(row["styleQML"]).find("renderer-v2")
        symbols = [] if renderer is None else renderer.findall("symbols/symbol")
        # What is hatched has no rule in the SLD, whose fills of lines every reader draws otherwise.
        hatched = (
            []
            if renderer is None
            else [each for each in renderer.iter("rule") if is_hatching(each)]
        )
        rules = ET.fromstring(row["styleSLD"]).findall(".//{http://www.opengis.net/se}Rule")
        print(
            f"style {row['styleName']}: {len(symbols)} symbols, {len(rules)} rules, {len(hatched)} hatched"
        )
        if not symbols or len(symbols) != len(rules) + len(hatched):
            yield f"units.gpkg: style {row['styleName']} has no symbols, or not one per rule"


def is_hatching(rule: ET.Element) -> bool:
    """Tell whether a rule of QGIS marks units, whatever their class."""
    return rule.get("filter") in {flag.expression for flag in (CLOSE, NOT_FIRM, INDICATIVE)}


def parcel_faults(run: Path) -> Iterator[str]:
    """Yield the columns of the parcels that DuckDB, which has a reader of its own, finds otherwise than Arrow does."""
    path = run / "parcels.parquet"
    by_arrow = parquet.read_table(path)
    found = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").df()
    same = [name for name in by_arrow.column_names if _alike(by_arrow[name].to_pandas(), found[name])]  # fmt: skip
    print(f"parcels.parquet: {len(same)} of {by_arrow.num_columns} columns are the same to DuckDB")
    for name in set(by_arrow.column_names) - set(same):
        yield f"parcels.parquet: {name} is another one to DuckDB"


def _alike(ours: pd.Series[Any], theirs: pd.Series[Any]) -> bool:
    return bool(ours.map(_plain).equals(theirs.map(_plain)))


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, bytes | bytearray) else value


def label_faults(run: Path) -> Iterator[str]:
    """Yield what keeps rioxarray from placing the labels, where a run keeps them."""
    if not (run / "labels.zarr").exists():
        return
    with xr.open_zarr(run / "labels.zarr", consolidated=False) as labels:
        print(f"labels.zarr: {labels.rio.crs}, {labels.rio.bounds()}")
        if labels.rio.crs is None or labels["parcel"].rio.crs is None:
            yield "labels.zarr has no CRS in rioxarray"


def _run_with_labels(folder: Path) -> Path:
    """Run the small demo so that it keeps its labels."""
    case = write_city(folder / "case", size="small")
    text = case.read_text(encoding="utf-8")
    case.write_text(re.sub(r"(?m)^\[grid\].*", r"\g<0>\nlabels = true", text), encoding="utf-8")
    return carbongrid.run(case, folder / "run").directory


def main() -> None:
    """Check a run; exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description="Validate the files of a run")
    parser.add_argument("run", type=Path, nargs="?")
    with tempfile.TemporaryDirectory() as folder:
        given = parser.parse_args().run
        run = given or _run_with_labels(Path(folder))
        faults = [
            *validator_faults(run),
            *style_faults(run),
            *parcel_faults(run),
            *label_faults(run),
        ]
    print("\n".join(faults) if faults else "All formats are as their validators want them.")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
