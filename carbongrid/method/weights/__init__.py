"""Weights: what each parcel claims of a category, from points, people, lines, fields or its area."""

from carbongrid.method.weights.claims import Claims, Evidence, eligible, sink_coefficients, weigh
from carbongrid.method.weights.lines import (
    LineClaims,
    LineLengths,
    corrected_lengths,
    line_lengths,
    weighted_lengths,
)
from carbongrid.method.weights.packing import PackedClaims
from carbongrid.method.weights.people import (
    Census,
    PeopleRaster,
    Residents,
    people_by_parcel,
    people_points,
    scale_to_census,
)
from carbongrid.method.weights.points import (
    PointClaims,
    locate,
    nearest,
    parcels_of_facilities,
    points_in_parcels,
)

__all__ = [
    "Census",
    "Claims",
    "Evidence",
    "LineClaims",
    "LineLengths",
    "PackedClaims",
    "PeopleRaster",
    "PointClaims",
    "Residents",
    "corrected_lengths",
    "eligible",
    "line_lengths",
    "locate",
    "nearest",
    "parcels_of_facilities",
    "people_by_parcel",
    "people_points",
    "points_in_parcels",
    "scale_to_census",
    "sink_coefficients",
    "weigh",
    "weighted_lengths",
]
