"""The case: its schema, its reader, its template and its documentation."""

from __future__ import annotations

from carbongrid.case.commented import commented_toml
from carbongrid.case.models import Case

__all__ = ["Case", "commented_toml"]
