"""What a raster says that it is of: carbon, CO2, CO2e, CO2 of biomass, or something that is none of these and never read as one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.units_of_measure import SUBSTANCE_NAMES, names_other_gas

_ATTRIBUTES = ("substance", "species", "gas")
_SCRIPTS = str.maketrans("₂₄₆₃_", "2463 ")
_SEVERAL = re.compile(r"[,;/+&|]|\band\b")
_GWP = re.compile(r"gwp[ -]?(?P<years>[0-9]+)[ -](?P<set>ar[0-9]|sar|tar)\b[ -]?(?P<gases>.*)")
"""As EDGAR names CO2e: GWP_100_AR5_GHG."""
_EQUIVALENT = re.compile(r"co2[ -]?e(?:q|quivalents?)?(?![a-z])|carbon dioxide equivalents?|co2 ?当量|二氧化碳当量|\bghgs?\b|greenhouse gas(?:es)?|温室气体")  # fmt: skip
_DIOXIDE = re.compile(r"co2(?![0-9])|carbon dioxide|二氧化碳")
_CARBON = re.compile(
    r"(?:fossil |fossil fuel |anthropogenic )?(?:c|carbon)(?: emissions?)?|co2-c|碳"
)
_OF_BIOMASS = re.compile(r"bio|short[ -]cycle|(?<![a-z])bf(?![a-z])|生物")
_WITHOUT = re.compile(r"\bexcl|\bnon\b|\bnon-?bio|\bno bio|without|不含|除外")
_STANDARD = re.compile(r"(?:content|flux)_of_(?P<of>[a-z0-9_]+?)(?:_expressed_as_(?P<mass>[a-z0-9]+(?:_[a-z0-9]+)*?))?(?:_(?:due_to|in|from|by)_.*)?$", re.IGNORECASE)  # fmt: skip
"""CF's names of what the atmosphere receives."""

_NO_MASS_OF_A_TIME = {
    re.compile(r"(?<![A-Za-z])(?:[munpk]|µ|μ)?mol(?:e|es|ec|ecules?)?s?(?![a-z])|摩尔|分子"): "an amount of molecules, no mass",
    re.compile(r"(?<![A-Za-z])(?:[munpkM]|µ|μ)?W(?![A-Za-z])|(?<![A-Za-z])sr(?![A-Za-z])"): "light or power, no mass",
    re.compile(r"(?:/\s*|\bper\s+)(?:h|hrs?|hours?|min|minutes?|weeks?)\b|(?<![A-Za-z])(?:h|hrs?|hours?|min|minutes?|weeks?)\s?(?:\^|\*\*)?[-⁻−][1¹]|小时|分钟|[/每]周"): "per hour, minute or week, a time that is not read",
    re.compile(r"\b(?:NO[x2]|SO[x2]|NH3|(?:NM)?VOCs?|PM(?:2\.5|10)?|CO(?!\s*2)|BC|OC|Hg)\b"): "of another substance than CO2e, CO2 or C",
}  # fmt: skip


def other_quantity(units: str) -> str:
    """Return what units are that are plainly no mass of carbon in a time that can be named; blank where they may be one.

    Parameters
    ----------
    units
        As a raster states them.
    """
    return next((what for words, what in _NO_MASS_OF_A_TIME.items() if words.search(units)), "")


class _Said(NamedTuple):
    """A substance that is said: CO2e, CO2 or C; blank where several are, and None where it is another one."""

    substance: str | None
    biogenic: bool = False


def _read(text: str) -> _Said:
    plain = " ".join(text.translate(_SCRIPTS).casefold().split())
    parts = [each for each in _SEVERAL.split(plain) if each.strip()]
    if len(parts) > 1:
        # Of a file with several gases the attribute may list them all: that says of none.
        return _Said("" if any(_read(each).substance for each in parts) else None)
    if known := SUBSTANCE_NAMES.get(plain):
        return _Said(known)
    if _GWP.match(plain) or _EQUIVALENT.search(plain):
        return _Said("CO2e")
    if _CARBON.fullmatch(plain):
        return _Said("C")
    if _DIOXIDE.search(plain):
        return _Said("CO2", bool(_OF_BIOMASS.search(plain)) and not _WITHOUT.search(plain))
    return _Said(None)


