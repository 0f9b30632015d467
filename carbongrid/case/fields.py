"""What the sections of a case have in common: how a field is described."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


class Section(BaseModel):
    """Base of every table of the case file: no unknown key, no value of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def about(
    title: str,
    unit: str,
    description: str,
    *,
    example: Any,
    alias: str | None = None,
    file: bool = False,
) -> FieldInfo:
    """Describe a field of the case: what comments, docs and messages say about it.

    Parameters
    ----------
    title, description
        A name and half a line of prose, without a full stop.
    unit
        Unit of the value, or what kind of text it is (``file``, ``column``, ``word``).
    example
        A value that the template shows.
    alias
        Key in the file, where Python cannot have it as a name.
    file
        Whether the value is a path, or can be one beside some words.
    """
    extra: dict[str, Any] = {"unit": unit, "example": example, "file": file}
    described: FieldInfo = Field(
        title=title, description=description, alias=alias, json_schema_extra=extra
    )
    return described


def facts_of(field: FieldInfo) -> dict[str, Any]:
    """Return a field's ``unit``, ``example`` and ``file``."""
    extra = field.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


def keys_of_columns(case: BaseModel, section: BaseModel) -> dict[str, str]:
    """Return the key of a case that names each column which one of its sections reads, ``{"lon": "[pois] x"}``; nothing of what is no section of it."""
    keys: dict[str, str] = {}
    name = next((key for key in type(case).model_fields if getattr(case, key) is section), None)
    if name is None:
        return keys
    for field, info in type(section).model_fields.items():
        if str(facts_of(info).get("unit", "")).startswith("column"):
            named = getattr(section, field)
            for column in (named,) if isinstance(named, str) else named or ():
                keys.setdefault(column, f"[{name}] {info.alias or field}")
    return keys


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like this one, or None if none is like it."""
    by_look = {_look(candidate): candidate for candidate in known}
    matches = difflib.get_close_matches(_look(word), by_look, n=1, cutoff=0.6)
    return by_look[matches[0]] if matches else None


def meant(close: str, word: str) -> str:
    """Return the question whether a known word was meant, or how it differs where both look the same."""
    if close != word and composed(close) == composed(word):
        return f"{close!r} differs in characters that look alike, such as an accent that is part of its letter in one, and a character of its own in the other (Unicode NFC and NFD). Write it in one way: copy it, or type it anew."
    return f"Did you mean {close!r}?"


def composed(text: str) -> str:
    """Return a text with accents as parts of their letters: of two that look the same, and are stored in two ways, the same."""
    return unicodedata.normalize("NFC", text)


def _look(text: str) -> str:
    return composed(text.lower())


ENCODING = about(
    "Encoding",
    "word",
    "text encoding of the file; default: UTF-8, then GB18030",
    example="gbk",
)
