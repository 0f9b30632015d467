"""The demonstration: a synthetic city, written as the folder that a user would fill with their own data, and run."""

from __future__ import annotations

from carbongrid.sources.demo.running import DemoOutcome, run_demo
from carbongrid.sources.demo.writing import write_city

__all__ = ["DemoOutcome", "run_demo", "write_city"]
