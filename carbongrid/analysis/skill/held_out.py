"""What a run's proxies say of what is known: facilities, regions with totals of their own, and GDP, each held out and predicted by the rest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from carbongrid.case.readers.geometry import geodesic_area
from carbongrid.case.table_formats import HERE
from carbongrid.method.agreement import misplaced
from carbongrid.method.categories import Category
from carbongrid.method.landuse import carrying_types
from carbongrid.pipeline.weights_step import regions_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.pipeline.prepared import PreparedRun

BASELINES = {"by_area": ("area", "面积"), "by_people": ("people", "人口")}
FOLDS, MIN_REGIONS = 5, 3


@dataclass(frozen=True)
class Proxy:
    """What stands for a category: what each parcel and each unit claims of it, by account.

    Parameters
    ----------
    category
        Its name.
    rules
        By which the parcels of each region, and last of the rest, claim: its own, or ``area`` where that found nothing.
    claim : float64, shape (parcels,)
        Of each parcel.
    account : int64, shape (parcels,)
        Region with a total of its own that it belongs to; -1 for none.
    regions
        Their codes.
    totals
        Grams of each region, and last of the rest.
    """

    category: str
    rules: tuple[str, ...]
    claim: NDArray[np.float64]
    account: NDArray[np.int64]
    regions: tuple[str, ...]
    totals: tuple[int, ...]


class HeldOut:
    """A run whose known masses are predicted by the rest.

    Parameters
    ----------
    run
        The run.
    """

    def __init__(self, run: PreparedRun) -> None:
        self.run = run

    def proxy(self, category: Category) -> Proxy:
        """Return what stands for a category; like the run, each total falls back to area by itself."""
        name, inputs = category.name, self.run.inputs
        claims = self.run.claims([name])[name].opened()
        codes = regions_of(inputs, name)
        own = inputs.totals[(inputs.totals["category"] == name) & (inputs.totals["place"] == HERE)]
        grams = dict(zip(own["region"], own["grams"].tolist(), strict=True))
        of_regions = [int(grams[code]) for code in codes]
        rest = max(int(grams.get("", 0)) - sum(of_regions), 0)
        account = self.run.land.regions_of_parcels(codes)
        claim, area = np.asarray(claims.weight, np.float64), self.run.parcels["area_m2"].to_numpy(np.float64)  # fmt: skip
        fallen = np.bincount(account % (len(codes) + 1), claim, len(codes) + 1) == 0
        claim = np.where(fallen[account] & claims.eligible, area, claim)
        rule = category.weight.partition(":")[0]
        rules = tuple("area" if each else rule for each in fallen.tolist())
        return Proxy(name, rules, claim, account, tuple(codes), (*of_regions, rest))

    def in_units(self, category: Category) -> sparse.csr_array:
        """Return the share of each parcel in each unit, CSR [parcel, unit]; what is outside is left out."""
        path, shares = category.structure, self.run.shares
        matrix = sparse.csr_array(shares.rasters[path][0] if path else shares.units).astype(np.float64)  # fmt: skip
        whole = np.asarray(matrix.sum(axis=1)).ravel()
        matrix.data /= np.repeat(np.maximum(whole, np.finfo(float).tiny), np.diff(matrix.indptr))
        return sparse.csr_array(matrix[:, :-1])

    @cached_property
    def baselines(self) -> dict[str, NDArray[np.float64]]:
        """Return what area and people alone would claim of each unit; people are left out where nobody is known."""
        units = self.run.result.units
        found = {"by_area": np.asarray(geodesic_area(units.geometry.to_numpy(), units.crs), np.float64)}  # fmt: skip
        people = self.run.units["residents"].to_numpy(np.float64, na_value=np.nan)
        if not np.isnan(people).any() and people.any():
            found["by_people"] = people
        return found

    def facilities(self, category: Category, seed: int) -> pd.DataFrame:
        """Return a category's facilities as its proxy would have placed them, one at a time.

        Parameters
        ----------
        category
            The category.
        seed
            By which they are dealt into fifths.

        Returns
        -------
        DataFrame
            category, name, unit, region (whose total it is of; blank is the rest), rule (by which its parcels claim), fold, mass_t, proxy_t (what its parcel would have got), log_ratio (natural, NaN where the proxy has nothing there),
            in_own_unit (share that the proxy would have put into its unit), by_area, by_people (the same).
        """
        table, run = self.run.inputs.facilities, self.run
        columns = ["category", "name", "unit", "region", "rule", "fold", "mass_t", "proxy_t", "log_ratio", "in_own_unit", *BASELINES]  # fmt: skip
        if table is None:
            return pd.DataFrame(columns=columns)
        on_land = (table["category"] == category.name).to_numpy(bool) & (run.placed.parcel >= 0)
        rows = np.flatnonzero(on_land & (run.placed.unit >= 0) & (table["grams"] > 0).to_numpy(bool))  # fmt: skip
        if not rows.size:
            return pd.DataFrame(columns=columns)
        proxy = self.proxy(category)
        parcel, unit = run.placed.parcel[rows], run.placed.unit[rows]
        grams = table["grams"].to_numpy(np.int64)[rows]
        accounts = run.land.regions_at(proxy.regions, run.placed.homes(run.land))
        account = accounts[rows]
        # Of all others, those in no unit among them: a run takes them off their account.
        known = np.zeros(len(proxy.totals))
        np.add.at(known, accounts[on_land], table["grams"].to_numpy(np.int64)[on_land])
        claimed = np.bincount(proxy.account + 1, proxy.claim, len(proxy.totals))
        whole = np.append(claimed[1:], claimed[0])[account]
        left = np.array(proxy.totals, np.float64)[account] - known[account] + grams
        with np.errstate(divide="ignore", invalid="ignore"):
            # A parcel gets nothing of another region's total.
            predicted = np.where((whole > 0) & (proxy.account[parcel] == account), left * proxy.claim[parcel] / whole, 0.0)  # fmt: skip
            ratio = np.where(predicted > 0, np.log(grams / predicted), np.nan)
        folds = np.random.default_rng([seed, rows.size]).permutation(np.resize(np.arange(FOLDS), rows.size))  # fmt: skip
        shares = self._shares_by_account(proxy, category)
        found: dict[str, Any] = {
            "category": category.name,
            "name": table["name"].to_numpy(object)[rows],
            "unit": run.units["id"].to_numpy(object)[unit],
            "region": np.array([*proxy.regions, ""], dtype=object)[account],
            "rule": np.array(proxy.rules, dtype=object)[account],
            "fold": folds,
            "mass_t": grams / 1e6,
            "proxy_t": predicted / 1e6,
            "log_ratio": ratio,
            "in_own_unit": shares[account, unit],
        }
        for name in BASELINES:
            claims = self.baselines.get(name)
            found[name] = np.full(rows.size, np.nan) if claims is None else claims[unit] / claims.sum()  # fmt: skip
        return pd.DataFrame(found, columns=columns)

    def without_place(self, category: Category) -> int:
        """Return how many facilities with a mass have no place, or lie in no unit: they cannot be held out."""
        table, run = self.run.inputs.facilities, self.run
        if table is None:
            return 0
        own = (table["category"] == category.name) & (table["grams"] > 0)
        return int((own.to_numpy(bool) & ((run.placed.parcel < 0) | (run.placed.unit < 0))).sum())

    def _shares_by_account(self, proxy: Proxy, category: Category) -> NDArray[np.float64]:
        """Return the share of each account's claims in each unit, [account, unit]; the last account is the rest."""
        matrix = self.in_units(category)
        found = np.zeros((len(proxy.totals), matrix.shape[1]))
        for number in range(len(proxy.totals)):
            code = number if number < len(proxy.regions) else -1
            claim = np.where(proxy.account == code, proxy.claim, 0.0)
            if claim.any():
                found[number] = (claim @ matrix) / claim.sum()
        return found

    def fifths(self, category: Category, table: pd.DataFrame) -> dict[str, float]:
        """Return which share of the facilities' mass lands in other units than it lies in if a fifth of them is held out, by the proxy and by each baseline.

        Parameters
        ----------
        category
            The category.
        table
            Of :meth:`facilities`.
        """
        proxy = self.proxy(category)
        shares = self._shares_by_account(proxy, category)
        unit = pd.Index(self.run.units["id"]).get_indexer(table["unit"])
        account = pd.Index([*proxy.regions, ""]).get_indexer(pd.Index(table["region"]))
        mass = table["mass_t"].to_numpy(np.float64)
        found = dict.fromkeys(("proxy", *BASELINES), 0.0)
        for fold in range(FOLDS):
            held = np.flatnonzero(table["fold"].to_numpy() == fold)
            if not held.size:
                continue
            size = len(self.run.units)
            theirs = np.bincount(unit[held], mass[held], size)
            whole = theirs.sum()
            for name in found:
                claims = self.baselines.get(name)
                if name == "proxy":
                    ours = mass[held] @ shares[account[held]]
                elif claims is None:
                    found[name] = math.nan
                    continue
                else:
                    ours = whole * claims / claims.sum()
                # What the proxy puts outside every unit is misplaced as well.
                found[name] += (np.maximum(theirs - ours, 0.0)).sum() / mass.sum()
        return found

    def regions(self, category: Category) -> pd.DataFrame:
        """Return the totals of a category's regions as the others predict them: by their intensity per claim.

        A region that fell back to area claims in another measure than the others: it is neither predicted nor does it predict.

        Returns
        -------
        DataFrame
            Empty for less than three that can be compared: category, region, rule (by which its parcels claim), total_t, predicted_t (NaN where it fell back, or the others claim nothing), log_ratio, by_area_t, by_people_t, of_parcels and of_units (sum of squares of the shares of its claims).
        """
        proxy = self.proxy(category)
        columns = ["category", "region", "rule", "total_t", "predicted_t", "log_ratio", "by_area_t", "by_people_t", "of_parcels", "of_units"]  # fmt: skip
        fallen = np.array([rule == "area" for rule in proxy.rules[:-1]], bool)
        alike = np.flatnonzero(~fallen | fallen.all())
        if alike.size < MIN_REGIONS:
            return pd.DataFrame(columns=columns)
        total = np.array(proxy.totals[:-1], np.float64) / 1e6
        of_unit = self.run.land.regions_of_units(proxy.regions)
        claims = np.bincount(proxy.account + 1, proxy.claim, len(total) + 1)[1:]
        squares = np.bincount(proxy.account + 1, proxy.claim**2, len(total) + 1)[1:]
        home = np.where(proxy.account >= 0, self.run.land.unit_of_parcel, -1)
        in_unit = np.bincount(home + 1, proxy.claim, len(of_unit) + 1)[1:]
        unit_squares = np.bincount(of_unit + 1, in_unit**2, len(total) + 1)[1:]

        def by_the_others(claims: NDArray[np.float64]) -> NDArray[np.float64]:
            found = np.full(total.size, np.nan)
            found[alike] = leave_one_out(total[alike], claims[alike])
            return found

        predicted = by_the_others(claims)
        with np.errstate(divide="ignore", invalid="ignore"):
            known = (predicted > 0) & (total > 0)
            found: dict[str, Any] = {
                "category": category.name,
                "region": list(proxy.regions),
                "rule": list(proxy.rules[:-1]),
                "total_t": total,
                "predicted_t": predicted,
                "log_ratio": np.where(known, np.log(total / predicted), np.nan),
                "of_parcels": squares / claims**2,
                "of_units": unit_squares / claims**2,
            }
        for name in BASELINES:
            each = self.baselines.get(name)
            found[f"{name}_t"] = math.nan if each is None else by_the_others(np.bincount(of_unit + 1, each, len(total) + 1)[1:])  # fmt: skip
        return pd.DataFrame(found, columns=columns)

    def gdp(self) -> pd.DataFrame:
        """Return the GDP of units as the split of their parent's sum would have it, by land that carries GDP, by area and by people.

        Returns
        -------
        DataFrame
            unit, parent, gdp, predicted, by_area, by_people, log_ratio; empty where GDP is not the units' own, or they have no parent.
        """
        from carbongrid.method.gdp import industries

        columns = ["unit", "parent", "gdp", "predicted", *BASELINES, "log_ratio"]
        case, units = self.run.tables.case, self.run.units
        if case.gdp is None or case.gdp.by != "unit" or not case.units.parents:
            return pd.DataFrame(columns=columns)
        parent = units[case.units.parents[0]].fillna("").astype(str).to_numpy()
        own = units["gdp"].to_numpy(np.float64, na_value=np.nan)
        carries = (
            self.run.parcels["type"]
            .isin(carrying_types(industries()["value"].types))
            .to_numpy(bool)
        )
        area = np.where(carries, self.run.parcels["area_m2"].to_numpy(np.float64), 0.0)
        land = sparse.csr_array(self.run.shares.units).astype(np.float64)
        whole = np.maximum(np.asarray(land.sum(axis=1)).ravel(), np.finfo(float).tiny)
        claims = {"predicted": ((area / whole) @ land)[:-1], **self.baselines}
        table = pd.DataFrame({"unit": units["id"].to_numpy(object), "parent": parent, "gdp": own})
        for name in ("predicted", *BASELINES):
            table[name] = _split(own, parent, claims.get(name))
        with np.errstate(divide="ignore", invalid="ignore"):
            table["log_ratio"] = np.where((table["predicted"] > 0) & (own > 0), np.log(own / table["predicted"]), np.nan)  # fmt: skip
        return table[columns]


