"""What part each zone has in units, area, emissions, sinks and GDP: the numbers of Fig. 9, of the report and of the terminal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carbongrid.method.zoning import zones

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from carbongrid.method.zoning import Zone


@dataclass(frozen=True)
class ZoneShare:
    """One zone's part in the sums over all units.

    Parameters
    ----------
    zone
        The zone.
    count, borderline
        Its units, and those of them near another zone.
    area
        In the run's plane, m2.
    emission, sink
        In the unit of the columns that were added up.
    ccr
        Sink over emission.
    unit_share, area_share, emission_share, sink_share
        From 0 to 1; NaN of nothing.
    gdp_share
        Of what is known of it; NaN where the zone has units and the GDP of none of them is known.
    """

    zone: Zone
    count: int
    borderline: int
    area: float
    emission: float
    sink: float
    ccr: float
    unit_share: float
    area_share: float
    emission_share: float
    sink_share: float
    gdp_share: float


def zone_shares(units: gpd.GeoDataFrame, mass: str = "g") -> list[ZoneShare]:
    """Return a row per zone, 1 to 4, then what is unclassified if some unit is.

    Parameters
    ----------
    units
        With zone, borderline, gdp, geometry, and emission and sink in columns of the mass.
    mass
        ``g`` or ``t``: how these columns end.
    """
    columns = {"emission": units[f"emission_{mass}"], "sink": units[f"sink_{mass}"]}
    wholes = {name: column.sum().item() for name, column in columns.items()}
    areas = units.geometry.area
    whole, gdp = float(areas.sum()), int(units["gdp"].dropna().sum())
    rows = []
    unclassified, *classified = zones()
    for zone in (*classified, unclassified):
        inside = units["zone"] == zone.code
        count = int(inside.sum())
        if zone.code == 0 and not count:
            continue
        emission, sink = (column[inside].sum().item() for column in columns.values())
        area = float(areas[inside].sum())
        rows.append(
            ZoneShare(
                zone=zone,
                count=count,
                borderline=int(units["borderline"][inside].sum()),
                area=area,
                emission=emission,
                sink=sink,
                ccr=share(sink, emission),
                unit_share=share(count, len(units)),
                area_share=share(area, whole),
                emission_share=share(emission, wholes["emission"]),
                sink_share=share(sink, wholes["sink"]),
                gdp_share=_share_of_known(units["gdp"][inside], gdp),
            )
        )
    return rows


def _share_of_known(gdp: pd.Series[int], whole: int) -> float:
    known = gdp.dropna()
    return math.nan if len(gdp) and known.empty else share(int(known.sum()), whole)


def share(part: float, whole: float) -> float:
    """Return part over whole; NaN of nothing."""
    return part / whole if whole else math.nan
