"""Why units have no zone, and what gives them one: told by ``check`` and at the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from carbongrid.method.zoning import (
    NO_CARBON,
    NO_GDP,
    NO_REGION,
    NO_SINK,
    ONE_UNIT,
    UNKNOWN_GDP,
)

_WAYS_OUT: Mapping[str, str] = MappingProxyType(
    {
        NO_CARBON: "Nothing is spread on their land, or less than a gram: that may be so; if not, look at the totals, and at its land-use codes.",
        NO_REGION: 'Fill the column that reference names, or hold all units against each other: reference = "all".',
        ONE_UNIT: "Zones hold units against each other: give smaller units, or a larger reference region.",
        NO_GDP: "Give GDP of the units, or of what they are part of: [gdp] in the case.",
        NO_SINK: "Give the total of a sink, such as sink/land or sink/crops.",
        UNKNOWN_GDP: "Give each a value in the table of [gdp]: a blank and a missing row are unknown, 0 is 0.",
    }
)

_OF_SEVERAL: Mapping[str, str] = MappingProxyType(
    {
        ONE_UNIT: "each is alone in its reference region",
        NO_GDP: "their reference region has no GDP",
        NO_SINK: "their reference region has no sink",
    }
)
"""A reason as it is told of more than one unit; that of one stands beside it in a table."""


def counted_reasons(reasons: Iterable[str]) -> dict[str, int]:
    """Return of how many units each reason is, the most frequent first; a unit with a zone has an empty one."""
    return dict(Counter(reason for reason in reasons if reason).most_common())


def lines_without_zone(counts: Mapping[str, int], units: int) -> Iterator[str]:
    """Yield a sentence for each reason: of how many of the units it is, and the way out."""
    for reason, count in counts.items():
        verb = "gets" if count == 1 else "get"
        who = "The unit" if units == 1 else f"{count:,} of {units:,} units"
        why = reason if count == 1 else _OF_SEVERAL.get(reason, reason)
        yield f"{who} {verb} no zone: {why}. {_WAYS_OUT[reason]}"
