"""A plan: actions in order, each checked by its number before any is done."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from carbongrid.case.fields import nearest
from carbongrid.case.toml_values import require_short_keys
from carbongrid.case.values import crs_of_points
from carbongrid.errors import InputError, Problem, listed
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.files import open_file
from carbongrid.raster.opening.formats import files_behind

MAX_BYTES = 2**25
"""A file larger than this (32 MiB) is no plan: one that names twenty thousand units in fifty actions takes less."""
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
_QUANTITIES = ("change", "total", "mass")


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

    @property
    def content(self) -> dict[str, Any]:
        """All that it says, every id of it, as JSON has it; of polygons that are no file their digest."""
        return {"do": self.do, **{key: _whole(value) for key, value in self.told.items()}}

    def __str__(self) -> str:
        """Return the action in a line."""
        told = ", ".join(
            f"{key} = {_shown(value)}{_in_percent(value) if key == 'factor' else ''}"
            for key, value in self.told.items()
        )
        return f"{self.number}. {self.do}: {told}"


@dataclass(frozen=True)
class Plan:
    """Actions in order.

    Parameters
    ----------
    actions
        In order.
    reference
        Which zones are told first: against the region as the plan leaves it (``floating``) or as it was (``frozen``). A run has the first.
    folder
        What paths are relative to.
    sha256
        Of the file that was read; empty for actions that no file has.
    """

    actions: tuple[Action, ...]
    reference: str = "floating"
    folder: Path | None = None
    sha256: str = ""

    def path(self, inside: str | Path) -> Path:
        """Return where a file of polygons lies."""
        path = Path(inside)
        return path if self.folder is None or path.is_absolute() else self.folder / path

    def polygons(self) -> dict[str, str]:
        """Return the sha256 of each file of polygons as it is now, and of what is read with it, by the name in the plan; one that is missing has none."""
        named = [each.told["inside"] for each in self.actions if isinstance(each.told.get("inside"), str | Path)]  # fmt: skip
        found = {}
        for name in named:
            path = self.path(name)
            for file in files_behind(path) if path.exists() else ():
                found[f"{name}" if file == path else f"{name}: {file.name}"] = hash_path(file)
        return found


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file; files that it names are relative to its folder.

    Raises
    ------
    InputError
        If it cannot be read, and as :func:`plan_of`.
    """
    try:
        sha256 = hash_path(path)
        text = _text_of(path)
        require_short_keys(text, path.name)
        told = tomllib.loads(text)
        same = hash_path(path) == sha256
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the plan cannot be read: {error}", str(path)) from error
    if not same:
        raise InputError("the plan changed while it was read", str(path), "Do it again.")
    unknown = [key for key in told if key not in ("reference", "action")]
    if unknown:
        what = f"a plan has no key {unknown[0]!r}"
        raise InputError(what, path.name, "It has reference and [[action]].")
    actions = told.get("action", [])
    if not isinstance(actions, list) or not actions:
        raise InputError("the plan has no [[action]]", path.name, 'Begin one with [[action]], do = "scale".')  # fmt: skip
    plan = plan_of(actions, told.get("reference", "floating"), path.parent)
    return replace(plan, sha256=sha256)


def _text_of(path: Path) -> str:
    """Return the text of a plan, of which no more is read than a plan may hold."""
    with open_file(path) as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        what = f"the plan holds {path.stat().st_size / 2**20:.1f} MiB, more than the {MAX_BYTES / 2**20:.0f} MiB that a plan may"
        raise InputError(what, str(path), "Name the TOML file of the plan; land goes into a file of polygons beside it: inside.")  # fmt: skip
    return data.decode("utf-8")


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
    if not found and not problems:
        problems.append(Problem("the plan has no action", "plan", f"Begin with one: do is {', '.join(_KEYS)}."))  # fmt: skip
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
        several = [value] if isinstance(value, str) else value
        if not isinstance(several, Iterable) or isinstance(several, Mapping):
            return "text, or a list of text", value
        words = tuple(several)
        if not words or not all(isinstance(each, str) and each for each in words):
            return "text, or a list of text that is not empty", value
        twice = [each for each in dict.fromkeys(words) if words.count(each) > 1]
        return (f"each once; {twice[0]!r} stands twice" if twice else ""), words
    if key == "crs" and isinstance(value, str) and value:
        try:
            crs_of_points(value)
        except ValueError:
            return "a coordinate reference system, such as 'EPSG:4326' or 'gcj02'", value
        return "", value
    if key in _TEXTS:
        return ("" if isinstance(value, str) and value else "text"), value
    if key in _NUMBERS and not (_is_number(value) and (key != "factor" or value >= 0)):
        return ("a finite number" if key != "factor" else "a number from 0 on"), value
    if key in _QUANTITIES and not (_is_number(value) or (isinstance(value, str) and value)):
        return "a finite number, or text with a unit", value
    if key == "inside" and not (isinstance(value, gpd.GeoDataFrame | Path) or (isinstance(value, str) and value)):  # fmt: skip
        return "a file of polygons, or a GeoDataFrame", value
    return "", value


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | np.number):
        return False
    return math.isfinite(value)


def _whole(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, gpd.GeoDataFrame):
        digest = hashlib.sha256(str(value.crs).encode())
        for shape in value.geometry.to_wkb():
            digest.update(shape or b"")
        return {"polygons": len(value), "sha256": digest.hexdigest()}
    return value if isinstance(value, str | int | float) else str(value)


def _in_percent(factor: float) -> str:
    """Say in percent what a factor changes: whoever wrote 0.1 for 10 % less reads it here. With four digits; less than all is gone is never rounded to all."""
    rounding = ROUND_DOWN if factor < 1 else ROUND_HALF_EVEN
    percent = Context(prec=4, rounding=rounding).subtract(Decimal(str(factor)), 1).scaleb(2)
    told = f"{percent.normalize():+,f}" if percent < 10**9 else f"{float(percent):+.4g}"
    return f" ({told} %)" if percent else ""


def _shown(value: Any) -> str:
    if isinstance(value, gpd.GeoDataFrame):
        return f"{len(value)} polygons"
    if isinstance(value, tuple):
        return listed(value) if len(value) == 1 else f"[{listed(value)}]"
    plain = isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    return str(value) if plain else repr(value)
