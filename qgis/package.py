"""Make the plugin's archive: ``python qgis/package.py [OUT.zip]``; QGIS installs it by *Install from ZIP*."""

from __future__ import annotations

import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

PLUGIN = Path(__file__).with_name("carbongrid_qgis")
FOR_PUBLICATION = ("email", "repository", "tracker")
"""What QGIS's own repository of plugins asks of metadata.txt; installing from the archive needs none of it."""


def package(out: Path) -> Path:
    """Write the archive; the same files give the same bytes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        files = (
            path for path in sorted(PLUGIN.rglob("*")) if path.suffix in (".py", ".svg", ".txt")
        )
        for path in files:
            name = zipfile.ZipInfo(
                path.relative_to(PLUGIN.parent).as_posix(), (1980, 1, 1, 0, 0, 0)
            )
            name.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(name, path.read_bytes())
        licence = zipfile.ZipInfo(f"{PLUGIN.name}/LICENSE", (1980, 1, 1, 0, 0, 0))
        archive.writestr(licence, PLUGIN.parents[1].joinpath("LICENSE").read_bytes())
    return out


def lacking() -> list[str]:
    """Return what metadata.txt must state before the plugin is published."""
    metadata = ConfigParser()
    metadata.read(PLUGIN / "metadata.txt", encoding="utf-8")
    return [key for key in FOR_PUBLICATION if not metadata["general"].get(key)]


if __name__ == "__main__":
    print(package(Path(sys.argv[1] if len(sys.argv) > 1 else "dist/carbongrid_qgis.zip")))
    if lacking():
        print(
            f"Before it is published, {PLUGIN / 'metadata.txt'} must state: {', '.join(lacking())}."
        )
