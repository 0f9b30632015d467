"""A plan: actions in order, each checked by its number before any is done."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbongrid.case.fields import nearest
from carbongrid.errors import InputError, Problem
from carbongrid.raster.opening.files import read_text

REFERENCES = ("floating", "frozen")
LAND = ("units", "parcels", "code", "inside")
"""What selects land: all that an action names must hold."""

AMOUNTS = ("factor", "change", "total")

_KEYS: Mapping[str, tuple[str, ...]] = {
    "scale": ("category", "facility", *LAND, *AMOUNTS),
    "add": ("facility", "category", "mass", "x", "y", "crs", "emission"),
    "remove": ("facility", "category", "emission"),
    "convert": (*LAND, "to", "emission"),
    "gdp": ("units", *AMOUNTS),
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "scale": (),
    "add": ("facility", "category", "mass", "x", "y", "crs"),
    "remove": ("facility",),
    "convert": ("to",),
    "gdp": (),
}
_FATES = {
    "add": ("add", "redistribute"),
    "remove": ("remove", "redistribute"),
    "convert": ("remove", "redistribute"),
}
_LISTS = ("units", "parcels", "code", "category")
_TEXTS = ("facility", "to", "emission", "crs")
_NUMBERS = ("x", "y", "factor")


@dataclass(frozen=True)
class Action:
    """One action of a plan.

    Parameters
    ----------
    number
        Its place in the plan, from 1.
    do
        ``scale``, ``add``, ``remove``, ``convert`` or ``gdp``.
    told
        What it says, by key; of ``units``, ``parcels``, ``code`` and ``category`` tuples.
    """

    number: int
    do: str
    told: Mapping[str, Any]

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"action {self.number} ({self.do})"

    @property
    def fate(self) -> str:
        """What becomes of the emission: the first of what its kind allows, unless it says so."""
        fate: str = self.told.get("emission", _FATES[self.do][0])
        return fate

    @property
    def land(self) -> dict[str, Any]:
        """What selects land; empty where it names none."""
        return {key: self.told[key] for key in LAND if key in self.told}

    def __str__(self) -> str:
        """Return the action in a line."""
        told = ", ".join(f"{key} = {_shown(value)}" for key, value in self.told.items())
        return f"{self.number}. {self.do}: {told}"


@dataclass(frozen=True)
class Plan:
    """Actions in order, and against what zones are held: the region as the plan leaves it (``floating``) or as it was (``frozen``)."""

    actions: tuple[Action, ...]
    reference: str = "floating"
    folder: Path | None = None


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file; files that it names are relative to its folder.

    Raises
    ------
    InputError
        If it cannot be read, and as :func:`plan_of`.
    """
    try:
        told = tomllib.loads(read_text(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"the plan cannot be read: {error}", str(path)) from error
    unknown = [key for key in told if key not in ("reference", "action")]
    if unknown:
        what = f"a plan has no key {unknown[0]!r}"
        raise InputError(what, path.name, "It has reference and [[action]].")
    actions = told.get("action", [])
    if not isinstance(actions, list) or not actions:
        raise InputError("the plan has no [[action]]", path.name, 'Begin one with [[action]], do = "scale".')  # fmt: skip
    return plan_of(actions, told.get("reference", "floating"), path.parent)


def plan_of(
    actions: Iterable[Mapping[str, Any]], reference: str = "floating", folder: Path | None = None
) -> Plan:
    """Return a plan of actions as mappings, in order.

    Raises
    ------
    InputError
        With what is wrong with any of them, by their numbers; nothing is compared with a run yet.
    """
    problems = []
    if reference not in REFERENCES:
        problems.append(Problem(f"{reference!r} is no reference", "reference", "Give floating or frozen."))  # fmt: skip
    found = []
    for number, told in enumerate(actions, start=1):
        try:
            found.append(_action(number, told))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return Plan(tuple(found), reference, folder)


def _action(number: int, given: Mapping[str, Any]) -> Action:
    if not isinstance(given, Mapping) or given.get("do") not in _KEYS:
        do = given.get("do") if isinstance(given, Mapping) else given
        hint = f"Give {', '.join(_KEYS)}."
        raise InputError(f"do is {do!r}, which is no action", f"action {number}", hint)
    do = str(given["do"])
    told = {key: value for key, value in given.items() if key != "do"}
    where = f"action {number} ({do})"
    faults = [_unknown(key, do, where) for key in told if key not in _KEYS[do]]
    faults += [
        Problem(f"{key} is missing", where, f"{do} needs {', '.join(_NEEDED[do])}.")
        for key in _NEEDED[do]
        if key not in told
    ]
    for key in list(told):
        fault, told[key] = _checked(key, told[key])
        if fault:
            faults.append(Problem(f"{key} is {_shown(given[key])}: expected {fault}", where))
    if do in _FATES and told.get("emission", _FATES[do][0]) not in _FATES[do]:
        what = f"emission is {told['emission']!r}"
        faults.append(Problem(what, where, f"Give {' or '.join(_FATES[do])}."))
    amounts = [key for key in AMOUNTS if key in told]
    if do in ("scale", "gdp") and len(amounts) != 1:
        what = f"it has {' and '.join(amounts) or 'no amount'}"
        faults.append(Problem(what, where, f"Give one of {', '.join(AMOUNTS)}."))
    if do == "convert" and not any(key in told for key in LAND):
        faults.append(Problem("it selects no land", where, f"Give one of {', '.join(LAND)}."))
    if do == "scale":
        faults += _faults_of_scale(told, where)
    if faults:
        raise InputError(faults)
    return Action(number, do, told)


def _faults_of_scale(told: Mapping[str, Any], where: str) -> list[Problem]:
    land = [key for key in LAND if key in told]
    if "facility" in told and land:
        what = f"it names a facility and land ({', '.join(land)})"
        return [Problem(what, where, "A facility lies where it lies: leave the land out.")]
    if "facility" not in told and "category" not in told and not land:
        return [Problem("it selects nothing", where, "Give category, facility, or land.")]
    return []


def _unknown(key: str, do: str, where: str) -> Problem:
    close = nearest(key, _KEYS[do])
    hint = f"Did you mean {close}?" if close else f"{do} has {', '.join(_KEYS[do])}."
    return Problem(f"it has no key {key!r}", where, hint)


def _checked(key: str, value: Any) -> tuple[str, Any]:
    """Return what was expected instead, empty if it is right, and the value as the action has it."""
    if key in _LISTS:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, Iterable) or isinstance(listed, Mapping):
            return "text, or a list of text", value
        words = tuple(listed)
        if not words or not all(isinstance(each, str) and each for each in words):
            return "text, or a list of text that is not empty", value
        twice = [each for each in dict.fromkeys(words) if words.count(each) > 1]
        return (f"each once; {twice[0]!r} stands twice" if twice else ""), words
    if key in _TEXTS:
        return ("" if isinstance(value, str) and value else "text"), value
    if key in _NUMBERS:
        right = isinstance(value, int | float) and not isinstance(value, bool) and value == value
        if not right or (key == "factor" and not 0 <= value < float("inf")):
            return ("a number" if key != "factor" else "a number from 0 on"), value
    return "", value


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        some = ", ".join(value[:10]) + (f" and {len(value) - 10} more" if len(value) > 10 else "")
        return some if len(value) == 1 else f"[{some}]"
    plain = isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    return str(value) if plain else repr(value)
