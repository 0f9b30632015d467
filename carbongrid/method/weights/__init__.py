"""Weights: what each parcel claims of a category, from points, people, lines, fields or its area."""

from carbongrid.method.weights.claims import Weights, count_alike
from carbongrid.method.weights.lines import (
    LineLengths,
    LineWeights,
    line_lengths,
    weighted_lengths,
)
from carbongrid.method.weights.packing import PackedWeights
from carbongrid.method.weights.people import (
    Census,
    PeopleRaster,
    Residents,
    people_by_parcel,
    people_points,
    scale_to_census,
)
from carbongrid.method.weights.points import (
    FACILITY_REACH,
    PointClaims,
    locate,
    nearest,
    parcels_in_reach,
    parcels_of_facilities,
    points_in_parcels,
)
from carbongrid.method.weights.roadside import blended_lengths
from carbongrid.method.weights.rules import (
    WeightInputs,
    eligible,
    sink_coefficients,
    weigh,
)

__all__ = [
    "FACILITY_REACH",
    "Census",
    "LineLengths",
    "LineWeights",
    "PackedWeights",
    "PeopleRaster",
    "PointClaims",
    "Residents",
    "WeightInputs",
    "Weights",
    "blended_lengths",
    "count_alike",
    "eligible",
    "line_lengths",
    "locate",
    "nearest",
    "parcels_in_reach",
    "parcels_of_facilities",
    "people_by_parcel",
    "people_points",
    "points_in_parcels",
    "scale_to_census",
    "sink_coefficients",
    "weigh",
    "weighted_lengths",
]