def _read_standard(name: str) -> _Said:
    """Return what a standard_name of CF says; blank of one that names no substance."""
    match = _STANDARD.search(name)
    if match is None:
        return _Said("")
    of, mass = match["of"].replace("_", " "), match["mass"] or ""
    if mass == "carbon" and "carbon dioxide" in of:
        return _Said("C")
    return _read(of) if not mass else _Said(None)


def substance_of(attributes: Mapping[Any, Any], *, by_units: str) -> tuple[str, bool]:
    """Return what attributes other than units say that a raster is of, and whether that is of biomass.

    Parameters
    ----------
    attributes
        substance, species, gas and standard_name are looked at.
    by_units
        What the raster's units are of; one gas in CO2e is no contradiction.

    Raises
    ------
    InputError
        If it is none of CO2e, CO2 and C.
    """
    found, biogenic = "", False
    for name, text, said in _all_said(attributes):
        if said.substance is None and by_units == "CO2e":
            continue
        if said.substance is None:
            gwp = " Of a gas give the mass in CO2e: multiply by its GWP (AR5, 100 years)." if names_other_gas(text) else ""  # fmt: skip
            raise InputError(
                f"the raster says {name} = {text!r}, which is none of CO2e, CO2 and C",
                hint=f"Give the raster of what is meant, or correct its attribute {name}.{gwp}",
            )
        found, biogenic = found or said.substance, biogenic or said.biogenic
    return found, biogenic


def _all_said(attributes: Mapping[Any, Any]) -> list[tuple[str, str, _Said]]:
    texts = [(name, str(attributes.get(name) or "").strip()) for name in _ATTRIBUTES]
    # A number is a code of some table.
    found = [(name, text, _read(text)) for name, text in texts if re.search(r"[^\W\d_]", text)]
    standard = str(attributes.get("standard_name") or "")
    return [*found, ("standard_name", standard, _read_standard(standard))]


def remarks_of_substance(attributes: Mapping[Any, Any], where: str) -> list[tuple[Problem, str]]:
    """Return what has to be said of CO2 of biomass, of CO2e by whose GWPs, and of one gas in CO2e.

    Parameters
    ----------
    attributes
        Those of :func:`substance_of`.
    where
        The raster, for messages.
    """
    found: list[tuple[Problem, str]] = []
    for name, text, said in _all_said(attributes):
        gwp = _GWP.match(" ".join(text.translate(_SCRIPTS).casefold().split()))
        if said.biogenic:
            what = f"{name} is {text!r}: CO2 of biomass, which inventories tell apart from their totals"
            found.append((Problem(what, where, level="warning"), f"{where}：{name} 为“{text}”，属生物源 CO2，清单中单列、不计入总量。"))  # fmt: skip
        elif gwp:
            some = "" if gwp["gases"] in ("", "ghg") else ", of these gases alone"
            what = f"{name} is {text!r}: CO2e by the GWPs of {gwp['set'].upper()} over {gwp['years']} years{some}"
            zh = f"{where}：{name} 为“{text}”，即按 {gwp['set'].upper()} 的 {gwp['years']} 年 GWP 折算的 CO2 当量{'（仅这些气体）' if some else ''}。"
            usual = gwp["years"] == "100" and not some
            found.append((Problem(what, where, level="note" if usual else "warning"), zh))
        elif said.substance is None:
            what = f"{name} is {text!r}: that alone, in CO2e, stands beside all gases of the run"
            found.append((Problem(what, where, level="warning"), f"{where}：{name} 为“{text}”，仅为该气体的 CO2 当量，而本次运算为所有气体。"))  # fmt: skip
    return found
