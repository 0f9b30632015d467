"""From an OpenStreetMap extract to a case that is ready to edit (docs/decisions/0023)."""

from __future__ import annotations

from carbongrid.sources.osm.writing import OsmCase, write_case_from_osm

__all__ = ["OsmCase", "write_case_from_osm"]
