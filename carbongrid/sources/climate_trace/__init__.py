"""Facilities of Climate TRACE's inventory of sources."""

from carbongrid.sources.climate_trace.facilities import (
    READINGS,
    Facilities,
    digits,
    facilities_of,
    write_facilities,
)
from carbongrid.sources.climate_trace.published import Published, Source, read_published
from carbongrid.sources.climate_trace.subsectors import SUBSECTORS, Subsector

__all__ = [
    "READINGS",
    "SUBSECTORS",
    "Facilities",
    "Published",
    "Source",
    "Subsector",
    "digits",
    "facilities_of",
    "read_published",
    "write_facilities",
]
