"""What a table calls a gas, in one spelling: CO2 for ``Net CO2 emissions/removals``, all gases for ``GHG total``."""

from __future__ import annotations

import re
import unicodedata

from carbongrid.inventory.coded_table import ALL_GASES, BIOGENIC, F_GASES

KNOWN = "Known: CO2, CO2 (biogenic), CH4, CH4 (biogenic), CH4 (fossil), N2O, HFCs, PFCs, SF6, NF3, a single one as HFC-134a, F-gases, and GHG or total for all gases."
"""For messages."""

HFCS, PFCS = "HFCS", "PFCS"
_CHINESE = {
    "二氧化碳当量": "CO2E", "二氧化碳": "CO2", "甲烷": "CH4", "氧化亚氮": "N2O", "六氟化硫": "SF6", "三氟化氮": "NF3",
    "氢氟碳化物": HFCS, "全氟碳化物": PFCS, "全氟化碳": PFCS, "含氟温室气体": "FGASES", "含氟气体": "FGASES", "温室气体": "GHG",
    "生物成因": "BIOGENIC", "生物质": "BIOGENIC", "合计": "TOTAL", "总计": "TOTAL", "总量": "TOTAL", "排放量": "EMISSIONS",
    "排放": "EMISSIONS",
}  # fmt: skip
_CHINESE_NAME = re.compile("|".join(_CHINESE))
_NUMBERED = re.compile(r"\b([HP]FC)[-\s]?([0-9][-0-9]*[A-Z]*)\b")
_RING = re.compile(r"\bC-C4F8\b")
_FORMULA_CO2E = re.compile(r"\bCO2 ?(?:E|EQ|EQV|EQUIV|EQUIVALENTS?)\b")
_IN_CO2E = re.compile(r"\b[A-Z]{0,3}CO2E\b|\bCARBON DIOXIDE EQ\w*|\b(?:SAR|AR[2-6])(?:GWP)?\b|GWP")
_PHRASES = (
    # A potential of 100 years, as all sets here; of another horizon it stays, and is refused.
    (re.compile(r"\b(?:SAR|AR[2-6])? ?GWP ?100\b|\b(?:SAR|AR[2-6])\b"), ""),
    (re.compile(r"\bWITH(?:OUT)? LULUCF\b|\b(?:IN|EX)CL(?:UDING)? LULUCF\b"), ""),
    (re.compile(r"\bCARBON DIOXIDE\b"), "CO2"),
    (_FORMULA_CO2E, "CO2E"),
    (re.compile(r"\bNON ?FOSSIL\b"), "BIOGENIC"),
    (re.compile(r"\bMETHANE\b"), "CH4"),
    (re.compile(r"\b(?:NITROUS|DINITROGEN) OXIDE\b"), "N2O"),
    (re.compile(r"\bSUL(?:PH|F)UR HEXAFLUORIDE\b"), "SF6"),
    (re.compile(r"\bNITROGEN TRIFLUORIDE\b"), "NF3"),
    (re.compile(r"\bHYDROFLUOROCARBONS?\b|\bHFC\b"), HFCS),
    (re.compile(r"\bPERFLUOROCARBONS?\b|\bPFC\b"), PFCS),
    (re.compile(r"\bF ?GAS(?:ES)?\b|\bFLUORINATED\b"), "FGASES"),
)
_PERFLUORINATED = {"PFC14": "CF4", "PFC116": "C2F6", "PFC218": "C3F8"}
"""Names of a gas that has another one too."""

_GASES = ("CO2", "CH4", "N2O", "SF6", "NF3", HFCS, PFCS)
_PFC = re.compile(r"C?C[0-9]*F[0-9]+|PFC[0-9].*")
_SUMS = {"ALL", "TOTAL", "TOTALS", "SUM", "AGGREGATE", "AGGREGATED", "GHG", "GHGS", "GREENHOUSE", "KYOTO", "KYOTOGHG", "KYOTOGHGS", "CO2E"}  # fmt: skip
_OF_SUMS = {"GAS", "GASES", "BASKET"}
_BIOGENIC = re.compile(r"B|BIO.*|CO2B|CO2BIO.*")
_OF_ORIGINS, _FOSSIL, _LIVING = ("CH4", "N2O"), "fossil", "biogenic"
_OTHER = "OTHER "
_OTHERS = {"UNSPECIFIED", "MIX", "MIXTURE", "OTHER", "LISTED"}
_BY_THE_WAY = {"EMISSION", "EMISSIONS", "REMOVAL", "REMOVALS", "NET", "FROM", "AND", "OF", "IN", "THE", "AS"}  # fmt: skip
_OF_A_GAS = {"TOTAL", "FOSSIL", "CO2E"}


