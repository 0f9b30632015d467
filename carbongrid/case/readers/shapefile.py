"""The text encoding of a Shapefile, which the file itself often does not tell."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from carbongrid.case.readers.chinese_text import (
    BOTH_WAYS,
    CHINESE_OR_KOREAN,
    beyond_ascii,
    common_chinese,
    reads_as_korean,
)
from carbongrid.case.readers.misread_text import misread, misread_problem, proposal
from carbongrid.errors import InputError, Problem
from carbongrid.raster.opening.encodings import encoding_named
from carbongrid.raster.opening.files import read_text
from carbongrid.raster.opening.vectors import open_vector

BYTE_FOR_BYTE = "ISO-8859-1"
"""The encoding in which every byte is a character: read so, text can be decoded again."""

_COMMON_HANZI = 0.75
"""Share of Chinese characters that must be common ones (GB 2312). GB18030 reads nearly any bytes:
``Zürich`` in Latin-1 too, but as characters that no table of names is made of."""


def shapefile_encoding(path: Path, encoding: str | None) -> str:
    """Return the encoding of a Shapefile's names and text.

    What the case says comes first, then the ``.cpg`` beside the file; without it all the text is
    read strictly as UTF-8, then as GB18030.

    Raises
    ------
    InputError
        If the encoding is unknown, or neither UTF-8 nor GB18030 reads the text as names.
    """
    path = path.resolve()
    if encoding is not None:
        return known_encoding(encoding, path.name)
    declared = _declared(path)
    if declared:
        return known_encoding(declared, f"{path.stem}.cpg")
    texts = _texts(path)
    try:
        return _decodes(texts, "utf-8")
    except UnicodeDecodeError:
        pass
    try:
        _decodes(texts, "gb18030")
    except UnicodeDecodeError:
        raise _unclear(path, texts) from None
    data = b"\n".join(texts)
    if not _reads_like_chinese(data.decode("gb18030")):
        raise _unclear(path, texts)
    if reads_as_korean(data):
        raise InputError(
            f"the Shapefile has no .cpg, and its text {BOTH_WAYS}",
            path.name,
            f"Name its encoding in the case, encoding = ...: {proposal(data, CHINESE_OR_KOREAN)}.",
        )
    return "gb18030"


def doubts_of_reading(
    table: pd.DataFrame, encoding: str, path: Path, *, named: bool
) -> list[Problem]:
    """Return a warning if the text of a Shapefile reads as no words by the encoding that the case names, or that its ``.cpg`` says.

    Only columns with text that is not ASCII are read again for it.

    Parameters
    ----------
    table
        As it was read.
    encoding
        By which it was read.
    path
        The Shapefile.
    named
        Whether the case names it.

    Raises
    ------
    InputError
        If its ``.cpg`` says it, and the text reads as no words by it and as common words by an encoding of several bytes a
        character, UTF-8, GB18030, CP932, Big5 or CP949: bytes in another encoding hardly ever do.
    """
    # Nothing else reads as UTF-8, and what nobody declares was tried on all of the text.
    if encoding == "utf-8" or not (named or _declared(path.resolve())):
        return []
    attributes = table.drop(columns="geometry", errors="ignore").select_dtypes(exclude="number")
    strings = ((str(name), text) for name in attributes for text in attributes[name].dropna().unique())  # fmt: skip
    odd = {text: name for name, text in strings if isinstance(text, str) and not text.isascii()}
    columns = set(odd.values())
    if not columns:
        return []
    wrong = misread(odd, encoding, b"\n".join(_texts(path, encoding, columns)))
    if wrong is None:
        return []
    if named:
        return [misread_problem(encoding, wrong.example, wrong.others, path.name)]
    what = f"the .cpg says {encoding}, by which the text reads as no words: {wrong.example!r}"
    hint = f"Name the encoding in the case, which comes first, or correct the .cpg: {wrong.others}."
    if not wrong.meant:
        return [Problem(what, path.name, hint, "warning")]
    raise InputError(
        f"the .cpg says {encoding}, and the text is {wrong.meant}: {wrong.example!r} was read",
        path.name,
        f'Name the encoding in the case, which comes first, encoding = {wrong.others}; or "{encoding}" if it is right. Or correct the .cpg.',
    )


def known_encoding(encoding: str, where: str) -> str:
    """Return Python's name of an encoding, as :func:`carbongrid.raster.opening.encodings.encoding_named` does.

    Raises
    ------
    InputError
        If Python does not know it.
    """
    name = encoding_named(encoding)
    if name is not None:
        return name
    raise InputError(
        f"{encoding!r} is not a text encoding",
        where,
        'Common ones are "utf-8", "gb18030" (Chinese), "cp932" (Japanese), "cp949" (Korean) and "cp1252" (western Europe).',
    )


def _declared(path: Path) -> str:
    for beside in path.parent.iterdir():
        if beside.stem == path.stem and beside.suffix.lower() == ".cpg":
            return read_text(beside, encoding="ascii", errors="replace").strip()
    return ""


def _texts(
    path: Path, encoding: str = BYTE_FOR_BYTE, columns: Collection[str] | None = None
) -> list[bytes]:
    """Return the names and the text of a Shapefile's columns as they are stored; of some columns, as an encoding calls them, or of all."""
    with open_vector(path) as file:
        layer, _ = file.layers()[0]
        called = file.info(layer, encoding)["fields"]
        stored = file.info(layer, BYTE_FOR_BYTE)
        names = {
            str(name): kind
            for name, kind, as_called in zip(
                stored["fields"], stored["dtypes"], called, strict=True
            )
            if columns is None or as_called in columns
        }
        wanted = [name for name, kind in names.items() if kind == "object"]
        table = file.table(layer, BYTE_FOR_BYTE, wanted, read_geometry=False) if wanted else pd.DataFrame()  # fmt: skip
    texts = {*names}
    for name in table.columns:
        values = table[name].dropna()
        if len(values) and isinstance(values.iloc[0], str):
            texts.update(np.unique(values.to_numpy(dtype=object)))
    return [text.encode(BYTE_FOR_BYTE) for text in sorted(texts)]


def _decodes(texts: list[bytes], encoding: str) -> str:
    for text in texts:
        text.decode(encoding)
    return encoding


def _reads_like_chinese(text: str) -> bool:
    return len(common_chinese(text)) >= _COMMON_HANZI * len(beyond_ascii(text))


def _unclear(path: Path, texts: list[bytes]) -> InputError:
    return InputError(
        "the Shapefile has no .cpg, and its text reads neither as UTF-8 nor as Chinese in GB18030",
        path.name,
        f"Name its encoding in the case, encoding = ...: {proposal(b'\n'.join(texts))}.",
    )
