"""Rows that say what draws rest on."""

from __future__ import annotations

from typing import Any

from carbongrid.method.probability.uncertainty import Rule

Setting = dict[str, Any]
"""A row of what the draws rest on."""


def given(source: str, of: str, percent: float) -> Setting:
    """Return the row of a figure that says itself how sure it is."""
    return setting(source, of, Rule(source, of, percent, basis="given", origin="beside the figure, in its table"))  # fmt: skip


def off(source: str) -> Setting:
    """Return the row of a source that is not drawn."""
    return setting(source, "*", Rule(source, "*", basis="off", origin="left out of the draws"))


def setting(source: str, of: str, rule: Rule) -> Setting:
    """Return the row of what a rule is drawn by."""
    return {
        "source": source,
        "of": of,
        "percent": rule.percent,
        "sigma": rule.sigma,
        "tau": rule.tau,
        "group": rule.group,
        "basis": rule.basis,
        "origin": rule.origin,
    }