def gas_named(label: str) -> str:
    """Return a gas in one spelling, in capitals, by what a table calls it; blank for what is none, or may be several things.

    Notes
    -----
    All gases together are :data:`~carbongrid.inventory.coded_table.ALL_GASES`, as is a blank label; those with fluorine
    :data:`~carbongrid.inventory.coded_table.F_GASES`; CO2 of plants :data:`~carbongrid.inventory.coded_table.BIOGENIC`. CH4 or N2O of one
    origin is a gas of its own, ``CH4 (fossil)`` or ``CH4 (biogenic)``, so that both of a code count.
    """
    words = _words(label)
    said = words - _BY_THE_WAY
    gases = {word for word in said if word in _GASES or _is_fluorinated(word)}
    rest = said - gases
    if not words or (not gases and rest & _SUMS and rest <= _SUMS | _OF_SUMS):
        return ALL_GASES
    if "FGASES" in rest and not gases and rest <= {"FGASES", *_SUMS, *_OF_SUMS}:
        return F_GASES
    bio = {word for word in rest if _BIOGENIC.fullmatch(word)}
    of_co2 = "CO2" in gases or any(word.startswith("CO2") for word in bio)
    if bio and of_co2 and gases <= {"CO2"} and rest - bio <= {"TOTAL", "CO2E"}:
        return BIOGENIC
    if len(gases) == 1 and rest - bio <= _OF_A_GAS:
        gas = _hyphened(gases.pop())
        if gas not in _OF_ORIGINS or not (bio or "FOSSIL" in rest):
            return "" if bio else gas
        return "" if bio and "FOSSIL" in rest else f"{gas} ({_LIVING if bio else _FOSSIL})"
    families = said & {HFCS, PFCS, "FGASES"}
    if families and rest & _OTHERS and said - families <= _OTHERS | _OF_SUMS:
        return f"{_OTHER}{' '.join(sorted(families))}"
    return ""


def says_co2e(label: str) -> bool:
    """Return whether what a table calls a gas says that its masses are in CO2e: by the word, or by the GWP that they were multiplied with."""
    text = _spelled(label)
    return bool(_IN_CO2E.search(_FORMULA_CO2E.sub("CO2E", text)))


def gases_above(gas: str) -> list[str]:
    """Return the sums of which a gas, as :func:`gas_named` returns it, is a part, the nearest first; of biogenic CO2, which no sum holds, none.

    Raises
    ------
    ValueError
        If the gas is unknown: nobody can tell what it is a part of.
    """
    if gas in (ALL_GASES, BIOGENIC):
        return []
    if gas in ("CO2", "CH4", "N2O", F_GASES):
        return [ALL_GASES]
    gas_itself, fossil = origin_of(gas)
    if fossil is not None:
        return [gas_itself, ALL_GASES]
    if gas.startswith("HFC-") or gas == f"{_OTHER}{HFCS}":
        return [HFCS, F_GASES, ALL_GASES]
    if _PFC.fullmatch(gas.replace("-", "")) or gas == f"{_OTHER}{PFCS}":
        return [PFCS, F_GASES, ALL_GASES]
    if gas in ("SF6", "NF3", HFCS, PFCS) or gas.startswith(_OTHER):
        return [F_GASES, ALL_GASES]
    raise ValueError(f"{gas!r} is no gas that is known")


def origin_of(gas: str) -> tuple[str, bool | None]:
    """Return a gas without its origin, and whether that is fossil: CH4 and True of ``CH4 (fossil)``; None where it tells none."""
    for itself in _OF_ORIGINS:
        for origin in (_FOSSIL, _LIVING):
            if gas == f"{itself} ({origin})":
                return itself, origin == _FOSSIL
    return gas, None


def _spelled(label: str) -> str:
    """Return a label in capitals, its Chinese names in English and nothing but blanks between its words."""
    text = unicodedata.normalize("NFKC", label).upper()
    text = _CHINESE_NAME.sub(lambda match: f" {_CHINESE[match[0]]} ", text)
    text = _NUMBERED.sub(lambda match: match[1] + match[2].replace("-", ""), text)
    return re.sub(r"[\W_]+", " ", _RING.sub("CC4F8", text))


def _words(label: str) -> set[str]:
    text = _spelled(label)
    for pattern, name in _PHRASES:
        text = pattern.sub(name, text)
    return {_PERFLUORINATED.get(word, word) for word in text.split()}


def _is_fluorinated(word: str) -> bool:
    return re.fullmatch(r"HFC[0-9].*", word) is not None or _PFC.fullmatch(word) is not None


def _hyphened(word: str) -> str:
    return re.sub(r"^([HP]FC)(?=[0-9])", r"\1-", word).replace("CC4F8", "C-C4F8")
