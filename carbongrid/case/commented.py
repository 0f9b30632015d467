"""Writes a case file in which every line says what it means, in the words of the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from carbongrid.case.fields import facts_of, nearest
from carbongrid.case.schema import CaseFields, keys_of, sections
from carbongrid.case.toml_values import toml_value
from carbongrid.errors import InputError

_WIDTH = 36
"""Column where comments begin, unless the line is longer."""


def commented_toml(values: Mapping[str, Any], *, unused: bool = False) -> str:
    """Return a case file with a comment on every line, keys in the order of the documentation.

    Parameters
    ----------
    values
        As a TOML file holds them: ``{"year": 2020, "parcels": {"path": ...}, ...}``.
    unused
        Whether keys without a value are shown too, as an example behind a ``#``.

    Raises
    ------
    InputError
        If a key or a section is not known.
    """
    _refuse_unknown(values)
    top = [(key, field) for key, field in keys_of(CaseFields).items() if key not in sections()]
    lines = list(_lines(values, top, unused))
    for name, model in sections().items():
        if name in values or unused:
            used = name in values
            lines += ["", _line(f"{'' if used else '# '}[{name}]", _about_section(name))]
            fields = list(keys_of(model).items())
            lines += _lines(values.get(name, {}), fields, unused)
    return "\n".join(lines) + "\n"


def comment_of(field: FieldInfo) -> str:
    """Return what a field means and its unit, on one line."""
    text = f"[{facts_of(field)['unit']}] {field.description}"
    if "default" in (field.description or ""):
        return text
    if field.is_required():
        return f"{text}; required"
    return f"{text}; default {default_of(field)}" if default_of(field) else text


def default_of(field: FieldInfo) -> str:
    """Return a field's default as TOML writes it, blank if there is none."""
    if field.is_required() or field.default in (None, (), ""):
        return ""
    value = field.default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return toml_value(value)


def _about_section(name: str) -> str:
    field = CaseFields.model_fields[name]
    return f"{field.description}{'; required' if field.is_required() else ''}"


def _lines(
    values: Mapping[str, Any], fields: list[tuple[str, FieldInfo]], unused: bool
) -> Iterator[str]:
    for key, field in fields:
        if values.get(key) is not None:
            yield _line(f"{key} = {toml_value(values[key])}", comment_of(field))
        elif unused:
            yield _line(f"# {key} = {toml_value(facts_of(field)['example'])}", comment_of(field))


def _line(text: str, comment: str) -> str:
    return f"{text + '  ':<{_WIDTH}}# {comment}"


def _refuse_unknown(values: Mapping[str, Any]) -> None:
    models: dict[str, type[BaseModel]] = {"": CaseFields, **sections()}
    places = {"": values, **{name: values[name] for name in sections() if name in values}}
    for name, part in places.items():
        for key in part:
            known = keys_of(models[name])
            if key not in known:
                close = nearest(key, known)
                raise InputError(
                    f"unknown key {key!r}" + (f" in [{name}]" if name else ""),
                    hint=f"Did you mean {close!r}?" if close else "",
                )
