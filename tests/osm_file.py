"""Write a small .osm.pbf, so that what GDAL makes of tags and relations is tested without real data."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

Tags = dict[str, str]
Ring = list[tuple[float, float]]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> bytes:
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _number(field: int, encoded: bytes) -> bytes:
    return _varint(field << 3) + encoded


def _text(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


class OsmFile:
    """Ways, relations of one outer way each, and points with tags."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {"": 0}
        self._nodes: list[bytes] = []
        self._ways: list[bytes] = []
        self._relations: list[bytes] = []

    def node(self, lon: float, lat: float, tags: Tags | None = None) -> int:
        """Add a point; return its id."""
        number = len(self._nodes) + 1
        place = _number(8, _zigzag(round(lat * 1e7))) + _number(9, _zigzag(round(lon * 1e7)))
        self._nodes.append(_number(1, _zigzag(number)) + self._tags(tags or {}) + place)
        return number

    def way(self, ring: Ring, tags: Tags | None = None) -> int:
        """Add a closed way around these corners; return its id."""
        return self._way([*ring, ring[0]], tags)

    def line(self, corners: Ring, tags: Tags) -> int:
        """Add an open way along these corners; return its id."""
        return self._way(corners, tags)

    def _way(self, corners: Ring, tags: Tags | None) -> int:
        places = {corner: self.node(*corner) for corner in dict.fromkeys(corners)}
        refs = [places[corner] for corner in corners]
        steps = b"".join(_zigzag(b - a) for a, b in zip([0, *refs], refs, strict=False))
        self._ways.append(_number(1, _varint(len(self._ways) + 1)) + self._tags(tags or {}) + _text(8, steps))  # fmt: skip
        return len(self._ways)

    def border(self, ring: Ring, tags: Tags) -> int:
        """Add a boundary relation with an outer way; return its id."""
        way = self.way(ring)
        kind = self._tags({"type": "boundary", **tags})
        members = _text(8, _varint(self._string("outer"))) + _text(9, _zigzag(way)) + _text(10, _varint(1))  # fmt: skip
        self._relations.append(_number(1, _varint(len(self._relations) + 1)) + kind + members)
        return len(self._relations)

    def write(self, path: Path) -> Path:
        """Write the file."""
        groups = zip((1, 3, 4), (self._nodes, self._ways, self._relations), strict=True)
        strings = b"".join(_text(1, text.encode()) for text in self._strings)
        block = _text(1, strings) + b"".join(
            _text(2, b"".join(_text(field, each) for each in group)) for field, group in groups
        )
        head = _text(4, b"OsmSchema-V0.6")
        path.write_bytes(_blob(b"OSMHeader", head) + _blob(b"OSMData", block))
        return path

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def _tags(self, tags: Tags) -> bytes:
        keys = b"".join(_varint(self._string(key)) for key in tags)
        values = b"".join(_varint(self._string(value)) for value in tags.values())
        return _text(2, keys) + _text(3, values) if tags else b""


def _blob(kind: bytes, content: bytes) -> bytes:
    blob = _number(2, _varint(len(content))) + _text(3, zlib.compress(content))
    head = _text(1, kind) + _number(3, _varint(len(blob)))
    return struct.pack(">I", len(head)) + head + blob
