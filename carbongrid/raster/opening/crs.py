"""Coordinate reference systems that are whole in themselves: none that PROJ completes from a file.

A definition may name files, and PROJ opens them: ``+init=FILE:KEY`` while it is parsed, grids of shifts when points are
transformed. Such a file is no input of a case: nothing hashes it, and it may lie anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from carbongrid.errors import InputError

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

_NOTHING = re.compile(r"@?null", re.IGNORECASE)
_FILES = (
    # PROJ strings, which stand in WKT and JSON as well.
    re.compile(r"(?:^|[\s+\"'(])(init\s*=\s*[^\s\"']+)", re.IGNORECASE),
    re.compile(r"(?:^|[\s+\"'(])(\w*grids\s*=\s*[^\s\"']+)", re.IGNORECASE),
    re.compile(r"\+((?:file|model|catalog)\s*=\s*[^\s\"']+)", re.IGNORECASE),
    # WKT of both kinds.
    re.compile(r"(PROJ4_GRIDS\"\s*,\s*\"[^\"]*)", re.IGNORECASE),
    re.compile(r"(PARAMETERFILE\s*[\[(][^\])]*)", re.IGNORECASE),
)
_HINT = "Name it by a code, such as EPSG:4490."


def crs_of(given: Any, where: str = "") -> CRS:
    """Return a coordinate reference system that needs no file.

    Parameters
    ----------
    given
        A code, WKT, a PROJ string, PROJJSON (text or mapping), or a system that came through here before.
    where
        The place, for messages.

    Raises
    ------
    InputError
        If it names a file.
    pyproj.exceptions.CRSError
        If it is none.
    """
    from pyproj import CRS

    if isinstance(given, CRS):
        return given
    if isinstance(given, dict):
        given = json.dumps(given)
    if isinstance(given, str):
        require_no_file(given, where)
        crs, file = _parsed(given)
        if file is not None:
            raise _named(file, where)
        return crs
    return CRS.from_user_input(given)


@lru_cache(maxsize=64)
def authority_code(crs: CRS, confidence: int) -> str:
    """Return an authority's code of a system, such as EPSG:4490, blank if none is as sure (percent): PROJ searches 0.3 s for one that there is not."""
    return ":".join(crs.to_authority(min_confidence=confidence) or ())


def same_crs(a: CRS, b: CRS) -> bool:
    """Tell whether coordinates mean the same in two systems; x comes before y in every raster and table, so the order of axes does not matter."""
    return a.equals(b, ignore_axis_order=True) or _east_first(a).equals(
        _east_first(b), ignore_axis_order=True
    )


@lru_cache(maxsize=512)
def way_between(source: CRS, target: CRS) -> Transformer:
    """Return the way from one system to another, x first in both; PROJ takes 0.1 s to find one, 0.2 s with a datum shift.

    Raises
    ------
    pyproj.exceptions.ProjError
        If it knows none.
    """
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)


@lru_cache(maxsize=64)
def _east_first(crs: CRS) -> CRS:
    """Return a projected system with its easting before its northing: PROJ leaves out of account the order of degrees alone."""
    if not crs.is_projected:
        return crs
    told = crs.to_json_dict()
    axes = told.get("coordinate_system", {}).get("axis", [])
    if [axis["direction"] for axis in axes] != ["north", "east"]:
        return crs
    axes.reverse()
    return type(crs).from_json_dict(told)


def require_no_file(definition: str, where: str) -> None:
    """Raise InputError if a definition names a file that PROJ would open; it is not parsed."""
    for pattern in _FILES:
        for match in pattern.finditer(definition):
            told = match[1]
            value = re.split(r"[=\"]", told)[-1].strip()
            if not all(_NOTHING.fullmatch(part) for part in value.split(",")):
                raise _named(told, where)


@lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[CRS, str | None]:
    """Return a system, and the name of a file that completes it, if there is one."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_user_input(text)
    except RecursionError:
        raise CRSError("its JSON is nested too deep") from None
    names = (value for value in _parameters(crs.to_json_dict()) if isinstance(value, str))
    return crs, next((name for name in names if not _NOTHING.fullmatch(name)), None)


def _parameters(node: Any) -> Iterator[Any]:
    """Yield the values of all parameters of PROJJSON; one that is a text is the name of a file."""
    if isinstance(node, list):
        for each in node:
            yield from _parameters(each)
    elif isinstance(node, dict):
        for parameter in node.get("parameters") or ():
            yield parameter.get("value")
        for each in node.values():
            yield from _parameters(each)


def _named(what: str, where: str) -> InputError:
    return InputError(
        f"the coordinate reference system is completed from a file ({' '.join(what.split())[:80]}), which is no part of the input",
        where,
        _HINT,
    )
