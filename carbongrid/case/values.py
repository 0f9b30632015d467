"""Kinds of values that fields of a case take, each with the message that says what was expected."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from carbongrid.case.fields import nearest
from carbongrid.errors import InputError
from carbongrid.inventory.units_of_measure import base_currency, grams_of_text
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.encodings import encoding_named

if TYPE_CHECKING:
    from pyproj import CRS

POINT_SYSTEMS = ("gcj02", "bd09")
_ENCODINGS = ("utf-8", "utf-16", "gbk", "gb18030", "big5", "latin-1", "cp1252", "shift_jis")
_COMMANDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""Control characters but those that set words and lines apart, and halves of characters, which a program may give."""
TABLE_SUFFIXES = (".csv", ".xlsx")


def wrong(message: str, hint: str = "", *, key: str = "") -> PydanticCustomError:
    """Return the error that a validator raises; ``key`` where it checks a whole section."""
    context = {"message": message, "hint": hint, "key": key}
    return PydanticCustomError("case", "{message}", context)


def is_table(text: str) -> bool:
    """Whether a value that may be a word or a file is the file."""
    return PurePosixPath(text).suffix.lower() in TABLE_SUFFIXES


def is_path_of(unit: str, value: object) -> bool:
    """Whether a value of a field that can hold a file is one, not a word."""
    return isinstance(value, str) and (unit == "file" or is_table(value))


def one_of(*words: str, optional: bool = False) -> AfterValidator:
    """Accept these words only, and None where the field is optional."""

    def check(text: str | None) -> str | None:
        if text in words or (text is None and optional):
            return text
        close = nearest(text or "", words)
        hint = f"Did you mean {close!r}?" if close else ""
        raise wrong(f"expected {' or '.join(map(repr, words))}, not {text!r}", hint)

    return AfterValidator(check)


def one_of_or_table(*words: str) -> AfterValidator:
    """Accept these words, or the name of a CSV or XLSX file."""

    def check(text: str) -> str:
        if text in words or is_table(text):
            return text
        close = nearest(text, words)
        choices = ", ".join(map(repr, words))
        hint = f"Did you mean {close!r}?" if close else "The name of a table ends in .csv or .xlsx."
        raise wrong(f"expected {choices} or the name of a CSV table, not {text!r}", hint)

    return AfterValidator(check)


def _one_or_many(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _not_blank(text: str) -> str:
    if not text.strip():
        raise wrong("expected some text, not a blank", "Leave the key out if it is not needed.")
    return text


def _without_commands(text: str) -> str:
    if _COMMANDS.search(text):
        raise wrong(
            f"expected text without control characters, not {text!r}",
            r"In double quotes \ begins an escape: write \\ for it, or put the text in single quotes.",
        )
    return text


def _columns(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise wrong(f"expected each column once, not {list(names)!r}")
    return names


Text = Annotated[str, AfterValidator(_not_blank)]
"""Text that is not blank."""

PlainText = Annotated[str, AfterValidator(_without_commands)]
"""Text that every file of a run can hold, such as its title: a NetCDF has no NUL, and XML none of the others."""

Texts = Annotated[tuple[Text, ...], BeforeValidator(_one_or_many), AfterValidator(_columns)]
"""One text or a list of them, each once."""


def _projected_in_metres(text: str) -> str:
    crs = _parsed_crs(text)
    if not crs.is_projected or [axis.unit_name for axis in crs.axis_info] != ["metre"] * 2:
        raise wrong(
            f"expected a projected CRS in metres, not {text!r}",
            "Leave crs out for an equal-area one made from the data.",
        )
    return text


def crs_of_points(text: str) -> str:
    """Return a coordinate system of points unchanged; raise the validators' error if it is none."""
    if text not in POINT_SYSTEMS:
        _parsed_crs(text)
    return text


def _parsed_crs(text: str) -> CRS:
    from pyproj.exceptions import CRSError

    from carbongrid.raster.crs_units import why_no_map

    try:
        crs = crs_of(text)
    except InputError as error:
        raise wrong(error.problems[0].what, error.problems[0].hint) from None
    except CRSError:
        raise wrong(
            f"expected a coordinate reference system, not {text!r}",
            "Write it as an authority's code, for example 'EPSG:4490'.",
        ) from None
    if why := why_no_map(crs):
        raise wrong(
            f"expected a coordinate reference system of maps: {crs.name} {why}",
            "Write it as an authority's code, for example 'EPSG:4490'.",
        )
    return crs


def _encoding(text: str) -> str:
    if encoding_named(text) is None:
        close = nearest(text, _ENCODINGS)
        hint = f"Did you mean {close!r}?" if close else "Leave it out for UTF-8 or GB18030."
        raise wrong(f"expected a text encoding, such as 'gbk', not {text!r}", hint)
    return text


def _mass(text: str) -> str:
    try:
        grams_of_text(text)
    except InputError as error:
        raise wrong(str(error)) from None
    return text


def _currency(text: str) -> str:
    try:
        base_currency(text)
    except InputError as error:
        raise wrong(str(error)) from None
    return text


MetricCrs = Annotated[Text, AfterValidator(_projected_in_metres)]
"""A projected CRS in metres."""

PointCrs = Annotated[Text, AfterValidator(crs_of_points)]
"""gcj02, bd09 or any CRS."""

EncodingText = Annotated[Text, AfterValidator(_encoding)]
"""The name of a text encoding, or the number of a code page."""

MassText = Annotated[Text, AfterValidator(_mass)]
"""A mass with its unit, such as ``231.2 Mt CO2``."""

CurrencyText = Annotated[Text, AfterValidator(_currency)]
"""A unit of money, such as ``1e8 CNY``."""
