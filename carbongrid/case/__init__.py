"""The case: its schema, its reader, its template and its documentation."""

from __future__ import annotations

from carbongrid.case.commented import commented_toml
from carbongrid.case.models import Case
from carbongrid.case.reference import case_reference
from carbongrid.case.template import write_template

__all__ = ["Case", "case_reference", "commented_toml", "write_template"]
