"""English that is left in a Chinese text: what is neither a symbol, nor to be typed as it stands, nor a name from the case."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

import pandas as pd

from carbongrid.case import Case
from carbongrid.method.categories import read_categories

_TO_TYPE = re.compile(
    r"[\w-]+\.[a-z]+\b|[\w-]+(?:[/._][\w*-]+)+|--\w+|\b[a-z]+:\w+|\b[A-Z]\d+\b"  # files, keys of factors and activities, options, weight rules, rows, decisions
    r"""|\[\w+\](?: weight)?|\b\w+ = (?:"\w*"|'\w+'|\w*)|\b\w+=(?:\w+|\.{3})|weight (?:设为 people|填 area)|(?<=在 \[allow\] 中设 )fallback = """  # keys of the case
    r"|(?<=工作表 )\w+|(?<=缺少参数 )\w+|\b\w+(?= 列)|(?<=[写在] )\w+(?= 中| 表)|(?<=碳汇集 )\w+|(?<=碳汇系数集取 )\w+|ipcc(?= 集合)|ipcc 或 balanced"  # of the inventory
    r"|(?<=填写 )(?:country|climate)|(?<=文件的 )country(?= 中)|(?:temperate|tropical)-(?:wet|dry)|(?<=请检查 )crs|(?<=y 与 )crs|carbongrid(?: probability| docs)?|n2o-plant|gdalwarp .*? OUT\b|_FillValue",
    re.ASCII,
)
_SYMBOLS = {"CCR", "ECC", "ESC", "GDP", "GWP", "CSV", "CO2", "CO2e", "CH4", "N2O", "CO₂", "CO₂e", "CA", "km", "m2", "km2", "kWh", "GWh", "NCV", "EPSG", "NetCDF", "Zarr", "wgs84", "gcj02", "bd09"}  # fmt: skip
"""Of indices, gases, units of measure, formats and systems of coordinates: what no reader of Chinese writes otherwise."""
_CODES = {"CN", "GB", "jiangsu", "ipcc", "balanced", "study", "cn", "gbt", "default", "bof"}
"""Of countries, and of sets, variants and products of factors, as the columns of an inventory have them."""


def english_in(chinese: str, names: Iterable[str] = ()) -> list[str]:
    """Return the English words of a remark, but for symbols, what a user types, categories, and names from the case."""
    for name in sorted([*names, *read_categories()], key=len, reverse=True):
        if name in chinese:
            chinese = re.sub(rf"(?<!\w){re.escape(name)}(?!\w|\.\w)", "", chinese, flags=re.ASCII)
    words = re.findall(r"[A-Za-z][A-Za-z0-9₂]+", _TO_TYPE.sub("", chinese))
    return [word for word in words if word not in _SYMBOLS | _CODES]


def names_of(case: Case) -> set[str]:
    """Return the names that remarks take from a case: words of its settings, and facilities."""
    told = tomllib.loads(case.path.read_text("utf-8")).values()
    values = [each for section in told if isinstance(section, dict) for each in section.values()]
    settings = [word for each in values for word in (each if isinstance(each, list) else [each])]
    facilities = pd.read_csv(case.path.parent / "facilities.csv")["name"]
    return {word for word in [*settings, *facilities] if isinstance(word, str) and word}
