"""From a case folder to every category x unit mass, GDP, index and zone, by real-number shares.

Written from the design, the decisions and the case page alone: nothing here comes from the package.
``solve(case.toml)`` is the whole of it.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import shapely

from oracle.claims import Lines, People, Pois, eligible, place
from oracle.facilities import grams_of_facilities
from oracle.gdp import ends_of_gdp
from oracle.inputs import (
    DATA,
    PARENT_TYPE,
    covering,
    grams,
    numbers,
    points_in_plane,
    read_case,
    read_categories,
    read_table,
)

FACILITY_REACH = 100.0
SLIVER = 1e-9
INDUSTRIES = {
    "primary": (["cultivated", "paddy", "farm-facilities"], {}),
    "secondary": (
        ["industrial", "mining"],
        {"industry/manufacturing": ["industrial"], "industry/mining": ["mining"]},
    ),
    "tertiary": (
        ["commercial", "public"],
        {"buildings/commerce": ["commercial"], "buildings/public-services": ["public"]},
    ),
}


@dataclass
class Answer:
    parcels: pd.DataFrame  # id x category, grams
    units: (
        pd.DataFrame
    )  # id x (categories, sectors, emission, sink, residents, gdp, ccr, ecc, esc, zone)
    categories: dict
    outside: pd.Series  # category: grams in no unit
    unallocated: pd.Series  # category: grams on no parcel
    shares: pd.DataFrame  # parcel, unit (-1 is outside), share


class Method:
    def __init__(self, path):
        self.inputs = read_case(path)
        self.categories = read_categories(self.inputs)
        self.area = self.inputs.parcels["area"].to_numpy(float)
        self.pois = Pois(self.inputs)
        self.lines = Lines(self.inputs, self.pois)
        self.people = People(self.inputs, self.categories)
        self.mass = {}
        self.unallocated = {}

    # ---- spreading ------------------------------------------------------------------------------

    def spread(self):
        totals = read_totals(self.inputs)
        facilities = self.facilities(totals)
        names = sorted({category for category, _ in totals})
        aside = self.set_aside(
            [name for name in names if any(totals[key] for key in totals if key[0] == name)]
        )
        for name in (name for name in names if name not in aside):
            category = self.categories[name]
            own = facilities[facilities["category"] == name]
            mass = np.zeros(len(self.area))
            np.add.at(mass, own["row"].to_numpy(dtype=int), own["grams"].to_numpy(dtype=float))
            self.unallocated[name] = 0.0
            for total, region, units in self.shares_of_the_total(name, totals):
                here = own.loc[own["home"].isin(units), "grams"].sum()
                if here > total:
                    raise ValueError(f"{name}: facilities {here} g above the total {total} g")
                self.spread_one(category, float(total - here), region, mass)
            self.mass[name] = mass

    def set_aside(self, names):
        """Categories left out so that electricity counts once (docs/decisions/0009)."""
        rows = [self.categories[name] for name in names]
        supply = {
            c.name
            for c in rows
            if c.scope == "1" and c.sector == "industry" and "utilities" in c.types
        }
        use = {c.name for c in rows if c.scope == "2"}
        if not supply or not use:
            return set()
        return {"supply": use, "use": supply, "both": set()}[self.inputs.settings["electricity"]]

    def shares_of_the_total(self, name, totals):
        """(grams, parcels, units) of each regional total, and of what they leave of the whole; unit -1 is none."""
        everywhere = np.ones(len(self.area), dtype=bool)
        regional = [
            (region, total)
            for (category, region), total in totals.items()
            if category == name and region
        ]
        named = np.zeros(len(self.area), dtype=bool)
        others = set(range(-1, len(self.inputs.units)))
        for region, total in regional:
            members = self.inputs.region_of_parcels(region)
            if (named & members).any():
                raise ValueError(
                    f"{name}: region {region} lies in another region of the same category"
                )
            named |= members
            units = set(self.inputs.units_of(region).tolist())
            others -= units
            yield total, members, units
        if (name, "") in totals:
            left = totals[name, ""] - sum(total for _, total in regional)
            if left < 0:
                raise ValueError(f"{name}: regions are {-left} g above the whole")
            yield left, everywhere & ~named, others

    def spread_one(self, category, total, region, mass):
        """Weight, else area, else the parent type's area, else unallocated (D10)."""
        allowed = eligible(self.inputs, category.types)
        for weight in (
            self.weight(category, allowed, region),
            np.where(allowed & region, self.area, 0.0),
            np.where(self.of_parent(category.types) & region, self.area, 0.0),
        ):
            if weight.sum() > 0:
                mass += total * (weight / weight.sum())
                return
        self.unallocated[category.name] += total

    def of_parent(self, types):
        parents = {PARENT_TYPE.get(kind.partition(":")[0]) for kind in types} - {None}
        return self.inputs.parcels["type"].map(PARENT_TYPE).isin(parents).to_numpy()

    def weight(self, category, allowed, region):
        here = allowed & region
        kind, _, of = category.weight.partition(":")
        if kind == "area":
            claim = self.area * (self.coefficients() if category.name == "sink/land" else 1.0)
        elif kind == "pois":
            claim = np.array(self.pois.weights(category.name, allowed), dtype=float)
        elif kind == "people":
            claim = np.array(self.people.by_parcel, dtype=float)
        elif kind == "lines":
            claim = self.lines.length_weights(of, allowed)
        elif kind == "roads":
            if self.lines.table is None:
                return np.zeros(len(here))
            return self.lines.road_weights(self.lines.road_parts(allowed), here)
        elif kind == "field":
            claim = pd.to_numeric(self.inputs.parcels[of]).fillna(0.0).to_numpy(float)
        else:
            raise NotImplementedError(f"{category.name}: weight {category.weight}")
        return np.where(here, claim, 0.0)

    def coefficients(self):
        table = read_table(DATA / "sink_coefficients.csv")
        by_type = table.set_index("type")["coefficient"].astype(float)
        return self.inputs.parcels["type"].map(by_type).fillna(0.0).to_numpy()

    def facilities(self, totals):
        columns = ["category", "grams", "row", "home"]
        section = self.inputs.settings.get("facilities")
        if not section:
            return pd.DataFrame(columns=columns)
        table = read_table(self.inputs.folder / section["path"])
        for name in ("value", "unit"):
            table[name] = table.get(name, "")
        table["grams"] = grams_of_facilities(table, totals)
        table = table[(table["x"] != "") & (table["y"] != "")].reset_index(drop=True)
        if not len(table):
            return pd.DataFrame(columns=columns)
        points = np.empty(len(table), dtype=object)
        for crs, part in table.groupby("crs"):
            points[part.index] = points_in_plane(
                numbers(part["x"]), numbers(part["y"]), crs, self.inputs.crs
            )
        everyone = np.ones(len(self.area), dtype=bool)
        table["row"] = place(points, self.inputs, everyone, FACILITY_REACH)
        if (table["row"] < 0).any():
            raise ValueError(
                f"facilities on no parcel: {table.loc[table['row'] < 0, 'name'].tolist()}"
            )
        # Whose total it comes off: of the unit that covers it; of a point in no unit, of the parcel's (docs/decisions/0002).
        unit = covering(points, self.inputs.units.geometry.to_numpy())
        of_parcel = self.inputs.parcels["unit"].to_numpy()[table["row"].to_numpy(dtype=int)]
        table["home"] = np.where(unit >= 0, unit, of_parcel)
        return table[columns]

    # ---- parcels and units ----------------------------------------------------------------------

    def overlaps(self):
        """Parcel, unit, exact area in common as a share of the parcel; unit -1 is outside (docs/decisions/0007)."""
        parcels = self.inputs.parcels.geometry.to_numpy()
        units = self.inputs.units.geometry.to_numpy()
        parcel, unit = shapely.STRtree(units).query(parcels, predicate="intersects")
        whole = shapely.covers(units[unit], parcels[parcel])
        area = shapely.area(parcels)
        common = np.where(whole, area[parcel], 0.0)
        common[~whole] = shapely.area(
            shapely.intersection(parcels[parcel[~whole]], units[unit[~whole]])
        )
        table = pd.DataFrame({"parcel": parcel, "unit": unit, "whole": whole, "area": common})
        table = table.sort_values(["parcel", "unit"])
        first_whole = table[table["whole"]].drop_duplicates("parcel")
        pieces = table[~table["parcel"].isin(first_whole["parcel"])]
        pieces = pieces[pieces["area"] >= SLIVER * area[pieces["parcel"]]]
        table = pd.concat([first_whole, pieces])[["parcel", "unit", "area"]]
        outside = area - table.groupby("parcel")["area"].sum().reindex(
            range(len(area)), fill_value=0.0
        )
        outside = outside[outside >= SLIVER * area]
        outside = pd.DataFrame({"parcel": outside.index, "unit": -1, "area": outside.to_numpy()})
        table = pd.concat([table, outside], ignore_index=True)
        table["share"] = table["area"] / table.groupby("parcel")["area"].transform("sum")
        return table[["parcel", "unit", "share"]]

    def water_moved(self, shares):
        """The outside part of water parcels, by the units' water rule (D22)."""
        rule = self.inputs.settings["units"].get("water", "ledger")
        water = (self.inputs.parcels["type"] == "water").to_numpy()
        moving = (shares["unit"] == -1) & water[shares["parcel"]]
        if rule == "ledger" or not moving.any():
            return shares
        if rule == "nearest":
            units = self.inputs.units.geometry.to_numpy()
            parcels = self.inputs.parcels.geometry.to_numpy()[shares.loc[moving, "parcel"]]
            shares.loc[moving, "unit"] = [
                int(np.argmin(shapely.distance(units, one))) for one in parcels
            ]
            return shares
        table = read_table(self.inputs.folder / rule)
        quanta = np.rint(table["share"].astype(float) * 1e6)
        table["unit"] = [
            self.inputs.units.index[self.inputs.units["id"] == code][0] for code in table["unit"]
        ]
        table["part"] = quanta / quanta.sum()
        split = shares.loc[moving, ["parcel", "share"]].merge(table[["unit", "part"]], how="cross")
        split["share"] = split["share"] * split["part"]
        return pd.concat([shares[~moving], split[["parcel", "unit", "share"]]], ignore_index=True)

    def by_unit(self, shares, mass):
        total = np.zeros(len(self.inputs.units) + 1)
        np.add.at(
            total,
            shares["unit"].to_numpy(),
            mass[shares["parcel"].to_numpy()] * shares["share"].to_numpy(),
        )
        return total[:-1], total[-1]

    # ---- GDP ------------------------------------------------------------------------------------

    def gdp(self, shares):
        """GDP of each unit in currency units; NaN where it is unknown (docs/decisions/0005)."""
        section = self.inputs.settings.get("gdp")
        units = self.inputs.units
        if not section:
            return np.full(len(units), np.nan)
        self.pieces = {}
        times = Fraction(section.get("currency", "1 CNY").split()[0])
        table = read_table(self.inputs.folder / section["path"])
        by = section.get("by", "unit")
        gdp = np.full(len(units), np.nan)
        for row in table.to_dict("records"):
            parts = [key for key in ("primary", "secondary", "tertiary", "value") if key in row]
            if any(row[key] == "" for key in parts):
                continue
            if "primary" in parts:
                parts = ["primary", "secondary", "tertiary"]
            money = {key: round(Fraction(row[key]) * times) for key in parts}
            if by == "unit":
                gdp[np.flatnonzero(units["id"] == row["region"])[0]] = money["value"]
                continue
            members = np.flatnonzero(units[by] == row["region"])
            gdp[members] = 0.0
            for industry, amount in money.items():
                gdp[members] += self.gdp_of_units(industry, amount, members, shares)[members]
        return gdp

    def gdp_of_units(self, industry, amount, members, shares):
        district = np.isin(self.inputs.parcels["unit"].to_numpy(), members)
        weight, own = self.gdp_weight(industry, district)
        money = amount * (weight / weight.sum())
        local = shares[shares["unit"].isin(members) & district[shares["parcel"]]].copy()
        local["share"] = local["share"] / local.groupby("parcel")["share"].transform("sum")
        unassigned = np.setdiff1d(np.flatnonzero(district), local["parcel"])
        home = self.inputs.parcels["unit"].to_numpy()[unassigned]
        local = pd.concat([local, pd.DataFrame({"parcel": unassigned, "unit": home, "share": 1.0})])
        claims = self.by_unit(local, weight)[0][members]
        self.pieces.setdefault(industry, []).append((members, amount, claims, own))
        return self.by_unit(local, money)[0]

    def gdp_ends(self, gdp):
        """Ends of the 90 % interval of each unit's GDP (docs/decisions/0060): GDP itself where it is the unit's own."""
        return ends_of_gdp(gdp, getattr(self, "pieces", {}))

    def gdp_weight(self, industry, district):
        if industry == "value":
            land = [kind for kinds, _ in INDUSTRIES.values() for kind in kinds]
            categories = {}
        else:
            land, categories = INDUSTRIES[industry]
        allowed = eligible(self.inputs, land)
        claim = np.zeros(len(self.area))
        for name, types in categories.items():
            claim += self.pois.weights(name, eligible(self.inputs, types))
        by_area = self.area * (allowed & district)
        if categories and by_area.sum() > 0 and (claim * district).sum() > 0:
            return claim * district, True
        if by_area.sum() > 0:
            return by_area, not categories
        return self.area * district, False

    # ---- the answer -----------------------------------------------------------------------------

    def answer(self):
        self.spread()
        plain = self.overlaps()
        gdp = self.gdp(plain)
        shares = self.water_moved(plain.copy())
        units = pd.DataFrame({"id": self.inputs.units["id"]})
        outside = {}
        for name, mass in self.mass.items():
            units[name], outside[name] = self.by_unit(shares, mass)
        sinks = [name for name in self.mass if self.categories[name].sink]
        sources = [name for name in self.mass if not self.categories[name].sink]
        for sector in dict.fromkeys(self.categories[name].sector for name in sources):
            members = [name for name in sources if self.categories[name].sector == sector]
            units[sector] = units[members].sum(axis=1)
        units["emission"] = units[sources].sum(axis=1)
        units["sink"] = units[sinks].sum(axis=1)
        units["residents"] = np.array(self.people.by_unit, dtype=float) / 1000
        units["gdp"] = gdp
        units["gdp_low"], units["gdp_high"] = self.gdp_ends(gdp)
        units["parcels"] = [int((shares["unit"] == row).sum()) for row in range(len(units))]
        units = self.with_zones(units)
        parcels = pd.DataFrame(self.mass, index=self.inputs.parcels["id"])
        return Answer(
            parcels,
            units.set_index("id"),
            self.categories,
            pd.Series(outside),
            pd.Series(self.unallocated),
            shares,
        )

    def with_zones(self, units):
        column = self.inputs.settings.get("reference", "all")
        region = (
            pd.Series("all", index=units.index) if column == "all" else self.inputs.units[column]
        )
        units["ccr"], units["ecc"], units["esc"], units["zone"], units["borderline"] = (
            np.nan,
            np.nan,
            np.nan,
            0,
            False,
        )
        units["ecc_low"] = units["ecc_high"] = np.nan
        for rows in units.groupby(region.to_numpy()).groups.values():
            self.zone_region(units, list(rows))
        return units

    def zone_region(self, units, rows):
        """Equations 8-10 and the four zones, by exact products of whole grams (D1 to D4)."""
        emission = {row: round(units.at[row, "emission"]) for row in rows}
        sink = {row: round(units.at[row, "sink"]) for row in rows}
        gdp = {row: int(units.at[row, "gdp"]) for row in rows if not np.isnan(units.at[row, "gdp"])}
        C, CA, G = sum(emission.values()), sum(sink.values()), sum(gdp.values())
        C_known = sum(emission[row] for row in gdp)
        ties = self.inputs.settings.get("ties", ">=")
        beats = {">=": operator.ge, ">": operator.gt}[ties]
        for row in rows:
            c, ca = emission[row], sink[row]
            if c > 0:
                units.at[row, "ccr"] = ca / c
                if CA > 0:
                    units.at[row, "esc"] = float(Fraction(ca * C, CA * c))
                if row in gdp and G > 0:
                    units.at[row, "ecc"] = float(Fraction(gdp[row] * C_known, G * c))
                    for end in ("low", "high"):
                        value = Fraction(units.at[row, f"gdp_{end}"])
                        units.at[row, f"ecc_{end}"] = float(value * C_known / (G * c))
            products = [(ca * C, CA * c), (gdp.get(row, 0) * C_known, G * c)]
            units.at[row, "borderline"] = len(rows) > 1 and any(
                20 * abs(a - b) <= b for a, b in products if b > 0
            )
            if len(rows) == 1 or G == 0 or CA == 0 or row not in gdp or (c == 0 and ca == 0):
                continue
            economy = beats(gdp[row] * C_known, G * c) if c > 0 else gdp[row] > 0
            ecology = beats(ca * C, CA * c) if c > 0 else ca > 0
            units.at[row, "zone"] = {
                (True, True): 1,
                (True, False): 2,
                (False, True): 3,
                (False, False): 4,
            }[economy, ecology]


def read_totals(inputs):
    """Whole grams by (category, region); region is blank for the whole."""
    totals = {}
    for row in read_table(inputs.folder / inputs.settings["totals"]["path"]).to_dict("records"):
        if row["category"] == "" or row.get("place", "") == "elsewhere":
            continue
        key = (row["category"], row.get("region", ""))
        totals[key] = totals.get(key, 0) + round(grams(row["value"], row["unit"]))
    return totals


def solve(path):
    return Method(path).answer()
