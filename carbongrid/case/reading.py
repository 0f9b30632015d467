"""Reads a case file and says everything that is wrong with it, in the user's words."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from carbongrid.case.fields import facts_of, meant, nearest
from carbongrid.case.schema import CaseFields, fault_of_amounts, keys_of, section_of, sections
from carbongrid.case.toml_values import require_short_keys, toml_value
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.raster.opening.files import open_file, require_regular

_EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number without quotes",
    "float_type": "a number without quotes",
    "bool_type": "true or false without quotes",
    "finite_number": "a finite number",
    "tuple_type": "text in quotes, or a list of them",
    "model_type": "a section",
    "model_attributes_type": "a section",
}


_REMOTE = ("allow_remote",)
"""A key of older cases, in which it did nothing."""

MAX_BYTES = 2**20
"""A case file larger than this (1 MiB) is none: it names files, and the data are in these."""


MAX_UNKNOWN = 20
"""So many unknown keys are told one by one, each with one that may be meant; a file with more is hardly a case."""

_HELD_OPEN = ("~$", ".~lock.")
"""How files begin that a spreadsheet lays beside the one that it has open."""
_LINE = re.compile(r"at line (\d+)")
_OF_A_TEXT_EDITOR = re.compile(r'^\s*[［【]|^[^"=]*＝|=\s*[“”„‘’＂]|[“”＂]\s*$')
"""Quotes, brackets and equals signs as word processors and Chinese keyboards write them, where TOML wants its own."""
_ESCAPE = re.compile(r'"[^"]*\\(?:[^"\\]|"\s*$)')
"""A backslash in double quotes, as in a path of Windows, or one that takes the closing quote for a letter."""


@in_own_decimals
def read_case[C: CaseFields](model: type[C], path: Path) -> C:
    """Return the case in a file; ``Case.read`` is its public name."""
    data = _bytes_of(path)
    case = case_of(model, _toml(data, path), path)
    case._read_from = hashlib.sha256(data).hexdigest()
    problems = list(_faults_of_files(case))
    if problems:
        raise InputError(problems)
    return case


@in_own_decimals
def case_of[C: CaseFields](model: type[C], values: Mapping[str, Any], path: Path) -> C:
    """Return the case that values make; ``Case.of`` is its public name."""
    try:
        case = model.model_validate(dict(values))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        unknown = [at for at, fault in enumerate(faults) if fault["type"] == "extra_forbidden"]
        more = set(unknown[MAX_UNKNOWN:])
        problems = [_problem(fault, values, path.name) for at, fault in enumerate(faults) if at not in more]  # fmt: skip
        if more:
            hint = "Name the file that `carbongrid init` wrote."
            problems.append(Problem(f"{len(more):,} more keys are unknown", path.name, hint))
        amounts = fault_of_amounts("totals" in values, "inventory" in values)
        if amounts and not any(problem.what == amounts[0] for problem in problems):
            problems.append(Problem(amounts[0], path.name, amounts[1]))
        raise InputError(problems) from None
    case._path = path.absolute()
    return case


def _bytes_of(path: Path) -> bytes:
    try:
        with open_file(path) as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(
                f"the case file holds {path.stat().st_size / 2**20:.1f} MiB, more than the {MAX_BYTES / 2**20:.0f} MiB that a case may",
                str(path),
                "Name the file that `carbongrid init` wrote; data go into tables beside it.",
            )
        return data
    except FileNotFoundError:
        raise InputError(
            "there is no such case file",
            str(path),
            "Write one with `carbongrid init DIR`, or check the name.",
        ) from None
    except IsADirectoryError:
        raise InputError(
            "this is a folder, expected a case file", str(path), "Name the TOML file in it."
        ) from None
    except OSError as error:
        raise InputError(f"the case file cannot be read: {error.strerror}", str(path)) from None


def _toml(data: bytes, path: Path) -> dict[str, Any]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"line {line} is not UTF-8", str(path), "Save the case file as UTF-8."
        ) from None
    require_short_keys(text, path.name)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        hint = 'Text stands in quotes (crs = "EPSG:4490"), sections in brackets ([parcels]).'
        place = _LINE.search(str(error))
        if place and _ESCAPE.search(text.split("\n")[int(place[1]) - 1]):
            hint = "Write paths with /, relative to the case: in double quotes \\ begins an escape."
        elif place and _OF_A_TEXT_EDITOR.search(text.split("\n")[int(place[1]) - 1]):
            hint = 'Write straight quotes and plain signs: " = [ ].'
        raise InputError(f"this is not TOML: {error}", path.name, hint) from None


def _faults_of_files(case: CaseFields) -> list[Problem]:
    problems = []
    named = {written for _, written in case.named_files()}
    for key, written in case.named_files():
        where = f"{case.path.name}, {key}"
        try:
            target = case.resolve(written)
        except InputError as error:
            problems += [Problem(fault.what, where, fault.hint) for fault in error.problems]
            continue
        if not target.exists():
            problems.append(_missing_file(written, target, where, named))
        elif not target.is_dir():
            problems += _not_regular(target, where)
    return problems


def _not_regular(target: Path, where: str) -> list[Problem]:
    try:
        require_regular(target)
    except OSError as error:
        return [Problem(f"the file cannot be read: {error.strerror}", where, "Name a file.")]
    return []


def _missing_file(written: str, target: Path, where: str, named: Collection[str]) -> Problem:
    """Say that a file is not there, and which one that the case does not name may be meant."""
    entries = target.parent.iterdir() if target.parent.is_dir() else ()
    siblings = [
        entry.name
        for entry in entries
        if entry.name not in named and not entry.name.startswith(_HELD_OPEN)
    ]
    close = nearest(target.name, siblings)
    hint = meant(close, target.name) if close else "Paths are relative to the case file."
    return Problem(f"there is no file {written!r}", where, hint)


def _problem(fault: Any, values: Mapping[str, Any], file: str) -> Problem:
    location = tuple(part for part in fault["loc"] if isinstance(part, str))
    context = fault.get("ctx", {})
    if fault["type"] == "case" and context["key"]:
        location = (*location, context["key"])
    where = _where(file, location)
    if fault["type"] == "extra_forbidden":
        return _unknown_key(location, values, where)
    field = _field(location)
    if fault["type"] == "missing":
        return _missing_key(location, field, where)
    if fault["type"] == "case":
        return Problem(context["message"], where, context["hint"])
    return Problem(_mismatch(fault), where, _example(location, field))


def _where(file: str, location: tuple[str, ...]) -> str:
    if not location:
        return file
    key = location[0] if len(location) == 1 else f"[{location[0]}] {'.'.join(location[1:])}"
    return f"{file}, {key}"


def _field(location: tuple[str, ...]) -> FieldInfo | None:
    if not location:
        return None
    model = section_of(location[0]) if len(location) > 1 else CaseFields
    return None if model is None else keys_of(model).get(location[-1])


def _unknown_key(location: tuple[str, ...], values: Mapping[str, Any], where: str) -> Problem:
    if location == _REMOTE:
        return Problem(
            "there is no key 'allow_remote': files on another machine are never read",
            where,
            "Take it out, and copy such files into the case's folder.",
        )
    key = location[-1]
    top = len(location) == 1
    model = CaseFields if top else sections()[location[0]]
    known = keys_of(model)
    kind = "section" if top and isinstance(values.get(key), dict) else "key"
    close = nearest(key, known)
    if close:
        return Problem(f"unknown {kind} {key!r}", where, f"Did you mean {close!r}?")
    homes = [f"[{name}]" for name, section in sections().items() if key in keys_of(section)]
    if not top and key in keys_of(CaseFields):
        homes.insert(0, "the top of the file, before the first section")
    if homes:
        return Problem(f"unknown {kind} {key!r}", where, f"It belongs to {' or '.join(homes)}.")
    return Problem(f"unknown {kind} {key!r}", where, f"Known here: {', '.join(known)}.")


def _missing_key(location: tuple[str, ...], field: FieldInfo | None, where: str) -> Problem:
    if field is None:
        return Problem(f"the required key {location[-1]!r} is missing", where)
    kind = "section" if len(location) == 1 and location[0] in sections() else "key"
    what = f"the required {kind} {location[-1]!r} is missing: {field.description}"
    return Problem(what, where, _example(location, field))


def _example(location: tuple[str, ...], field: FieldInfo | None) -> str:
    if field is None:
        return ""
    if len(location) == 1 and location[0] in sections():
        required = [
            key for key, entry in keys_of(sections()[location[0]]).items() if entry.is_required()
        ]
        return f"Add a section [{location[0]}] with {' and '.join(required)}." if required else ""
    return f"Write for example {location[-1]} = {toml_value(facts_of(field)['example'])}."


def _mismatch(fault: Any) -> str:
    expected = _EXPECTED.get(fault["type"])
    if expected:
        return f"expected {expected}, not {_shown(fault['input'])}"
    message = fault["msg"].replace("Input should be ", "expected a number ")
    return f"{message}, not {_shown(fault['input'])}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a section"
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of more than some thousand digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."
