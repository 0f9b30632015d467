"""Where a finished run and the oracle differ, each place in one line."""

from __future__ import annotations

from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd

RELATIVE = 1e-9
SHOWN = 30


def differences(answer, out):
    """Lines that say what differs between a run directory and the oracle's answer; none if nothing does."""
    return [
        *parcel_differences(answer, out / "parcels.parquet"),
        *unit_differences(answer, out / "units.csv"),
    ]


def report(lines):
    rest = f"\n... and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "\n".join(lines[:SHOWN]) + rest


def parcel_differences(answer, path):
    theirs = gpd.read_parquet(path)
    theirs.index = theirs["id"].astype(str)
    if set(theirs.index) != set(answer.parcels.index):
        only = sorted(set(theirs.index) ^ set(answer.parcels.index))
        return [f"parcels on one side only: {len(only)}, such as {only[:5]}"]
    columns = by_plain_name(theirs.columns, "_g")
    lines = []
    for category in answer.parcels.columns:
        column = columns.get(plain(category))
        if column is None:
            lines.append(f"{category}: no column in parcels.parquet")
            continue
        run = theirs[column].reindex(answer.parcels.index).to_numpy(dtype=float)
        lines += far_apart(category, "parcel", answer.parcels[category], run, 1.0)
    return lines


def unit_differences(answer, path):
    theirs = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig").set_index(
        "id"
    )
    ours = answer.units
    if set(theirs.index) != set(ours.index):
        return [f"units on one side only: {sorted(set(theirs.index) ^ set(ours.index))}"]
    theirs = theirs.loc[ours.index]
    columns = by_plain_name(theirs.columns, "_t")
    lines = []
    masses = [*answer.parcels.columns, "emission", "sink", *sectors(answer)]
    for name in masses:
        column = columns.get(plain(name))
        if column is None:
            lines.append(f"{name}: no column in units.csv")
            continue
        run = theirs[column].map(lambda cell: float(Decimal(cell) * 10**6)).to_numpy()
        lines += far_apart(name, "unit", ours[name], run, ours["parcels"].to_numpy())
    lines += far_apart("residents", "unit", ours["residents"], floats(theirs["residents"]), 0.001)
    for name in ("gdp", "gdp_low", "gdp_high"):
        lines += far_apart(
            name, "unit", ours[name], floats(theirs[name]), ours["parcels"].to_numpy() + 1
        )
    for index in ("ccr", "ecc", "ecc_low", "ecc_high", "esc"):
        run = floats(theirs[index])
        known = np.isfinite(ours[index].to_numpy())
        lines += far_apart(index, "unit", ours.loc[known, index], run[known], 1e-6)
    for unit, zone, run in zip(ours.index, ours["zone"], theirs["zone"], strict=True):
        if str(zone) != run:
            lines.append(f"zone of unit {unit}: oracle {zone}, run {run}")
    for unit, mark, run in zip(ours.index, ours["borderline"], theirs["borderline"], strict=True):
        if mark != (run.lower() in {"true", "1", "yes"}):
            lines.append(f"borderline of unit {unit}: oracle {mark}, run {run!r}")
    return lines


def sectors(answer):
    found = {
        answer.categories[name].sector
        for name in answer.parcels
        if not answer.categories[name].sink
    }
    return sorted(found)


def far_apart(what, kind, ours, run, allowance):
    """Unknown on one side only, or further apart than 1e-9 of the number and the allowance."""
    own = ours.to_numpy(dtype=float)
    unknown = np.isnan(own) | np.isnan(run)
    near = np.abs(own - run) <= RELATIVE * np.abs(own) + allowance
    wrong = np.where(unknown, np.isnan(own) != np.isnan(run), ~near)
    return [
        f"{what} of {kind} {ours.index[i]}: oracle {own[i]:.3f}, run {run[i]:.3f}, difference {run[i] - own[i]:.6g}"
        for i in np.flatnonzero(wrong)
    ]


def floats(column):
    return pd.to_numeric(column.replace("", None)).to_numpy(dtype=float)


def plain(name):
    """A name without the marks that file formats and people write differently."""
    return name.lower().replace("/", "_").replace("-", "_")


def by_plain_name(columns, unit):
    found = {}
    for column in columns:
        found[plain(column)] = column
        found[plain(column).removesuffix(unit)] = column
    return found