def leave_one_out(total: NDArray[np.float64], claims: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the others' total per claim gives each for its own claims; NaN where the others claim nothing.

    Parameters
    ----------
    total, claims : shape (n,)
        Of each.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = claims * (total.sum() - total) / (claims.sum() - claims)
    return np.where(np.isfinite(found), found, np.nan)


def _split(own: NDArray[np.float64], parent: NDArray[Any], claims: NDArray[np.float64] | None) -> NDArray[np.float64]:  # fmt: skip
    """Return each parent's sum split over its units by claims; NaN where a unit's own is unknown, or the parent has one unit."""
    found = np.full(own.size, np.nan)
    for code in sorted(set(parent.tolist()) - {""}):
        inside = np.flatnonzero(parent == code)
        if claims is None or inside.size < 2 or np.isnan(own[inside]).any() or not claims[inside].any():  # fmt: skip
            continue
        found[inside] = own[inside].sum() * claims[inside] / claims[inside].sum()
    return found


def share_misplaced(table: pd.DataFrame, ours: str, theirs: str) -> float:
    """Return the share of a mass that one column puts elsewhere than another, where both are known; NaN where nowhere.

    Parameters
    ----------
    table
        With both columns.
    ours, theirs
        Their names.
    """
    known = table[[ours, theirs]].astype(np.float64).dropna()
    if not len(known) or not known[theirs].sum() or not known[ours].sum():
        return math.nan
    one, other = (known[name].to_numpy(np.float64) for name in (ours, theirs))
    return misplaced(one, other, scaled=True)


def pairs_of(tables: Sequence[pd.DataFrame], units: pd.Series[Any]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:  # fmt: skip
    """Yield the logarithms of facilities and the unit of each, category by category.

    Parameters
    ----------
    tables
        Of :meth:`HeldOut.facilities`.
    units
        Codes of the units.
    """
    position = pd.Index(units.tolist())
    for table in tables:
        known = table[table["log_ratio"].notna()]
        yield known["log_ratio"].to_numpy(np.float64), position.get_indexer(known["unit"].tolist()).astype(np.int64)  # fmt: skip
