"""Make the plugin's archive: ``python qgis/package.py [OUT.zip]``; QGIS installs it by *Install from ZIP*."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

PLUGIN = Path(__file__).with_name("carbongrid_qgis")


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


if __name__ == "__main__":
    print(package(Path(sys.argv[1] if len(sys.argv) > 1 else "dist/carbongrid_qgis.zip")))
