"""Verification of a finished run: its numbers derived again from its own files, and compared."""

from __future__ import annotations

from carbongrid.pipeline.verification.checks import Verification, verify
from carbongrid.pipeline.verification.verdict import Check

__all__ = ["Check", "Verification", "verify"]
